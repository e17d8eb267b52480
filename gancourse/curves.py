"""Training curves, one value an epoch: smoothed by a spline, and how noisy they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gancourse.errors import GancourseError

__all__ = ["noise", "smooth"]


def smooth(values: Sequence[float] | NDArray[Any], s: float) -> NDArray[np.float64]:
    """A cubic smoothing spline over the epochs 1, 2, ..., N, read at the same epochs.

    ``s`` is a budget: the spline gets as few knots as it can while the sum of its squared
    deviations from the values stays at or below ``s`` (Dierckx, *Curve and Surface Fitting with
    Splines*, 1993; ``scipy.interpolate.UnivariateSpline``). So it has the unit of the values,
    squared, and grows with their number: N times the variance of their noise is what noise alone
    would use up. Where a single cubic polynomial stays within the budget, the spline is its
    least-squares fit. With ``s`` = 0 the values come back as they are.

    Args:
        values: N numbers, one an epoch, N at least 4.
        s: the budget, at least 0.

    Returns:
        float64 N, the smoothed values.

    Raises:
        GancourseError: fewer than four values, one that is not finite, or a negative budget.
    """
    from scipy.interpolate import UnivariateSpline

    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 1 or len(y) < 4 or not np.isfinite(y).all():
        raise GancourseError(
            f"Smoothing needs four finite values or more, one an epoch; these have the shape {y.shape}"
            + (" and hold one that is not finite." if not np.isfinite(y).all() else ".")
        )
    if not s >= 0:
        raise GancourseError(f"s is {s}; the budget of squared deviations is 0 or more.")
    epochs = np.arange(1.0, len(y) + 1)
    return np.asarray(UnivariateSpline(epochs, y, s=s)(epochs), dtype=np.float64)


def noise(scores: Sequence[Sequence[float]] | NDArray[Any]) -> float:
    """Standard deviation of the chance in one epoch's score, from epochs that were scored again.

    Each of M sets of noise vectors scores the same E epochs. A set may be lucky in all epochs alike,
    which does not matter where epochs are compared; so the means of sets and of epochs are taken
    out, and the rest is divided by its (M - 1)(E - 1) degrees of freedom (the two-way layout
    without replication: Scheffé, *The Analysis of Variance*, 1959, section 4.2).

    Args:
        scores: M x E finite numbers, both at least 2.

    Returns:
        The standard deviation, in the unit of the scores.

    Raises:
        GancourseError: not a table, fewer than two rows or columns, or a number that is not finite.
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
        raise GancourseError(
            "The noise of a score takes a table of finite numbers, two sets of noise vectors or more "
            f"by two epochs or more; this one has the shape {table.shape}"
            + (" and holds one that is not finite." if not np.isfinite(table).all() else ".")
        )
    rest = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(np.sqrt((rest**2).sum() / freedom))
