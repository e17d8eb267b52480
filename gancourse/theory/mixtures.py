"""Mixtures of densities, and the two of the toy data sets: a ring and a grid of Gaussians."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array, count, finite, positive, probabilities, probability
from gancourse.theory.densities import Density, Gaussian
from gancourse.theory.discrete import Discrete


class Mixture(Density):
    r"""The density :math:`\sum_i w_i p_i(x)`: a component drawn by weight, then a point of it.

    Attributes:
        components: the densities with a weight above 0.
        weights: float64, theirs.

    Raises:
        GancourseError: no components, different dimensions, a discrete one, or weights that are
            negative, do not sum to 1 or are not one for each.
    """

    def __init__(self, components: Sequence[Density], weights: ArrayLike | None = None) -> None:
        shares = probabilities(weights, len(components), "weights")
        if any(isinstance(component, Discrete) for component in components):
            raise GancourseError(
                "A mixture holds densities, and a Discrete has none. Mix its probabilities and "
                "make a new Discrete of them."
            )
        dims = sorted({component.dim for component in components})
        if len(dims) > 1:
            raise GancourseError(f"The components have dimensions {dims}; they must be equal.")
        self.dim = dims[0]
        self.components = tuple(c for c, share in zip(components, shares, strict=True) if share)
        self.weights = shares[shares > 0]

    def log_prob(self, x: ArrayLike) -> Array:
        parts = np.stack([component.log_prob(x) for component in self.components], axis=-1)
        parts += np.log(self.weights)
        # Not logaddexp, which is ten times slower. Where all parts are -inf, so is their maximum,
        # and subtracting it would give NaN.
        top = parts.max(axis=-1)
        parts -= np.where(np.isneginf(top), 0.0, top)[..., None]
        with np.errstate(divide="ignore"):
            return top + np.log(np.exp(parts).sum(axis=-1))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        chosen = rng.choice(len(self.components), size=count(n), p=self.weights)
        points = np.empty(n if self.dim == 1 else (n, self.dim))
        for i, component in enumerate(self.components):
            mine = chosen == i
            if mine.any():
                points[mine] = component.sample(int(mine.sum()), rng)
        return points

    def cdf(self, x: ArrayLike) -> Array:
        return self._average([component.cdf(x) for component in self.components])

    def sf(self, x: ArrayLike) -> Array:
        return self._average([component.sf(x) for component in self.components])

    def _average(self, values: list[Array]) -> Array:
        return np.clip(np.tensordot(self.weights, np.stack(values), axes=1), 0.0, 1.0)

    def quantile(self, u: ArrayLike) -> Array:
        u = probability(u)
        each = np.stack([component.quantile(u) for component in self.components])
        # A mixture's quantile lies between those of its components: halve that interval, until
        # nothing is left of it that float64 could tell from the whole.
        low = each.min(axis=0)
        high = np.where(u > 0, each.max(axis=0), low)
        for _ in range(80):
            with np.errstate(invalid="ignore"):
                middle = low + 0.5 * (high - low)
            inside = (low < middle) & (middle < high) & np.isfinite(middle)
            if not inside.any():
                break
            below = self.cdf(middle) < u
            low = np.where(inside & below, middle, low)
            high = np.where(inside & ~below, middle, high)
        return high

    def breaks(self) -> tuple[Array, ...]:
        axes = zip(*(component.breaks() for component in self.components), strict=True)
        return tuple(np.unique(np.concatenate(axis)) for axis in axes)


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.01) -> Mixture:
    """Equal Gaussians evenly spaced on a circle; the defaults are the data set ``ring``.

    Args:
        modes: how many, counted anticlockwise from the point (radius, 0).
        radius: of the circle around the origin.
        std: standard deviation of each along both axes.

    Raises:
        GancourseError: a number that is not positive.
    """
    angles = 2 * np.pi * np.arange(count(modes, "modes")) / modes
    centres = positive(radius, "radius") * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return Mixture([Gaussian(centre, std) for centre in centres])


def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05) -> Mixture:
    """Equal Gaussians on a square grid around the origin; the defaults are the data set ``grid``.

    Args:
        side: how many to a row and to a column.
        spacing: between neighbours.
        std: standard deviation of each along both axes.

    Raises:
        GancourseError: a number that is not positive.
    """
    axis = positive(spacing, "spacing") * (np.arange(count(side, "side")) - (side - 1) / 2)
    return Mixture([Gaussian(finite((x, y), "centre"), std) for x in axis for y in axis])
