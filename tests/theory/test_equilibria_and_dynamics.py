"""What the chapter "Equilibria and dynamics" states and no other test checks."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gancourse.theory.dynamics import largest_stable_step, run
from gancourse.theory.games import eliminate_dominated, exploitability, gan_game, solve_zero_sum
from gancourse.theory.smooth_games import DIRAC, bilinear_game, dirac_gan

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, n=st.integers(1, 6), m=st.integers(1, 6))
def test_the_multipliers_of_one_program_solve_the_other(seed, n, m):
    a = np.random.default_rng(seed).normal(size=(n, m))
    primal = linprog(
        np.append(np.zeros(n), -1.0),
        A_ub=np.hstack([-a.T, np.ones((m, 1))]),
        b_ub=np.zeros(m),
        A_eq=[[1.0] * n + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * n + [(None, None)],
    )
    q, u = -primal.ineqlin.marginals, -primal.eqlin.marginals[0]
    # The multipliers satisfy the dual's constraints and reach the primal's optimum.
    assert q.min() >= -1e-9 and q.sum() == pytest.approx(1, abs=1e-9)
    assert (a @ q).max() <= u + 1e-9 and u == pytest.approx(primal.x[n], abs=1e-9)
    p, q = np.maximum(primal.x[:n], 0), np.maximum(q, 0)
    assert exploitability(p / p.sum(), q / q.sum(), a) < 1e-8
    assert solve_zero_sum(a).value == pytest.approx(u, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(seed=seeds, points=st.integers(2, 4), count=st.integers(1, 5))
def test_the_equilibria_of_the_finite_gan_game(seed, points, count):
    rng = np.random.default_rng(seed)
    data = rng.dirichlet(np.ones(points) * 3)
    assume(data.min() > 1e-3)
    generators = np.concatenate([rng.dirichlet(np.ones(points), count), [data]])
    others = np.concatenate(
        [rng.uniform(0.1, 0.9, (count, points)), data / (data + generators[:count])]
    )
    discriminators = np.concatenate([others, [[0.5] * points]])
    payoff = gan_game(data, generators, discriminators)
    truth, half = np.eye(count + 1)[count], np.eye(2 * count + 1)[2 * count]
    # 1: the saddle point; 2: any other discriminator, even rarely, can be exploited.
    assert exploitability(half, truth, payoff) < 1e-13
    weight, other = rng.uniform(0.01, 1), int(rng.integers(2 * count))
    assume(np.abs(discriminators[other] - 0.5).max() > 0.02)
    tainted = (1 - weight) * half + weight * np.eye(2 * count + 1)[other]
    assert (tainted @ payoff)[count] < -math.log(4)
    # 3: a mixture of generators is in equilibrium exactly if no row gets more than -log 4.
    for q in rng.dirichlet(np.ones(count + 1) * 0.3, 20):
        gain = (payoff @ q).max() + math.log(4)
        assert exploitability(half, q, payoff) == pytest.approx(gain, abs=1e-12)
    # 5: with only best replies nothing is ever removed; 4: in any case, no generator.
    replies = data / (data + generators)
    assert eliminate_dominated(gan_game(data, generators, replies), mixed=True).rounds == 0
    left = eliminate_dominated(payoff, mixed=True)
    assert left.columns == tuple(range(count + 1)) and 2 * count in left.rows


def test_the_pair_stays_an_equilibrium_with_the_non_saturating_loss():
    rng = np.random.default_rng(0)
    for _ in range(50):
        data = rng.dirichlet(np.ones(3))
        generators = np.concatenate([rng.dirichlet(np.ones(3), 6), [data]])
        discriminators = np.concatenate([rng.uniform(0.05, 0.95, (6, 3)), [[0.5] * 3]])
        payoff = gan_game(data, generators, discriminators)
        last = np.eye(7)[6]
        assert exploitability(last, last, payoff, np.log(discriminators) @ generators.T) < 1e-13


@settings(max_examples=50, deadline=None)
@given(a=st.floats(0.2, 3), s=st.floats(0.01, 1.3), angle=st.floats(0, 6.28))
def test_each_step_of_extragradient_shrinks_the_distance_by_its_factor(a, s, angle):
    start = [math.cos(angle), math.sin(angle)]
    path = run(bilinear_game(a), "extragradient", start, s / a, steps=20)
    distances = np.linalg.norm(path, axis=1)
    factor = math.sqrt(1 - s**2 + s**4)
    np.testing.assert_allclose(distances[1:] / distances[:-1], factor, rtol=1e-12)
    assert (factor < 1) == (s < 1)


@settings(max_examples=20, deadline=None)
@given(s=st.floats(0.05, 1.9), x=st.floats(-3, 3), y=st.floats(-3, 3))
def test_the_average_of_alternating_descent_converges_like_one_over_t(s, x, y):
    assume(abs(x) + abs(y) > 0.1)
    path = run(bilinear_game(1.0), "alternating", [x, y], s, steps=400)
    bound = 2 * math.sqrt((2 + s) / (2 - s)) * math.hypot(x, y) / s
    for steps in (50, 200, 400):
        means = path[1 : steps + 1, 0].mean(), path[:steps, 1].mean()
        assert np.abs(means).max() <= bound / steps * (1 + 1e-9)


@pytest.mark.parametrize("name", sorted(DIRAC))
@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.5])
def test_below_the_largest_step_the_dirac_gan_converges_and_above_it_does_not(name, gamma):
    game = dirac_gan(name, gamma)
    limit = largest_stable_step(game, "simultaneous")
    start = np.array([1e-4, 2e-4])
    inside = run(game, "simultaneous", start, 0.95 * limit, steps=2000)
    assert np.linalg.norm(inside[-1]) < 0.05 * np.linalg.norm(start)
    far = start
    for _ in range(30):  # piece by piece: far out the game leaves at once
        far = run(game, "simultaneous", far, 1.05 * limit, steps=20)[-1]
        if np.linalg.norm(far) > 2 * np.linalg.norm(start):
            break
    assert np.linalg.norm(far) > 2 * np.linalg.norm(start)
    # Without a penalty the eigenvalues are imaginary: no step is small enough.
    assert largest_stable_step(dirac_gan(name), "simultaneous") == 0


@pytest.mark.parametrize("name", sorted(DIRAC))
def test_the_best_penalty_of_the_dirac_gan_is_twice_the_slope(name):
    slope = 1.0 if name == "wgan" else 0.5
    gammas = np.linspace(0.02, 6, 300) * slope

    def slowest(gamma):
        return np.linalg.eigvals(dirac_gan(name, gamma).jacobian(np.zeros(2))).real.max()

    values = np.array([slowest(gamma) for gamma in gammas])
    assert abs(gammas[values.argmin()] - 2 * slope) < 0.03
    below, above = gammas < 1.99 * slope, gammas > 2.01 * slope
    np.testing.assert_allclose(values[below], -gammas[below] / 2, atol=1e-12)
    assert (np.diff(values[above]) > 0).all() and (values[above] > -gammas[above] / 2).all()


@pytest.mark.parametrize("step", [0.05, 0.2])
def test_the_non_saturating_dirac_gan_ends_on_a_small_circle(step):
    # Each step adds h^2 r^2 / 4 to r^2, and the inward pull takes h r^4 / 8: r = sqrt(2 h).
    path = run(dirac_gan("non-saturating"), "simultaneous", [1.0, 0.0], step, steps=8000)
    radius = np.linalg.norm(path[-1000:], axis=1)
    np.testing.assert_allclose(radius, math.sqrt(2 * step), rtol=0.03)
