"""What the chapter "The game" states and proves, on random cases."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import expit, xlogy

from gancourse import losses
from gancourse.theory import (
    OBJECTIVES,
    Discrete,
    Gaussian,
    Laplace,
    Mixture,
    Uniform,
    discriminator_loss,
    expectation,
    generator_loss,
    value,
)

pytestmark = pytest.mark.filterwarnings("error")


def distributions(rng, *points):
    """Random probabilities on the points, one distribution for each argument."""
    return [Discrete(x, rng.dirichlet(np.ones(len(x)))) for x in points]


def test_an_expectation_over_noise_is_one_over_samples():
    """Any generator between finite sets, most of them sending several z to one x."""
    rng = np.random.default_rng(0)
    for _ in range(300):
        count = int(rng.integers(1, 9))
        noise = Discrete(rng.normal(size=count), rng.dirichlet(np.ones(count)))
        made = rng.integers(-3, 4, size=len(noise.points)).astype(float)
        samples = Discrete(made, noise.probs)
        values = rng.normal(size=7)

        def f(x, values=values):
            return values[np.asarray(x, dtype=int) + 3]

        assert expectation(samples, f) == pytest.approx(float(noise.probs @ f(made)), abs=1e-12)


@pytest.mark.parametrize(
    "noise", [Gaussian(), Laplace(), Uniform(-1, 1)], ids=lambda p: type(p).__name__
)
@pytest.mark.parametrize("sign", [1, -1])
def test_the_density_of_an_increasing_generator(noise, sign):
    """Probability of intervals, and expectations, by the density and by the noise."""

    def generator(z):
        return sign * (np.arcsinh(2 * z) + 0.3 * z)

    def density(x):
        low, high = -40.0, 40.0
        for _ in range(80):
            middle = (low + high) / 2
            if sign * generator(middle) < sign * x:
                low = middle
            else:
                high = middle
        slope = 2 / math.sqrt(1 + 4 * low**2) + 0.3
        return math.exp(noise.log_prob(low)) / slope

    for low, high in ((-1.5, -0.2), (0.1, 1.2), (-0.7, 0.9)):
        a, b = np.sort(generator(np.array([low, high])))
        mass = noise.cdf(high) - noise.cdf(low)
        assert quad(density, a, b, points=[0.0] if a < 0 < b else None)[0] == pytest.approx(mass)
    with_noise = expectation(noise, lambda z: np.cos(generator(z)))
    edge = abs(float(generator(noise.breaks()[0].max())))
    jumps = [0.0, *(() if edge > 15 else (-edge, edge))]
    with_density = quad(lambda x: math.cos(x) * density(x), -15, 15, points=jumps, limit=200)[0]
    assert with_density == pytest.approx(with_noise, abs=1e-5)


def test_cross_entropy_is_smallest_at_the_true_probability():
    rng = np.random.default_rng(1)
    pi, d = rng.random((2, 20_000))
    pi[:100], pi[100:200] = 0, 1
    d = np.clip(d, 1e-6, 1 - 1e-6)
    loss = -xlogy(pi, d) - xlogy(1 - pi, 1 - d)
    entropy = -xlogy(pi, pi) - xlogy(1 - pi, 1 - pi)
    with np.errstate(divide="ignore"):
        kl = xlogy(pi, pi / d) + xlogy(1 - pi, (1 - pi) / (1 - d))
    np.testing.assert_allclose(loss, entropy + kl, rtol=1e-9, atol=1e-9)
    # "Only there", as a number (Pinsker's inequality).
    assert (loss - entropy >= 2 * (pi - d) ** 2 - 1e-12).all()


def test_the_value_is_minus_twice_the_balanced_cross_entropy():
    rng = np.random.default_rng(2)
    for _ in range(300):
        p, q = distributions(rng, np.arange(5.0), np.arange(5.0))
        outputs = 3 * rng.normal(size=5)
        d = expit(outputs)
        # The four kinds of labelled points with their probabilities: a fair coin, then a point.
        expected = sum(
            0.5 * side.probs @ -(y * np.log(d) + (1 - y) * np.log(1 - d))
            for side, y in ((p, 1), (q, 0))
        )
        v = value(p, q, lambda x, outputs=outputs: outputs[x.astype(int)])
        assert v == pytest.approx(-2 * expected, rel=1e-9) and v <= 0
    real, fake = torch.randn(2, 64, generator=torch.Generator().manual_seed(0))
    targets = torch.cat([torch.ones(64), torch.zeros(64)])
    bce = torch.nn.functional.binary_cross_entropy_with_logits(torch.cat([real, fake]), targets)
    torch.testing.assert_close(losses.minimax_discriminator(real, fake), 2 * bce)


def test_both_losses_pull_a_sample_in_the_same_direction():
    torch.manual_seed(0)
    generator = torch.nn.Sequential(
        torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)
    ).double()
    discriminator = torch.nn.Sequential(
        torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1), torch.nn.Flatten(0)
    ).double()
    weights = [*generator.parameters()]
    for scale in (0.1, 1, 10):
        for z in scale * torch.randn(20, 1, 3).double():
            sample = generator(z)
            logit = discriminator(sample) * scale
            found = []
            for loss in (losses.non_saturating_generator, losses.minimax_generator):
                gradients = torch.autograd.grad(loss(logit), [sample, *weights], retain_graph=True)
                found.append(torch.cat([g.ravel() for g in gradients]))
            d = torch.sigmoid(logit).detach()
            torch.testing.assert_close(found[0], (1 - d) / d * found[1], rtol=1e-9, atol=1e-14)


def losses_summed(name, p, logits, q):
    """L_D + L_G at discriminators given by their logits on the points of p."""

    def logit(x):
        return logits[x.astype(int)]

    objective = OBJECTIVES[name]
    mine = discriminator_loss(objective, logit, p, q)
    return mine, generator_loss(objective, logit, q)


def test_only_the_saturating_loss_makes_the_game_zero_sum():
    """Saturating: the sum is -E log D. Non-saturating: no a, c(D), e(G) make it 0.

    If L_D + e(G) + a (L_G + c(D)) = 0, then L_D + a L_G is a function of D plus one of G, and its
    mixed difference over two discriminators and two generators is 0 for that a.
    """
    rng = np.random.default_rng(3)
    for _ in range(100):
        p, *generators = distributions(rng, *[np.arange(4.0)] * 3)
        players = 2 * rng.normal(size=(2, 4))
        for logits, q in product(players, generators):
            first, second = losses_summed("saturating", p, logits, q)
            left_over = p.probs @ np.logaddexp(0, -logits)
            assert first + second == pytest.approx(left_over, abs=1e-12)

    p = Discrete([0.0, 1.0])
    generators = Discrete([0.0, 1.0], [1, 0]), Discrete([0.0, 1.0], [0, 1])
    for a in np.geomspace(1e-3, 1e3, 61):
        half = np.zeros(2)
        mixed = []
        for other in (1.0, 5.0, 20.0, 2e4):
            total = {
                (i, j): first + a * second
                for i, logits in enumerate((half, np.array([0.0, other])))
                for j, q in enumerate(generators)
                for first, second in [losses_summed("non-saturating", p, logits, q)]
            }
            mixed.append(total[0, 0] - total[0, 1] - total[1, 0] + total[1, 1])
        assert max(map(abs, mixed)) > 0.05


def test_the_minibatch_estimates_the_value_without_bias():
    """Every minibatch of two points of each kind, each with its probability."""
    rng = np.random.default_rng(4)
    n = 2
    for _ in range(20):
        p, q = distributions(rng, np.arange(3.0), np.arange(3.0))
        logits = 2 * rng.normal(size=3)
        real, fake = -np.logaddexp(0, -logits), -np.logaddexp(0, logits)
        chances, estimates = [], []
        for x in product(range(3), repeat=n):
            for y in product(range(3), repeat=n):
                chances.append(np.prod(p.probs[list(x)]) * np.prod(q.probs[list(y)]))
                estimates.append(real[list(x)].mean() + fake[list(y)].mean())
        chances, estimates = np.array(chances), np.array(estimates)
        mean = chances @ estimates
        assert mean == pytest.approx(value(p, q, lambda x, t=logits: t[x.astype(int)]), abs=1e-12)
        variances = [
            side.probs @ f**2 - (side.probs @ f) ** 2 for side, f in ((p, real), (q, fake))
        ]
        spread = chances @ (estimates - mean) ** 2
        assert spread == pytest.approx(sum(variances) / n, abs=1e-12)


def test_a_conditional_game_is_an_average_of_games():
    rng = np.random.default_rng(5)
    labels = rng.dirichlet(np.ones(3))
    pairs = [distributions(rng, np.arange(4.0), np.arange(4.0)) for _ in labels]
    logits = rng.normal(size=(3, 4))
    joint = [
        Discrete(
            np.concatenate([4.0 * y + side.points for y, side in enumerate(sides)]),
            np.concatenate([w * side.probs for w, side in zip(labels, sides, strict=True)]),
        )
        for sides in zip(*pairs, strict=True)
    ]
    whole = value(*joint, lambda x: logits.ravel()[x.astype(int)])
    each = [value(p, q, lambda x, y=y: logits[y][x.astype(int)]) for y, (p, q) in enumerate(pairs)]
    assert whole == pytest.approx(float(labels @ each), abs=1e-12)


def test_mixture_of_losses_overflows_nowhere():
    logits = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4])
    for loss in (losses.minimax_generator, losses.non_saturating_generator):
        leaf = logits.clone().requires_grad_()
        loss(leaf).backward()
        assert torch.isfinite(loss(leaf)) and torch.isfinite(leaf.grad).all()
    p, q = Mixture([Gaussian(-3), Gaussian(3)]), Gaussian(0, 0.5)
    assert math.isfinite(value(p, q, lambda x: 1e4 * np.sin(x)))
