"""Distributions on finitely many points, which have probabilities in place of a density."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array, count, finite, probabilities, probability
from gancourse.theory.densities import Density


class Discrete(Density):
    """Probabilities of numbers on the line, or of named things.

    ``Discrete([0.0, 1.0], [0.3, 0.7])`` lies on the line; ``Discrete(["cat", "dog"])``, with equal
    probabilities, has no geometry and its ``dim`` is 0. A sample of numbers, given as ``points``
    alone, is its own empirical distribution; repeated points add up.

    Attributes:
        points: K sorted distinct numbers (float64) or names.
        probs: float64 K, summing to 1.

    Raises:
        GancourseError: no points, points that are neither finite numbers nor strings, or
            probabilities that are negative, do not sum to 1 or are not one for each.
    """

    def __init__(self, points: Sequence[str] | ArrayLike, probs: ArrayLike | None = None) -> None:
        values: NDArray[Any] = np.asarray(points)
        self.dim = 0 if values.dtype.kind == "U" else 1
        if self.dim == 1:
            values = finite(values, "points")
        if values.ndim != 1:
            raise GancourseError(
                f"points has shape {values.shape}; give a list of numbers or of names."
            )
        shares = probabilities(probs, len(values), "probs")
        self.points, place = np.unique(values, return_inverse=True)
        self.probs = np.asarray(np.bincount(place, weights=shares), dtype=np.float64)
        self._below = np.concatenate([[0.0], np.cumsum(self.probs)])
        self._above = np.concatenate([np.cumsum(self.probs[::-1])[::-1], [0.0]])
        self._below[-1] = self._above[0] = 1.0  # the sums end there but for rounding

    def log_prob(self, x: Any) -> Array:
        """Natural logarithm of the probability of each point: an array of the shape of ``x``."""
        x = self._values(x)
        nearest = np.minimum(np.searchsorted(self.points, x), len(self.points) - 1)
        with np.errstate(divide="ignore"):
            return np.log(np.where(self.points[nearest] == x, self.probs[nearest], 0.0))

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[Any]:
        return rng.choice(self.points, size=count(n), p=self.probs)

    def cdf(self, x: ArrayLike) -> Array:
        return self._below[np.searchsorted(self._line(), self._values(x), side="right")]

    def sf(self, x: ArrayLike) -> Array:
        return self._above[np.searchsorted(self._line(), self._values(x), side="right")]

    def quantile(self, u: ArrayLike) -> Array:
        place = np.searchsorted(self._below[1:], probability(u))
        return self._line()[place]

    def breaks(self) -> tuple[Array, ...]:
        return (self._line(),)

    def levels(self) -> Array:
        """The values K that ``cdf`` takes at ``points``; the last is 1."""
        return self._below[1:]

    def _values(self, x: Any) -> NDArray[Any]:
        return np.asarray(x, dtype=np.float64 if self.dim == 1 else np.str_)

    def _line(self) -> Array:
        if self.dim == 0:
            raise GancourseError("Names have no order and no distance; give numbers as points.")
        return self.points
