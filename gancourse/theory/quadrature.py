"""Adaptive Gauss-Legendre quadrature of many cells at once, on the line and in the plane.

``scipy.integrate.quad`` asks for one point at a time, which NumPy makes slow, and can pass over a
narrow peak. Here break points say where the peaks are, and one call evaluates all cells.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array

Integrand = Callable[[Array], Array]

FLOOR = 1e-17  # of a probability, not told from 0 by quadrature

# By dimension: nodes along an axis; as shares of the integral, the error that is let pass in one
# cell, and in all of them together; and the error at which the result is refused, once there are
# too many cells. In the plane a kink needs cells all along its curve, so less is asked.
_NODES = {1: 16, 2: 8}
_CELL_ERROR = {1: 1e-12, 2: 1e-8}
_TOTAL_ERROR = {1: 1e-11, 2: 1e-6}
_REFUSED = {1: 1e-6, 2: 1e-4}
_MOST_CELLS = {1: 50_000, 2: 20_000}
_DOUBLINGS = 40


def integrate(function: Integrand, axes: tuple[Array, ...], floor: float) -> float:
    """Integral over the box that the axes' break points divide into cells.

    A cell whose two halves (four quarters) together differ from it by more than a small share of
    the whole is divided; kinks and peaks are closed in on.

    Args:
        function: takes N numbers, or N x 2 points in the plane, and returns N values.
        axes: for each axis, sorted break points.
        floor: what does not count in a cell. It keeps cells from being divided for the sake of
            rounding errors when the integral itself is next to 0.

    Returns:
        The integral; infinite if a value is.

    Raises:
        GancourseError: it did not converge, or a value is NaN.
    """
    dim = len(axes)
    low, high = _cells(axes)
    values = _sums(function, low, high)
    visible = ~(np.abs(values) <= floor)  # NaN too
    total = size = 0.0
    low, high, values = low[visible], high[visible], values[visible]
    while len(low):
        low, high = _divided(low, high)
        finer = _sums(function, low, high).reshape(-1, 2**dim)
        if np.isinf(finer).any():
            return float(finer[np.isinf(finer)][0])
        errors = np.abs(finer.sum(axis=1) - values)
        scale = size + np.abs(finer).sum()
        rough = errors > max(_CELL_ERROR[dim] * scale, floor)
        if rough.sum() > _MOST_CELLS[dim] and errors.sum() > _REFUSED[dim] * scale:
            raise GancourseError(
                "The integral did not converge. Check the break points of the densities, or "
                "estimate it with monte_carlo."
            )
        if rough.sum() > _MOST_CELLS[dim] or errors.sum() <= _TOTAL_ERROR[dim] * scale:
            rough[:] = False
        total += finer[~rough].sum()
        size += np.abs(finer[~rough]).sum()
        again = np.repeat(rough, 2**dim)
        low, high, values = low[again], high[again], finer[rough].ravel()
    if np.isnan(total):
        raise GancourseError(
            "The integrand gave NaN. Check the function to be integrated, and log_prob of the densities."
        )
    return float(total)


def integrate_line(function: Integrand, breaks: Array, floor: float) -> float:
    """Integral of a function that is 0 or more over the whole line.

    Beyond the outermost break points come cells that double in width, 40 of them on each side:
    a Pearson divergence can have its mass where both densities have none, and a heavy tail
    reaches far. If the last cell holds as much as the one before, the integral is infinite.

    Args:
        function: takes N numbers and returns N values.
        breaks: sorted; they enclose the mass, or most of it.
        floor: what does not count in a cell.

    Returns:
        The integral, possibly inf.

    Raises:
        GancourseError: it did not converge, or a value is NaN.
    """
    width = max(breaks[-1] - breaks[0], np.spacing(np.abs(breaks).max()))
    steps = width * 2.0 ** np.arange(_DOUBLINGS)
    left, right = breaks[0] - steps[::-1], breaks[-1] + steps
    total = integrate(function, (np.concatenate([left, breaks, right]),), floor)
    for edges in (left[:3], right[:-4:-1]):
        ends = np.sort([edges[:2], edges[1:]], axis=0)[..., None]
        beyond, before = _sums(function, ends[0], ends[1])
        # A remnant of rounding does not count as a tail.
        if beyond > 1e-6 * abs(total) and beyond > 0.9 * before:
            return np.inf
    return total


def crossings(function: Integrand, breaks: Array) -> Array:
    """Where a function changes sign between the outermost break points: K numbers.

    Its absolute value has kinks there, and one close to a break point would pass unnoticed by
    quadrature. Looks at the break points and at 7 points between each two.
    """
    steps = np.arange(8) / 8
    x = np.append((breaks[:-1, None] + np.diff(breaks)[:, None] * steps).ravel(), breaks[-1])
    signs = np.sign(function(x))
    (before,) = np.nonzero(signs[:-1] * signs[1:] < 0)
    low, high = x[before], x[before + 1]
    for _ in range(60):
        middle = low + 0.5 * (high - low)
        same = np.sign(function(middle)) == signs[before]
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return high


def _cells(axes: tuple[Array, ...]) -> tuple[Array, Array]:
    """Lower and upper corners, K x dim each, of the cells between the break points."""
    corners = []
    for side in (slice(None, -1), slice(1, None)):
        grid = np.meshgrid(*(axis[side] for axis in axes), indexing="ij")
        corners.append(np.stack([coordinate.ravel() for coordinate in grid], axis=1))
    return corners[0], corners[1]


def _divided(low: Array, high: Array) -> tuple[Array, Array]:
    """The cells halved along every axis; the parts of one cell follow each other."""
    middle = low + 0.5 * (high - low)
    upper = np.array(list(product((False, True), repeat=low.shape[1])))
    lows = np.where(upper, middle[:, None], low[:, None])
    highs = np.where(upper, high[:, None], middle[:, None])
    return lows.reshape(-1, low.shape[1]), highs.reshape(-1, low.shape[1])


def _sums(function: Integrand, low: Array, high: Array) -> Array:
    """The Gauss-Legendre value of each of K cells."""
    dim = low.shape[1]
    nodes, weights = _rule(dim)
    values = np.empty(len(low))
    # In slices: all nodes of a fine division would take gigabytes.
    for start in range(0, len(low), 4096):
        part = slice(start, start + 4096)
        width = high[part] - low[part]
        points = low[part, None] + width[:, None] * nodes
        flat = points[..., 0].ravel() if dim == 1 else points.reshape(-1, dim)
        # A cell may be too narrow to divide, and infinity times no width is NaN.
        volume = width.prod(axis=1)
        means = function(flat).reshape(len(width), -1) @ weights
        with np.errstate(over="ignore"):
            values[part] = np.multiply(means, volume, out=np.zeros(len(width)), where=volume > 0)
    return values


@cache
def _rule(dim: int) -> tuple[Array, Array]:
    """Nodes K x dim in the unit cell, and their weights, which sum to 1."""
    x, w = np.polynomial.legendre.leggauss(_NODES[dim])
    nodes = np.array(list(product((x + 1) / 2, repeat=dim)))
    return nodes, np.array(list(product(w / 2, repeat=dim))).prod(axis=1)
