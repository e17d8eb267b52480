"""What distributions and games ask of the numbers they are given."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gancourse.errors import GancourseError

Array = NDArray[np.float64]


def finite(value: ArrayLike, name: str) -> Array:
    """A copy as float64, or a refusal that calls it ``name``: not numbers, NaN or infinity."""
    try:
        array = np.array(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise GancourseError(f"{name} is {value!r}; give numbers.") from error
    if not np.isfinite(array).all():
        raise GancourseError(f"{name} holds NaN or infinity: {value!r}.")
    return array


def positive(value: ArrayLike, name: str) -> Array:
    """A copy as float64, or a refusal that calls it ``name``: something not above 0."""
    array = finite(value, name)
    if not (array > 0).all():
        raise GancourseError(f"{name} must be positive, not {value!r}.")
    return array


def count(n: int, what: str = "the number of draws") -> int:
    """How many of ``what``, or a refusal: not a whole number, or less than 1."""
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise GancourseError(f"{what} is {n!r}; give a whole number, 1 or more.")
    return int(n)


def probability(u: ArrayLike) -> Array:
    """float64 in [0, 1], or a refusal."""
    array = np.asarray(u, dtype=np.float64)
    if not ((array >= 0) & (array <= 1)).all():
        raise GancourseError("Quantiles are defined for probabilities, numbers from 0 to 1.")
    return array


def probabilities(values: ArrayLike | None, size: int, name: str) -> Array:
    """``size`` non-negative numbers that sum to 1, equal ones for None, or a refusal."""
    if size == 0:
        raise GancourseError(f"There is nothing to give {name} to; give at least one.")
    if values is None:
        return np.full(size, 1 / size)
    array = finite(values, name)
    if array.shape != (size,):
        raise GancourseError(f"{name} has shape {array.shape}; give {size}, one for each.")
    if (array < 0).any() or abs(array.sum() - 1) > 1e-9:
        raise GancourseError(
            f"{name} must be 0 or more and sum to 1; the smallest is {array.min()} and the sum "
            f"{array.sum()}."
        )
    return array / array.sum()


def finite_matrix(values: ArrayLike, name: str) -> Array:
    """A matrix as float64, or a clear refusal.

    Args:
        values: rows of numbers of equal length; a single number is a 1 x 1 matrix.
        name: what to call it in the message, such as ``"payoff"``.

    Returns:
        float64 n x m, with n and m of 1 or more.

    Raises:
        GancourseError: rows of different lengths, not numbers, not a matrix, empty, or a NaN or
            infinity in it.
    """
    try:
        matrix = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise GancourseError(
            f"The {name} must be a matrix of numbers whose rows are equally long."
        ) from None
    if matrix.ndim == 0:
        matrix = matrix.reshape(1, 1)
    if matrix.ndim != 2 or not matrix.size:
        raise GancourseError(
            f"The {name} must be a matrix with a row and a column at least, not of shape "
            f"{matrix.shape}."
        )
    broken = ~np.isfinite(matrix)
    if broken.any():
        row, column = np.argwhere(broken)[0]
        raise GancourseError(
            f"The {name} holds NaN or infinity in {broken.sum()} of {broken.size} entries "
            f"(first: row {row}, column {column})."
        )
    return matrix
