"""The distribution that a generator makes of its noise: what p_g is, once G is known.

On the line the density follows from the map by a change of variables. In the plane, where noise
may have any dimension, it is estimated from samples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.neighbors import KernelDensity as _SklearnKernelDensity

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array, count, finite, positive, probability
from gancourse.theory.densities import Density


class PushForward(Density):
    r"""The distribution of G(z) on the line, G given at points that cut the noise into equal shares.

    Between two neighbours G is taken to be linear. Then the change of variables is exact:

    .. math:: q(x) = \sum_{z : G(z) = x} \frac{p_z(z)}{|G'(z)|}

    is a sum over the pieces that pass over x, each with its share of the noise divided by the
    length it is stretched to. Where G turns back, several pieces pass over the same x.

    Args:
        images: float n + 1, the values of G at the quantiles 0, 1/n, ..., 1 of one-dimensional
            noise (for noise without end, at quantiles close to 0 and 1).

    Raises:
        GancourseError: fewer than two values, or one that is not finite.
    """

    dim = 1

    def __init__(self, images: ArrayLike) -> None:
        images = finite(images, "images")
        if images.ndim != 1 or len(images) < 2:
            raise GancourseError(
                f"images has shape {images.shape}; give G at two or more points of the noise."
            )
        low, high = np.minimum(images[:-1], images[1:]), np.maximum(images[:-1], images[1:])
        # A piece that G has collapsed to a point would have an infinite density.
        shortest = 1e-9 * max(1.0, float(np.abs(images).max()))
        high = np.maximum(high, low + shortest)
        self._low, self._high = low, high
        ends = np.concatenate([low, high])
        height = 1 / (len(low) * (high - low))
        order = np.argsort(ends, kind="stable")
        self.knots = ends[order]
        # Between two knots the density is the sum of the pieces that are open there.
        open_pieces = np.cumsum(np.repeat([1, -1], len(low))[order])
        heights = np.cumsum(np.concatenate([height, -height])[order])
        self.heights = np.where(open_pieces > 0, np.maximum(heights, 0.0), 0.0)[:-1]
        masses = self.heights * np.diff(self.knots)
        self._below = np.concatenate([[0.0], np.cumsum(masses) / masses.sum()])
        self._below[-1] = 1.0  # the sum ends there but for rounding

    def log_prob(self, x: ArrayLike) -> Array:
        x = np.asarray(x, dtype=np.float64)
        place = np.searchsorted(self.knots, x, side="right") - 1
        inside = (place >= 0) & (place < len(self.heights))
        with np.errstate(divide="ignore"):
            return np.log(np.where(inside, self.heights[np.where(inside, place, 0)], 0.0))

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        pieces = rng.integers(len(self._low), size=count(n))
        return rng.uniform(self._low[pieces], self._high[pieces])

    def cdf(self, x: ArrayLike) -> Array:
        return np.interp(np.asarray(x, dtype=np.float64), self.knots, self._below)

    def sf(self, x: ArrayLike) -> Array:
        return 1 - self.cdf(x)

    def quantile(self, u: ArrayLike) -> Array:
        return np.interp(probability(u), self._below, self.knots)

    def breaks(self) -> tuple[Array, ...]:
        return (np.unique(self.knots),)


class KernelDensity(Density):
    """An estimate from samples: a small Gaussian around each of them.

    It is the distribution of the samples after noise of that size is added. Compare it with a
    density blurred as much, or a sharp one looks different only because it is not blurred.

    Args:
        points: N x D.
        bandwidth: standard deviation of the Gaussians along each axis.

    Raises:
        GancourseError: points of another shape or not finite, or a bandwidth not positive.
    """

    def __init__(self, points: ArrayLike, bandwidth: float) -> None:
        self.points = finite(points, "points")
        if self.points.ndim != 2 or not self.points.size:
            raise GancourseError(f"points has shape {self.points.shape}; give N x D, N > 0.")
        self.bandwidth = float(positive(bandwidth, "bandwidth"))
        self.dim = self.points.shape[1]
        # Terms that add less than a thousandth are left out, which makes it several times faster.
        self._tree = _SklearnKernelDensity(bandwidth=self.bandwidth, rtol=1e-3).fit(self.points)

    def log_prob(self, x: ArrayLike) -> Array:
        rows = self._rows(x)
        flat = rows.reshape(-1, self.dim)
        return np.asarray(self._tree.score_samples(flat)).reshape(rows.shape[:-1])

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        chosen = self.points[rng.integers(len(self.points), size=count(n))]
        points = chosen + self.bandwidth * rng.standard_normal(chosen.shape)
        return points[:, 0] if self.dim == 1 else points
