"""Three ways to one number: closed forms, quadrature and samples, beside SciPy and each other."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr

from gancourse import theory
from gancourse.errors import GancourseError
from gancourse.theory import F_DIVERGENCES, Discrete, Gaussian, Laplace, Mixture, Uniform
from tests.theory.pairs import same_family

pytestmark = pytest.mark.filterwarnings("error")

KL, PEARSON, JS, TV = (F_DIVERGENCES[n] for n in ("kl", "pearson", "js", "total-variation"))
LOG2 = math.log(2)
EACH = pytest.mark.parametrize("divergence", F_DIVERGENCES.values(), ids=F_DIVERGENCES)
# What each is for disjoint supports, by hand.
APART = {
    "kl": math.inf,
    "reverse-kl": math.inf,
    "js": LOG2,
    "pearson": math.inf,
    "squared-hellinger": 2.0,
    "total-variation": 1.0,
    "gan": 0.0,
    "soft-reverse-kl": math.inf,
    "vincze-le-cam": 2.0,
}


class Cauchy(theory.Density):
    """A user's own density, with tails so heavy that it has no mean."""

    dim = 1

    def __init__(self, loc=0.0):
        self.loc = loc

    def log_prob(self, x):
        return stats.cauchy.logpdf(x, self.loc)

    def sample(self, n, rng):
        return self.loc + rng.standard_cauchy(n)

    def cdf(self, x):
        return stats.cauchy.cdf(x, self.loc)

    def sf(self, x):
        return stats.cauchy.sf(x, self.loc)

    def quantile(self, u):
        return stats.cauchy.ppf(u, self.loc)

    def breaks(self):
        return (self.loc + np.array([-10.0, 0.0, 10.0]),)


def by_scipy(divergence, p, q, low, high):
    """q f(p / q) integrated by SciPy, from the generator as the book prints it."""

    def integrand(x):
        q_x = math.exp(q.log_prob(x))
        return q_x * float(divergence.f(np.exp(p.log_prob(x) - q.log_prob(x))))

    marks = np.union1d(p.breaks()[0], q.breaks()[0])
    marks = marks[(marks > low) & (marks < high)]
    return integrate.quad(integrand, low, high, points=marks, limit=500, epsabs=1e-11)[0]


@EACH
def test_quadrature_agrees_with_scipy(divergence):
    p = Mixture([Gaussian(-1, 0.5), Laplace(1, 0.3)], [0.4, 0.6])
    q = Mixture([Gaussian(0, 2), Laplace(3, 0.5)], [0.7, 0.3])
    expected = by_scipy(divergence, p, q, -18, 18)
    assert theory.f_divergence(divergence, p, q) == pytest.approx(expected, abs=1e-8)


@EACH
@settings(max_examples=40, deadline=None)
@given(pair=same_family(shift=6, log_scale=4, places=(0.0, 30.0)))
def test_closed_forms_agree_with_quadrature(divergence, pair):
    p, q, _ = pair
    exact = theory.closed_form(divergence, p, q)
    if exact is not None:
        numeric = theory.quadrature(divergence, p, q)
        assert numeric == pytest.approx(exact, rel=1e-8, abs=1e-14)


def test_there_is_a_closed_form_where_one_is_promised():
    """Else the test above could pass without comparing anything."""
    known = {
        name: {d for d in F_DIVERGENCES if theory.closed_form(F_DIVERGENCES[d], p, q) is not None}
        for name, p, q in (
            ("gaussian", Gaussian(0, 1), Gaussian(1, 1)),
            ("laplace", Laplace(0, 1), Laplace(1, 2)),
            ("uniform", Uniform(0, 1), Uniform(0.5, 3)),
            ("discrete", Discrete(["a"]), Discrete(["a", "b"])),
            ("singular", Discrete([0.0]), Gaussian()),
        )
    }
    everything = set(F_DIVERGENCES)
    assert known == {
        "gaussian": everything - {"js", "gan", "soft-reverse-kl", "vincze-le-cam"},
        "laplace": {"kl", "reverse-kl"},
        "uniform": everything,
        "discrete": everything,
        "singular": everything,
    }


def test_values_by_hand():
    assert theory.kl(Gaussian(0, 1), Gaussian(1, 2)) == pytest.approx(math.log(2) + 2 / 8 - 0.5)
    assert theory.kl(Laplace(0, 1), Laplace(2, 1)) == pytest.approx(2 + math.exp(-2) - 1)
    assert theory.kl(Uniform(0, 1), Uniform(0, 4)) == pytest.approx(math.log(4))
    assert theory.pearson_chi2(Gaussian(1.5), Gaussian()) == pytest.approx(math.expm1(2.25))
    assert theory.total_variation(Gaussian(0), Gaussian(2)) == pytest.approx(0.6826894921370859)
    bhattacharyya = math.sqrt(2 * 1 * 2 / 5) * math.exp(-0.25 * 9 / 5)
    expected = 2 - 2 * bhattacharyya
    assert theory.squared_hellinger(Gaussian(0, 1), Gaussian(3, 2)) == pytest.approx(expected)
    p, q = Discrete(["a", "b"], [0.5, 0.5]), Discrete(["b", "c"], [0.25, 0.75])
    assert theory.kl(p, q) == math.inf
    assert theory.total_variation(p, q) == pytest.approx(0.75)
    assert theory.squared_hellinger(p, q) == pytest.approx(2 - 2 * math.sqrt(0.125))
    assert theory.pearson_chi2(Discrete(["b"]), q) == pytest.approx(3.0)


@settings(max_examples=200, deadline=None)
@given(size=st.integers(1, 9), seed=st.integers(0, 2**32 - 1), zeros=st.booleans())
def test_discrete_divergences_agree_with_scipy(size, seed, zeros):
    rng = np.random.default_rng(seed)
    a, b = rng.dirichlet(np.full(size, 0.5), 2) + 1e-12
    if zeros and size > 1:
        a[rng.integers(size)] = b[rng.integers(size)] = 0.0
    a, b = a / a.sum(), b / b.sum()
    points = rng.permutation(size).astype(float)
    p, q = Discrete(points, a), Discrete(points, b)
    assert theory.kl(p, q) == pytest.approx(rel_entr(a, b).sum(), rel=1e-9, abs=1e-12)
    assert theory.js_distance(p, q) == pytest.approx(jensenshannon(a, b), rel=1e-6, abs=1e-7)
    assert theory.total_variation(p, q) == pytest.approx(np.abs(a - b).sum() / 2, abs=1e-12)
    hellinger = np.square(np.sqrt(a) - np.sqrt(b)).sum()
    assert theory.squared_hellinger(p, q) == pytest.approx(hellinger, rel=1e-9, abs=1e-12)
    if (b > 0).all():
        chi2 = (np.square(a - b) / b).sum()
        assert theory.pearson_chi2(p, q) == pytest.approx(chi2, rel=1e-9, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(dim=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_gaussians_of_any_dimension(dim, seed):
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(2, dim))
    factors = rng.normal(size=(2, dim, dim))
    first, second = (f @ f.T + 0.3 * np.eye(dim) for f in factors)
    p, q = Gaussian(means[0], cov=first), Gaussian(means[1], cov=second)
    delta, inverse = means[1] - means[0], np.linalg.inv(second)
    kl = np.trace(inverse @ first) - dim + delta @ inverse @ delta
    kl += np.log(np.linalg.det(second) / np.linalg.det(first))
    assert theory.kl(p, q) == pytest.approx(kl / 2, rel=1e-8)
    middle, det = (first + second) / 2, np.linalg.det
    affinity = (det(first) * det(second)) ** 0.25 / det(middle) ** 0.5
    affinity *= math.exp(-delta @ np.linalg.inv(middle) @ delta / 8)
    assert theory.squared_hellinger(p, q) == pytest.approx(2 - 2 * affinity, rel=1e-8)
    room = 2 * second - first
    if np.linalg.eigvalsh(room).min() > 1e-2:
        chi2 = det(second) / math.sqrt(det(first) * det(room))
        with np.errstate(over="ignore"):
            chi2 *= np.exp(delta @ np.linalg.inv(room) @ delta)
        assert theory.pearson_chi2(p, q) == pytest.approx(chi2 - 1, rel=1e-6)
    elif np.linalg.eigvalsh(room).min() < -1e-3:
        assert theory.pearson_chi2(p, q) == math.inf
    shifted = Gaussian(means[1], cov=first)
    distance = math.sqrt(delta @ np.linalg.inv(first) @ delta)
    expected = 2 * stats.norm.cdf(distance / 2) - 1
    assert theory.total_variation(p, shifted) == pytest.approx(expected, rel=1e-8)


@EACH
def test_in_the_plane_a_common_axis_changes_nothing(divergence):
    p, q = Gaussian(0, 1), Gaussian(1, 0.5)
    line = theory.quadrature(divergence, p, q)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    p2 = Gaussian(turn @ [0, 3], cov=turn @ np.diag([1, 4]) @ turn.T)
    q2 = Gaussian(turn @ [1, 3], cov=turn @ np.diag([0.25, 4]) @ turn.T)
    if divergence is PEARSON:
        assert theory.closed_form(divergence, q2, p2) == pytest.approx(
            theory.quadrature(divergence, q, p), rel=1e-9
        )
    else:
        assert theory.quadrature(divergence, p2, q2) == pytest.approx(line, rel=2e-6)


def test_rings_in_the_plane():
    # Modes 18 standard deviations apart and more: what counts is one mode against its own double.
    p, q = theory.ring(4, 1.0, 0.04), theory.ring(4, 1.0, 0.05)
    one, other = Gaussian([0, 0], 0.04), Gaussian([0, 0], 0.05)
    assert theory.kl(p, q) == pytest.approx(theory.kl(one, other), rel=1e-6)
    # Half of the modes lost: KL log 2, and the reverse pays for the distance.
    half = Mixture(p.components[:2])
    assert theory.kl(half, p) == pytest.approx(LOG2, rel=1e-6)
    assert theory.total_variation(half, p) == pytest.approx(0.5, rel=1e-6)
    assert theory.js(half, p) == pytest.approx(0.75 * math.log(4 / 3), rel=1e-6)
    assert theory.kl(p, half) > 100


SAMPLED = {
    "line": (Mixture([Gaussian(-1, 0.5), Laplace(2, 0.8)]), Laplace(0, 2)),
    "plane": (Gaussian([0, 0], cov=[[1, 0.5], [0.5, 1]]), Gaussian([0.5, 0], [1.2, 1.5])),
    "five": (Gaussian(np.zeros(5)), Gaussian(np.full(5, 0.3), 1.2)),
    "names": (Discrete(["a", "b", "c"], [0.2, 0.3, 0.5]), Discrete(["c", "a", "b"])),
    "nested": (Uniform(0, 1), Uniform(-1, 2)),
}


@EACH
@pytest.mark.parametrize("name", SAMPLED)
def test_samples_agree_within_their_error(divergence, name):
    p, q = SAMPLED[name]
    n = 20_000
    estimate = theory.monte_carlo(divergence, p, q, n, np.random.default_rng(1))
    exact = theory.closed_form(divergence, p, q)
    if exact is None and p.dim == 5:
        more = theory.monte_carlo(divergence, p, q, 10 * n, np.random.default_rng(2))
        exact = more.value
    elif exact is None:
        exact = theory.quadrature(divergence, p, q)
    if math.isinf(exact):
        assert estimate == (math.inf, 0.0)
    else:
        assert abs(estimate.value - exact) <= 4.5 * estimate.error + 1e-12
        assert estimate.error < 0.1 * max(abs(exact), 0.05)


@EACH
def test_the_standard_error_is_honest(divergence):
    p, q = Gaussian(0, 1), Gaussian(0.5, 1.3)
    exact = theory.f_divergence(divergence, p, q)
    rng = np.random.default_rng(0)
    runs = [theory.monte_carlo(divergence, p, q, 400, rng) for _ in range(200)]
    scores = np.array([(run.value - exact) / run.error for run in runs])
    assert abs(scores.mean()) < 0.4 and 0.8 < scores.std() < 1.25


def test_samples_need_no_more_than_log_prob_and_sample():
    class Student:
        def log_prob(self, x):
            return stats.t(4).logpdf(x)

        def sample(self, n, rng):
            return rng.standard_t(4, n)

    value, error = theory.monte_carlo(KL, Gaussian(), Student(), 5000, np.random.default_rng(0))
    x = np.linspace(-12, 12, 10_001)
    expected = integrate.trapezoid(rel_entr(stats.norm.pdf(x), stats.t(4).pdf(x)), x)
    assert abs(value - expected) < 4 * error < 0.01


@EACH
@pytest.mark.parametrize(
    "p, q",
    [
        (Uniform(0, 1), Uniform(2, 3)),
        (Uniform(0, 1), Uniform(1, 2)),
        (Mixture([Uniform(0, 1), Uniform(4, 5)]), Mixture([Uniform(1, 4), Uniform(5, 9)])),
        (Discrete([0.0, 1.0]), Discrete([2.0])),
        (Discrete(["a"]), Discrete(["b", "c"])),
        (Discrete([0.0]), Gaussian()),
        (Gaussian(), Discrete([0.0, 1.0])),
        (Mixture([Gaussian(), Laplace()]), Discrete([0.0, 1.0])),
    ],
)
def test_disjoint_and_touching_supports(divergence, p, q):
    value = theory.f_divergence(divergence, p, q)
    assert value == pytest.approx(APART[divergence.name], abs=1e-12)
    assert value <= APART[divergence.name]


@EACH
def test_a_hundred_standard_deviations_apart(divergence):
    near, far = Mixture([Gaussian(0, 1)]), Gaussian(100, 1)
    finite = {"kl": 5000.0, "reverse-kl": 5000.0, "soft-reverse-kl": 5000.0 - math.log(4)}
    expected = {**APART, **finite}[divergence.name]
    assert theory.f_divergence(divergence, near, far) == pytest.approx(expected, abs=1e-9)
    exact = theory.closed_form(divergence, Gaussian(0, 1), far)
    assert exact is None or exact == pytest.approx(expected, abs=1e-9)


def test_partly_outside_the_support():
    inside, outside = Uniform(-50, 50), Gaussian()
    # The Gaussian has but e^-1250 outside the interval; infinite all the same.
    assert theory.kl(outside, inside) == math.inf
    assert theory.kl(Mixture([inside]), outside) == pytest.approx(
        -math.log(100) + 0.5 * math.log(2 * math.pi) + 2500 / 6
    )
    assert theory.kl(Uniform(0, 1), Mixture([Uniform(0, 1 - 1e-12)])) == math.inf
    assert theory.js(Uniform(0, 1), Mixture([Uniform(0, 2)])) == pytest.approx(
        0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3) + 0.25 * math.log(2)
    )


def test_tails_too_heavy_for_pearson():
    assert theory.pearson_chi2(Laplace(), Gaussian()) == math.inf
    # 2 / 2 = 1 / 1: p^2 / q is constant far out, neither growing nor falling.
    assert theory.pearson_chi2(Laplace(0, 2), Laplace(0, 1)) == math.inf
    # By hand, 1 / (1.9 (2/1.9 - 1) 1.9) - 1.
    assert theory.pearson_chi2(Laplace(0, 1.9), Laplace()) == pytest.approx(1 / 0.19 - 1)
    assert theory.pearson_chi2(Gaussian(0, 1.42), Mixture([Gaussian()])) == math.inf
    assert theory.pearson_chi2(Gaussian(0, 1.41), Mixture([Gaussian()])) == pytest.approx(
        theory.closed_form(PEARSON, Gaussian(0, 1.41), Gaussian())
    )


def test_heavy_tails_of_ones_own_density():
    p, q = Cauchy(0), Cauchy(3)
    assert theory.kl(p, q) == pytest.approx(math.log(1 + 9 / 4), rel=1e-9)
    assert theory.pearson_chi2(p, q) == pytest.approx(4.5, rel=1e-9)
    assert theory.kl(p, Gaussian()) == math.inf
    assert 0 < theory.kl(Gaussian(), p) < 1
    assert theory.wasserstein_1(p, Gaussian()) == math.inf


@EACH
def test_very_close_distributions(divergence):
    shift = 1e-5
    exact = theory.f_divergence(divergence, Mixture([Gaussian(0)]), Gaussian(shift))
    information = {
        "kl": 0.5,
        "reverse-kl": 0.5,
        "js": 1 / 8,
        "pearson": 1,
        "squared-hellinger": 1 / 4,
    }
    if divergence.name in information:
        assert exact == pytest.approx(information[divergence.name] * shift**2, rel=1e-5)
    p = Mixture([Gaussian(0, 1), Gaussian(9, 0.01)])
    itself = -math.log(4) if divergence.name == "gan" else 0.0
    assert theory.quadrature(divergence, p, p) == pytest.approx(itself, abs=1e-14)


def test_bad_input_is_refused():
    class NoBreaks(theory.Density):
        dim = 1

        def log_prob(self, x):
            return np.full(np.shape(x), np.nan)

        def sample(self, n, rng):
            return np.zeros((n, 1))

    class Broken(NoBreaks):
        def sample(self, n, rng):
            return np.zeros(n)

        def breaks(self):
            return (np.array([0.0, 1.0]),)

    rng = np.random.default_rng(0)
    flat, solid = Gaussian([0, 0]), Mixture([Gaussian([0, 0, 0]), Gaussian([1, 0, 0])])
    with pytest.raises(GancourseError, match="1 and 2 dimensions"):
        theory.kl(Gaussian(), flat)
    with pytest.raises(GancourseError, match="0 and 1 dimensions"):
        theory.js(Discrete(["a"]), Discrete([1.0]))
    with pytest.raises(GancourseError, match="Estimate with monte_carlo"):
        theory.js(solid, solid)
    with pytest.raises(GancourseError, match="not for Pearson"):
        theory.pearson_chi2(Mixture([flat]), flat)
    with pytest.raises(GancourseError, match="Discrete and Gaussian in 1 dimensions"):
        theory.quadrature(KL, Discrete([0.0]), Gaussian())
    with pytest.raises(GancourseError, match="no break points"):
        theory.kl(NoBreaks(), Gaussian())
    with pytest.raises(GancourseError, match="gave NaN"):
        theory.kl(Broken(), Gaussian())
    with pytest.raises(GancourseError, match="not finite at a sample"):
        theory.monte_carlo(KL, Broken(), Gaussian(), 10, rng)
    with pytest.raises(GancourseError, match=r"shapes \(10, 1\) and \(10, 1\)"):
        theory.monte_carlo(KL, NoBreaks(), Gaussian(), 10, rng)
    with pytest.raises(GancourseError, match="at least 2"):
        theory.monte_carlo(KL, Gaussian(), Gaussian(), 1, rng)
    with pytest.raises(GancourseError, match="1 or more"):
        theory.monte_carlo(KL, Gaussian(), Gaussian(), 0, rng)
    with pytest.raises(GancourseError, match="compared with a density"):
        theory.monte_carlo(KL, Gaussian(), Discrete([0.0]), 10, rng)
    with pytest.raises(GancourseError, match="two discrete distributions"):
        theory.variational_bound(KL, np.zeros_like, Gaussian(), Discrete([0.0]))
