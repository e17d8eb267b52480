"""Finite games: known values, the theorems on random games, and the GAN game of claim T10."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gancourse.errors import GancourseError
from gancourse.theory.games import (
    Survivors,
    constant_sum,
    eliminate_dominated,
    exploitability,
    gan_game,
    max_min,
    min_max,
    saddle_points,
    solve_zero_sum,
)

PENNIES = [[1, -1], [-1, 1]]
ROCK_PAPER_SCISSORS = [[0, -1, 1], [1, 0, -1], [-1, 1, 0]]
# Prisoners' dilemma: what each gets; the second strategy is to confess.
PRISONER = [[-1, -10], [0, -5]]

seeds = st.integers(0, 2**32 - 1)
sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))
# Few different integers, so that ties, saddle points and domination are common.
integer_games = sizes.flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-4, 4).map(float))
)


def kuhn_poker():
    """Player one's average gain in Kuhn's poker of three cards, 27 x 64 (Kuhn 1950).

    For each card player one folds or calls after a check, or bets; player two, for each card,
    answers a check by check or bet and a bet by fold or call.
    """
    ones = list(itertools.product(["check-fold", "check-call", "bet"], repeat=3))
    twos = list(itertools.product(itertools.product([False, True], repeat=2), repeat=3))
    payoff = np.zeros((len(ones), len(twos)))
    for (i, one), (j, two) in itertools.product(enumerate(ones), enumerate(twos)):
        for mine, other in itertools.permutations(range(3), 2):
            sign = 1 if mine > other else -1
            bets, calls = two[other]
            if one[mine] == "bet":
                gain = 2 * sign if calls else 1
            elif not bets:
                gain = sign
            else:
                gain = 2 * sign if one[mine] == "check-call" else -1
            payoff[i, j] += gain / 6
    return payoff


def simplex(points, parts):
    """Every distribution on so many points whose probabilities are positive multiples."""
    whole = range(1, parts)
    return np.array([p for p in itertools.product(whole, repeat=points) if sum(p) == parts]) / parts


@pytest.mark.parametrize(
    ("payoff", "value", "row", "column"),
    [
        (PENNIES, 0, [1 / 2, 1 / 2], [1 / 2, 1 / 2]),
        (ROCK_PAPER_SCISSORS, 0, [1 / 3] * 3, [1 / 3] * 3),
        # p_i proportional to 1/d_i, value 1 / (1/1 + 1/2 + 1/4).
        (np.diag([1.0, 2.0, 4.0]), 4 / 7, [4 / 7, 2 / 7, 1 / 7], [4 / 7, 2 / 7, 1 / 7]),
        ([[3, 1], [2, 0]], 1, [1, 0], [0, 1]),
        ([[5]], 5, [1], [1]),
        # Payoffs far from 1 and far from 0.
        (1e-9 * np.array(PENNIES), 0, [1 / 2, 1 / 2], [1 / 2, 1 / 2]),
        (1e9 + np.array(PENNIES), 1e9, [1 / 2, 1 / 2], [1 / 2, 1 / 2]),
    ],
)
def test_games_whose_only_equilibrium_is_known(payoff, value, row, column):
    found = solve_zero_sum(payoff)
    assert found.value == pytest.approx(value, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(found.row, row, atol=1e-7)
    np.testing.assert_allclose(found.column, column, atol=1e-7)


def test_kuhns_poker_is_worth_minus_an_eighteenth_to_who_begins():
    payoff = kuhn_poker()
    found = solve_zero_sum(payoff)
    assert found.lower == pytest.approx(-1 / 18, abs=1e-12)
    assert found.upper == pytest.approx(-1 / 18, abs=1e-12)
    assert saddle_points(payoff) == []
    assert exploitability(found.row, found.column, payoff) < 1e-12


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_two_by_two_games_have_the_value_of_the_closed_formula(seed):
    a = np.random.default_rng(seed).normal(size=(2, 2))
    found = solve_zero_sum(a)
    saddles = saddle_points(a)
    event(f"{len(saddles)} saddle points")
    if saddles:
        assert found.value == pytest.approx(a[saddles[0]], abs=1e-12)
        return
    total = a[0, 0] + a[1, 1] - a[0, 1] - a[1, 0]
    assert found.value == pytest.approx(np.linalg.det(a) / total, abs=1e-11)
    assert found.row[0] == pytest.approx((a[1, 1] - a[1, 0]) / total, abs=1e-7)
    assert found.column[0] == pytest.approx((a[1, 1] - a[0, 1]) / total, abs=1e-7)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, shape=sizes)
def test_weak_duality_holds_for_any_strategies_and_the_solution_closes_the_gap(seed, shape):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=shape) * 10.0 ** rng.integers(-6, 7)
    size = np.abs(a).max()
    p, q = rng.dirichlet(np.ones(shape[0])), rng.dirichlet(np.ones(shape[1]))
    found = solve_zero_sum(a)
    rounding = 1e-12 * size
    assert (p @ a).min() <= found.value + rounding and found.value <= (a @ q).max() + rounding
    assert max_min(a) <= found.value + rounding and found.value <= min_max(a) + rounding
    assert abs(found.upper - found.lower) <= rounding
    assert exploitability(p, q, a) == pytest.approx((a @ q).max() - (p @ a).min(), abs=rounding)


@settings(max_examples=60, deadline=None)
@given(a=integer_games)
def test_there_is_a_saddle_point_exactly_if_max_min_is_min_max(a):
    saddles = saddle_points(a)
    event(f"saddle: {bool(saddles)}")
    assert bool(saddles) == (max_min(a) == min_max(a))
    assert max_min(a) - 1e-11 <= solve_zero_sum(a).value <= min_max(a) + 1e-11
    for i, j in saddles:
        assert a[i, j] == max_min(a)
        assert exploitability(np.eye(len(a))[i], np.eye(a.shape[1])[j], a) == 0
    everywhere = itertools.product(range(a.shape[0]), range(a.shape[1]))
    by_hand = [(i, j) for i, j in everywhere if a[i].min() == a[i, j] == a[:, j].max()]
    assert saddles == by_hand


def test_matching_pennies_have_no_saddle_point():
    assert (max_min(PENNIES), min_max(PENNIES), saddle_points(PENNIES)) == (-1, 1, [])
    assert eliminate_dominated(PENNIES, mixed=True) == Survivors((0, 1), (0, 1), 0)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, shift=st.floats(0.01, 1))
def test_the_check_refuses_a_perturbed_equilibrium_by_what_it_loses(seed, shift):
    a = np.random.default_rng(seed).normal(size=(2, 2))
    assume(not saddle_points(a))
    found = solve_zero_sum(a)
    assert exploitability(found.row, found.column, a) < 1e-10
    # Towards the first row; without a saddle point the rows' differences have both signs.
    moved = found.row + (1 - found.row[0]) * shift * np.array([1, -1])
    moved = np.clip(moved, 0, 1)
    loss = -(1 - found.row[0]) * shift * (a[0] - a[1]).min()
    assert loss > 0
    assert exploitability(moved, found.column, a) == pytest.approx(loss, rel=1e-6, abs=1e-9)


def test_equilibria_of_a_game_that_is_not_zero_sum():
    # Battle of the sexes: two pure equilibria and one in mixed strategies.
    first, second = [[2, 0], [0, 1]], [[1, 0], [0, 2]]
    for row, column in (([1, 0], [1, 0]), ([0, 1], [0, 1]), ([2 / 3, 1 / 3], [1 / 3, 2 / 3])):
        assert exploitability(row, column, first, second) == pytest.approx(0, abs=1e-15)
    # Gains 1 and 1 from (first, second); from the even mixture 1/4 and 1/4.
    assert exploitability([1, 0], [0, 1], first, second) == 2
    assert exploitability([0.5, 0.5], [0.5, 0.5], first, second) == pytest.approx(0.5)
    with pytest.raises(GancourseError, match="not a constant-sum game"):
        constant_sum(first, second)


@settings(max_examples=30, deadline=None)
@given(seed=seeds, shape=sizes, total=st.floats(-100, 100))
def test_a_constant_sum_game_has_the_equilibria_of_its_zero_sum_game(seed, shape, total):
    first = np.random.default_rng(seed).normal(size=shape)
    second = total - first
    payoff, constant = constant_sum(first, second)
    assert constant == pytest.approx(total, rel=1e-12, abs=1e-12)
    found = solve_zero_sum(payoff)
    assert exploitability(found.row, found.column, first, second) < 1e-10
    gains = [found.row @ game @ found.column for game in (first, second)]
    expected = [found.value + total / 2, total / 2 - found.value]
    assert gains == pytest.approx(expected, abs=1e-10)


def test_elimination_solves_the_prisoners_dilemma_and_needs_rounds():
    assert eliminate_dominated(PRISONER, np.transpose(PRISONER)) == Survivors((1,), (1,), 1)
    # The last row falls only once the last column has, and the first column only after that.
    first = [[3, 2, 0], [1, 3, 0], [0, 1, 9]]
    second = [[1, 2, 0], [1, 2, 0], [3, 2, 1]]
    assert eliminate_dominated(first, second) == Survivors((1,), (1,), 4)


def test_some_strategies_are_dominated_by_a_mixture_only():
    first = [[3, 0], [0, 3], [1, 1]]
    second = [[0, 1], [1, 0], [0, 0]]
    assert eliminate_dominated(first, second).rows == (0, 1, 2)
    assert eliminate_dominated(first, second, mixed=True) == Survivors((0, 1), (0, 1), 1)
    turned = np.transpose(second), np.transpose(first)
    assert eliminate_dominated(*turned, mixed=True) == Survivors((0, 1), (0, 1), 1)
    # A tie is not strict domination.
    first[2] = [1.5, 1.5]
    assert eliminate_dominated(first, second, mixed=True).rows == (0, 1, 2)


@settings(max_examples=45, deadline=None)
@given(a=integer_games, mixed=st.booleans())
def test_elimination_keeps_the_value_and_every_saddle_point(a, mixed):
    left = eliminate_dominated(a, mixed=mixed)
    event(f"mixed: {mixed}, removed something: {left.rounds > 0}")
    reduced = a[np.ix_(left.rows, left.columns)]
    assert solve_zero_sum(reduced).value == pytest.approx(solve_zero_sum(a).value, abs=1e-10)
    assert all(i in left.rows and j in left.columns for i, j in saddle_points(a))
    again = eliminate_dominated(reduced, mixed=mixed)
    assert again.rounds == 0 and (len(again.rows), len(again.columns)) == reduced.shape
    if mixed:
        pure = eliminate_dominated(a)
        assert set(left.rows) <= set(pure.rows) and set(left.columns) <= set(pure.columns)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, shape=sizes)
def test_what_elimination_removes_is_never_a_best_reply(seed, shape):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(2, *shape))
    left = eliminate_dominated(first, second, mixed=True)
    # Against mixtures of the columns that survive, a surviving row is the best of all rows.
    mixtures = rng.dirichlet(np.ones(len(left.columns)), size=200)
    replies = (first[:, left.columns] @ mixtures.T).argmax(axis=0)
    assert set(replies.tolist()) <= set(left.rows)


@pytest.mark.parametrize(("points", "parts"), [(2, 10), (3, 6), (4, 8)])
def test_t10_elimination_does_not_solve_the_gan_game_and_the_equilibrium_is_that_of_the_theory(
    points, parts
):
    generators = simplex(points, parts)
    data = np.full(points, 1 / points)
    if points == 3:
        data = np.array([1, 2, 3]) / 6
    # The best discriminator against each generator; against the data themselves it is 1/2.
    discriminators = data / (data + generators)
    payoff = gan_game(data, generators, discriminators)
    truth = int(np.flatnonzero(np.isclose(generators, data).all(axis=1))[0])

    everything = tuple(range(len(generators)))
    for mixed in (False, True):
        assert eliminate_dominated(payoff, mixed=mixed) == Survivors(everything, everything, 0)

    found = solve_zero_sum(payoff)
    assert found.value == pytest.approx(-math.log(4), abs=1e-12)
    assert max_min(payoff) == pytest.approx(min_max(payoff), abs=1e-14)
    assert exploitability(np.eye(len(payoff))[truth], np.eye(len(payoff))[truth], payoff) < 1e-14
    np.testing.assert_allclose(found.row @ discriminators, 0.5, atol=1e-7)
    # What is generated differs from the data by less than one part in all.
    assert np.abs(found.column @ generators - data).max() < 1 / parts


def test_a_finer_set_of_discriminators_pins_the_generator_to_the_data():
    data, generators = np.array([0.3, 0.7]), simplex(2, 20)
    errors = []
    for nearness in (0.1, 0.01, 0.001):
        # 1/2, a little more or less on one of the points, and the best against each generator.
        tilts = 0.5 + nearness * np.array([[0, 0], [1, -1], [-1, 1]])
        discriminators = np.concatenate([tilts, data / (data + generators)])
        found = solve_zero_sum(gan_game(data, generators, discriminators))
        assert found.value == pytest.approx(-math.log(4), abs=1e-10)
        errors.append(np.abs(found.column @ generators - data).max())
        # Tilting by s towards a point pays as soon as the generator misses it by about 2s p.
        assert errors[-1] <= 2 * nearness
    assert errors[-1] < 2e-3


@settings(max_examples=25, deadline=None)
@given(seed=seeds, points=st.integers(2, 4), count=st.integers(1, 6))
def test_no_generator_is_ever_eliminated_if_the_discriminator_may_be_one_half(seed, points, count):
    rng = np.random.default_rng(seed)
    data = rng.dirichlet(np.ones(points) * 3)
    generators = np.concatenate([rng.dirichlet(np.ones(points), size=count), [data]])
    discriminators = np.concatenate([rng.uniform(0.05, 0.95, (count, points)), [[0.5] * points]])
    payoff = gan_game(data, generators, discriminators)
    left = eliminate_dominated(payoff, mixed=True)
    assert left.columns == tuple(range(count + 1)) and count in left.rows
    # The constant 1/2 against the data is an equilibrium; the value is -log 4 whatever the rest.
    last = np.eye(count + 1)[count]
    assert exploitability(last, last, payoff) < 1e-13
    assert solve_zero_sum(payoff).value == pytest.approx(-math.log(4), abs=1e-11)


def test_discriminators_that_are_wrong_everywhere_are_dominated():
    data, generators = np.array([0.5, 0.5]), simplex(2, 8)
    discriminators = np.array(list(itertools.product([0.25, 0.5, 0.75], repeat=2)))
    left = eliminate_dominated(gan_game(data, generators, discriminators), mixed=True)
    # To say fake, or real, of both points is worse than 1/2; five of the nine, and all seven
    # generators, stay, so that the game is not solved.
    assert {0, 8}.isdisjoint(left.rows)
    assert len(left.rows) == 5 and len(left.columns) == 7


def test_the_gan_game_by_hand():
    payoff = gan_game([0.5, 0.5], [[0.25, 0.75], [1, 0]], [[0.8, 0.4]])
    first = 0.5 * math.log(0.8) + 0.5 * math.log(0.4)
    expected = [
        first + 0.25 * math.log(0.2) + 0.75 * math.log(0.6),
        first + math.log(0.2),
    ]
    np.testing.assert_allclose(payoff, [expected], rtol=1e-14)


@pytest.mark.parametrize(
    "ask", [max_min, min_max, saddle_points, solve_zero_sum, eliminate_dominated]
)
def test_bad_matrices_are_refused(ask):
    with pytest.raises(GancourseError, match="equally long"):
        ask([[1, 2], [3]])
    with pytest.raises(GancourseError, match=r"NaN or infinity in 1 of 4 .*row 1, column 0"):
        ask([[1, 2], [math.nan, 4]])
    with pytest.raises(GancourseError, match="NaN or infinity in 2 of 2"):
        ask([[math.inf, -math.inf]])
    for shape in ((0, 2), (2, 0), (3,), (2, 2, 2)):
        with pytest.raises(GancourseError, match="a row and a column at least"):
            ask(np.zeros(shape))


def test_bad_games_and_strategies_are_refused():
    with pytest.raises(GancourseError, match=r"shapes \(2, 2\) and \(3, 3\)"):
        eliminate_dominated(PENNIES, ROCK_PAPER_SCISSORS)
    with pytest.raises(GancourseError, match="The row strategy has shape"):
        exploitability([1, 0, 0], [0.5, 0.5], PENNIES)
    with pytest.raises(GancourseError, match="The column strategy must be"):
        exploitability([0.5, 0.5], [0.6, 0.5], PENNIES)
    with pytest.raises(GancourseError, match="The column strategy must be"):
        exploitability([0.5, 0.5], [1.5, -0.5], PENNIES)
    with pytest.raises(GancourseError, match="The row strategy holds NaN"):
        exploitability([math.nan, 1], [0.5, 0.5], PENNIES)
    even = [0.5, 0.5]
    with pytest.raises(GancourseError, match="Generator 1 must be"):
        gan_game(even, [even, [0.5, 0.6]], [even])
    with pytest.raises(GancourseError, match="The data has shape"):
        gan_game([1], [even], [even])
    with pytest.raises(GancourseError, match="judge 3 points, and the data have 2"):
        gan_game(even, [even], [[0.5] * 3])
    for value in (0, 1, -0.1):
        with pytest.raises(GancourseError, match="more than 0 and less than 1"):
            gan_game(even, [even], [[0.5, value]])
