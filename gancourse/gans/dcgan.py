"""DCGAN (Radford, Metz & Chintala 2016): the game of the first GAN, played by convolutions."""

from __future__ import annotations

import torch

from gancourse.gans.vanilla import MinimaxGAN
from gancourse.nets.dcgan import DCGANDiscriminator, DCGANGenerator, initialise

__all__ = ["DCGAN"]


class DCGAN(MinimaxGAN):
    """The minimax game between a transposed-convolutional and a convolutional net.

    What differs from :class:`~gancourse.gans.vanilla.VanillaGAN` is the nets and how their weights
    are drawn, from N(0, 0.02); losses and steps are the same. Each net has three layers
    at 28 pixels, four at 32, five at 64 as in the paper, and six at 128 as in the report.

    Args:
        shape: (C, H, W) of the images; H = W = 4, 5, 6 or 7 times a power of two.
        latent_dim: length of the noise vector.
        width: feature maps of the highest-resolution hidden layer in both nets (128 in the paper's
            64-pixel generator).
        loss: ``"non-saturating"`` or ``"saturating"``.

    Raises:
        GancourseError: a size that cannot be reached by doubling, or an unknown loss.
    """

    memory_format = torch.channels_last

    def __init__(
        self,
        shape: tuple[int, int, int],
        latent_dim: int = 100,
        width: int = 64,
        loss: str = "non-saturating",
    ) -> None:
        super().__init__(shape, latent_dim, loss)
        self.generator = DCGANGenerator(shape, latent_dim, width).apply(initialise)
        self.discriminator = DCGANDiscriminator(shape, width).apply(initialise)
