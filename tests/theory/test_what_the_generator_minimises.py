"""The theorems of the chapter "What the generator minimises" (claims T6, T7 and T9)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import xlogy

from gancourse.theory import (
    F_DIVERGENCES,
    OBJECTIVES,
    Discrete,
    Gaussian,
    Laplace,
    Mixture,
    Uniform,
    best_output,
    discriminator_loss,
    f_divergence,
    generator_loss,
    js,
    kl,
    least_squares,
    optimal_discriminator,
    optimal_logit,
    optimal_value,
    pearson_chi2,
    value,
    variational_bound,
)

pytestmark = pytest.mark.filterwarnings("error")

LOG4 = math.log(4)
NAMES = (*OBJECTIVES, "other targets")


def objective(name):
    return least_squares(-1.0, 0.5, 2.0) if name == "other targets" else OBJECTIVES[name]


CASES = 20_000


def simplex(rng, cases, size=5):
    """Random distributions, cases x size: spiky and even ones, some with zeros."""
    masses = rng.gamma(np.exp(rng.uniform(-2, 2, (cases, 1))), size=(cases, size)) + 1e-9
    masses[rng.random((cases, size)) < 0.2] = 0
    masses[np.arange(cases), rng.integers(size, size=cases)] += 0.1
    return masses / masses.sum(axis=1, keepdims=True)


def rows(name, p, q):
    """The f-divergence of each row of p from the same row of q."""
    with np.errstate(divide="ignore"):
        return F_DIVERGENCES[name].integrand(np.log(p), np.log(q)).sum(axis=1)


def best_values(p, q):
    """V(D*, G) of each row, from its definition."""
    d = p / np.where(p + q > 0, p + q, 1)
    return (xlogy(p, d) + xlogy(q, 1 - d)).sum(axis=1)


def discrete_pairs(seed, cases):
    rng, points = np.random.default_rng(seed), np.arange(5.0)
    for p, q in zip(simplex(rng, cases), simplex(rng, cases), strict=True):
        yield Discrete(points, p), Discrete(points, q)


def random_density(rng):
    mean, std = rng.uniform(-3, 3), math.exp(rng.uniform(-1, 1))
    other = Gaussian(rng.uniform(-3, 3), math.exp(rng.uniform(-1, 1)))
    kinds = (
        lambda: Gaussian(mean, std),
        lambda: Laplace(mean, std),
        lambda: Uniform(mean - std, mean + 2 * std),
        lambda: Mixture([Gaussian(mean, std), other], [0.3, 0.7]),
    )
    return kinds[rng.integers(len(kinds))]()


def density_pairs(seed, cases):
    rng = np.random.default_rng(seed)
    for _ in range(cases):
        yield random_density(rng), random_density(rng)


def mean_of(p, q):
    if isinstance(p, Discrete):
        return Discrete(p.points, (p.probs + np.exp(q.log_prob(p.points))) / 2)
    return Mixture([p, q])


def slope(function, at, h=1e-3):
    return (function(at + h) - function(at - h)) / (2 * h)


def test_value_at_the_best_discriminator():
    rng = np.random.default_rng(0)
    p, q = simplex(rng, CASES), simplex(rng, CASES)
    best, apart = best_values(p, q), rows("total-variation", p, q)
    np.testing.assert_allclose(best, -LOG4 + 2 * rows("js", p, q), rtol=0, atol=1e-12)
    assert best.min() >= -LOG4 - 1e-12 and best.max() <= 0
    # Equality at the lower end only for equal ones, and at the upper only for disjoint ones.
    assert (best + LOG4 >= apart**2 - 1e-12).all()
    assert (-best >= (1 - apart) * LOG4 / 2 - 1e-12).all()
    np.testing.assert_allclose(best_values(p, p), -LOG4, rtol=0, atol=1e-12)
    # No other discriminator does better.
    d = rng.uniform(1e-9, 1 - 1e-9, p.shape)
    assert ((xlogy(p, d) + xlogy(q, 1 - d)).sum(axis=1) <= best + 1e-12).all()


def test_value_at_the_best_discriminator_of_densities():
    for p, q in [*discrete_pairs(0, 50), *density_pairs(1, 15)]:
        best = value(p, q, optimal_logit(p, q))
        assert best == pytest.approx(-LOG4 + 2 * js(p, q), abs=1e-9)
        assert best == pytest.approx(optimal_value(p, q), abs=1e-9)
        assert value(p, p, optimal_logit(p, p)) == pytest.approx(-LOG4, abs=1e-12)
    p, q = Uniform(0, 1), Uniform(2, 3)
    assert value(p, q, optimal_logit(p, q)) == optimal_value(p, q) == 0


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5, 1.0])
def test_value_of_two_uniforms_by_hand(shift):
    p, q = Uniform(0, 1), Uniform(shift, 1 + shift)
    assert optimal_value(p, q) == pytest.approx(-(1 - shift) * LOG4, abs=1e-12)


def test_a_fooled_discriminator():
    rng = np.random.default_rng(4)
    p, q = simplex(rng, CASES), simplex(rng, CASES)
    q[: CASES // 10] = p[: CASES // 10]
    q[CASES // 10 : CASES // 5] = (0.999 * p + 0.001 * q)[CASES // 10 : CASES // 5]
    seen = p + q > 0
    d = p / np.where(seen, p + q, 1)
    np.testing.assert_array_equal((d == 0.5)[seen], (p == q)[seen])

    def accuracy(says_data):
        return 0.5 * np.where(says_data, p, q).sum(axis=1)

    best = 0.5 + rows("total-variation", p, q) / 2
    np.testing.assert_allclose(accuracy(d > 0.5), best, rtol=0, atol=1e-12)
    assert (accuracy(rng.random(p.shape) < 0.5) <= best + 1e-12).all()
    assert (best[: CASES // 10] == 0.5).all()
    one, other = next(discrete_pairs(5, 1))
    x = one.points
    wanted = one.probs / (one.probs + np.exp(other.log_prob(x)))
    np.testing.assert_allclose(optimal_discriminator(one, other)(x), wanted, atol=1e-12)


@pytest.mark.parametrize("theta", [-2.0, -0.5, 0.7, 3.0])
def test_a_step_against_the_best_discriminator(theta):
    data = Mixture([Gaussian(-1, 0.8), Gaussian(1, 0.6)])
    for family in (lambda a: Gaussian(a, 0.9), lambda a: Gaussian(0.3, math.exp(a / 3))):
        held = optimal_logit(data, family(theta))
        felt = slope(lambda a, f=family, t=held: value(data, f(a), t), theta)
        true = slope(lambda a, f=family: optimal_value(data, f(a)), theta)
        assert felt == pytest.approx(true, abs=1e-5)


def test_convex_in_the_distribution():
    rng = np.random.default_rng(6)
    p, first, second = (simplex(rng, CASES) for _ in range(3))
    w = rng.random((CASES, 1))
    mixed = best_values(p, (1 - w) * first + w * second)
    chord = (1 - w[:, 0]) * best_values(p, first) + w[:, 0] * best_values(p, second)
    assert (mixed <= chord + 1e-12).all()


@pytest.mark.parametrize("kind", [Gaussian, Laplace])
def test_not_convex_in_a_location(kind):
    curve = [optimal_value(kind(0, 1), kind(a, 1)) for a in (-8.0, 0.0, 8.0, 16.0)]
    assert curve[1] == pytest.approx(-LOG4) and min(curve[0], *curve[2:]) > -LOG4 + 1
    # Convexity would put the middle of 0 and 16 at or below the mean of the ends.
    assert curve[2] > 0.5 * (curve[1] + curve[3])


@pytest.mark.parametrize("name", F_DIVERGENCES)
def test_the_variational_bound(name):
    divergence = F_DIVERGENCES[name]
    rng = np.random.default_rng(7)
    points = np.arange(5.0)
    for _ in range(30):
        p, q = (Discrete(points, rng.dirichlet(np.ones(5)) * 0.99 + 0.002) for _ in range(2))
        wanted = f_divergence(divergence, p, q)

        def best(x, p=p, q=q):
            return divergence.critic(p.log_prob(x) - q.log_prob(x))

        assert variational_bound(divergence, best, p, q) == pytest.approx(wanted, abs=1e-8)
        critic = divergence.activation(rng.normal(0, 1, 5))
        bound = variational_bound(divergence, lambda x, t=critic: t[x.astype(int)], p, q)
        assert bound <= wanted + 1e-10


FAMILIES = {
    "mean": lambda a: Gaussian(a, 1.2),
    "width": lambda a: Gaussian(0.5, a),
    "weight": lambda a: Mixture([Gaussian(0, 0.8), Gaussian(1, 1)], [1 - a / 3, a / 3]),
    "both": lambda a: Gaussian(a, 0.5 + a),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_generator_descends(name, family):
    losses, made = objective(name), FAMILIES[family]
    data = Gaussian(0, 1)
    for at in (0.6, 2.0):
        held = best_output(losses, data, made(at))
        felt = slope(lambda a, t=held: generator_loss(losses, t, made(a)), at)
        true = slope(lambda a: losses.descends(data, made(a)), at)
        assert felt == pytest.approx(true, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_curvature_is_minus_the_slope_of_what_a_sample_costs(name):
    losses = objective(name)
    for u in np.logspace(-2, 2, 25):
        costs = slope(lambda v: losses.generator(losses.best(np.log(v))), u, h=1e-5 * u)
        assert losses.curvature(u) == pytest.approx(-costs / u, rel=1e-5, abs=1e-9)


def test_four_losses():
    descends = {name: OBJECTIVES[name].descends for name in OBJECTIVES}
    le_cam = F_DIVERGENCES["vincze-le-cam"]
    pearson_below_zero = 0
    for p, q in [*discrete_pairs(8, 60), *density_pairs(8, 2)]:
        m = mean_of(p, q)
        apart, near = f_divergence(le_cam, p, q), kl(p, m)
        assert descends["saturating"](p, q) == pytest.approx(2 * js(p, q), abs=1e-9)
        assert descends["non-saturating"](p, q) == pytest.approx(2 * kl(m, p), rel=1e-6, abs=1e-8)
        if math.isfinite(kl(q, p)) and kl(q, p) < 100:
            difference = kl(q, p) - 2 * js(p, q)
            assert descends["non-saturating"](p, q) == pytest.approx(difference, rel=1e-6, abs=1e-7)
        assert descends["least-squares"](p, q) == pytest.approx(2 * near - apart / 4, abs=1e-8)
        pearson = descends["least-squares-pearson"](p, q)
        assert pearson == pytest.approx(4 * near - apart, abs=1e-8)
        pearson_below_zero += pearson < -1e-6
        assert min(descends[name](p, q) for name in list(descends)[:3]) >= -1e-9
    assert pearson_below_zero
    u = np.logspace(-3, 3, 200)
    for name in ("saturating", "non-saturating", "least-squares"):
        assert (OBJECTIVES[name].curvature(u) > 0).all()
    curvature = OBJECTIVES["least-squares-pearson"].curvature
    assert (curvature(u[u > 1]) < 0).all() and curvature(np.array(1.0)) == 0


def test_least_squares_and_pearson():
    rng = np.random.default_rng(9)
    for p, q in [*discrete_pairs(10, 150), *density_pairs(11, 4)]:
        c = rng.uniform(-2, 2)
        losses = least_squares(c - 1, c + 1, c)  # b - c = 1 and b - a = 2
        output = best_output(losses, p, q)
        both = generator_loss(losses, output, p) + generator_loss(losses, output, q)
        assert both == pytest.approx(f_divergence(F_DIVERGENCES["vincze-le-cam"], p, q), abs=1e-8)
        assert -1e-12 <= both <= 2 + 1e-12
        if not isinstance(p, Discrete):
            assert both == pytest.approx(2 * pearson_chi2(q, Mixture([p, q])), abs=1e-7)
        # The output is the best one: to move it anywhere costs the discriminator.
        least = discriminator_loss(losses, output, p, q)
        step = rng.normal()
        assert discriminator_loss(losses, lambda x, t=output, s=step: t(x) + s, p, q) >= least


def test_the_pearson_targets_have_their_minimum_away_from_the_data():
    descends = OBJECTIVES["least-squares-pearson"].descends
    data = Gaussian(0, 1)
    assert descends(data, Gaussian(0, 0.34)) < -0.04
    assert descends(data, Gaussian(0, 0.9)) < 0 < descends(data, Gaussian(0, 1.1))
    assert slope(lambda s: descends(data, Gaussian(0, s)), 1.0) == pytest.approx(0, abs=1e-5)
