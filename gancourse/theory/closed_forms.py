"""f-divergences that need no integration, because someone has done it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array
from gancourse.theory.densities import Density, Gaussian, Laplace, Uniform
from gancourse.theory.discrete import Discrete
from gancourse.theory.fdivergences import (
    KL,
    PEARSON,
    REVERSE_KL,
    SQUARED_HELLINGER,
    TOTAL_VARIATION,
    FDivergence,
)


def closed_form(divergence: FDivergence, p: Density, q: Density) -> float | None:
    """The f-divergence without integration, or None where no formula is known here.

    Every divergence: two discrete distributions, two uniform ones, a discrete one and a density.
    Gaussians of any dimension: both KL, Pearson, Hellinger; total variation for equal covariances.
    Laplace: both KL. Arguments and errors as for :func:`f_divergence`.
    """
    same_dim(p, q)
    masses = _masses(p, q)
    if masses is not None:
        return float(divergence.integrand(*masses).sum())
    if type(p) is not type(q):
        return None
    name = divergence.name
    if name == REVERSE_KL.name:
        name, p, q = KL.name, q, p
    formula = _FORMULAS.get((type(p), name))
    return formula(p, q) if formula else None


def same_dim(p: Density, q: Density) -> None:
    """Refuse to compare distributions over different spaces."""
    if p.dim != q.dim:
        raise GancourseError(
            f"The distributions have {p.dim} and {q.dim} dimensions; they must be over the same "
            "space. (Names have 0.)"
        )


def comparable(p: Density, q: Density) -> None:
    """Refuse distributions over different spaces, and a probability beside a density."""
    same_dim(p, q)
    if isinstance(p, Discrete) != isinstance(q, Discrete):
        raise GancourseError(
            "A probability cannot be compared with a density; give two densities or two discrete "
            "distributions."
        )


def breaks_of_both(p: Density, q: Density) -> tuple[Array, ...]:
    """For each axis, the break points of both."""
    axes = []
    for first, second in zip(p.breaks(), q.breaks(), strict=True):
        axis = np.union1d(first, second)
        # In the plane each point costs a row of cells, and cos(pi / 2) is not quite 0.
        apart = np.diff(axis) > 1e-12 * np.abs(axis).max() if p.dim > 1 else np.diff(axis) > 0
        axes.append(axis[np.concatenate([[True], apart])])
    return tuple(axes)


def _masses(p: Density, q: Density) -> tuple[Array, Array] | None:
    """Logarithms of the masses of both on pieces where p / q is constant, if there are such."""
    if isinstance(p, Discrete) and isinstance(q, Discrete):
        points = np.union1d(p.points, q.points)
        return p.log_prob(points), q.log_prob(points)
    if isinstance(p, Discrete) or isinstance(q, Discrete):
        return np.array([0.0, -np.inf]), np.array([-np.inf, 0.0])
    if isinstance(p, Uniform) and isinstance(q, Uniform):
        edges = breaks_of_both(p, q)[0]
        middles = edges[:-1] + 0.5 * np.diff(edges)
        log_widths = np.log(np.diff(edges))
        return p.log_prob(middles) + log_widths, q.log_prob(middles) + log_widths
    return None


def _kl_gaussians(p: Gaussian, q: Gaussian) -> float:
    # |L_q^-1 L_p|^2 is the trace of S_q^-1 S_p, without forming either covariance.
    trace = np.square(q.whiten(p.root.T)).sum()
    distance = np.square(q.whiten(p.mean - q.mean)).sum()
    log_det = 2 * np.log(np.diag(q.root) / np.diag(p.root)).sum()
    return max(0.5 * float(trace - p.dim + log_det + distance), 0.0)


def _pearson_gaussians(p: Gaussian, q: Gaussian) -> float:
    # The integral of p^2 / q is det(C (2 - C))^-1/2 exp(d^T (2 - C)^-1 d), infinite unless C < 2.
    scales, shift = _relative(p, q)
    room = 2 - np.square(scales)
    if room.min() <= 0:
        return math.inf
    log_det = 2 * np.log(scales).sum() + np.log(room).sum()
    with np.errstate(over="ignore"):
        return max(float(np.expm1(np.sum(np.square(shift) / room) - 0.5 * log_det)), 0.0)


def _hellinger_gaussians(p: Gaussian, q: Gaussian) -> float:
    # The integral of sqrt(p q) is det(C)^1/4 det((1 + C) / 2)^-1/2 exp(-d^T (1 + C)^-1 d / 4).
    scales, shift = _relative(p, q)
    sums = 1 + np.square(scales)
    log_det = np.log(scales).sum() - np.log(sums / 2).sum()
    log_integral = 0.5 * log_det - 0.25 * np.sum(np.square(shift) / sums)
    return -2 * math.expm1(min(float(log_integral), 0.0))


def _total_variation_gaussians(p: Gaussian, q: Gaussian) -> float | None:
    if not np.array_equal(p.root, q.root):
        return None
    distance = math.sqrt(np.square(q.whiten(p.mean - q.mean)).sum())
    return float(erf(distance / math.sqrt(8)))


def _relative(p: Gaussian, q: Gaussian) -> tuple[Array, Array]:
    """p in coordinates where q is standard and p's covariance C is diagonal.

    Returns:
        The roots of C's diagonal, and p's mean d.
    """
    turn, scales, _ = np.linalg.svd(q.whiten(p.root.T).T)
    return scales, turn.T @ q.whiten(p.mean - q.mean)


def _kl_laplaces(p: Laplace, q: Laplace) -> float:
    distance, ratio = abs(p.loc - q.loc), p.scale / q.scale
    nearer = ratio * math.exp(-distance / p.scale)
    return max(distance / q.scale + nearer - 1 - math.log(ratio), 0.0)


_FORMULAS: dict[tuple[type, str], Callable[[Any, Any], float | None]] = {
    (Gaussian, KL.name): _kl_gaussians,
    (Gaussian, PEARSON.name): _pearson_gaussians,
    (Gaussian, SQUARED_HELLINGER.name): _hellinger_gaussians,
    (Gaussian, TOTAL_VARIATION.name): _total_variation_gaussians,
    (Laplace, KL.name): _kl_laplaces,
}
