"""The first GAN (Goodfellow et al. 2014): the minimax game, played by multilayer perceptrons."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gancourse.errors import unknown
from gancourse.gans.base import GAN, Batch, Scored
from gancourse.losses import (
    minimax_discriminator,
    minimax_generator,
    non_saturating_generator,
)
from gancourse.nets.mlp import MLPDiscriminator, MLPGenerator

__all__ = ["MinimaxGAN", "VanillaGAN"]

GENERATOR_LOSSES = {"saturating": minimax_generator, "non-saturating": non_saturating_generator}


class MinimaxGAN(GAN):
    """The original game, whatever the nets: a subclass sets ``generator`` and ``discriminator``.

    The discriminator maximises V(D, G) = E log D(x) + E log(1 - D(G(z))). The generator minimises
    the same V (``loss="saturating"``), or -E log D(G(z)) (``"non-saturating"``).

    Raises:
        GancourseError: unknown loss.
    """

    def __init__(self, shape: tuple[int, int, int], latent_dim: int, loss: str) -> None:
        super().__init__(shape, latent_dim)
        if loss not in GENERATOR_LOSSES:
            raise unknown("generator loss", loss, GENERATOR_LOSSES)
        self.loss = loss

    def discriminator_loss(self, batch: Batch, fake: Tensor) -> Scored:
        """-V(D, G) on one minibatch; scores D(x) and D(G(z)), the mean probabilities of "real"."""
        real_logits = self.discriminator(batch.images)
        fake_logits = self.discriminator(fake)
        scores = {
            "d_real": torch.sigmoid(real_logits.detach().float()).mean(),
            "d_fake": torch.sigmoid(fake_logits.detach().float()).mean(),
        }
        return Scored(minimax_discriminator(real_logits, fake_logits), scores)

    def generator_loss(self, batch: Batch, fake: Tensor) -> Scored:
        """The chosen generator loss on one minibatch of fakes."""
        return Scored(GENERATOR_LOSSES[self.loss](self.discriminator(fake)), {})


class VanillaGAN(MinimaxGAN):
    """The minimax game between two multilayer perceptrons.

    Args:
        shape: (C, H, W) of the images.
        latent_dim: length of the noise vector.
        hidden: widths of the generator's hidden layers; the discriminator has them in reverse.
        loss: ``"non-saturating"`` or ``"saturating"``.

    Raises:
        GancourseError: unknown loss.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        latent_dim: int = 100,
        hidden: Sequence[int] = (256, 512),
        loss: str = "non-saturating",
    ) -> None:
        super().__init__(shape, latent_dim, loss)
        self.generator = MLPGenerator(shape, latent_dim, hidden)
        self.discriminator = MLPDiscriminator(shape, tuple(hidden)[::-1])
