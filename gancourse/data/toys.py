"""Densities in the plane whose truth is known: what a GAN loses can be counted on them.

The ring and the grid are those of Lin, Khetan, Fanti, Oh: PacGAN (2018), section 4.1, after
Srivastava et al.: VEEGAN (2017); the line is example 1 of Arjovsky, Chintala, Bottou: Wasserstein
GAN (2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np
import torch

from gancourse.data.types import Info, PointData
from gancourse.errors import GancourseError

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
NO_MODES = np.zeros((0, 2))
SPLITS = ("train", "test")


@dataclass(frozen=True)
class Toy:
    """A density one can draw from.

    Attributes:
        info: its description.
        draw: (generator, n) -> noise-free points n x 2 and their labels.
        std: standard deviation of the Gaussian noise added to both coordinates.
        modes: K x 2 centres; ``draw`` returns nothing but these where K > 0.
    """

    info: Info
    draw: Draw
    std: float
    modes: np.ndarray

    def sample(self, split: str, n: int, seed: int, std: float | None) -> PointData:
        """Draw ``n`` points; the same arguments give the same points, on every machine.

        Args:
            split: ``"train"`` or ``"test"``: independent streams of one seed.
            n: how many points.
            seed: of numpy's PCG64 generator.
            std: noise instead of the toy's own.

        Raises:
            GancourseError: n, seed or std is not a number that makes sense.
        """
        if not isinstance(n, int) or n < 1:
            raise GancourseError(f"n is {n!r}; give the number of points, 1 or more.")
        if not isinstance(seed, int) or seed < 0:
            raise GancourseError(f"seed is {seed!r}; give a whole number, 0 or more.")
        noise = self.std if std is None else std
        if not isinstance(noise, (int, float)) or not 0 <= noise < float("inf"):
            raise GancourseError(f"std is {std!r}; give a finite number, 0 or more.")
        rng = np.random.default_rng([SPLITS.index(split), seed])
        clean, labels = self.draw(rng, n)
        points = clean + noise * rng.standard_normal((n, 2))
        return PointData(
            name=self.info.name,
            points=torch.from_numpy(points.astype(np.float32)),
            labels=torch.from_numpy(labels.astype(np.int64)),
            modes=torch.from_numpy(self.modes.astype(np.float32)),
            std=float(noise),
            split=split,
        )


def _mixture(modes: np.ndarray) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.integers(len(modes), size=n)
        return modes[labels], labels

    return draw


def _curve(path: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> Draw:
    """Points of a curve at u uniform in [0, 1)."""

    def draw(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        return np.stack(path(rng.random(n)), axis=1), np.zeros(n)

    return draw


def _spiral(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # The square root spreads the points about evenly along the arm, whose length grows as t^2.
    turn = np.sqrt(u)
    return turn * np.cos(3 * pi * turn), turn * np.sin(3 * pi * turn)


def _moons(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.integers(2, size=n)
    angle = pi * rng.random(n)
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return np.where(labels[:, None] == 0, upper, lower), labels


def _checkerboard(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    row, half = rng.integers(4, size=n), rng.integers(2, size=n)
    column = 2 * half + row % 2
    corner = np.stack([column, row], axis=1) - 2.0
    return corner + rng.random((n, 2)), row * 2 + half


def _toy(name: str, about: str, draw: Draw, std: float, modes: np.ndarray = NO_MODES) -> Toy:
    info = Info(
        name=name,
        kind="points",
        splits=dict.fromkeys(SPLITS),
        shape=(2,),
        classes=(),
        licence="made here; free to use",
        citation="",
        how_to_get="It is computed on the spot.",
        about=about,
    )
    return Toy(info, draw, std, modes)


_ANGLES = 2 * pi * np.arange(8) / 8
RING = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
GRID = np.array([(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], dtype=float)

TOYS: dict[str, Toy] = {
    toy.info.name: toy
    for toy in (
        _toy("ring", "8 Gaussians on the unit circle", _mixture(RING), 0.01, RING),
        _toy("grid", "25 Gaussians on a 5 x 5 grid, 2 apart", _mixture(GRID), 0.05, GRID),
        _toy("spiral", "one arm of an Archimedean spiral", _curve(_spiral), 0.02),
        _toy("two-moons", "two interleaved half circles", _moons, 0.05),
        _toy(
            "circle",
            "the unit circle",
            _curve(lambda u: (np.cos(2 * pi * u), np.sin(2 * pi * u))),
            0.02,
        ),
        _toy(
            "line",
            "the segment from (0, 0) to (0, 1), without noise",
            _curve(lambda u: (np.zeros_like(u), u)),
            0.0,
        ),
        _toy(
            "checkerboard", "the black fields of a 4 x 4 board, without noise", _checkerboard, 0.0
        ),
    )
}
