"""Densities against SciPy, their samples against their formulas, tails, and bad input."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from gancourse.errors import GancourseError
from gancourse.theory import Discrete, Gaussian, Laplace, Mixture, Uniform, grid, ring

pytestmark = pytest.mark.filterwarnings("error")

MIXTURE = Mixture([Gaussian(-3, 0.5), Laplace(1, 0.2), Uniform(4, 6)], [0.5, 0.2, 0.3])
LINE = {
    "gaussian": (Gaussian(1.5, 0.3), stats.norm(1.5, 0.3)),
    "laplace": (Laplace(-2, 3), stats.laplace(-2, 3)),
    "uniform": (Uniform(-1, 4), stats.uniform(-1, 5)),
}
PLANE_COV = [[1.0, 0.6], [0.6, 2.0]]


@pytest.mark.parametrize("name", LINE)
@settings(max_examples=100, deadline=None)
@given(z=st.floats(-30, 30), u=st.floats(1e-12, 1 - 1e-12))
def test_the_line_agrees_with_scipy(name, z, u):
    ours, theirs = LINE[name]
    x = theirs.mean() + z * theirs.std()
    assert ours.log_prob(x) == pytest.approx(theirs.logpdf(x), rel=1e-12)
    assert ours.cdf(x) == pytest.approx(theirs.cdf(x), rel=1e-9, abs=1e-300)
    assert ours.sf(x) == pytest.approx(theirs.sf(x), rel=1e-9, abs=1e-300)
    assert ours.quantile(u) == pytest.approx(theirs.ppf(u), rel=1e-12, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(dim=st.integers(1, 5), seed=st.integers(0, 2**32 - 1))
def test_gaussians_of_any_dimension_agree_with_scipy(dim, seed):
    rng = np.random.default_rng(seed)
    mean, factor = rng.normal(size=dim), rng.normal(size=(dim, dim))
    cov = factor @ factor.T + 0.1 * np.eye(dim)
    x = mean + 3 * rng.normal(size=(4, 3, dim))
    theirs = stats.multivariate_normal(mean, cov)
    ours = Gaussian(mean, cov=cov)
    points = x[..., 0] if dim == 1 else x
    np.testing.assert_allclose(ours.log_prob(points), theirs.logpdf(x), rtol=1e-9)
    np.testing.assert_allclose(ours.cov, cov, rtol=1e-10, atol=1e-12)
    std = rng.uniform(0.1, 3, dim)
    expected = stats.norm(mean, std).logpdf(x).sum(axis=-1)
    np.testing.assert_allclose(Gaussian(mean, std).log_prob(points), expected, rtol=1e-10)


def test_a_mixture_is_the_weighted_sum():
    x = np.linspace(-6, 7, 500)
    parts = [stats.norm(-3, 0.5), stats.laplace(1, 0.2), stats.uniform(4, 2)]
    for ours, theirs in ((MIXTURE.cdf, "cdf"), (MIXTURE.sf, "sf")):
        expected = sum(
            w * getattr(p, theirs)(x) for w, p in zip([0.5, 0.2, 0.3], parts, strict=True)
        )
        np.testing.assert_allclose(ours(x), expected, rtol=1e-12, atol=1e-16)
    pdf = sum(w * p.pdf(x) for w, p in zip([0.5, 0.2, 0.3], parts, strict=True))
    np.testing.assert_allclose(np.exp(MIXTURE.log_prob(x)), pdf, rtol=1e-12)
    plane = Mixture([Gaussian([0, 1], cov=PLANE_COV), Gaussian([3, 0], [1, 2])], [0.25, 0.75])
    points = np.random.default_rng(0).normal(size=(50, 2))
    pdf = 0.25 * stats.multivariate_normal([0, 1], PLANE_COV).pdf(points)
    pdf += 0.75 * stats.multivariate_normal([3, 0], np.diag([1, 4])).pdf(points)
    np.testing.assert_allclose(np.exp(plane.log_prob(points)), pdf, rtol=1e-12)


@pytest.mark.parametrize("p", [Gaussian(2, 5), Laplace(2, 5), Uniform(2, 5), MIXTURE])
def test_the_density_is_the_slope_of_the_distribution_function(p):
    (breaks,) = p.breaks()
    edges = np.linspace(breaks[0], breaks[-1], 7)
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        inside = breaks[(breaks > a) & (breaks < b)]
        area, _ = integrate.quad(
            lambda x: math.exp(p.log_prob(x)), a, b, points=inside, limit=200, epsabs=1e-12
        )
        assert p.cdf(b) - p.cdf(a) == pytest.approx(area, abs=1e-10)
        assert p.sf(a) - p.sf(b) == pytest.approx(area, abs=1e-10)
    # The break points enclose all that float64 can tell from nothing.
    assert p.cdf(breaks[0]) < 1e-300 and p.sf(breaks[-1]) < 1e-300


@settings(max_examples=100, deadline=None)
@given(
    means=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=4),
    scale=st.sampled_from([1e-6, 1e-2, 1.0, 1e3]),
    u=st.floats(1e-10, 1 - 1e-10),
)
def test_quantiles_of_mixtures_invert_the_distribution_function(means, scale, u):
    p = Mixture([Gaussian(m, scale) for m in means])
    x = p.quantile(u)
    slack = 4 * np.spacing(abs(x))
    assert p.cdf(x - slack - 1e-13 * scale) <= u + 1e-12
    assert p.cdf(x + slack + 1e-13 * scale) >= u - 1e-12


def test_quantiles_at_the_ends():
    for p in (Gaussian(), Laplace(), Mixture([Gaussian(), Uniform(0, 1)])):
        np.testing.assert_array_equal(p.quantile([0.0, 1.0]), [-math.inf, math.inf])
    np.testing.assert_array_equal(Uniform(2, 3).quantile([0.0, 1.0]), [2.0, 3.0])
    # A gap between modes belongs to the lower one.
    gap = Mixture([Uniform(0, 1), Uniform(5, 6)], [0.25, 0.75])
    np.testing.assert_allclose(gap.quantile([0.25, 0.25 + 1e-9]), [1.0, 5.0], atol=1e-8)


@pytest.mark.parametrize("p", [Gaussian(2, 5), Laplace(2, 5), Uniform(2, 5), MIXTURE])
def test_samples_on_the_line_follow_the_distribution_function(p):
    x = p.sample(20_000, np.random.default_rng(3))
    assert x.shape == (20_000,)
    assert stats.kstest(x, p.cdf).pvalue > 1e-3
    np.testing.assert_array_equal(x, p.sample(20_000, np.random.default_rng(3)))


def test_samples_in_the_plane_have_mean_and_covariance():
    p = Mixture([Gaussian([1, 2], cov=PLANE_COV), Gaussian([-1, 0], [2, 1])], [0.3, 0.7])
    x = p.sample(50_000, np.random.default_rng(0))
    mean = 0.3 * np.array([1, 2]) + 0.7 * np.array([-1, 0])
    second = 0.3 * (np.array(PLANE_COV) + np.outer([1, 2], [1, 2]))
    second = second + 0.7 * (np.diag([4, 1]) + np.outer([-1, 0], [-1, 0]))
    np.testing.assert_allclose(x.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(x.T @ x / len(x), second, atol=0.1)


def test_the_tails_stay_exact():
    assert Gaussian(0, 1).log_prob(1e6) == pytest.approx(-5e11, rel=1e-11)
    assert Gaussian(0, 1).sf(30.0) == pytest.approx(4.906713927148187e-198, rel=1e-10)
    far = Mixture([Gaussian(0, 1), Gaussian(100, 1)])
    assert far.log_prob(-200.0) == pytest.approx(
        Gaussian().log_prob(200.0) - math.log(2), rel=1e-14
    )
    assert 0 < far.sf(137.0) == pytest.approx(0.5 * Gaussian().sf(37.0), rel=1e-9, abs=0)
    tiny = Gaussian([0.0, 1.0], 1e-200)
    assert tiny.breaks()[0][0] == pytest.approx(-39e-200, abs=0)
    assert tiny.log_prob([0.0, 1.0]) == pytest.approx(400 * math.log(10) - math.log(2 * math.pi))


@pytest.mark.parametrize(
    "p",
    [
        Gaussian(),
        Gaussian([0, 0], cov=PLANE_COV),
        Laplace(),
        Uniform(),
        MIXTURE,
        ring(),
        Mixture([Uniform(0, 1), Uniform(2, 3)]),
        Discrete([0.0, 1.0]),
    ],
)
def test_the_density_is_never_nan(p):
    values = np.array([-np.inf, -1e308, -1e200, -1.0, 1.5, 1e200, 1e308, np.inf])
    x = values if p.dim == 1 else np.stack(np.meshgrid(values, values), axis=-1)
    log_prob = p.log_prob(x)
    assert log_prob.shape == x.shape[: x.ndim - (p.dim > 1)]
    assert (log_prob < 10).all()
    assert np.isneginf(log_prob[0]).all() and np.isneginf(log_prob[-1]).all()


def test_uniform_ends_and_outside():
    expected = [-math.inf, -math.log(2), -math.log(2), -math.inf]
    np.testing.assert_array_equal(Uniform(1, 3).log_prob([0.999, 1.0, 3.0, 3.001]), expected)


def test_ring_and_grid_are_the_toy_data_sets():
    from gancourse.data.toys import TOYS

    for name, density in (("ring", ring()), ("grid", grid())):
        toy = TOYS[name]
        centres = np.array([component.mean for component in density.components])
        np.testing.assert_allclose(centres, toy.modes, atol=1e-15)
        for component in density.components:
            np.testing.assert_allclose(component.cov, toy.std**2 * np.eye(2), rtol=1e-12)
    wide = ring(modes=3, radius=2.0, std=0.5)
    np.testing.assert_allclose(wide.components[1].mean, [-1.0, math.sqrt(3)], rtol=1e-12)
    np.testing.assert_allclose(grid(2, 3.0).components[0].mean, [-1.5, -1.5])


def test_discrete_numbers():
    p = Discrete([3.0, 1.0, 3.0, 7.0], [0.1, 0.4, 0.2, 0.3])
    np.testing.assert_array_equal(p.points, [1.0, 3.0, 7.0])
    np.testing.assert_allclose(np.exp(p.log_prob([1, 3, 7, 2, 8])), [0.4, 0.3, 0.3, 0, 0])
    np.testing.assert_allclose(p.cdf([0, 1, 2.9, 3, 7]), [0, 0.4, 0.4, 0.7, 1])
    np.testing.assert_allclose(p.sf([0, 1, 2.9, 3, 7]), [1, 0.6, 0.6, 0.3, 0])
    np.testing.assert_array_equal(p.quantile([0, 0.4, 0.41, 0.69, 0.71, 1]), [1, 1, 3, 3, 7, 7])
    x = p.sample(10_000, np.random.default_rng(0))
    counts = [(x == point).sum() for point in p.points]
    assert stats.chisquare(counts, 10_000 * p.probs).pvalue > 1e-3


def test_discrete_names():
    p = Discrete(["dog", "cat", "owl"], [0.5, 0.3, 0.2])
    assert p.dim == 0 and list(p.points) == ["cat", "dog", "owl"]
    np.testing.assert_allclose(
        np.exp(p.log_prob(["owl", "dog", "newt", "zebra"])), [0.2, 0.5, 0, 0]
    )
    assert set(p.sample(100, np.random.default_rng(0))) == {"cat", "dog", "owl"}
    np.testing.assert_allclose(Discrete(["a", "b"]).probs, [0.5, 0.5])
    with pytest.raises(GancourseError, match="no order"):
        p.cdf("cat")


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Gaussian(0, -1), "std must be positive, not -1"),
        (lambda: Gaussian(0, 0), "std must be positive"),
        (lambda: Gaussian(0, math.nan), "NaN or infinity"),
        (lambda: Gaussian("one"), "give numbers"),
        (lambda: Gaussian([[0]]), "one number for each axis"),
        (lambda: Gaussian([0, 0], [1, 2, 3]), r"std has shape \(3,\)"),
        (lambda: Gaussian([0, 0], cov=np.eye(3)), "2 x 2"),
        (lambda: Gaussian([0, 0], cov=[[1, 0], [0.5, 1]]), "not symmetric"),
        (lambda: Gaussian([0, 0], cov=[[1, 2], [2, 1]]), "not positive definite"),
        (lambda: Gaussian(0, 1, [[1]]), "not both"),
        (lambda: Laplace(0, 0), "scale must be positive"),
        (lambda: Uniform(1, 1), "low must be the smaller"),
        (lambda: Mixture([]), "at least one"),
        (lambda: Mixture([Gaussian(), Laplace()], [0.5, 0.4]), "sum to 1"),
        (lambda: Mixture([Gaussian(), Laplace()], [1.5, -0.5]), "0 or more"),
        (lambda: Mixture([Gaussian(), Laplace()], [1.0]), "give 2, one for each"),
        (lambda: Mixture([Gaussian(), Gaussian([0, 0])]), r"dimensions \[1, 2\]"),
        (lambda: Mixture([Gaussian(), Discrete([0.0])]), "a Discrete has none"),
        (lambda: Discrete([]), "at least one"),
        (lambda: Discrete([1.0, math.inf]), "NaN or infinity"),
        (lambda: Discrete([[1.0]]), "list of numbers or of names"),
        (lambda: Discrete([1.0, 2.0], [0.5, 0.6]), "sum to 1"),
        (lambda: ring(0), "1 or more"),
        (lambda: ring(std=-1), "std must be positive"),
        (lambda: grid(spacing=0), "spacing must be positive"),
        (lambda: Gaussian().sample(0, np.random.default_rng()), "1 or more"),
        (lambda: Gaussian().quantile(1.5), "from 0 to 1"),
        (lambda: Gaussian([0, 0]).log_prob([1.0, 2.0, 3.0]), "must hold 2 coordinates"),
        (lambda: Gaussian([0, 0]).cdf([0, 0]), "no distribution function"),
        (lambda: Gaussian([0, 0]).quantile(0.5), "no quantiles"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(GancourseError, match=message):
        make()
