"""Wasserstein distances: on the line, between Gaussians, and sliced for samples.

Unlike f-divergences they see how far apart two distributions are, also where their supports do not
meet, and a :class:`Discrete` distribution can be compared with a density.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array, count, finite
from gancourse.theory.densities import Density, Gaussian, Laplace, Uniform
from gancourse.theory.discrete import Discrete
from gancourse.theory.quadrature import crossings, integrate, integrate_line

Rows = NDArray[np.intp]


def wasserstein_1(p: Density, q: Density) -> float:
    r"""Earth mover's distance on the line, :math:`\int |F_p(x) - F_q(x)| dx`.

    Exact for two discrete distributions (for samples: ``wasserstein_1(Discrete(x), Discrete(y))``)
    and for two of the same family; else by quadrature.

    Args:
        p: on the line, discrete or with a density.
        q: the same.

    Returns:
        A number of 0 or more, in the unit of x; inf without a first moment.

    Raises:
        GancourseError: not on the line, or no convergence.
    """
    _on_the_line(p, q)
    if isinstance(p, Discrete) and isinstance(q, Discrete):
        widths, gaps = _coupled(p, q)
        return float(widths @ np.abs(gaps))
    coupling = _location_scale(p, q)
    if coupling is not None:
        return _mean_absolute(p, *coupling)
    middle = p.quantile(0.5)

    def difference(x: Array) -> Array:
        # Above the middle the difference of survival functions, as 1 - 1e-20 is 1.
        return np.where(x < middle, p.cdf(x) - q.cdf(x), q.sf(x) - p.sf(x))

    breaks = np.union1d(np.union1d(p.breaks()[0], q.breaks()[0]), middle)
    kinked = np.union1d(breaks, crossings(difference, breaks))
    return integrate_line(lambda x: np.abs(difference(x)), kinked, 1e-17 * np.ptp(breaks))


def wasserstein_2(p: Density, q: Density) -> float:
    r"""Quadratic Wasserstein distance, :math:`(\int_0^1 (Q_p(u) - Q_q(u))^2 du)^{1/2}` on the line.

    Exact for two Gaussians of any dimension (Dowson and Landau 1982), two discrete distributions
    and two of the same family; else by quadrature, which takes second moments for granted.

    Args:
        p: on the line, discrete or with a density; or a Gaussian.
        q: the same.

    Returns:
        A number of 0 or more, in the unit of x.

    Raises:
        GancourseError: neither on the line nor two Gaussians of equal dimension, or no
            convergence.
    """
    if isinstance(p, Gaussian) and isinstance(q, Gaussian) and p.dim == q.dim > 1:
        return _bures(p, q)
    _on_the_line(p, q)
    if isinstance(p, Discrete) and isinstance(q, Discrete):
        widths, gaps = _coupled(p, q)
        return math.sqrt(widths @ np.square(gaps))
    coupling = _location_scale(p, q)
    if coupling is not None:
        shift, stretch = coupling
        variance = _VARIANCE[type(p)]
        return math.hypot(shift, stretch * math.sqrt(variance))

    def squared_gap(u: Array) -> Array:
        u = np.clip(u, 1e-300, 1 - 2.0**-53)
        return np.square(p.quantile(u) - q.quantile(u))

    # Between far modes a quantile function jumps, at the share of what lies below.
    jumps = [side.cdf(side.breaks()[0]) for side in (p, q)]
    tails = 10.0 ** -np.arange(1, 16)
    levels = np.unique(np.concatenate([[0.0, 0.5, 1.0], tails, 1 - tails, *jumps]))
    scale = max(np.ptp(side.breaks()[0]) for side in (p, q))
    return math.sqrt(integrate(squared_gap, (levels,), 1e-24 * scale**2))


def sliced_wasserstein(
    x: ArrayLike, y: ArrayLike, projections: int, rng: np.random.Generator, order: int = 2
) -> float:
    r"""Sliced Wasserstein distance between samples: distances on the line, over random directions.

    :math:`(\operatorname{mean}_\theta W_r(\theta \cdot x, \theta \cdot y)^r)^{1/r}` (Rabin et al.
    2011; Bonneel et al. 2015). At most the Wasserstein distance itself; in D dimensions, a shift by
    d comes out as about d / sqrt(D).

    Args:
        x: samples N x D.
        y: samples M x D; M may differ from N.
        projections: number of random directions.
        rng: source of the directions.
        order: r, 1 or 2.

    Returns:
        A number of 0 or more, in the unit of x.

    Raises:
        GancourseError: not matrices of equal width with a row each, NaN or infinity, no
            projections, or another order.
    """
    x, y = finite(x, "x"), finite(y, "y")
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not x.size or not y.size:
        raise GancourseError(
            f"x and y have shapes {x.shape} and {y.shape}; give samples N x D and M x D."
        )
    if order not in (1, 2):
        raise GancourseError(f"order is {order!r}; give 1 or 2.")
    directions = rng.standard_normal((x.shape[1], count(projections)))
    directions /= np.linalg.norm(directions, axis=0)
    sorted_x, sorted_y = np.sort(x @ directions, axis=0), np.sort(y @ directions, axis=0)
    levels_x, levels_y = (np.arange(1, len(side) + 1) / len(side) for side in (x, y))
    widths, rows_x, rows_y = _merged(levels_x, levels_y)
    gaps = np.abs(sorted_x[rows_x] - sorted_y[rows_y])
    return float(np.mean(widths @ gaps**order) ** (1 / order))


def _on_the_line(p: Density, q: Density) -> None:
    if p.dim != 1 or q.dim != 1:
        raise GancourseError(
            f"The distributions have {p.dim} and {q.dim} dimensions; this distance is computed on "
            "the line. For samples in more dimensions there is sliced_wasserstein."
        )


def _merged(levels_p: Array, levels_q: Array) -> tuple[Array, Rows, Rows]:
    """The best coupling of two step functions of u: widths of its pieces and where each reads."""
    edges = np.union1d(levels_p, levels_q)
    widths = np.diff(edges, prepend=0.0)
    middles = edges - 0.5 * widths
    return widths, np.searchsorted(levels_p, middles), np.searchsorted(levels_q, middles)


def _coupled(p: Discrete, q: Discrete) -> tuple[Array, Array]:
    """Masses of the best coupling, and the distance each moves."""
    widths, rows_p, rows_q = _merged(p.levels(), q.levels())
    return widths, p.points[rows_p] - q.points[rows_q]


def _location_scale(p: Density, q: Density) -> tuple[float, float] | None:
    """(shift, stretch) if the best map moves a standard variable Z by shift + stretch * Z."""
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        return float(p.mean[0] - q.mean[0]), float(p.root[0, 0] - q.root[0, 0])
    if isinstance(p, Laplace) and isinstance(q, Laplace):
        return p.loc - q.loc, p.scale - q.scale
    if isinstance(p, Uniform) and isinstance(q, Uniform):
        # Z is uniform on [-1/2, 1/2].
        return 0.5 * (p.low + p.high - q.low - q.high), p.width - q.width
    return None


def _mean_absolute(family: Density, shift: float, stretch: float) -> float:
    """E|shift + stretch * Z| for the standard variable Z of the family."""
    shift, stretch = abs(shift), abs(stretch)
    if stretch == 0:
        return shift
    z = shift / stretch
    if isinstance(family, Gaussian):
        peak = math.sqrt(2 / math.pi) * math.exp(-0.5 * z * z)
        return stretch * peak + shift * float(1 - 2 * ndtr(-z))
    if isinstance(family, Laplace):
        return shift + stretch * math.exp(-z)
    return shift if z >= 0.5 else stretch * (z * z + 0.25)


def _bures(p: Gaussian, q: Gaussian) -> float:
    """The root of |m_p - m_q|^2 + tr(S_p + S_q - 2 (S_p S_q)^1/2)."""
    # The trace is the squared distance of the two covariances' roots, each turned so as to bring
    # them closest; their difference loses nothing to cancellation.
    turn_p, _, turn_q = np.linalg.svd(p.root.T @ q.root)
    roots = p.root @ turn_p - q.root @ turn_q.T
    return math.sqrt(np.square(p.mean - q.mean).sum() + np.square(roots).sum())


_VARIANCE = {Gaussian: 1.0, Laplace: 2.0, Uniform: 1 / 12}
