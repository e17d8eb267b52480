"""Distributions whose densities can be evaluated exactly: NumPy, float64.

In one dimension points are plain numbers and an array of them has any shape. In more dimensions,
the coordinates of a point are the last axis. All densities are kept as logarithms, so that nothing
underflows in the tails; outside the support the logarithm is -inf, and it is never NaN at a point
that is a number.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve_triangular
from scipy.special import ndtr, ndtri

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array, count, finite, positive, probability


class Density(ABC):
    """A distribution that can be evaluated and drawn from.

    A subclass gives ``dim``, ``log_prob`` and ``sample``; that is all a Monte Carlo estimate needs.
    Quadrature also needs ``breaks``, and Wasserstein distances on the line need ``cdf``, ``sf`` and
    ``quantile``.

    Attributes:
        dim: number of coordinates of a point.
    """

    dim: int

    @abstractmethod
    def log_prob(self, x: ArrayLike) -> Array:
        """Natural logarithm of the density.

        Args:
            x: points of any shape ``...`` if ``dim`` is 1, else ``... x dim``.

        Returns:
            An array ``...``; -inf where the density is 0.

        Raises:
            GancourseError: the last axis is not ``dim`` long.
        """

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Independent draws: an array of n numbers if ``dim`` is 1, else n x ``dim``."""

    def cdf(self, x: ArrayLike) -> Array:
        """Probability of values up to and including x; only in one dimension."""
        raise self._lacks("distribution function")

    def sf(self, x: ArrayLike) -> Array:
        """Probability of values above x, exact where it is tiny and ``1 - cdf`` would be 0."""
        raise self._lacks("distribution function")

    def quantile(self, u: ArrayLike) -> Array:
        """The smallest x with ``cdf(x) >= u``, for u in [0, 1]; only in one dimension."""
        raise self._lacks("quantiles")

    def breaks(self) -> tuple[Array, ...]:
        """For each axis, sorted coordinates that tell quadrature where to look.

        The first and the last enclose all mass that float64 can tell from none. In between, they
        mark every jump and kink and set off each narrow peak.
        """
        raise self._lacks("break points for quadrature")

    def _lacks(self, what: str) -> GancourseError:
        return GancourseError(
            f"{type(self).__name__} in {self.dim} dimensions has no {what}. Use a density on the "
            "line, or estimate from samples (monte_carlo, sliced_wasserstein)."
        )

    def _rows(self, x: ArrayLike) -> Array:
        """Points as ``... x dim``, in one dimension too."""
        x = np.asarray(x, dtype=np.float64)
        if self.dim == 1:
            return x[..., None]
        if x.ndim == 0 or x.shape[-1] != self.dim:
            raise GancourseError(
                f"The points have shape {x.shape}; the last axis must hold {self.dim} coordinates."
            )
        return x


# Multiples of the scale. A Gaussian density underflows 38.6 standard deviations from its mean, a
# Laplace density 745 scales from its centre.
_GAUSSIAN_STEPS = np.array([-39.0, -9.0, -3.0, 0.0, 3.0, 9.0, 39.0])
_LAPLACE_STEPS = np.array([-750.0, -150.0, -30.0, -5.0, 0.0, 5.0, 30.0, 150.0, 750.0])


class Gaussian(Density):
    """The normal distribution, in any dimension.

    Args:
        mean: a number, or D of them.
        std: standard deviation of independent axes, one for all (default 1) or one for each.
        cov: D x D covariance instead of ``std``.

    Attributes:
        mean: float64 D.
        root: float64 D x D, lower triangular with positive diagonal; the covariance is
            ``root @ root.T``. Kept instead of it so that a tiny std does not underflow.

    Raises:
        GancourseError: shapes that do not fit, a std that is not positive, a covariance that is
            not symmetric positive definite, or both ``std`` and ``cov``.
    """

    def __init__(
        self, mean: ArrayLike = 0.0, std: ArrayLike | None = None, cov: ArrayLike | None = None
    ) -> None:
        self.mean = np.atleast_1d(finite(mean, "mean"))
        self.dim = self.mean.size
        if self.mean.ndim != 1 or self.dim == 0:
            raise GancourseError(
                f"mean has shape {self.mean.shape}; give one number for each axis."
            )
        if std is not None and cov is not None:
            raise GancourseError("Give either std or cov, not both.")
        self.root = self._from_std(std) if cov is None else self._from_cov(cov)
        self._scales = np.diag(self.root)
        self._diagonal = not np.tril(self.root, -1).any()
        self._log_norm = np.log(self._scales).sum() + 0.5 * self.dim * math.log(2 * math.pi)

    def _from_std(self, std: ArrayLike | None) -> Array:
        scales = positive(1.0 if std is None else std, "std")
        if scales.shape not in ((), (1,), (self.dim,)):
            raise GancourseError(
                f"std has shape {scales.shape} and the mean {self.dim} coordinates; give one std, "
                "or one for each coordinate."
            )
        return np.diag(np.broadcast_to(scales, (self.dim,)))

    def _from_cov(self, cov: ArrayLike) -> Array:
        cov = finite(cov, "cov")
        if cov.shape != (self.dim, self.dim):
            raise GancourseError(
                f"cov has shape {cov.shape}; for {self.dim} coordinates it must be "
                f"{self.dim} x {self.dim}."
            )
        if not np.allclose(cov, cov.T, rtol=1e-10, atol=0):
            raise GancourseError("cov is not symmetric; give (cov + cov.T) / 2 if that is meant.")
        try:
            return np.asarray(np.linalg.cholesky(cov), dtype=np.float64)
        except np.linalg.LinAlgError as error:
            raise GancourseError(
                "cov is not positive definite: along some direction the variance is not positive, "
                "and there is no density."
            ) from error

    @property
    def cov(self) -> Array:
        """Covariance, float64 D x D."""
        return self.root @ self.root.T

    def log_prob(self, x: ArrayLike) -> Array:
        x = self._rows(x)
        with np.errstate(over="ignore", invalid="ignore"):
            z = self.whiten(x - self.mean)
            squared = np.einsum("...i,...i->...", z, z)
        if np.isnan(squared).any():
            # At infinity a correlated density meets inf - inf.
            squared = np.where(np.isinf(x).any(axis=-1), np.inf, squared)
        return -0.5 * squared - self._log_norm

    def whiten(self, difference: Array) -> Array:
        """Differences of points ``... x D`` in units of the distribution: ``root^-1 d``."""
        if self._diagonal:
            return difference / self._scales
        flat = difference.reshape(-1, self.dim).T
        solved = solve_triangular(self.root, flat, lower=True, check_finite=False)
        return solved.T.reshape(difference.shape)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        points = self.mean + rng.standard_normal((count(n), self.dim)) @ self.root.T
        return points[:, 0] if self.dim == 1 else points

    def cdf(self, x: ArrayLike) -> Array:
        return np.asarray(ndtr(self._standard(x)))

    def sf(self, x: ArrayLike) -> Array:
        return np.asarray(ndtr(-self._standard(x)))

    def quantile(self, u: ArrayLike) -> Array:
        if self.dim > 1:
            raise self._lacks("quantiles")
        return self.mean[0] + self._scales[0] * ndtri(probability(u))

    def _standard(self, x: ArrayLike) -> Array:
        if self.dim > 1:
            raise self._lacks("distribution function")
        with np.errstate(over="ignore"):
            return (np.asarray(x, dtype=np.float64) - self.mean[0]) / self._scales[0]

    def breaks(self) -> tuple[Array, ...]:
        marginal = np.hypot.reduce(self.root, axis=1)  # squares of a tiny std would underflow
        return tuple(self.mean[:, None] + marginal[:, None] * _GAUSSIAN_STEPS)


class Laplace(Density):
    r"""The density :math:`e^{-|x - loc| / scale} / (2\,scale)` on the line.

    Raises:
        GancourseError: loc is not finite or scale not positive.
    """

    dim = 1

    def __init__(self, loc: float = 0.0, scale: float = 1.0) -> None:
        self.loc = float(finite(loc, "loc"))
        self.scale = float(positive(scale, "scale"))

    def log_prob(self, x: ArrayLike) -> Array:
        return -np.abs(self._standard(x)) - math.log(2 * self.scale)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return rng.laplace(self.loc, self.scale, count(n))

    def cdf(self, x: ArrayLike) -> Array:
        z = self._standard(x)
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z < 0, tail, 1 - tail)

    def sf(self, x: ArrayLike) -> Array:
        z = self._standard(x)
        tail = 0.5 * np.exp(-np.abs(z))
        return np.where(z < 0, 1 - tail, tail)

    def quantile(self, u: ArrayLike) -> Array:
        u = probability(u)
        with np.errstate(divide="ignore"):
            z = np.where(u < 0.5, np.log(2 * u), -np.log(2 * (1 - u)))
        return self.loc + self.scale * z

    def breaks(self) -> tuple[Array, ...]:
        return (self.loc + self.scale * _LAPLACE_STEPS,)

    def _standard(self, x: ArrayLike) -> Array:
        with np.errstate(over="ignore"):
            return (np.asarray(x, dtype=np.float64) - self.loc) / self.scale


class Uniform(Density):
    """Constant on the interval from ``low`` to ``high``, ends included, and 0 elsewhere.

    Raises:
        GancourseError: an end is not finite, or low is not below high.
    """

    dim = 1

    def __init__(self, low: float = 0.0, high: float = 1.0) -> None:
        self.low, self.high = float(finite(low, "low")), float(finite(high, "high"))
        if not self.low < self.high:
            raise GancourseError(f"low is {low} and high {high}; low must be the smaller.")
        self.width = self.high - self.low

    def log_prob(self, x: ArrayLike) -> Array:
        x = np.asarray(x, dtype=np.float64)
        return np.where((x >= self.low) & (x <= self.high), -math.log(self.width), -np.inf)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        return rng.uniform(self.low, self.high, count(n))

    def cdf(self, x: ArrayLike) -> Array:
        return np.clip((np.asarray(x, dtype=np.float64) - self.low) / self.width, 0.0, 1.0)

    def sf(self, x: ArrayLike) -> Array:
        return np.clip((self.high - np.asarray(x, dtype=np.float64)) / self.width, 0.0, 1.0)

    def quantile(self, u: ArrayLike) -> Array:
        return self.low + probability(u) * self.width

    def breaks(self) -> tuple[Array, ...]:
        return (np.array([self.low, self.high]),)
