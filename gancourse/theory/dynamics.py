r"""Gradient descent in games of two players, seen as a dynamical system.

Player one sets the vector x, player two the vector y, and each goes down its own loss. With
:math:`w = (x, y)`, losses f and g and the field :math:`v = (-\nabla_x f, -\nabla_y g)`, the plain
method is :math:`w \leftarrow w + h\,v(w)`. Near an equilibrium, where v is zero, every method here
is a fixed matrix in the Jacobian J of v, so the eigenvalues of that matrix say whether it
converges and how fast::

    game = dirac_gan("wgan", gamma=0.5)
    path = run(game, "simultaneous", start=[1.0, 0.0], step=0.1, steps=200)
    measured_rate(game, path), predicted_rate(game, "simultaneous", step=0.1)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gancourse.errors import GancourseError, unknown
from gancourse.theory.arguments import Array, finite, finite_matrix
from gancourse.theory.smooth_games import Game

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "consensus",
    "largest_stable_step",
    "linear_map",
    "measured_rate",
    "predicted_rate",
    "run",
    "spectral_radius",
]


@dataclass(frozen=True)
class Algorithm:
    """A way to play: one step of it, and that step linearised.

    Attributes:
        name: as in :data:`ALGORITHMS`.
        update: (game, w, the w before it, step size) to the next w.
        linear: (Jacobian at the equilibrium, split, step size) to the matrix that takes w, or the
            stacked (w, the w before it), one step on.
        affine: whether that matrix is the identity plus the step size times a fixed matrix.
    """

    name: str
    update: Callable[[Game, Array, Array, float], Array]
    linear: Callable[[Array, int, float], Array]
    affine: bool = False


def _alternate(game: Game, w: Array, before: Array, step: float) -> Array:
    moved = w.copy()
    moved[: game.split] += step * game.field(w)[: game.split]
    answer = game.field(moved)[game.split :]
    moved[game.split :] += step * answer
    return moved


def _alternate_linear(jacobian: Array, split: int, step: float) -> Array:
    first, second = np.eye(len(jacobian)), np.eye(len(jacobian))
    first[:split] += step * jacobian[:split]
    second[split:] += step * jacobian[split:]
    return second @ first


def _optimistic_linear(jacobian: Array, split: int, step: float) -> Array:
    one = np.eye(len(jacobian))
    return np.block([[one + 2 * step * jacobian, -step * jacobian], [one, np.zeros_like(one)]])


def consensus(weight: float = 1.0) -> Algorithm:
    r"""Consensus optimisation: both players also lower :math:`|v(w)|^2 / 2`.

    .. math:: w \leftarrow w + h\,(v(w) - \text{weight}\; J(w)^\top v(w))

    Mescheder, Nowozin and Geiger, *The Numerics of GANs*, 2017, algorithm 2.

    Args:
        weight: of the added term, 0 or more; ``"consensus"`` by name stands for 1.

    Raises:
        GancourseError: weight negative, NaN or infinite.
    """
    if not 0 <= weight < math.inf:
        raise GancourseError(f"The weight of consensus must be 0 or more, not {weight}.")

    def update(game: Game, w: Array, before: Array, step: float) -> Array:
        v = game.field(w)
        return w + step * (v - weight * game.jacobian(w).T @ v)

    def linear(j: Array, split: int, step: float) -> Array:
        return np.eye(len(j)) + step * (j - weight * j.T @ j)

    return Algorithm("consensus", update, linear, affine=True)


# Alternating: y answers the x just made. Extragradient (Korpelevich 1976): step with the field
# found one plain step ahead. Optimistic (Daskalakis et al., Training GANs with Optimism, 2018):
# twice the field less the field one step back. The gradient penalty is part of a game: dirac_gan.
_ALL = [
    Algorithm(
        "simultaneous",
        lambda game, w, before, h: w + h * game.field(w),
        lambda j, split, h: np.eye(len(j)) + h * j,
        affine=True,
    ),
    Algorithm("alternating", _alternate, _alternate_linear),
    Algorithm(
        "extragradient",
        lambda game, w, before, h: w + h * game.field(w + h * game.field(w)),
        lambda j, split, h: np.eye(len(j)) + h * j + h * h * j @ j,
    ),
    Algorithm(
        "optimistic",
        lambda game, w, before, h: w + h * (2 * game.field(w) - game.field(before)),
        _optimistic_linear,
    ),
    consensus(),
]
ALGORITHMS: dict[str, Algorithm] = {algorithm.name: algorithm for algorithm in _ALL}


def run(game: Game, algorithm: Algorithm | str, start: ArrayLike, step: float, steps: int) -> Array:
    """Play the game and keep every position.

    Args:
        game: what is played.
        algorithm: a name in :data:`ALGORITHMS`, or :func:`consensus` with another weight.
        start: first w, of the length of ``game.equilibrium``. The optimistic method takes it for
            the position before the first too, so its first step is a plain one.
        step: step size h, positive.
        steps: how many, 1 or more.

    Returns:
        float64 (steps + 1) x n, the start in row 0.

    Raises:
        GancourseError: an unknown algorithm, a start of another length or with NaN or infinity, a
            step or number of steps not positive, or positions that grew beyond float64.
    """
    method = _method(algorithm)
    w = finite(start, "The start")
    if w.shape != game.equilibrium.shape:
        raise GancourseError(
            f"The start must be {len(game.equilibrium)} numbers in a row for the {game.name} "
            f"game, not of shape {w.shape}."
        )
    _positive(step)
    if steps < 1:
        raise GancourseError(f"steps must be 1 or more, not {steps}.")
    path = np.empty((steps + 1, len(w)))
    path[0] = before = w
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(1, steps + 1):
            w, before = method.update(game, w, before, step), w
            if not np.isfinite(w).all():
                raise GancourseError(
                    f"The {method.name} method left the range of float64 at step {t} of {steps}. "
                    "Take fewer steps or a smaller step."
                )
            path[t] = w
    return path


def linear_map(game: Game, algorithm: Algorithm | str, step: float) -> Array:
    """The matrix that takes w minus the equilibrium one step on, exact to first order.

    Args:
        game: its Jacobian is taken at its equilibrium.
        algorithm: a name in :data:`ALGORITHMS`, or an :class:`Algorithm`.
        step: step size, positive.

    Returns:
        n x n; for ``"optimistic"`` 2n x 2n, acting on (w, the w before it).

    Raises:
        GancourseError: an unknown algorithm, or a step that is not positive.
    """
    _positive(step)
    return _method(algorithm).linear(game.jacobian(game.equilibrium), game.split, step)


def spectral_radius(matrix: ArrayLike) -> float:
    """Largest absolute value of the eigenvalues of a square matrix.

    Raises:
        GancourseError: not a square matrix, or NaN or infinity in it.
    """
    matrix = finite_matrix(matrix, "matrix")
    if matrix.shape[0] != matrix.shape[1]:
        raise GancourseError(f"Only a square matrix has eigenvalues; this one is {matrix.shape}.")
    return float(np.abs(np.linalg.eigvals(matrix)).max())


def predicted_rate(game: Game, algorithm: Algorithm | str, step: float) -> float:
    """By what factor a step shrinks the distance to the equilibrium, in the long run and near it.

    The spectral radius of :func:`linear_map`; above 1 the distance grows. Arguments and errors
    are those of :func:`linear_map`.
    """
    return spectral_radius(linear_map(game, algorithm, step))


def measured_rate(game: Game, path: Array) -> float:
    """By what factor a step changed the distance to the equilibrium in a run's second half.

    It is exp of the slope of a straight line through the logarithms of the distances; the first
    half is left out because there the slower directions have not yet taken over.

    Args:
        game: what was played.
        path: from :func:`run`, T x n with T of 4 or more. Let it end before the distances reach
            the rounding of the equilibrium, about 1e-16 if that is not 0.

    Raises:
        GancourseError: another shape, or a distance that is 0 or not finite.
    """
    path = np.asarray(path, dtype=np.float64)
    if path.ndim != 2 or len(path) < 4 or path.shape[1] != len(game.equilibrium):
        raise GancourseError(
            f"The path must be T x {len(game.equilibrium)} with T of 4 or more, not {path.shape}."
        )
    half = path[len(path) // 2 :] - game.equilibrium
    # Scaled before it is squared, so that neither tiny nor huge distances leave float64.
    scale = np.abs(half).max(axis=1)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise GancourseError(
            "The path reaches the equilibrium exactly, or is not finite: no rate can be read off. "
            "Take fewer steps, or another start."
        )
    logs = np.log(scale) + np.log(np.linalg.norm(half / scale[:, None], axis=1))
    return math.exp(np.polyfit(np.arange(len(logs)), logs, 1)[0])


def largest_stable_step(game: Game, algorithm: Algorithm | str) -> float:
    r"""The step size below which every step converges to the equilibrium from near it.

    With eigenvalues :math:`\mu` of the fixed matrix of an affine method (the Jacobian itself for
    ``"simultaneous"``) it is the least :math:`-2 \operatorname{Re}\mu / |\mu|^2`, because
    :math:`|1 + h\mu| < 1` there. For the other methods it is where the spectral radius first
    reaches 1 as the step grows in ratios of 1.02, refined by bisection.

    Args:
        game: with a Jacobian at its equilibrium.
        algorithm: a name in :data:`ALGORITHMS`, or an :class:`Algorithm`.

    Returns:
        A step size; 0.0 if arbitrarily small steps fail to converge.

    Raises:
        GancourseError: an unknown algorithm.
    """
    method = _method(algorithm)
    jacobian = game.jacobian(game.equilibrium)
    size = float(np.linalg.norm(jacobian, 2))
    if size == 0:
        return 0.0
    if method.affine:
        one = np.eye(len(jacobian))
        rates = size * np.linalg.eigvals(method.linear(jacobian, game.split, 1 / size) - one)
        # Beyond rounding: on the bilinear game the real parts are zero but for the last digits.
        attracted = (rates.real < -1e-12 * np.abs(rates).max()).all()
        return float((-2 * rates.real / np.abs(rates) ** 2).min()) if attracted else 0.0

    def stable(step: float) -> bool:
        # A margin above rounding: the alternating method may stay on the unit circle exactly.
        return spectral_radius(method.linear(jacobian, game.split, step)) < 1 - 1e-11

    low = 0.01 / size
    # The other methods follow the flow to first order: what it repels, no small step attracts.
    if (np.linalg.eigvals(jacobian).real > 1e-12 * size).any() or not stable(low):
        return 0.0
    while stable(1.02 * low):
        low *= 1.02
    high = 1.02 * low
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if stable(middle) else (low, middle)
    return low


def _method(algorithm: Algorithm | str) -> Algorithm:
    if isinstance(algorithm, Algorithm):
        return algorithm
    if algorithm not in ALGORITHMS:
        raise unknown("algorithm", algorithm, ALGORITHMS)
    return ALGORITHMS[algorithm]


def _positive(step: float) -> None:
    if not 0 < step < math.inf:
        raise GancourseError(f"The step must be positive and finite, not {step}.")
