"""Wasserstein distances against SciPy, closed forms, the assignment problem and each other."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import wasserstein_distance

from gancourse import theory
from gancourse.errors import GancourseError
from gancourse.theory import Discrete, Gaussian, Laplace, Mixture, Uniform
from tests.theory.pairs import same_family

pytestmark = pytest.mark.filterwarnings("error")

DISTANCES = (theory.wasserstein_1, theory.wasserstein_2)
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=100, deadline=None)
@given(n=st.integers(1, 12), m=st.integers(1, 12), ties=st.booleans(), seed=seeds)
def test_discrete_distributions_agree_with_scipy(n, m, ties, seed):
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(0, 4, k).astype(float) if ties else rng.normal(size=k) for k in (n, m))
    a, b = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    expected = wasserstein_distance(x, y, a, b)
    value = theory.wasserstein_1(Discrete(x, a), Discrete(y, b))
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 8), seed=seeds)
def test_samples_agree_with_the_assignment_problem(n, seed):
    x, y = np.random.default_rng(seed).normal(size=(2, n))
    for order, distance in enumerate(DISTANCES, start=1):
        cost = np.abs(x[:, None] - y) ** order
        best = cost[linear_sum_assignment(cost)].mean() ** (1 / order)
        assert distance(Discrete(x), Discrete(y)) == pytest.approx(best, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(pair=same_family(shift=5, log_scale=3))
def test_closed_forms_agree_with_quadrature(pair):
    p, q, unit = pair
    for distance in DISTANCES:
        numeric = distance(Mixture([p]), q)
        assert distance(p, q) == pytest.approx(numeric, rel=1e-7, abs=1e-8 * unit)


def test_values_by_hand():
    assert theory.wasserstein_1(Gaussian(0, 1), Gaussian(0, 3)) == pytest.approx(
        2 * math.sqrt(2 / math.pi)
    )
    assert theory.wasserstein_2(Gaussian(0, 1), Gaussian(3, 5)) == pytest.approx(5.0)
    assert theory.wasserstein_2(Laplace(0, 1), Laplace(0, 2)) == pytest.approx(math.sqrt(2))
    assert theory.wasserstein_1(Uniform(0, 1), Uniform(0, 2)) == pytest.approx(0.5)
    assert theory.wasserstein_2(Uniform(0, 1), Uniform(0, 2)) == pytest.approx(math.sqrt(1 / 3))
    # A point mass against a density: all mass must come to the point.
    point = Discrete([0.0])
    assert theory.wasserstein_1(point, Gaussian()) == pytest.approx(math.sqrt(2 / math.pi))
    assert theory.wasserstein_2(Gaussian(1, 2), point) == pytest.approx(math.sqrt(5))
    assert theory.wasserstein_1(Uniform(), Discrete([0.0, 1.0])) == pytest.approx(0.25)
    assert theory.wasserstein_2(Uniform(), Discrete([0.0, 1.0])) == pytest.approx(math.sqrt(1 / 12))
    # Ten tenths are not quite 1, which must not count as a tail.
    tenths = Mixture([Gaussian()] * 10, [0.1] * 10)
    assert theory.wasserstein_1(tenths, Gaussian(1.0)) == pytest.approx(1.0, rel=1e-9)
    # Modes of 0.5 : 0.5 against 0.3 : 0.7, 100 apart: a fifth of the mass travels.
    even, odd = (Mixture([Gaussian(0, 1e-5), Gaussian(100, 1e-5)], w) for w in (None, [0.3, 0.7]))
    assert theory.wasserstein_1(even, odd) == pytest.approx(20.0, rel=1e-6)
    assert theory.wasserstein_2(even, odd) == pytest.approx(math.sqrt(2000), rel=1e-6)


@pytest.mark.parametrize("distance", DISTANCES)
def test_it_is_a_metric_that_sees_how_far(distance):
    family = [
        Gaussian(0, 1),
        Laplace(1, 0.5),
        Uniform(-3, 0),
        Mixture([Gaussian(-4, 0.1), Gaussian(4, 0.1)]),
        Discrete([-1.0, 0.0, 5.0], [0.3, 0.3, 0.4]),
    ]
    table = np.array([[distance(p, q) for q in family] for p in family])
    assert np.allclose(np.diag(table), 0, atol=1e-12)
    np.testing.assert_allclose(table, table.T, rtol=1e-8, atol=1e-12)
    detours = (table[:, :, None] + table[None]).min(axis=1)
    assert (table <= detours + 1e-9).all() and (table[~np.eye(5, dtype=bool)] > 0.1).all()
    for gap in (2.0, 5.0, 1000.0):
        assert theory.js(Uniform(0, 1), Uniform(gap, gap + 1)) == pytest.approx(math.log(2))
        assert distance(Uniform(0, 1), Uniform(gap, gap + 1)) == pytest.approx(gap)
        moved = Mixture([Gaussian(gap, 1), Laplace(gap + 2, 3)])
        assert distance(Mixture([Gaussian(0, 1), Laplace(2, 3)]), moved) == pytest.approx(gap)


def test_the_first_is_at_most_the_second():
    rng = np.random.default_rng(0)
    for _ in range(15):
        p = Mixture([Gaussian(m, s) for m, s in zip(*np.exp(rng.normal(size=(2, 3))), strict=True)])
        q = Laplace(rng.normal(), math.exp(rng.normal()))
        assert 0 < theory.wasserstein_1(p, q) <= theory.wasserstein_2(p, q)


def test_gaussians_in_more_dimensions_agree_with_fid():
    import torch

    from gancourse.metrics import Statistics, fid

    rng = np.random.default_rng(0)
    for dim in (2, 3, 6):
        mean_p, mean_q = rng.normal(size=(2, dim))
        factors = rng.normal(size=(2, dim, dim))
        cov_p, cov_q = (f @ f.T + 0.1 * np.eye(dim) for f in factors)
        value = theory.wasserstein_2(Gaussian(mean_p, cov=cov_p), Gaussian(mean_q, cov=cov_q))
        sides = [
            Statistics(torch.tensor(mean), torch.tensor(cov), 1000)
            for mean, cov in ((mean_p, cov_p), (mean_q, cov_q))
        ]
        assert value**2 == pytest.approx(fid(*sides), rel=1e-9)
        same = Gaussian(mean_p, cov=cov_p)
        assert theory.wasserstein_2(same, same) < 1e-12


def test_sliced_on_the_line_is_the_distance_itself():
    rng = np.random.default_rng(1)
    for n, m in ((7, 7), (5, 11), (12, 4)):
        x, y = rng.normal(size=n), 2 * rng.normal(size=m) + 1
        for order, distance in enumerate(DISTANCES, start=1):
            value = theory.sliced_wasserstein(x[:, None], y[:, None], 3, rng, order)
            assert value == pytest.approx(distance(Discrete(x), Discrete(y)), rel=1e-12)


def test_sliced_agrees_with_scipy_along_each_direction():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(40, 4)), rng.normal(size=(25, 4)) * 2
    directions = np.random.default_rng(5).standard_normal((4, 30))
    directions /= np.linalg.norm(directions, axis=0)
    each = [wasserstein_distance(x @ d, y @ d) for d in directions.T]
    value = theory.sliced_wasserstein(x, y, 30, np.random.default_rng(5), order=1)
    assert value == pytest.approx(np.mean(each), rel=1e-12)


def test_sliced_sees_a_shift_over_the_root_of_the_dimension():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(50, 9))
    value = theory.sliced_wasserstein(x, x + [6.0, *8 * [0.0]], 20_000, rng)
    assert value == pytest.approx(6 / 3, rel=0.02)
    assert theory.sliced_wasserstein(x, x[::-1], 10, rng) == 0.0


def test_bad_input_is_refused():
    rng = np.random.default_rng(0)
    plane, solid = Gaussian([0, 0]), Gaussian([0, 0, 0])
    for distance in DISTANCES:
        for p, q in ((plane, solid), (Gaussian(), plane), (theory.ring(), theory.ring())):
            with pytest.raises(GancourseError, match="there is sliced_wasserstein"):
                distance(p, q)
        with pytest.raises(GancourseError, match="0 and 0 dimensions"):
            distance(Discrete(["a"]), Discrete(["b"]))
    x = np.zeros((3, 2))
    for other in (np.zeros((3, 3)), np.zeros(3), np.zeros((0, 2))):
        with pytest.raises(GancourseError, match="give samples N x D and M x D"):
            theory.sliced_wasserstein(x, other, 5, rng)
    with pytest.raises(GancourseError, match="NaN or infinity"):
        theory.sliced_wasserstein(x, x * np.nan, 5, rng)
    with pytest.raises(GancourseError, match="order is 3"):
        theory.sliced_wasserstein(x, x, 5, rng, order=3)
    with pytest.raises(GancourseError, match="1 or more"):
        theory.sliced_wasserstein(x, x, 0, rng)


def test_what_is_moved_far_out_is_not_lost_to_rounding():
    # One part in 1e11 moves by 1. There 1 - cdf has only five digits left.
    rare = 1e-11
    p, q = (Mixture([Gaussian(0), Gaussian(far)], [1 - rare, rare]) for far in (60, 61))
    assert theory.wasserstein_1(p, q) == pytest.approx(rare, rel=1e-9, abs=0)
