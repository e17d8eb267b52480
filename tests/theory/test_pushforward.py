"""The density of G(z): the change of variables against exact densities, and the kernel estimate."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from gancourse import theory
from gancourse.errors import GancourseError
from gancourse.theory.pushforward import KernelDensity, PushForward

pytestmark = pytest.mark.filterwarnings("error")

SHARES = np.linspace(0, 1, 4001)
SHARES[[0, -1]] = 1e-5, 1 - 1e-5
NOISE = ndtri(SHARES)


@pytest.mark.parametrize(
    "images, density",
    [
        (2 * NOISE + 1, stats.norm(1, 2)),
        (-NOISE, stats.norm(0, 1)),
        (np.exp(NOISE), stats.lognorm(1)),
        (SHARES**2, stats.beta(0.5, 1)),
    ],
)
def test_a_monotone_map_gives_the_density_of_the_change_of_variables(images, density):
    pushed = PushForward(images)
    x = density.ppf(np.linspace(0.03, 0.97, 300))
    np.testing.assert_allclose(np.exp(pushed.log_prob(x)), density.pdf(x), rtol=0.03)
    np.testing.assert_allclose(pushed.cdf(x), density.cdf(x), atol=1e-3)
    np.testing.assert_allclose(pushed.sf(x) + pushed.cdf(x), 1)
    np.testing.assert_allclose(pushed.quantile(pushed.cdf(x)), x, rtol=1e-9)


def test_where_the_map_turns_back_the_pieces_add_up():
    pushed = PushForward(np.abs(2 * SHARES - 1))  # the interval, folded in the middle
    x = np.linspace(0.01, 0.99, 99)
    np.testing.assert_allclose(np.exp(pushed.log_prob(x)), 1.0, rtol=1e-6)
    square = PushForward(NOISE**2)
    x = stats.chi2(1).ppf(np.linspace(0.1, 0.9, 50))
    np.testing.assert_allclose(np.exp(square.log_prob(x)), stats.chi2(1).pdf(x), rtol=0.02)


def test_it_integrates_to_one_and_its_samples_are_its_own():
    rng = np.random.default_rng(0)
    for images in (np.sin(3 * NOISE), NOISE**3, rng.normal(size=300), np.zeros(5)):
        pushed = PushForward(images)
        assert theory.expectation(pushed, lambda x: np.ones(len(x))) == pytest.approx(1, abs=1e-6)
        drawn = pushed.sample(4000, rng)
        assert stats.kstest(drawn, pushed.cdf).pvalue > 1e-3
    assert np.isneginf(pushed.log_prob(np.array([-5.0, 5.0]))).all()
    assert pushed.cdf(5.0) == 1 and pushed.sf(5.0) == 0


def test_divergences_from_it():
    pushed = PushForward(2 * NOISE + 1)
    q = theory.Gaussian(0, 1)
    assert theory.js(pushed, q) == pytest.approx(theory.js(theory.Gaussian(1, 2), q), abs=1e-4)
    exact = theory.wasserstein_1(theory.Gaussian(1, 2), q)
    assert theory.wasserstein_1(pushed, q) == pytest.approx(exact, abs=2e-3)


def test_the_kernel_density_is_the_blurred_sample():
    rng = np.random.default_rng(1)
    points = rng.normal(0, 1, (1500, 2))
    blurred = KernelDensity(points, 0.3)
    x = rng.normal(0, 1, (40, 2))
    kernel = stats.multivariate_normal([0, 0], 0.09 * np.eye(2))
    exact = kernel.pdf((x[:, None] - points).reshape(-1, 2)).reshape(40, -1).mean(axis=1)
    np.testing.assert_allclose(np.exp(blurred.log_prob(x)), exact, rtol=5e-3)
    drawn = blurred.sample(20_000, rng)
    np.testing.assert_allclose(drawn.var(axis=0), points.var(axis=0) + 0.09, rtol=0.05)
    line = KernelDensity(points[:, :1], 0.3)
    assert line.log_prob(0.5).shape == () and line.sample(3, rng).shape == (3,)


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: PushForward([1.0]), "two or more"),
        (lambda: PushForward([1.0, math.nan]), "NaN"),
        (lambda: KernelDensity([1.0, 2.0], 0.1), "give N x D"),
        (lambda: KernelDensity([[1.0, 2.0]], 0), "must be positive"),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(GancourseError, match=says):
        call()
