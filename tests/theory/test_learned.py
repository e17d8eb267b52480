"""A network that is trained to the best discriminator gets there, and the error is measured right."""

import numpy as np
import pytest
import torch

from gancourse import theory
from gancourse.errors import GancourseError
from gancourse.theory import Discrete, Gaussian, Laplace, Mixture, Uniform
from gancourse.theory.learned import LearnedDiscriminator, fit_discriminator, mean_absolute_error

PAIRS = {
    "gaussians": (Gaussian(0, 1), Gaussian(1, 2), 0.02),
    "laplace": (Laplace(0, 1), Gaussian(1, 1), 0.04),
    "mixture": (Mixture([Gaussian(-2, 0.5), Gaussian(2, 0.5)]), Gaussian(0, 1.5), 0.06),
    "intervals": (Uniform(0, 2), Uniform(1, 3), 0.06),
    "tiny unit": (Gaussian(1e-3, 1e-4), Gaussian(1.1e-3, 2e-4), 0.02),
}


@pytest.mark.parametrize("name", PAIRS)
def test_training_reaches_the_best_discriminator(name):
    p, q, most = PAIRS[name]
    learned = fit_discriminator(p, q, steps=200)
    assert mean_absolute_error(learned, p, q) < most
    gap = theory.optimal_value(p, q) - theory.value(p, q, learned.logit)
    assert 0 <= gap < most
    assert np.mean(learned.losses[-20:]) < np.mean(learned.losses[:3])


def test_longer_training_comes_closer():
    p, q, _ = PAIRS["gaussians"]
    errors = [
        mean_absolute_error(fit_discriminator(p, q, steps=n, batch_size=256), p, q)
        for n in (5, 40, 160)
    ]
    assert errors[0] > 2 * errors[1] > 2 * errors[2]


def test_equal_densities_leave_it_at_one_half():
    p = Gaussian([0.0, 1.0], 1.0)
    learned = fit_discriminator(p, p, steps=100, hidden=(16,))
    d = learned.probability(p.sample(500, np.random.default_rng(0)))
    assert d.shape == (500,) and np.abs(d - 0.5).max() < 0.1


def constant(logit: float) -> LearnedDiscriminator:
    learned = fit_discriminator(Gaussian(), Gaussian(), steps=1, hidden=())
    with torch.no_grad():
        learned.network.layers[0].weight.zero_()
        learned.network.layers[0].bias.fill_(logit)
    return learned


def test_the_error_of_a_known_discriminator():
    half = constant(0.0)
    assert mean_absolute_error(half, Gaussian(), Gaussian()) == pytest.approx(0, abs=1e-12)
    # D* is 1 or 0 on disjoint supports: every D of 1/2 is off by 1/2.
    assert mean_absolute_error(half, Uniform(0, 1), Uniform(2, 3)) == pytest.approx(0.5)
    # mean |1/2 - D*| over m is half the total variation.
    p, q = Gaussian(0, 1), Gaussian(1, 2)
    assert mean_absolute_error(half, p, q) == pytest.approx(theory.total_variation(p, q) / 2)
    np.testing.assert_allclose(constant(2.0).logit([[0.0, 1.0]]), [[2.0, 2.0]])


def test_equal_seeds_give_equal_networks_and_leave_the_global_seed_alone():
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    runs = [fit_discriminator(Gaussian(), Gaussian(1), steps=5, seed=s) for s in (3, 3, 4)]
    assert torch.equal(torch.rand(3), expected)
    assert runs[0].losses == runs[1].losses != runs[2].losses


@pytest.mark.parametrize(
    "call, says",
    [
        (lambda: fit_discriminator(Gaussian(), Gaussian([0, 0])), "1 and 2 dimensions"),
        (lambda: fit_discriminator(Discrete(["a"]), Discrete(["b"])), "takes numbers"),
        (lambda: fit_discriminator(Discrete([0.0]), Gaussian()), "cannot be compared"),
        (lambda: fit_discriminator(Gaussian(), Gaussian(), steps=0), "1 or more"),
        (lambda: fit_discriminator(Gaussian(), Gaussian(), lr=0), "must be positive"),
    ],
)
def test_bad_input_is_refused(call, says):
    with pytest.raises(GancourseError, match=says):
        call()
