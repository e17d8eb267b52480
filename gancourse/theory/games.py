r"""Finite games of two players: guarantees, saddle points, dominated strategies, equilibria.

A payoff matrix has a row for each strategy of player one and a column for each of player two. Its
entries are what player one gets and wants large; where no second matrix is given the game is
zero-sum, and player two wants them small. In the GAN game the discriminator is player one::

    payoff = gan_game(data, generators, discriminators)
    found = solve_zero_sum(payoff)
    found.value, found.row @ discriminators, found.column @ generators
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array, finite_matrix, probabilities

__all__ = [
    "Solution",
    "Survivors",
    "constant_sum",
    "eliminate_dominated",
    "exploitability",
    "gan_game",
    "max_min",
    "min_max",
    "saddle_points",
    "solve_zero_sum",
]

# To be strictly better is to be better by this part of the payoffs' range. In a GAN game payoffs
# that are equal in theory differ by rounding, which must not pass for domination.
MARGIN = 1e-9


def max_min(payoff: ArrayLike) -> float:
    """The most that player one can be sure of with a single row, its pure security level.

    Args:
        payoff: n x m, what player one gets.

    Raises:
        GancourseError: not a matrix of finite numbers.
    """
    return float(finite_matrix(payoff, "payoff").min(axis=1).max())


def min_max(payoff: ArrayLike) -> float:
    """The least to which player two can hold player one with a single column.

    It is never below :func:`max_min`, and equal to it exactly if there is a saddle point. The
    argument and the error are those of :func:`max_min`.
    """
    return float(finite_matrix(payoff, "payoff").max(axis=0).min())


def saddle_points(payoff: ArrayLike) -> list[tuple[int, int]]:
    """The equilibria in single rows and columns of a zero-sum game.

    Args:
        payoff: n x m, what player one gets and player two pays.

    Returns:
        Each (row, column) whose entry is the least of its row and the largest of its column, in
        order; there may be none.

    Raises:
        GancourseError: not a matrix of finite numbers.
    """
    a = finite_matrix(payoff, "payoff")
    saddle = (a == a.min(axis=1, keepdims=True)) & (a == a.max(axis=0, keepdims=True))
    return [(int(i), int(j)) for i, j in np.argwhere(saddle)]


@dataclass(frozen=True, eq=False)
class Solution:
    """An equilibrium of a zero-sum game in mixed strategies.

    Attributes:
        row: n probabilities, player one's.
        column: m probabilities, player two's.
        lower: what ``row`` makes sure of, whatever player two does.
        upper: what ``column`` concedes at most. The exact value is between the two.
    """

    row: Array
    column: Array
    lower: float
    upper: float

    @property
    def value(self) -> float:
        """What player one gets on average; off by at most half of ``upper - lower``."""
        return (self.lower + self.upper) / 2


def solve_zero_sum(payoff: ArrayLike) -> Solution:
    r"""Value and optimal mixed strategies of a zero-sum game, by linear programming.

    Player one's program is: maximise v with :math:`p^\top A \ge v` in every column, p being
    probabilities. Player two's is its dual, and the two have the same optimum: von Neumann's
    minimax theorem (1928), :math:`\max_p \min_q p^\top A q = \min_q \max_p p^\top A q`. Both are
    solved here, so that ``lower`` and ``upper`` bound the value without trust in either.

    Args:
        payoff: n x m, what player one gets and player two pays.

    Returns:
        One equilibrium; there may be others, all of the same value.

    Raises:
        GancourseError: not a matrix of finite numbers.
    """
    a = finite_matrix(payoff, "payoff")
    scaled = (a - a.min()) / _range(a)
    row, column = _safest(scaled), _safest(-scaled.T)
    return Solution(row, column, float((row @ a).min()), float((a @ column).max()))


def constant_sum(first: ArrayLike, second: ArrayLike) -> tuple[Array, float]:
    """Reduce a game whose two payoffs always add up to the same number to a zero-sum game.

    Half of the sum is taken from each player's payoffs, which changes no preference: the game
    has the same equilibria.

    Args:
        first: n x m, what player one gets.
        second: n x m, what player two gets.

    Returns:
        The zero-sum payoff matrix, and the constant sum s. If the zero-sum game has value v,
        player one gets v + s/2 and player two s/2 - v.

    Raises:
        GancourseError: not matrices of finite numbers, of different shapes, or sums that differ
            by more than rounding.
    """
    a, b = _payoffs(first, second)
    total = a + b
    if np.ptp(total) > MARGIN * (np.abs(a).max() + np.abs(b).max()):
        raise GancourseError(
            f"The payoffs add up to between {total.min():g} and {total.max():g}: this is not a "
            "constant-sum game. Use exploitability and eliminate_dominated with both matrices."
        )
    constant = float(total.mean())
    return a - constant / 2, constant


@dataclass(frozen=True)
class Survivors:
    """What iterated elimination leaves.

    Attributes:
        rows: player one's strategies that are left, by their number in the full game.
        columns: player two's.
        rounds: how many rounds removed something.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    rounds: int


def eliminate_dominated(
    first: ArrayLike, second: ArrayLike | None = None, mixed: bool = False
) -> Survivors:
    """Strike out strictly dominated strategies of both players until none is left.

    A strategy is strictly dominated if another one does better whatever the other player does:
    here, by more than 1e-9 of the range of the player's payoffs. Nobody plays it in an
    equilibrium, so every equilibrium survives, and what survives does not depend on the order.
    Osborne and Rubinstein, *A Course in Game Theory*, 1994, section 4.2.

    Args:
        first: n x m, what player one gets.
        second: n x m, what player two gets; without it the game is zero-sum.
        mixed: strike out also what only a mixture of strategies dominates, which takes a linear
            program for each strategy.

    Raises:
        GancourseError: not matrices of finite numbers, or of different shapes.
    """
    a, b = _payoffs(first, second)
    # Scaled once: what is left may differ by rounding alone, and that must not be blown up.
    a, b = a / _range(a), b / _range(b)
    rows, columns = np.arange(a.shape[0]), np.arange(a.shape[1])
    rounds = 0
    while True:
        left = np.ix_(rows, columns)
        bad_rows, bad_columns = _dominated(a[left], mixed), _dominated(b[left].T, mixed)
        if not (bad_rows.any() or bad_columns.any()):
            return Survivors(tuple(rows.tolist()), tuple(columns.tolist()), rounds)
        rows, columns = rows[~bad_rows], columns[~bad_columns]
        rounds += 1


def exploitability(
    row: ArrayLike, column: ArrayLike, first: ArrayLike, second: ArrayLike | None = None
) -> float:
    """How much the two players could gain, added up, if each alone changed to its best reply.

    It is 0 exactly if the pair is a Nash equilibrium, and a pair of exploitability e is an
    equilibrium up to e for each player. Lanctot et al., *A Unified Game-Theoretic Approach to
    Multiagent Reinforcement Learning*, 2017, call the same sum NashConv.

    Args:
        row: n probabilities, player one's.
        column: m probabilities, player two's.
        first: n x m, what player one gets.
        second: n x m, what player two gets; without it the game is zero-sum.

    Returns:
        A number of 0 or more, in the unit of the payoffs.

    Raises:
        GancourseError: not matrices of finite numbers, of different shapes, or strategies that
            are not probabilities of the right length.
    """
    a, b = _payoffs(first, second)
    p = probabilities(row, a.shape[0], "The row strategy")
    q = probabilities(column, a.shape[1], "The column strategy")
    gain_one = (a @ q - p @ a @ q).max()
    gain_two = (p @ b - p @ b @ q).max()
    return max(float(gain_one + gain_two), 0.0)


def gan_game(data: ArrayLike, generators: ArrayLike, discriminators: ArrayLike) -> Array:
    r"""The GAN game on k points, with finitely many generators and discriminators.

    .. math:: V(D, G) = \sum_x p_{data}(x) \log D(x) + p_g(x) \log(1 - D(x))

    Goodfellow et al., *Generative Adversarial Nets*, 2014, equation 1. V is what the
    discriminator, player one, gets and the generator pays. It is linear in :math:`p_g`: to mix
    generators is to generate from the mixture of their distributions. If ``generators`` holds
    ``data`` and ``discriminators`` holds the constant 1/2, that pair is a saddle point, of value
    -log 4.

    Args:
        data: k probabilities.
        generators: m x k, a distribution in each row.
        discriminators: n x k, in each row D(x) at every point, more than 0 and less than 1.

    Returns:
        n x m, V of every discriminator against every generator.

    Raises:
        GancourseError: widths that differ, rows that are not probabilities, or a D(x) of 0 or 1
            or beyond: V would be infinite.
    """
    g, d = finite_matrix(generators, "generators"), finite_matrix(discriminators, "discriminators")
    p = probabilities(data, g.shape[1], "The data")
    # Brought to a sum of 1 exactly: the constant 1/2 must pay the same against every generator.
    g = np.stack([probabilities(row, len(p), f"Generator {i}") for i, row in enumerate(g)])
    if d.shape[1] != len(p):
        raise GancourseError(
            f"The discriminators judge {d.shape[1]} points, and the data have {len(p)}."
        )
    if not ((d > 0) & (d < 1)).all():
        raise GancourseError(
            "D(x) must be more than 0 and less than 1 everywhere: at 0 or 1 the payoff may be "
            "infinite. Move such values a little inwards."
        )
    return (np.log(d) @ p)[:, None] + np.log1p(-d) @ g.T


def _safest(a: Array) -> Array:
    """The mixture of rows whose least payoff over the columns is largest."""
    n, m = a.shape
    # Unknowns: n probabilities and the guarantee v. Minimise -v; in each column v - p.a <= 0.
    found = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.hstack([-a.T, np.ones((m, 1))]),
        b_ub=np.zeros(m),
        A_eq=np.append(np.ones(n), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
        method="highs",
        # The tightest HiGHS takes; the default of 1e-7 would show in the value.
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if not found.success:
        raise GancourseError(f"The linear program was not solved: {found.message}")
    p = np.maximum(found.x[:n], 0.0)
    return p / p.sum()


def _dominated(a: Array, mixed: bool) -> NDArray[np.bool_]:
    """Which rows another row, or a mixture of rows, beats in every column by more than MARGIN."""
    # What the best single row is sure to win over each row.
    beaten: NDArray[np.bool_] = (a[None] - a[:, None]).min(axis=2).max(axis=1) > MARGIN
    if mixed:
        # A row that is the best reply to some column is dominated by nothing.
        best = (a == a.max(axis=0)).any(axis=1)
        for i in np.flatnonzero(~beaten & ~best):
            margins = a - a[i]
            beaten[i] = (_safest(margins) @ margins).min() > MARGIN
    return beaten


def _range(a: Array) -> float:
    """Largest less smallest payoff, by which the linear programs are scaled; 1 if all are equal."""
    return float(np.ptp(a)) or 1.0


def _payoffs(first: ArrayLike, second: ArrayLike | None) -> tuple[Array, Array]:
    a = finite_matrix(first, "payoff of player one")
    b = -a if second is None else finite_matrix(second, "payoff of player two")
    if a.shape != b.shape:
        raise GancourseError(f"The payoffs have the shapes {a.shape} and {b.shape}, not the same.")
    return a, b
