"""Smooth games against finite differences, and the algorithms against what their matrices say."""

import math

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from gancourse.errors import GancourseError
from gancourse.theory import smooth_games
from gancourse.theory.dynamics import (
    ALGORITHMS,
    consensus,
    largest_stable_step,
    linear_map,
    measured_rate,
    predicted_rate,
    run,
    spectral_radius,
)
from gancourse.theory.smooth_games import bilinear_game, dirac_gan, duopoly, quadratic_game

NAMES = sorted(ALGORITHMS)
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 3)


def random_quadratic(rng, n, m):
    """A random convex-concave zero-sum game; every second one without curvature for x."""
    p, q = rng.normal(size=(n, n)), rng.normal(size=(m, m))
    return quadratic_game(
        p @ p.T * rng.integers(0, 2) / n, rng.normal(size=(n, m)), q @ q.T * 0.3 / m
    )


def differences(function, w, width=1e-5):
    """Central differences of a function of w, one column for each coordinate."""
    steps = np.eye(len(w)) * width
    columns = [(np.array(function(w + s)) - np.array(function(w - s))) / 2 / width for s in steps]
    return np.stack(columns, axis=-1)


@st.composite
def any_game(draw):
    rng = np.random.default_rng(draw(seeds))
    kind = draw(st.sampled_from(["quadratic", "bilinear", "duopoly", *smooth_games.DIRAC]))
    event(kind)
    if kind == "quadratic":
        return random_quadratic(rng, draw(sizes), draw(sizes))
    if kind == "bilinear":
        return bilinear_game(rng.normal(size=(draw(sizes), draw(sizes))))
    return duopoly() if kind == "duopoly" else dirac_gan(kind, gamma=rng.uniform(0, 3))


@settings(max_examples=100, deadline=None)
@given(game=any_game(), seed=seeds)
def test_fields_and_jacobians_are_the_derivatives_of_the_losses(game, seed):
    w = np.random.default_rng(seed).uniform(-2, 2, len(game.equilibrium))
    slopes = differences(game.losses, w)
    descent = np.concatenate([-slopes[0, : game.split], -slopes[1, game.split :]])
    np.testing.assert_allclose(game.field(w), descent, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(game.jacobian(w), differences(game.field, w), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(game.field(game.equilibrium), 0, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, n=sizes, m=sizes, name=st.sampled_from(NAMES), step=st.floats(0.01, 0.5))
def test_a_linear_game_follows_its_matrix_exactly(seed, n, m, name, step):
    rng = np.random.default_rng(seed)
    game = random_quadratic(rng, n, m)
    start = rng.normal(size=n + m)
    path = run(game, name, start, step, steps=12)
    matrix = linear_map(game, name, step)
    state = np.tile(start, len(matrix) // (n + m))
    for w in path[1:]:
        state = matrix @ state
        np.testing.assert_allclose(w, state[: n + m], rtol=1e-9, atol=1e-9 * np.abs(path).max())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("objective", sorted(smooth_games.DIRAC))
def test_the_linear_map_is_the_derivative_of_one_step_at_the_equilibrium(name, objective):
    game = dirac_gan(objective, gamma=0.4)
    # From rest, with the start taken for the position before it too.
    jumps = differences(lambda w: run(game, name, w, 0.3, 1)[1], np.zeros(2))
    matrix = linear_map(game, name, 0.3)
    expected = matrix[:2, :2] + (matrix[:2, 2:] if len(matrix) == 4 else 0)
    np.testing.assert_allclose(jumps, expected, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, n=sizes, m=sizes, name=st.sampled_from(NAMES), step=st.floats(0.05, 0.4))
def test_measured_rates_are_the_predicted_ones(seed, n, m, name, step):
    rng = np.random.default_rng(seed)
    game = random_quadratic(rng, n, m)
    predicted = predicted_rate(game, name, step)
    # As many steps as float64 has room for, at most 1600.
    steps = int(min(1600, 600 / max(abs(math.log(predicted)), 0.01)))
    eigenvalues = np.linalg.eigvals(linear_map(game, name, step))
    # The slower directions must have died away by the second half of the run ...
    speeds = np.unique(np.abs(eigenvalues).round(9))
    assume(len(speeds) == 1 or (speeds[-2] / speeds[-1]) ** (steps / 2) < 1e-5)
    # ... and the fastest, if it turns, must turn several times in the run.
    turn = abs(np.angle(eigenvalues[np.abs(eigenvalues).argmax()]))
    assume(turn in (0, np.pi) or min(turn, np.pi - turn) * steps > 60)
    measured = measured_rate(game, run(game, name, rng.normal(size=n + m), step, steps))
    assert measured == pytest.approx(predicted, rel=1e-3)


def test_the_measured_rate_is_that_of_the_slow_direction_though_the_fast_one_begins():
    # Each step multiplies the first coordinate by 0.5 and the second by 0.9.
    game = quadratic_game(np.diag([5.0, 1.0]), np.zeros((2, 1)), 5.0)
    path = run(game, "simultaneous", [1e6, 1.0, 0.0], 0.1, steps=200)
    np.testing.assert_allclose(path[3], [1e6 / 8, 0.729, 0.0], rtol=1e-12)
    assert measured_rate(game, path) == pytest.approx(0.9, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    # The duopoly's equilibrium, 1/3, is rounded: its path must end well above 1e-16.
    ("game", "steps"),
    [(dirac_gan("minimax", 0.4), 1500), (dirac_gan("wgan", 0.4), 1500), (duopoly(), 150)],
)
def test_measured_rates_of_games_that_are_not_linear_or_not_at_the_origin(game, steps, name):
    path = run(game, name, game.equilibrium + [1e-3, -2e-3], 0.05, steps)
    assert measured_rate(game, path) == pytest.approx(predicted_rate(game, name, 0.05), rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(x=st.floats(-5, 5), y=st.floats(-5, 5), step=st.floats(0.01, 1.5))
def test_simultaneous_descent_leaves_the_bilinear_game_by_the_root_of_one_plus_h_squared(
    x, y, step
):
    assume(abs(x) + abs(y) > 0.1)
    path = run(bilinear_game(1.0), "simultaneous", [x, y], step, steps=30)
    distances = np.linalg.norm(path, axis=1)
    np.testing.assert_allclose(distances[1:] / distances[:-1], math.hypot(1, step), rtol=1e-13)
    assert predicted_rate(bilinear_game(1.0), "simultaneous", step) == pytest.approx(
        math.hypot(1, step), rel=1e-14
    )


@settings(max_examples=40, deadline=None)
@given(x=st.floats(-5, 5), y=st.floats(-5, 5), step=st.floats(0.01, 1.95))
def test_alternating_descent_goes_round_an_ellipse_on_the_bilinear_game(x, y, step):
    assume(abs(x) + abs(y) > 0.1)
    path = run(bilinear_game(1.0), "alternating", [x, y], step, steps=300)
    # x^2 + y^2 - h x y is kept, which bounds the distance for h < 2.
    ellipse = path[:, 0] ** 2 + path[:, 1] ** 2 - step * path[:, 0] * path[:, 1]
    np.testing.assert_allclose(ellipse, ellipse[0], rtol=1e-9)
    assert (path**2).sum(axis=1).max() <= ellipse[0] / (1 - step / 2) * (1 + 1e-9)


def test_alternating_descent_leaves_the_bilinear_game_with_a_step_above_two():
    assert predicted_rate(bilinear_game(1.0), "alternating", 1.99) == pytest.approx(1, rel=1e-12)
    path = run(bilinear_game(1.0), "alternating", [1.0, 0.5], 2.1, steps=60)
    assert np.linalg.norm(path[-1]) > 1e6


@pytest.mark.parametrize("strength", [1e-3, 0.3, 1.0, 4.0])
def test_largest_stable_steps_on_the_bilinear_game(strength):
    game = bilinear_game(strength)
    # |1 + z + z^2| < 1 on the imaginary axis is |z| < 1; for the optimistic method
    # lambda^2 - (1 + 2z) lambda + z = 0 has a root on the unit circle first at |z| = 1/sqrt(3).
    expected = {
        "simultaneous": 0.0,
        "alternating": 0.0,
        "extragradient": 1 / strength,
        "optimistic": 1 / (math.sqrt(3) * strength),
        # mu = -a^2 +- i a, so -2 Re mu / |mu|^2 = 2 / (1 + a^2).
        "consensus": 2 / (1 + strength**2),
    }
    found = {name: largest_stable_step(game, name) for name in NAMES}
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", ["extragradient", "optimistic"])
def test_below_the_largest_stable_step_the_method_converges_and_above_it_leaves(name):
    game = bilinear_game([[1.0, 0.5], [0.0, 2.0]])
    limit = largest_stable_step(game, name)
    inside = run(game, name, [1.0, 1.0, -1.0, 0.5], 0.9 * limit, steps=600)
    outside = run(game, name, [1.0, 1.0, -1.0, 0.5], 1.1 * limit, steps=600)
    assert np.linalg.norm(inside[-1]) < 1e-6 and np.linalg.norm(outside[-1]) > 1e6


@settings(max_examples=25, deadline=None)
@given(seed=seeds, n=sizes, m=sizes, name=st.sampled_from(NAMES))
def test_the_largest_stable_step_is_where_the_spectral_radius_crosses_one(seed, n, m, name):
    rng = np.random.default_rng(seed)
    p, q = rng.normal(size=(n, n)), rng.normal(size=(m, m))
    game = quadratic_game(
        p @ p.T + 0.1 * np.eye(n), rng.normal(size=(n, m)), q @ q.T + 0.1 * np.eye(m)
    )
    limit = largest_stable_step(game, name)
    for part in (0.05, 0.3, 0.6, 0.9, 0.9999):
        assert predicted_rate(game, name, part * limit) < 1
    assert predicted_rate(game, name, 1.0001 * limit) > 1


def test_no_step_is_stable_at_a_point_that_repels_or_where_nothing_moves():
    assert [largest_stable_step(bilinear_game(0.0), name) for name in NAMES] == [0.0] * 5
    # One player's parameter is without effect: every point of a line is an equilibrium.
    line = quadratic_game(1.0, [[1.0, 0.0]], np.zeros((2, 2)))
    assert [largest_stable_step(line, name) for name in NAMES] == [0.0] * 5
    hill = quadratic_game(-1.0, 0.5, 1.0)
    assert [largest_stable_step(hill, name) for name in NAMES if name != "consensus"] == [0.0] * 4
    # Repelled, though so weakly that larger steps of some methods would converge.
    slope = quadratic_game(-2e-4, 1.0, 0.0)
    assert predicted_rate(slope, "extragradient", 0.1) < 1
    assert [largest_stable_step(slope, name) for name in NAMES if name != "consensus"] == [0.0] * 4
    # Consensus is drawn to any point where the field vanishes, if its weight is large enough.
    assert largest_stable_step(hill, consensus(5.0)) > 0


def test_the_duopoly_converges_for_steps_below_two_thirds():
    assert largest_stable_step(duopoly(), "simultaneous") == pytest.approx(2 / 3, rel=1e-12)
    path = run(duopoly(), "simultaneous", [0.9, 0.0], 0.6, steps=300)
    np.testing.assert_allclose(path[-1], 1 / 3, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(objective=st.sampled_from(sorted(smooth_games.DIRAC)), gamma=st.floats(0, 5))
def test_eigenvalues_of_the_dirac_gan_are_those_of_the_paper(objective, gamma):
    game = dirac_gan(objective, gamma)
    slope = 1.0 if objective == "wgan" else 0.5
    root = np.sqrt(complex(gamma**2 / 4 - slope**2))
    expected = np.array([-gamma / 2 - root, -gamma / 2 + root])
    found = np.linalg.eigvals(game.jacobian(game.equilibrium))
    # A double eigenvalue, at gamma = 2 f'(0), is known to half the digits only.
    np.testing.assert_allclose(np.poly(found), np.poly(expected), atol=1e-12)
    if gamma < 2 * slope - 1e-3:
        np.testing.assert_allclose(found.real, -gamma / 2, atol=1e-12)
    if gamma == 0:
        np.testing.assert_allclose(sorted(found.imag), [-slope, slope], atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(theta=st.floats(-3, 3), psi=st.floats(-3, 3))
def test_without_a_penalty_the_dirac_gan_turns_and_the_non_saturating_one_turns_inwards(theta, psi):
    assume(abs(theta * psi) > 1e-3)
    w = np.array([theta, psi])
    # w.v is half the speed at which |w|^2 changes along the flow.
    for objective in ("minimax", "wgan"):
        assert w @ dirac_gan(objective).field(w) == pytest.approx(0, abs=1e-14)
    inwards = w @ dirac_gan("non-saturating").field(w)
    assert inwards == pytest.approx(-theta * psi * math.tanh(theta * psi / 2), rel=1e-9)


@pytest.mark.parametrize("objective", ["minimax", "wgan"])
def test_simultaneous_descent_always_leaves_the_dirac_gan_unless_it_is_penalised(objective):
    path = run(dirac_gan(objective), "simultaneous", [0.5, 0.5], 0.1, steps=400)
    assert (np.diff(np.linalg.norm(path, axis=1)) > 0).all()
    path = run(dirac_gan(objective, gamma=1.0), "simultaneous", [0.5, 0.5], 0.1, steps=400)
    assert np.linalg.norm(path[-1]) < 1e-3


@pytest.mark.parametrize("weight", [0.0, 0.2, 1.0, 3.0])
def test_the_rate_of_consensus_on_the_bilinear_game(weight):
    # The eigenvalues are 1 - h weight a^2 +- i h a.
    strength, step = 1.5, 0.1
    expected = math.hypot(1 - step * weight * strength**2, step * strength)
    game = bilinear_game(strength)
    assert predicted_rate(game, consensus(weight), step) == pytest.approx(expected, rel=1e-13)
    path = run(game, consensus(weight), [1.0, 2.0], step, steps=50)
    assert measured_rate(game, path) == pytest.approx(expected, rel=1e-12)


def test_spectral_radius_by_hand():
    assert spectral_radius([[0.0, -3.0], [3.0, 0.0]]) == pytest.approx(3, rel=1e-14)
    assert spectral_radius([[2.0, 7.0], [0.0, -5.0]]) == pytest.approx(5, rel=1e-14)
    assert spectral_radius(-0.5) == 0.5


def test_bad_games_are_refused():
    with pytest.raises(GancourseError, match="equally long"):
        bilinear_game([[1.0, 2.0], [3.0]])
    with pytest.raises(GancourseError, match="matrix b holds NaN or infinity in 1 of 1"):
        quadratic_game(1.0, math.nan, 1.0)
    with pytest.raises(GancourseError, match=r"a must be \(1, 1\) and c \(2, 2\)"):
        quadratic_game(1.0, [[1.0, 2.0]], 1.0)
    with pytest.raises(GancourseError, match="c must be symmetric"):
        quadratic_game(1.0, [[1.0, 2.0]], [[1.0, 1.0], [0.0, 1.0]])
    with pytest.raises(GancourseError, match="Did you mean minimax"):
        dirac_gan("mini-max")
    for gamma in (-0.1, math.nan, math.inf):
        with pytest.raises(GancourseError, match="gamma must be 0 or more"):
            dirac_gan("wgan", gamma)
    with pytest.raises(GancourseError, match="weight of consensus"):
        consensus(-1.0)
    with pytest.raises(GancourseError, match="Only a square matrix"):
        spectral_radius([[1.0, 2.0]])


def test_bad_runs_are_refused():
    game = bilinear_game()
    for start in ([1.0], [[1.0, 2.0]], [1.0, 2.0, 3.0], "here"):
        with pytest.raises(GancourseError, match="The start "):
            run(game, "simultaneous", start, 0.1, 5)
    with pytest.raises(GancourseError, match="The start holds NaN"):
        run(game, "simultaneous", [1.0, math.nan], 0.1, 5)
    for step in (0.0, -0.1, math.nan, math.inf):
        with pytest.raises(GancourseError, match="step must be positive"):
            run(game, "simultaneous", [1.0, 0.0], step, 5)
        with pytest.raises(GancourseError, match="step must be positive"):
            predicted_rate(game, "simultaneous", step)
    with pytest.raises(GancourseError, match="steps must be 1 or more"):
        run(game, "simultaneous", [1.0, 0.0], 0.1, 0)
    for ask in (
        lambda name: run(game, name, [1.0, 0.0], 0.1, 5),
        lambda name: linear_map(game, name, 0.1),
        lambda name: largest_stable_step(game, name),
    ):
        with pytest.raises(GancourseError, match="Unknown algorithm 'extragrad'. Did you mean ext"):
            ask("extragrad")
    with pytest.raises(GancourseError, match="Known: alternating, consensus"):
        run(game, "xyz", [1.0, 0.0], 0.1, 5)
    with pytest.raises(GancourseError, match="left the range of float64 at step"):
        run(game, "simultaneous", [1.0, 0.0], 10.0, 400)


def test_rates_that_cannot_be_read_off_are_refused():
    game = bilinear_game()
    with pytest.raises(GancourseError, match="reaches the equilibrium exactly"):
        measured_rate(game, run(game, "simultaneous", [0.0, 0.0], 0.1, 9))
    for shape in ((3, 2), (9, 3), (9,)):
        with pytest.raises(GancourseError, match="T x 2 with T of 4 or more"):
            measured_rate(game, np.ones(shape))
