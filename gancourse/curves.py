"""Smoothing of training curves: one value an epoch, drawn as a spline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gancourse.errors import GancourseError

__all__ = ["smooth"]


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
