"""Theorems of the chapter "Comparing distributions" that no other test holds."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import linear_sum_assignment

from gancourse import theory
from gancourse.theory import F_DIVERGENCES, Discrete, Gaussian, Laplace, Mixture, Uniform
from tests.theory.test_properties import pairs, rows

pytestmark = pytest.mark.filterwarnings("error")

TABLE = ("kl", "reverse-kl", "js", "total-variation", "squared-hellinger", "pearson")


@settings(max_examples=150, deadline=None)
@given(
    a=st.one_of(st.just(0.0), st.floats(1e-3, 30)), b=st.one_of(st.just(0.0), st.floats(1e-3, 30))
)
def test_the_price_of_jensen_and_shannon_is_an_integral_of_squares(a, b):
    def square(log_s):
        s = math.exp(log_s)
        return (math.exp(-a * s) - math.exp(-b * s)) ** 2 / s

    value = quad(square, -45, 0, limit=200)[0] + quad(square, 0, 40, limit=200)[0]
    with np.errstate(divide="ignore"):
        twice = 2 * F_DIVERGENCES["js"].integrand(np.log(np.float64(a)), np.log(np.float64(b)))
    assert value / 2 == pytest.approx(float(twice), rel=1e-6, abs=1e-9)


def test_distributions_lie_on_a_sphere_on_which_root_js_is_the_chord():
    """The embedding, on a grid of s: lengths, distances and the right angle of disjoint ones."""
    u = np.linspace(-18, 30, 6001)
    s, width = np.exp(u), u[1] - u[0]
    p, q = np.array([0.7, 0.3, 0.0, 0.0]), np.array([0.1, 0.2, 0.7, 0.0])
    far = np.array([0.0, 0.0, 0.0, 1.0])

    def embed(p):
        # ds / s^2 is du / s.
        return -np.expm1(-np.outer(p, s)) / 2 * np.sqrt(width / s)

    def dot(a, b):
        return float((embed(a) * embed(b)).sum())

    points = np.arange(4.0)
    for one, two in itertools.product((p, q, far), repeat=2):
        js = theory.js(Discrete(points, one), Discrete(points, two))
        assert dot(one, two) == pytest.approx((math.log(2) - js) / 2, abs=1e-6)


@pytest.mark.parametrize("name", TABLE)
def test_f_divergences_are_never_negative_and_zero_only_for_equal_distributions(name):
    divergence = F_DIVERGENCES[name]
    for p, q in pairs(11, 2):
        value = rows(name, p, q)
        assert (value >= 0).all() and (rows(name, p, p) == 0).all()
        assert (value[np.abs(p - q).max(axis=1) > 1e-6] > 0).all()
    # What the proof asks of f: strictly above its tangent at 1, and f(0) + f'(inf) when disjoint.
    u = np.concatenate([np.geomspace(1e-6, 0.999, 500), np.geomspace(1.001, 1e6, 500)])
    slope = 0.0 if name == "total-variation" else float(divergence.critic(np.float64(0.0)))
    assert (divergence.f(u) > slope * (u - 1)).all()


def test_total_variation_is_the_largest_difference_and_the_best_observer():
    for p, q in pairs(12, 2):
        p, q = p[:300], q[:300]
        events = np.array(list(itertools.product((0, 1), repeat=p.shape[1])))
        gaps = (p - q) @ events.T
        tv = rows("total-variation", p, q)
        np.testing.assert_allclose(gaps.max(axis=1), tv, atol=1e-12)
        errors = 0.5 * (1 - p @ events.T) + 0.5 * (q @ events.T)
        np.testing.assert_allclose(errors.min(axis=1), (1 - tv) / 2, atol=1e-12)


def random_plan(p, q, rng):
    """A coupling: all mass of the points of p, in random order, into those of q, in random order."""
    plan, left, room = np.zeros((len(p), len(q))), p.copy(), q.copy()
    for i in rng.permutation(len(p)):
        for j in rng.permutation(len(q)):
            plan[i, j] = min(left[i], room[j])
            left[i] -= plan[i, j]
            room[j] -= plan[i, j]
    return plan


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 6))
def test_no_coupling_is_cheaper_than_the_one_that_keeps_the_order(seed, n):
    """Random tables with the right margins never cost less than the quantile formula says."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n))
    p, q = rng.dirichlet(np.ones(n), 2)
    sides = Discrete(x, p), Discrete(y, q)
    best = theory.wasserstein_1(*sides), theory.wasserstein_2(*sides) ** 2
    gaps = np.abs(x[:, None] - y)
    for _ in range(20):
        plan = random_plan(p, q, rng)
        np.testing.assert_allclose(plan.sum(axis=1), p, atol=1e-12)
        np.testing.assert_allclose(plan.sum(axis=0), q, atol=1e-12)
        assert (plan * gaps).sum() >= best[0] - 1e-9
        assert (plan * gaps**2).sum() >= best[1] - 1e-9
    u = (np.arange(20_000) + 0.5) / 20_000
    quantiles = np.abs(sides[0].quantile(u) - sides[1].quantile(u))
    assert quantiles.mean() == pytest.approx(best[0], abs=3e-3)
    assert np.square(quantiles).mean() == pytest.approx(best[1], abs=2e-2)


PAIRS = (
    (Gaussian(0, 1), Gaussian(1, 2)),
    (Mixture([Gaussian(-2, 0.5), Gaussian(2, 0.5)]), Laplace(0, 1)),
    (Uniform(0, 1), Uniform(0.5, 3)),
)


@pytest.mark.parametrize("p, q", PAIRS)
def test_a_critic_of_slope_one_finds_the_earth_movers_distance(p, q):
    exact = theory.wasserstein_1(p, q)
    x = np.linspace(-30, 30, 40_001)
    step = x[1] - x[0]
    difference = np.exp(p.log_prob(x)) - np.exp(q.log_prob(x))

    def gap(critic):
        return float((critic * difference).sum() * step)

    best = np.cumsum(np.sign(q.cdf(x) - p.cdf(x))) * step
    assert gap(best) == pytest.approx(exact, rel=1e-3)
    rng = np.random.default_rng(0)
    for _ in range(50):
        slopes = np.tanh(rng.normal() + sum(
            rng.normal() * np.sin(rng.normal() * x + rng.normal()) for _ in range(3)
        ))  # fmt: skip
        assert gap(np.cumsum(slopes) * step) <= exact * (1 + 1e-3)


def test_slices_see_at_most_the_distance_over_the_root_of_the_dimension():
    rng = np.random.default_rng(5)
    for n in (1, 2, 3, 8):
        for _ in range(5):
            x = rng.normal(size=(40, n)) * rng.uniform(0.2, 2, n)
            y = rng.standard_t(5, size=(40, n)) + rng.normal(size=n)
            cost = np.square(x[:, None] - y).sum(axis=2)
            exact = math.sqrt(cost[linear_sum_assignment(cost)].mean())
            sliced = theory.sliced_wasserstein(x, y, 4000, rng)
            assert sliced <= exact / math.sqrt(n) * (1.03 if n > 1 else 1 + 1e-12)
            shifted = theory.sliced_wasserstein(x, x + y[0], 4000, rng)
            assert shifted == pytest.approx(np.linalg.norm(y[0]) / math.sqrt(n), rel=0.04)
