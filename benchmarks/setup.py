"""What one loop is to train: net, images, batch, threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gancourse import data
from gancourse.errors import GancourseError
from gancourse.gans import DCGAN

LATENT = 100
ADAM: dict[str, Any] = {"lr": 2e-4, "betas": (0.5, 0.999)}


@dataclass(frozen=True)
class Setup:
    """One loop's task.

    Attributes:
        loop: name in :data:`benchmarks.worker.LOOPS`.
        pixels: a side.
        channels: 1 takes Fashion-MNIST, padded to the size; 3 takes the paintings, resized.
        width: of both nets.
        batch: images a step.
        threads: of the CPU.
        device: ``"cpu"`` or ``"cuda"``.
    """

    loop: str
    pixels: int
    channels: int
    width: int
    batch: int
    threads: int
    device: str

    def gan(self) -> DCGAN:
        """The players, with the same weights for every loop, on the device."""
        torch.manual_seed(0)
        gan = DCGAN((self.channels, self.pixels, self.pixels), LATENT, self.width)
        return gan.to(self.device)

    def images(self) -> tuple[Tensor, str]:
        """uint8 N x C x H x W and what they are; random pixels where the data are not to be had."""
        shape = (self.channels, self.pixels, self.pixels)
        name, count, shown = (
            ("fashion-mnist", 60_000, "Fashion-MNIST")
            if self.channels == 1
            else ("abstract-art", 934, "abstract paintings")
        )
        try:
            size = None if self.channels == 1 else self.pixels
            images = data.load(name, size=size, download=False).images
        except GancourseError:
            rng = torch.Generator().manual_seed(0)
            images = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=rng)
            return images, f"{count:,} images of random pixels ({shown} not on this machine)"
        if self.channels == 1:
            images = torch.nn.functional.pad(images, ((self.pixels - 28) // 2,) * 4)
        return images, f"{shown}, {len(images):,} images"

    def wait(self) -> None:
        """Until the device has done what it was told."""
        if self.device == "cuda":
            torch.cuda.synchronize()
