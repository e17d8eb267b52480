"""What the chapter derives, by numbers; and what it writes out is what the package does."""

from __future__ import annotations

import math

import pytest
import torch

from gancourse.metrics.symptoms import reversals
from gancourse.metrics.variety import _nearest_other, energy_distance, nearness
from tests.chapters.pages import what_it_needs


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def chapter():
    return what_it_needs("diagnosing-a-run", "turns, nearest_other, energy")


@pytest.mark.parametrize("seed", range(5))
def test_a_lead_bounds_total_variation_errors_and_the_generators_loss(seed):
    """Discrete distributions over 20 points, where every quantity is a sum."""
    p, q = torch.rand(2, 20, generator=rng(seed), dtype=torch.float64).pow(4)
    p, q = p / p.sum(), q / q.sum()
    best = (p > q).double()
    noisy = torch.rand(20, generator=rng(seed + 50), dtype=torch.float64)
    for d in (best.clamp(0.02, 0.98), p / (p + q), noisy, 0.7 * best + 0.3 * noisy):
        a, b = (p * d).sum(), (q * d).sum()
        assert a - b <= (p - q).abs().sum() / 2 + 1e-12
        assert p[d <= 0.5].sum() <= 2 * (1 - a) + 1e-12
        assert q[d >= 0.5].sum() <= 2 * b + 1e-12
        assert -(q * d.log()).sum() >= -b.log() - 1e-12
    # The bound is reached by the best discriminator, so it cannot be sharpened.
    assert (best * (p - q)).sum() == pytest.approx(float((p - q).abs().sum() / 2))


@pytest.mark.parametrize("seed", range(5))
def test_a_monotone_series_with_small_errors_has_no_turn(chapter, seed):
    way = 0.1
    steps = torch.rand(200, generator=rng(seed), dtype=torch.float64).pow(8)
    errors = way * (torch.rand(200, generator=rng(seed + 9), dtype=torch.float64) - 0.5) * 0.999
    for sign in (1, -1):
        values = (sign * steps.cumsum(0) + errors).tolist()
        assert chapter["turns"](values, way) == reversals(values, way) == 0
    wave = [0.06 * math.sin(2 * math.pi * t / 10) for t in range(51)]
    assert chapter["turns"](wave, way) == reversals(wave, way) == 8


@pytest.mark.parametrize("seed", range(10))
def test_turns_written_out_are_the_package_s(chapter, seed):
    walk = torch.randn(300, generator=rng(seed)).cumsum(0).tolist()
    for way in (0.5, 2, 6):
        assert chapter["turns"](walk, way) == reversals(walk, way)
    assert reversals(walk, 2) > 3


@pytest.mark.parametrize("m", [20, 180, 260, 1000])
def test_twins_among_draws_are_as_frequent_as_derived(m):
    n, tries = 180, 400
    draws = torch.randint(0, m, (tries, n), generator=rng(m))
    equal = draws[:, :, None] == draws[:, None, :]
    pairs = (equal.sum((1, 2)) - n).double() / 2
    expected = n * (n - 1) / (2 * m)
    assert float(pairs.mean()) == pytest.approx(expected, rel=0.08)
    share = (equal.sum(2) > 1).double().mean()
    assert float(share) == pytest.approx(1 - (1 - 1 / m) ** (n - 1), abs=0.02)
    assert 1 - (1 - 1 / m) ** (n - 1) == pytest.approx(1 - math.exp(-(n - 1) / m), abs=0.01)


def test_the_nearest_other_written_out_is_the_package_s(chapter):
    rows = torch.randn(50, 6, generator=rng(0), dtype=torch.float64)
    assert float(chapter["nearest_other"](rows)) == pytest.approx(_nearest_other(rows))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("train_size", [100, 800])
def test_nearness_is_one_for_honest_draws_and_zero_for_copies(seed, train_size):
    def draw(n):
        return torch.randint(0, 256, (n, 1, 3, 3), generator=generator, dtype=torch.uint8)

    generator = rng(seed)
    train, test, samples = draw(train_size), draw(600), draw(600)
    honest = nearness(samples, train, test, (), rng(seed))
    assert 0.85 < honest.samples / honest.real < 1.15
    copies = nearness(torch.cat([train[:100], samples[:90]]), train, test, (), rng(seed))
    assert copies.samples == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_energy_distance_is_twice_the_squared_distance_of_distribution_functions(seed):
    """Of two empirical distributions on the line, exactly, pairs of a point with itself included."""
    x = torch.randn(40, generator=rng(seed), dtype=torch.float64)
    y = 0.5 + torch.randn(30, generator=rng(seed + 9), dtype=torch.float64)
    t = torch.cat([x, y]).sort().values
    cdf_x, cdf_y = ((z <= t[:-1, None]).double().mean(1) for z in (x, y))
    integral = ((cdf_x - cdf_y).square() * t.diff()).sum()

    def mean(a, b):
        return (a[:, None] - b).abs().mean()

    assert float(2 * mean(x, y) - mean(x, x) - mean(y, y)) == pytest.approx(float(2 * integral))


def test_projections_give_the_energy_distance_up_to_a_factor():
    """The second half of the proof, in the plane: the mean of |v . u| is 2/pi of |v|."""
    v = torch.randn(100, 2, generator=rng(1), dtype=torch.float64)
    angles = 2 * math.pi * torch.arange(720, dtype=torch.float64) / 720
    u = torch.stack([angles.cos(), angles.sin()])
    torch.testing.assert_close(
        (v @ u).abs().mean(1), 2 / math.pi * v.norm(dim=1), rtol=1e-3, atol=0
    )


def test_energy_written_out_is_the_package_s(chapter):
    x = torch.randn(60, 4, generator=rng(0), dtype=torch.float64)
    y = 0.3 + torch.randn(40, 4, generator=rng(1), dtype=torch.float64)
    assert chapter["energy"](x, y) == pytest.approx(energy_distance(x, y), rel=1e-9)
