"""Games of two players with smooth losses: quadratic ones, a duopoly, and the Dirac-GAN.

Player one sets the vector x, player two the vector y, and each goes down its own loss. All
functions take the two in one vector w = (x, y).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from gancourse.errors import GancourseError, unknown
from gancourse.theory.arguments import Array, finite_matrix

__all__ = ["Game", "bilinear_game", "dirac_gan", "duopoly", "quadratic_game"]

# A number t to the value, slope and curvature of a function there.
Scalar = Callable[[float], tuple[float, float, float]]


@dataclass(frozen=True, eq=False)
class Game:
    """Two players, each with a differentiable loss of both players' parameters.

    Attributes:
        name: for messages and captions.
        split: length of x; the rest of w is y.
        losses: w to the pair of losses, player one's first.
        field: w to v(w), of the shape of w: how each player's own descent direction points.
        jacobian: w to the derivative of the field, n x n, in closed form.
        equilibrium: a point w where the field is zero.
    """

    name: str
    split: int
    losses: Callable[[Array], tuple[float, float]]
    field: Callable[[Array], Array]
    jacobian: Callable[[Array], Array]
    equilibrium: Array


def quadratic_game(a: ArrayLike, b: ArrayLike, c: ArrayLike, name: str = "quadratic") -> Game:
    r"""The zero-sum game in which x minimises and y maximises a quadratic.

    .. math:: \tfrac12 x^\top a x + x^\top b y - \tfrac12 y^\top c y

    Its point of rest is 0. That is a Nash equilibrium if a and c have no negative eigenvalue, and
    otherwise only a point where both gradients vanish.

    Args:
        a: n x n, symmetric; a number is a 1 x 1 matrix, here and below.
        b: n x m.
        c: m x m, symmetric.
        name: of the game.

    Raises:
        GancourseError: NaN or infinity, shapes that do not fit, or a or c not symmetric.
    """
    a, b, c = (
        finite_matrix(a, "matrix a"),
        finite_matrix(b, "matrix b"),
        finite_matrix(c, "matrix c"),
    )
    n, m = b.shape
    if a.shape != (n, n) or c.shape != (m, m):
        raise GancourseError(
            f"With b of shape {b.shape}, a must be {(n, n)} and c {(m, m)}, not {a.shape} and "
            f"{c.shape}."
        )
    for matrix, letter in ((a, "a"), (c, "c")):
        if not np.array_equal(matrix, matrix.T):
            raise GancourseError(f"{letter} must be symmetric; give ({letter} + {letter}.T) / 2.")
    jacobian = np.block([[-a, -b], [b.T, -c]])

    def losses(w: Array) -> tuple[float, float]:
        x, y = w[:n], w[n:]
        value = float(x @ a @ x / 2 + x @ b @ y - y @ c @ y / 2)
        return value, -value

    return Game(name, n, losses, lambda w: jacobian @ w, lambda w: jacobian, np.zeros(n + m))


def bilinear_game(a: ArrayLike = 1.0) -> Game:
    r"""The zero-sum game :math:`x^\top a y`: neither player has any curvature of its own.

    Args:
        a: n x m; a number is a 1 x 1 matrix. If it is not square and invertible, 0 is one
            equilibrium of many.

    Raises:
        GancourseError: NaN or infinity, or not a matrix.
    """
    a = finite_matrix(a, "matrix a")
    n, m = a.shape
    return quadratic_game(np.zeros((n, n)), a, np.zeros((m, m)), name="bilinear")


def duopoly() -> Game:
    """Cournot's duopoly (1838), a game that is not zero-sum and in which descent converges.

    Two firms offer the amounts x and y, and each sells at the price 1 - x - y; a firm's loss is
    minus its income. Each offers 1/3 in equilibrium. The Jacobian is symmetric: nothing rotates.
    """
    jacobian = np.array([[-2.0, -1.0], [-1.0, -2.0]])

    def losses(w: Array) -> tuple[float, float]:
        price = 1 - w[0] - w[1]
        return float(-w[0] * price), float(-w[1] * price)

    third = np.full(2, 1 / 3)
    return Game("duopoly", 1, losses, lambda w: 1 + jacobian @ w, lambda w: jacobian, third)


def _log_sigmoid(t: float) -> tuple[float, float, float]:
    """log sigmoid(t), its slope and its curvature."""
    slope = float(expit(-t))
    return -float(np.logaddexp(0, -t)), slope, -slope * float(expit(t))


def _identity(t: float) -> tuple[float, float, float]:
    return t, 1.0, 0.0


def _mirrored(t: float) -> tuple[float, float, float]:
    """-log sigmoid(-t), its slope and its curvature."""
    value, slope, curvature = _log_sigmoid(-t)
    return -value, slope, -curvature


# Objective -> what the discriminator raises and what the generator lowers, both of t = theta psi.
DIRAC: dict[str, tuple[Scalar, Scalar]] = {
    "minimax": (_log_sigmoid, _log_sigmoid),
    "non-saturating": (_log_sigmoid, _mirrored),
    "wgan": (_identity, _identity),
}


def dirac_gan(objective: str = "non-saturating", gamma: float = 0.0) -> Game:
    r"""The Dirac-GAN: one datum at 0, one generated point theta, the discriminator psi x.

    The discriminator maximises :math:`f(\theta\psi) + f(0) - \gamma\psi^2/2`, whose last term is
    the R1 penalty, and the generator minimises :math:`f(\theta\psi) + f(0)`. Here f is log sigmoid
    for ``"minimax"`` and the identity for ``"wgan"``; with ``"non-saturating"`` the generator
    minimises :math:`-f(-\theta\psi)` instead. The equilibrium is (0, 0), where the Jacobian has
    the eigenvalues :math:`-\gamma/2 \pm \sqrt{\gamma^2/4 - f'(0)^2}`; f'(0) is 1/2, or 1 for
    ``"wgan"``. Mescheder, Geiger and Nowozin, *Which Training Methods for GANs do actually
    Converge?*, 2018, sections 2 and 3, whose sign of the discriminator is kept: it is high on
    what it takes for generated.

    Args:
        objective: ``"minimax"``, ``"non-saturating"`` or ``"wgan"``.
        gamma: weight of the R1 penalty, 0 or more.

    Returns:
        The game of w = (theta, psi).

    Raises:
        GancourseError: an unknown objective, or gamma negative, NaN or infinite.
    """
    if objective not in DIRAC:
        raise unknown("Dirac-GAN objective", objective, DIRAC)
    if not 0 <= gamma < math.inf:
        raise GancourseError(f"gamma must be 0 or more, not {gamma}.")
    raised, lowered = DIRAC[objective]

    def losses(w: Array) -> tuple[float, float]:
        theta, psi = w
        t = theta * psi
        penalty = gamma / 2 * psi**2
        constant = raised(0.0)[0]
        return lowered(t)[0] + lowered(0.0)[0], -raised(t)[0] - constant + float(penalty)

    def field(w: Array) -> Array:
        theta, psi = w
        t = theta * psi
        return np.array([-psi * lowered(t)[1], theta * raised(t)[1] - gamma * psi])

    def jacobian(w: Array) -> Array:
        theta, psi = w
        t = theta * psi
        _, g1, g2 = lowered(t)
        _, d1, d2 = raised(t)
        return np.array([[-(psi**2) * g2, -g1 - t * g2], [d1 + t * d2, theta**2 * d2 - gamma]])

    return Game(f"Dirac-GAN, {objective}", 1, losses, field, jacobian, np.zeros(2))
