"""The contract between a GAN and the training loop: two players, their losses, and samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gancourse.errors import GancourseError

__all__ = ["GAN", "Batch", "Scored", "frozen", "to_pixels", "to_signal"]


def to_signal(pixels: Tensor) -> Tensor:
    """Pixels uint8 0..255 to float32 in [-1, 1], any shape."""
    return pixels.float().div_(127.5).sub_(1.0)


def to_pixels(signal: Tensor) -> Tensor:
    """float in [-1, 1] to uint8 0..255, rounded; values outside are clipped. Any shape."""
    return signal.add(1.0).mul_(127.5).round_().clamp_(0.0, 255.0).to(torch.uint8)


@contextmanager
def frozen(net: nn.Module) -> Iterator[None]:
    """Within it a net passes gradients on without computing those of its weights."""
    net.requires_grad_(False)
    try:
        yield
    finally:
        net.requires_grad_(True)


class Batch(NamedTuple):
    """A minibatch of real data as both players see it."""

    #: float32 N x C x H x W in [-1, 1]
    images: Tensor
    #: int64 N, or None where the data set has no labels
    labels: Tensor | None = None


class Scored(NamedTuple):
    """A loss to descend, and the figures worth keeping of the same pass."""

    #: scalar, with its graph
    loss: Tensor
    #: name -> scalar tensor without graph; the loop averages them over a tick
    scores: dict[str, Tensor]


class GAN(nn.Module, ABC):
    """Two players and the rules of their game.

    The loop of :mod:`gancourse.training` runs, for each minibatch, :meth:`generate`, then
    :meth:`discriminator_loss` on the detached fakes (k times), then :meth:`generator_loss` on the
    fakes with their graph while the discriminator is frozen. It knows nothing else of the method.
    With ``Settings.diffaugment`` both losses get real and fake images that have been changed by
    :func:`gancourse.augment.diffaugment`; so they hand to the discriminator what they are given.

    Attributes:
        generator: what the generator's optimiser trains, and what is averaged (EMA).
        discriminator: what the discriminator's optimiser trains.
        shape: (C, H, W) of the images.
        latent_dim: length of the noise vector.
        memory_format: layout of both nets, unless the fast path finds a faster one for each
            (:mod:`gancourse.training.fast`).
        part: (i, n), if this process works on part i of every minibatch cut into n: it then
            draws noise for all of it, and takes its own.
    """

    generator: nn.Module
    discriminator: nn.Module
    memory_format: torch.memory_format = torch.contiguous_format
    part: tuple[int, int] = (0, 1)

    def __init__(self, shape: tuple[int, int, int], latent_dim: int) -> None:
        super().__init__()
        self.shape = shape
        self.latent_dim = latent_dim

    def noise(self, n: int, device: torch.device | str = "cpu") -> Tensor:
        """Draw n noise vectors from the global generator: float32 n x latent_dim, standard normal."""
        index, count = self.part
        return torch.randn(n * count, self.latent_dim, device=device).chunk(count)[index]

    def generate(self, batch: Batch) -> Tensor:
        """As many fakes as the batch has images, with their graph; float32 in [-1, 1]."""
        return self.generator(self.noise(len(batch.images), batch.images.device))

    @abstractmethod
    def discriminator_loss(self, batch: Batch, fake: Tensor) -> Scored:
        """What the discriminator descends, given real data and fakes cut off from their graph."""

    @abstractmethod
    def generator_loss(self, batch: Batch, fake: Tensor) -> Scored:
        """What the generator descends, given fakes with their graph."""

    @torch.no_grad()
    def sample(self, n: int, seed: int = 0, net: nn.Module | None = None) -> Tensor:
        """Draw images, the same ones for the same seed on every device (up to rounding).

        Args:
            n: how many.
            seed: of the noise, which is drawn on the CPU; the global generator is left alone.
            net: the generator to use, such as its moving average; by default ``generator``.

        Returns:
            uint8 n x C x H x W on the net's device.

        Raises:
            GancourseError: n is less than 1.
        """
        if n < 1:
            raise GancourseError(f"Cannot draw {n} samples; ask for 1 or more.")
        net = self.generator if net is None else net
        device = next(net.parameters()).device
        noise = torch.randn(n, self.latent_dim, generator=torch.Generator().manual_seed(seed))
        training = net.training
        net.eval()
        try:
            return torch.cat([to_pixels(net(z.to(device))) for z in noise.split(256)])
        finally:
            net.train(training)
