"""The value function, the best discriminator, entropies: against formulas, SciPy and the losses."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.special import expit, logit

from gancourse import losses, theory
from gancourse.errors import GancourseError
from gancourse.theory import Discrete, Gaussian, Laplace, Mixture, Uniform

pytestmark = pytest.mark.filterwarnings("error")

PAIRS = {
    "gaussians": (Gaussian(0, 1), Gaussian(1, 2)),
    "mixture": (Mixture([Gaussian(-2, 0.5), Gaussian(2, 0.5)]), Laplace()),
    "overlapping": (Uniform(0, 1), Uniform(0.5, 2)),
    "disjoint": (Uniform(0, 1), Uniform(2, 3)),
    "equal": (Laplace(1, 2), Laplace(1, 2)),
    "far": (Gaussian(0, 1), Gaussian(60, 1)),
    "numbers": (Discrete([0.0, 1.0, 2.0]), Discrete([1.0, 2.0, 5.0], [0.2, 0.3, 0.5])),
    "names": (Discrete(["a", "b"]), Discrete(["b", "c"], [0.9, 0.1])),
}
EACH = pytest.mark.parametrize("name", PAIRS)


def probabilities(n: int, seed: int) -> np.ndarray:
    """n pairs of distributions on six points, some of them with zeros."""
    rng = np.random.default_rng(seed)
    pairs = rng.dirichlet(np.full(6, 0.3), (n, 2))
    pairs[pairs < 1e-4] = 0
    return pairs / pairs.sum(axis=-1, keepdims=True)


@EACH
def test_the_value_at_the_best_discriminator_is_the_js_formula(name):
    p, q = PAIRS[name]
    value = theory.value(p, q, theory.optimal_logit(p, q))
    assert value == pytest.approx(theory.optimal_value(p, q), abs=1e-9)
    assert -math.log(4) - 1e-12 <= theory.optimal_value(p, q) <= 1e-12


def test_the_js_formula_on_thousands_of_random_pairs():
    worst = 0.0
    for p, q in probabilities(4000, seed=1):
        p, q = Discrete(np.arange(6.0), p), Discrete(np.arange(6.0), q)
        gap = theory.value(p, q, theory.optimal_logit(p, q)) - theory.optimal_value(p, q)
        worst = max(worst, abs(gap))
    assert worst < 1e-13


def test_no_discriminator_exceeds_the_best_one():
    rng = np.random.default_rng(2)
    for p, q in probabilities(1500, seed=3):
        p, q = Discrete(np.arange(6.0), p), Discrete(np.arange(6.0), q)
        table = rng.normal(0, 3, 6)
        value = theory.value(p, q, lambda x, t=table: t[np.asarray(x, dtype=int)])
        assert value <= theory.optimal_value(p, q) + 1e-13


@EACH
def test_the_best_discriminator_is_the_ratio(name):
    p, q = PAIRS[name]
    if isinstance(p, Discrete):
        x = np.union1d(p.points, q.points)
    else:
        x = np.linspace(-5, 65, 1001)
    best = theory.optimal_discriminator(p, q)(x)
    a, b = np.exp(p.log_prob(x)), np.exp(q.log_prob(x))
    seen = a + b > 1e-300
    np.testing.assert_allclose(best[seen], (a / np.where(seen, a + b, 1))[seen], atol=1e-12)
    assert ((best >= 0) & (best <= 1)).all()
    np.testing.assert_allclose(expit(theory.optimal_logit(p, q)(x)), best)


def test_where_nothing_lies_the_best_discriminator_does_not_care():
    assert theory.optimal_discriminator(Uniform(0, 1), Uniform(2, 3))(np.array([1.5])) == [0.5]
    far = theory.optimal_discriminator(Gaussian(0, 1), Gaussian(1, 1))(np.array([-1e6, 1e6]))
    np.testing.assert_array_equal(far, [1.0, 0.0])


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 3), st.floats(-1, 1), st.floats(0.3, 3))
def test_the_value_is_that_of_scipy_s_integral(slope, shift, std):
    p, q = Gaussian(0, 1), Gaussian(shift, std)
    value = theory.value(p, q, lambda x: slope * x)
    x = np.linspace(-14 * std - 14, 14 * std + 14, 20_001)
    log_d, log_not = -np.logaddexp(0, -slope * x), -np.logaddexp(0, slope * x)
    integrand = stats.norm.pdf(x) * log_d + stats.norm(shift, std).pdf(x) * log_not
    assert value == pytest.approx(integrate.trapezoid(integrand, x), abs=1e-8)


def test_the_value_is_minus_the_loss_that_training_estimates():
    """gancourse.losses on a sample of atoms, each as often as its probability says."""
    p, q = Discrete([0.0, 1.0, 2.0], [0.25, 0.5, 0.25]), Discrete([1.0, 2.0], [0.75, 0.25])
    table = torch.tensor([2.0, 0.3, -1.5], dtype=torch.float64)
    real = table[[0, 1, 1, 2]]
    fake = table[[1, 1, 1, 2]]
    value = theory.value(p, q, lambda x: table.numpy()[np.asarray(x, dtype=int)])
    assert value == pytest.approx(-losses.minimax_discriminator(real, fake).item(), abs=1e-14)
    targets = torch.cat([torch.ones(4), torch.zeros(4)]).double()
    bce = torch.nn.functional.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)
    assert value == pytest.approx(-2 * bce.item(), abs=1e-14)


def test_a_discriminator_that_is_certain_and_wrong_has_no_finite_value():
    p, q = Gaussian(0, 1), Gaussian(1, 1)
    assert theory.value(p, q, lambda x: np.full(len(x), -np.inf)) == -math.inf
    assert theory.value(p, q, lambda x: np.zeros(len(x))) == pytest.approx(-math.log(4))


@EACH
def test_kl_is_cross_entropy_less_entropy(name):
    p, q = PAIRS[name]
    kl = theory.kl(p, q)
    cross = theory.cross_entropy(p, q)
    if math.isinf(kl):
        assert cross == math.inf
    else:
        assert cross - theory.entropy(p) == pytest.approx(kl, abs=1e-8, rel=1e-9)


def test_entropies_by_hand():
    assert theory.entropy(Discrete(["a", "b", "c", "d"])) == pytest.approx(math.log(4))
    assert theory.entropy(Uniform(0, 5)) == pytest.approx(math.log(5))
    assert theory.entropy(Gaussian(3, 2)) == pytest.approx(stats.norm(3, 2).entropy())
    assert theory.entropy(Laplace(0, 0.1)) == pytest.approx(stats.laplace(0, 0.1).entropy())
    assert theory.entropy(Gaussian([0, 1], [1.0, 2.0])) == pytest.approx(
        stats.multivariate_normal([0, 1], np.diag([1, 4])).entropy(), abs=1e-5
    )


def test_expectations():
    assert theory.expectation(Gaussian(1, 2), np.square) == pytest.approx(5)
    assert theory.expectation(Discrete([1.0, 3.0], [0.25, 0.75]), np.square) == pytest.approx(7)
    # Where the density is 0 the function does not count, infinite or not.
    assert theory.expectation(Uniform(0, 1), lambda x: np.where(x > 1, np.inf, x)) == pytest.approx(
        0.5
    )
    plane = Gaussian([1.0, 0.0], 0.5)
    assert theory.expectation(plane, lambda x: x[:, 0] ** 2) == pytest.approx(1.25, abs=1e-6)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: theory.value(Gaussian(), Gaussian([0, 0]), np.zeros_like), "1 and 2 dimensions"),
        (lambda: theory.value(Gaussian(), Discrete([0.0]), np.zeros_like), "cannot be compared"),
        (lambda: theory.optimal_logit(Discrete([0.0]), Gaussian()), "cannot be compared"),
        (lambda: theory.cross_entropy(Gaussian(), Discrete([1.0])), "cannot be compared"),
        (lambda: theory.entropy(Gaussian([0, 0, 0])), "3 dimensions cannot be integrated"),
    ],
)
def test_what_cannot_be_computed_is_refused(call, says):
    with pytest.raises(GancourseError, match=says):
        call()


def test_logits_and_probabilities_are_one_thing():
    d = np.array([0.1, 0.5, 0.99])
    p, q = Discrete([0.0, 1.0, 2.0]), Discrete([0.0, 1.0, 2.0], [0.2, 0.2, 0.6])
    value = theory.value(p, q, lambda x: logit(d)[np.asarray(x, dtype=int)])
    assert value == pytest.approx((p.probs * np.log(d) + q.probs * np.log(1 - d)).sum())
