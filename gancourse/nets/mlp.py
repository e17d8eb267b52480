"""Multilayer perceptrons for images: the nets of the first GAN."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn

__all__ = ["MLPDiscriminator", "MLPGenerator"]


class MLPGenerator(nn.Module):
    """Noise to image through fully connected layers.

    Args:
        shape: (C, H, W) of the images.
        latent_dim: length of the noise vector.
        hidden: widths of the hidden layers, first to last; each is followed by batch
            normalisation and LeakyReLU(0.2).

    The output goes through tanh, so pixels lie in [-1, 1].
    """

    def __init__(self, shape: tuple[int, int, int], latent_dim: int, hidden: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = latent_dim
        for next_width in hidden:
            layers += [
                nn.Linear(width, next_width),
                nn.BatchNorm1d(next_width),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            width = next_width
        layers += [nn.Linear(width, prod(shape)), nn.Tanh(), nn.Unflatten(1, shape)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Noise N x latent_dim to images N x C x H x W in [-1, 1]."""
        return self.layers(z)


class MLPDiscriminator(nn.Module):
    """Image to one logit through fully connected layers with LeakyReLU(0.2).

    Args:
        shape: (C, H, W) of the images.
        hidden: widths of the hidden layers, first to last.
    """

    def __init__(self, shape: tuple[int, int, int], hidden: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        width = prod(shape)
        for next_width in hidden:
            layers += [nn.Linear(width, next_width), nn.LeakyReLU(0.2, inplace=True)]
            width = next_width
        layers += [nn.Linear(width, 1), nn.Flatten(0)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Images N x C x H x W to N logits."""
        return self.layers(images)
