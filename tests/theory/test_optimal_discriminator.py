"""What the chapter "The optimal discriminator" states and proves, on random cases.

Claims T5 (the best discriminator is p / (p + q)) and T7 (it is 1/2 where the densities are equal,
and then wrong half of the time) are tested here.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import expit, xlogy

from gancourse.theory import (
    Discrete,
    Gaussian,
    Laplace,
    Mixture,
    Uniform,
    expectation,
    optimal_discriminator,
    optimal_logit,
    optimal_value,
    total_variation,
    value,
)

pytestmark = pytest.mark.filterwarnings("error")

CASES, SIZE = 5000, 6
DENSITIES = [
    (Gaussian(1), Gaussian(-1)),
    (Mixture([Gaussian(-1.5, 0.6), Gaussian(1.5, 0.6)]), Gaussian(0, 1.5)),
    (Laplace(), Gaussian(0, 1.5)),
    (Uniform(0, 2), Uniform(1, 4)),
]


def simplex(rng, cases=CASES, size=SIZE):
    """Random probabilities, cases x size: even and spiky ones, some with zeros."""
    gamma = rng.gamma(np.exp(rng.uniform(-2, 2, (cases, 1))), size=(cases, size)) + 1e-9
    drop = (rng.random((cases, size)) < 0.3) & (rng.random((cases, 1)) < 0.3)
    drop[:, 0] = False
    gamma = np.where(drop, 0.0, gamma)
    return gamma / gamma.sum(axis=1, keepdims=True)


def coins(s, t):
    """KL divergence between coins, infinite where t excludes what s allows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.where(s > 0, s * np.log(s / t), 0.0)
        second = np.where(s < 1, (1 - s) * np.log((1 - s) / (1 - t)), 0.0)
    return first + second


def values(p, q, d):
    """V of discriminators on finitely many points, one for each row."""
    return (xlogy(p, d) + xlogy(q, 1 - d)).sum(axis=-1)


def best(p, q):
    return np.divide(p, p + q, out=np.full(np.shape(p), 0.3), where=p + q > 0)


def test_the_rows_are_what_the_public_functions_give():
    rng = np.random.default_rng(0)
    p, q = simplex(rng, 40), simplex(rng, 40)
    logits = rng.normal(size=(40, SIZE))
    points = np.arange(float(SIZE))
    for row, a, b in zip(logits, p, q, strict=True):
        one, two = Discrete(points, a), Discrete(points, b)
        assert value(one, two, lambda x, row=row: row[x.astype(int)]) == pytest.approx(
            values(a, b, expit(row))
        )
        assert optimal_value(one, two) == pytest.approx(values(a, b, best(a, b)), abs=1e-12)
        d = optimal_discriminator(one, two)(points)
        np.testing.assert_allclose(d[a + b > 0], best(a, b)[a + b > 0], rtol=1e-12)


def test_one_point():
    rng = np.random.default_rng(1)
    a, b, y = rng.gamma(0.5, size=(2, 20_000)).tolist() + [rng.random(20_000)]
    a, b = np.array(a), np.array(b)
    a[:500], b[500:1000], y[1000:1500] = 0, 0, 0

    def phi(t):
        return xlogy(a, t) + xlogy(b, 1 - t)

    star = a / (a + b)
    lack = phi(star) - phi(y)
    np.testing.assert_allclose(lack, (a + b) * coins(star, y), rtol=1e-8, atol=1e-9)
    assert (lack >= -1e-12).all()
    assert (lack[np.abs(y - star) > 1e-3] > 0).all()


def test_no_discriminator_is_better():
    rng = np.random.default_rng(2)
    p, q = simplex(rng), simplex(rng)
    star = best(p, q)
    top = values(p, q, star)
    assert (top >= -math.log(4) - 1e-12).all() and (top <= 0).all()
    for step in (1.0, 0.1, 1e-3):
        other = (1 - step) * star + step * rng.random(p.shape)
        lack = top - values(p, q, other)
        assert (lack >= 0).all()
        # It is the only one where p + q > 0: a difference anywhere there costs something.
        apart = (np.abs(other - star) * (p + q)).sum(axis=1) > 1e-6
        assert (lack[apart] > 0).all()


@pytest.mark.parametrize("pair", range(len(DENSITIES)))
def test_no_discriminator_is_better_between_densities(pair):
    p, q = DENSITIES[pair]
    rng = np.random.default_rng(3)
    logit, top = optimal_logit(p, q), optimal_value(p, q)
    assert value(p, q, logit) == pytest.approx(top, abs=1e-9)
    for height in 10.0 ** rng.uniform(-3, 1, 10):
        rate, phase = rng.normal(size=2)

        def other(x, height=height, rate=rate, phase=phase):
            return np.clip(logit(x), -50, 50) + height * np.sin(rate * x + phase)

        assert value(p, q, other) < top


def test_where_both_vanish_it_is_free():
    rng = np.random.default_rng(4)
    p, q = simplex(rng), simplex(rng)
    empty = p + q == 0
    assert empty.any(axis=1).sum() > 50
    star = best(p, q)
    other = np.where(empty, rng.random(p.shape), star)
    np.testing.assert_array_equal(values(p, q, star), values(p, q, other))
    assert optimal_discriminator(Uniform(0, 1), Uniform(2, 3))(np.array([1.5])) == 0.5


def test_one_half_if_and_only_if_the_densities_are_equal():
    rng = np.random.default_rng(5)
    p, q = simplex(rng), simplex(rng)
    assert (best(p, p)[p > 0] == 0.5).all()
    assert np.allclose(values(p, p, best(p, p)), -math.log(4))
    apart = np.abs(p - q).max(axis=1) > 1e-6
    assert (np.abs(best(p, q) - 0.5)[apart] * (p + q)[apart] > 0).any(axis=1).all()
    # Every rule on equal distributions: all subsets of the points that it calls real.
    for called in itertools.product((0.0, 1.0), repeat=SIZE):
        right = (p @ np.array(called) + p @ (1 - np.array(called))) / 2
        np.testing.assert_allclose(right, 0.5)


def test_weighted_samples_have_the_expectations_of_the_data():
    rng = np.random.default_rng(6)
    p, q, f = simplex(rng), simplex(rng), rng.normal(size=(CASES, SIZE))
    p = np.where(q > 0, p, 0)
    p /= p.sum(axis=1, keepdims=True)
    d = best(p, q)
    odds = np.divide(d, 1 - d, out=np.zeros_like(d), where=q > 0)
    # Where p is far larger than q, 1 - D loses digits.
    np.testing.assert_allclose((q * odds * f).sum(axis=1), (p * f).sum(axis=1), atol=1e-6)
    for one, two in DENSITIES[:2]:
        logit = optimal_logit(one, two)
        weighted = expectation(two, lambda x, logit=logit: np.exp(logit(x)) * np.cos(x))
        assert weighted == pytest.approx(expectation(one, np.cos), abs=1e-9)


def test_kept_samples_are_distributed_as_the_data():
    rng = np.random.default_rng(7)
    p, q = simplex(rng), simplex(rng)
    p = np.where(q > 0, p, 0)
    p /= p.sum(axis=1, keepdims=True)
    ratio = np.divide(p, q, out=np.zeros_like(p), where=q > 0)
    most = ratio.max(axis=1, keepdims=True)
    kept = q * ratio / most
    np.testing.assert_allclose(kept.sum(axis=1), 1 / most[:, 0])
    np.testing.assert_allclose(kept * most, p, atol=1e-12)
    # And drawn, from a density: as close as fresh data are.
    one, two = DENSITIES[1]
    x = two.sample(40_000, rng)
    weights = np.exp(optimal_logit(one, two)(x))
    x = np.sort(x[rng.random(len(x)) < weights / weights.max()])
    away = np.abs(one.cdf(x) - (np.arange(len(x)) + 0.5) / len(x)).max()
    assert away < 1.95 / math.sqrt(len(x))  # the Kolmogorov-Smirnov test at 0.1 %


def test_the_smallest_error():
    rng = np.random.default_rng(8)
    p, q = simplex(rng), simplex(rng)
    smallest = (1 - np.abs(p - q).sum(axis=1) / 2) / 2
    errors = []
    for called in itertools.product((0.0, 1.0), repeat=SIZE):
        called = np.array(called)
        errors.append((p @ (1 - called) + q @ called) / 2)
    np.testing.assert_allclose(np.min(errors, axis=0), smallest, atol=1e-12)
    reached = ((p * (best(p, q) <= 0.5)) + q * (best(p, q) > 0.5)).sum(axis=1) / 2
    np.testing.assert_allclose(reached, smallest, atol=1e-12)
    for one, two in DENSITIES:
        d = optimal_discriminator(one, two)
        wrong = expectation(one, lambda x, d=d: 1.0 * (d(x) <= 0.5))
        wrong += expectation(two, lambda x, d=d: 1.0 * (d(x) > 0.5))
        assert wrong / 2 == pytest.approx((1 - total_variation(one, two)) / 2, abs=1e-6)


def test_unequal_shares_shift_the_logit():
    rng = np.random.default_rng(9)
    p, q = simplex(rng), simplex(rng)
    pi = rng.uniform(0.01, 0.99, (CASES, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        logit = np.log(p) - np.log(q) + np.log(pi / (1 - pi))
    shifted = np.where(p + q > 0, expit(np.nan_to_num(logit, nan=0.0)), 0.5)
    np.testing.assert_allclose(shifted, best(pi * p, (1 - pi) * q) + 0.2 * (p + q == 0))
    top = values(pi * p, (1 - pi) * q, shifted)
    for step in (1.0, 0.01):
        other = (1 - step) * shifted + step * rng.random(p.shape)
        assert (values(pi * p, (1 - pi) * q, other) <= top).all()


def test_the_excess_loss_is_a_divergence_between_answers():
    rng = np.random.default_rng(10)
    p, q, d = simplex(rng), simplex(rng), rng.random((CASES, SIZE))
    star = best(p, q)
    excess = values(p, q, star) - values(p, q, d)
    np.testing.assert_allclose(excess, ((p + q) * coins(star, d)).sum(axis=1), rtol=1e-9)
    for one, two in DENSITIES:
        best_d = optimal_discriminator(one, two)

        def gap(x, best_d=best_d):
            return coins(best_d(x), expit(np.cos(x)))

        lack = optimal_value(one, two) - value(one, two, np.cos)
        assert lack == pytest.approx(expectation(one, gap) + expectation(two, gap), abs=1e-7)


def test_the_excess_loss_bounds_the_error():
    rng = np.random.default_rng(11)
    s, t = rng.random((2, 100_000))
    assert (coins(s, t) >= 2 * (s - t) ** 2 - 1e-14).all()
    p, q = simplex(rng), simplex(rng)
    star = best(p, q)
    for step in (1.0, 0.1, 1e-3):
        d = (1 - step) * star + step * rng.random(p.shape)
        excess = values(p, q, star) - values(p, q, d)
        error = (np.abs(d - star) * (p + q)).sum(axis=1) / 2
        assert (error <= np.sqrt(np.maximum(excess, 0)) / 2 + 1e-7).all()


def test_the_value_on_the_training_points_is_too_high():
    """All minibatches of two points of each kind, and a set of a hundred discriminators."""
    rng = np.random.default_rng(12)
    size, n = 3, 2
    draws = list(itertools.product(range(size), repeat=n))
    for p, q in zip(simplex(rng, 20, size), simplex(rng, 20, size), strict=True):
        d = rng.uniform(0.01, 0.99, (100, size))
        real, fake = np.log(d), np.log(1 - d)
        expected = sum(
            p[list(x)].prod()
            * q[list(y)].prod()
            * (real[:, list(x)].mean(axis=1) + fake[:, list(y)].mean(axis=1)).max()
            for x in draws
            for y in draws
        )
        assert expected >= values(p, q, d).max() - 1e-12


def test_the_mean_output_of_the_best_discriminator_is_always_one_half():
    rng = np.random.default_rng(13)
    p, q = simplex(rng), simplex(rng)
    np.testing.assert_allclose(((p + q) * best(p, q)).sum(axis=1) / 2, 0.5)
