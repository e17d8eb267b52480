"""The theorems of the chapter "Vanishing gradients" (claim T12)."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.special import expit, ndtr
from torch import nn
from torch.nn.functional import softplus

from gancourse.theory import (
    OBJECTIVES,
    Discrete,
    Gaussian,
    Mixture,
    best_output,
    discriminator_loss,
    expectation,
    generator_loss,
    optimal_discriminator,
    wasserstein_1,
)

pytestmark = pytest.mark.filterwarnings("error")


def network(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, outputs)).double()


def flat(gradients):
    return torch.cat([g.flatten() for g in gradients])


def test_the_chain_rule():
    """Against autograd, for random generators and logits in three dimensions."""
    for seed in range(20):
        torch.manual_seed(seed)
        generator, logit = network(2, 5, 3), network(3, 5, 1)
        z = torch.randn(30, 2, dtype=torch.float64)
        weights = tuple(generator.parameters())
        x = generator(z)
        t = logit(x)
        (slopes,) = torch.autograd.grad(t.sum(), x, retain_graph=True)
        for loss, factor in (
            (-softplus(t), -torch.sigmoid(t)),
            (softplus(-t), -torch.sigmoid(-t)),
        ):
            whole = flat(torch.autograd.grad(loss.mean(), weights, retain_graph=True))
            # J^T times a vector, summed over the samples.
            pulled = torch.autograd.grad(x, weights, factor * slopes / len(z), retain_graph=True)
            torch.testing.assert_close(whole, flat(pulled), rtol=1e-10, atol=1e-14)


def plateau(x):
    """Infinitely differentiable: 1 up to 1, 0 from 2 on."""
    u = (x - 1).clamp(1e-3, 1 - 1e-3)
    falling, rising = torch.exp(-1 / (1 - u)), torch.exp(-1 / u)
    inside = falling / (falling + rising)
    return torch.where(x <= 1, torch.ones_like(x), torch.where(x >= 2, torch.zeros_like(x), inside))


def test_a_perfect_discriminator():
    for seed in range(10):
        torch.manual_seed(seed)
        generator = network(2, 5, 1)
        real = 0.9 * torch.rand(200, 1, dtype=torch.float64)
        fake = 2.5 + torch.tanh(generator(torch.randn(200, 2, dtype=torch.float64))) / 3
        assert (torch.log(plateau(real)) == 0).all()
        loss = torch.log(1 - plateau(fake)).mean()
        assert loss == 0
        gradients = torch.autograd.grad(loss, generator.parameters())
        assert all((gradient == 0).all() for gradient in gradients)


def test_the_gradient_is_at_most_the_discriminator_s_loss():
    """Generators that shift and stretch noise, x = a + b z, and random logits."""
    for seed in range(50):
        torch.manual_seed(seed)
        logit = network(1, 8, 1)
        z = torch.rand(500, 1, dtype=torch.float64) * 2 - 1
        real = torch.randn(500, 1, dtype=torch.float64)
        weights = torch.tensor([3.0, 1.0], dtype=torch.float64, requires_grad=True)
        x = weights[0] + weights[1] * z
        t = 10 * (logit(x) - 1)
        (slopes,) = torch.autograd.grad(t.sum(), x, retain_graph=True)
        d = torch.sigmoid(t)
        loss_d = (softplus(-10 * (logit(real) - 1)).mean() + softplus(t).mean()).item()
        # J is the row (1, z).
        steepest, moved = slopes.abs().max().item(), (1 + z.square()).max().sqrt().item()
        saturating, other = (
            torch.autograd.grad(loss.mean(), weights, retain_graph=True)[0].norm().item()
            for loss in (-softplus(t), softplus(-t))
        )
        share = d.mean().item()
        assert saturating <= steepest * moved * share * (1 + 1e-9)
        assert share <= loss_d
        if slopes.min() * slopes.max() > 0:
            least = slopes.abs().min().item()
            assert other >= least * (1 - share) * (1 - 1e-9)
            assert least * (1 - share) >= least * (1 - loss_d)
        epsilon = max(d.max().item(), (d * (1 - d) * slopes).abs().max().item())
        if epsilon < 1:
            assert saturating <= moved * epsilon / (1 - epsilon) * (1 + 1e-9)


def mean_of_d(theta, s):
    """The formula of the theorem, by the trapezoidal rule."""
    w = np.linspace(-12 * s, 12 * s, 4001)
    weight = np.exp(-((w / s) ** 2) / 2)
    inner = weight / weight.sum() / (2 * np.cosh(theta * w / (2 * s**2)))
    return math.exp(-(theta**2) / (8 * s**2)) * float(inner.sum())


def central(function, at, h):
    return (function(at + h) - function(at - h)) / (2 * h)


GAUSSIANS = [(s, s * ratio) for s in (0.3, 1.0, 4.0) for ratio in (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)]


@pytest.mark.parametrize(("s", "theta"), GAUSSIANS)
def test_both_gradients_exactly(s, theta):
    p, q = Gaussian(0, s), Gaussian(theta, s)
    e = expectation(q, optimal_discriminator(p, q))
    assert e == pytest.approx(mean_of_d(theta, s), rel=1e-9)
    predicted = {"saturating": theta / s**2 * e, "non-saturating": theta / s**2 * (1 - e)}
    for name, gradient in predicted.items():
        held = best_output(name, p, q)
        felt = central(
            lambda a, n=name, t=held: generator_loss(n, t, Gaussian(a, s)), theta, 1e-3 * s
        )
        assert felt == pytest.approx(gradient, abs=2e-6 / s)
    decay = math.exp(-(theta**2) / (8 * s**2))
    top = min(theta / (2 * s**2), math.sqrt(math.pi / 2) / s) * decay
    assert theta / s**2 * ndtr(-theta / (2 * s)) <= predicted["saturating"] <= top
    assert theta / (2 * s**2) <= predicted["non-saturating"] <= theta / s**2


@pytest.mark.parametrize("theta", [0.5, 2.0, 4.0])
def test_the_non_saturating_gradient_descends_its_divergence(theta):
    for name, share in (
        ("saturating", mean_of_d),
        ("non-saturating", lambda a, s: 1 - mean_of_d(a, s)),
    ):
        descends = OBJECTIVES[name].descends
        slope = central(lambda a, f=descends: f(Gaussian(0, 1), Gaussian(a, 1)), theta, 1e-3)
        assert slope == pytest.approx(theta * share(theta, 1.0), abs=1e-5)


@pytest.mark.parametrize(("s", "theta"), GAUSSIANS)
def test_equal_noise_unequal_signal(s, theta):
    p, q = Gaussian(0, s), Gaussian(theta, s)
    best = optimal_discriminator(p, q)
    e = expectation(q, best)
    assert expectation(q, lambda x: best(x) ** 2) == pytest.approx(e / 2, rel=1e-9)
    variance = expectation(q, lambda x: (best(x) - e) ** 2)
    other = expectation(q, lambda x: (1 - best(x) - (1 - e)) ** 2)
    assert variance == pytest.approx(e / 2 - e**2, abs=1e-12)
    assert other == pytest.approx(variance, rel=1e-9)
    assert variance / e**2 == pytest.approx(1 / (2 * e) - 1, rel=1e-6, abs=1e-9)
    assert 1 / (2 * e) - 1 >= math.exp(theta**2 / (8 * s**2)) - 1
    assert variance / (1 - e) ** 2 <= e / (2 * (1 - e) ** 2) <= 1


def test_a_ratio_without_a_mean():
    rng = np.random.default_rng(0)
    a, b = 2.0, 0.5
    ratio = a * rng.standard_normal(200_000) / (b * rng.standard_normal(200_000))
    for y in (-10.0, -1.0, 0.0, 3.0, 20.0):
        wanted = 0.5 + math.atan(y * b / a) / math.pi
        assert (ratio <= y).mean() == pytest.approx(wanted, abs=0.005)
    # The mean of 1,000 is as wide as one: its quartiles are those of the same Cauchy density.
    means = ratio.reshape(200, 1000).mean(axis=1)
    assert (np.abs(means) > a / b).mean() == pytest.approx(0.5, abs=0.12)


def test_a_lipschitz_discriminator_is_never_perfect():
    rng = np.random.default_rng(1)
    nearest = math.inf
    for _ in range(60):
        p, q = (Discrete(np.sort(rng.normal(0, 3, 6)), rng.dirichlet(np.ones(6))) for _ in range(2))
        slope = math.exp(rng.uniform(-2, 1))
        knots = np.linspace(-12, 12, 25)
        heights = np.cumsum(slope * rng.uniform(-1, 1, 25))

        def logit(x, knots=knots, heights=heights):
            return np.interp(x, knots, heights)

        rising = slope * np.sign(p.points @ p.probs - q.points @ q.probs)

        def line(x, rising=rising):
            return rising * x

        floor = 2 * math.log1p(math.exp(-slope * wasserstein_1(p, q) / 2))
        for output in (logit, line):
            loss = discriminator_loss("saturating", output, p, q)
            nearest = min(nearest, loss - floor)
            assert loss >= floor - 1e-12
    # Two points reach the bound.
    p, q = Discrete([1.5]), Discrete([-1.5])
    loss = discriminator_loss("saturating", lambda x: 2 * x, p, q)
    assert loss == pytest.approx(2 * math.log1p(math.exp(-3)))
    assert nearest < 1


def test_a_tanh_at_the_output_only_shrinks_the_gradient():
    """Claim X5: it multiplies by 1 - tanh^2, and the factor D is there all the same."""
    for seed in range(20):
        torch.manual_seed(seed)
        logit = network(3, 5, 1)
        a = (4 * torch.randn(200, 3, dtype=torch.float64)).requires_grad_()
        x = torch.tanh(a)
        t = logit(x) - 15  # a discriminator that is sure of every sample
        before, after = torch.autograd.grad(-softplus(t).sum(), (a, x))
        assert (before.abs() <= after.abs()).all()
        driven = a.abs() > 9  # to black or white
        assert driven.any() and (before.abs() < 1e-6 * after.abs())[driven].all()
        assert before.abs().max() < 1e-4


@pytest.mark.parametrize("theta", [1.0, 4.0, 8.0])
def test_two_remedies(theta):
    s, eta = 1.0, 2.0
    # Noise: the convolution, as a fine mixture of shifted densities, is the wider Gaussian.
    z = np.linspace(-8, 8, 65)
    weights = np.exp(-(z**2) / 2)
    weights /= weights.sum()
    blurred = Mixture([Gaussian(theta + eta * step, s) for step in z], weights)
    wide = Gaussian(theta, math.hypot(s, eta))
    x = np.linspace(-10, 20, 61)
    np.testing.assert_allclose(np.exp(blurred.log_prob(x)), np.exp(wide.log_prob(x)), atol=1e-9)
    assert mean_of_d(theta, math.hypot(s, eta)) > mean_of_d(theta, s)
    slope = central(lambda a: wasserstein_1(Gaussian(0, s), Gaussian(a, s)), theta, 1e-3)
    assert slope == pytest.approx(1, abs=1e-9)
    assert wasserstein_1(Gaussian(0, s), Gaussian(theta, s)) == pytest.approx(theta)


def test_float32_and_the_logarithm_of_a_sigmoid():
    t = torch.tensor([-120.0], requires_grad=True)
    with torch.no_grad():
        assert torch.log(1 - torch.sigmoid(t)).item() == 0
    (naive,) = torch.autograd.grad(-torch.log(torch.sigmoid(t)).sum(), t)
    (stable,) = torch.autograd.grad(softplus(-t).sum(), t)
    assert not torch.isfinite(naive).all() and stable.item() == -1
    assert expit(-120.0) > 0
