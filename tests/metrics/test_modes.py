"""Mode coverage on rings and grids."""

import math

import pytest
import torch

from gancourse import data, metrics
from gancourse.errors import GancourseError


def ring(count=8):
    angles = torch.arange(count) * (2 * math.pi / count)
    return torch.stack([angles.cos(), angles.sin()], dim=1)


def test_points_on_the_modes_cover_all_of_them_evenly():
    found = metrics.mode_coverage(ring().repeat(10, 1), ring(), std=0.01)
    assert (found.n, found.modes, found.modes_covered) == (80, 8, 8)
    assert found.high_quality == 1.0 and found.histogram == (10,) * 8
    assert found.kl == pytest.approx(0.0, abs=1e-12)


def test_lost_modes_and_stray_points():
    modes = ring()
    points = torch.cat([modes[:1].repeat(6, 1), modes[3:4].repeat(2, 1), torch.zeros(2, 2)])
    found = metrics.mode_coverage(points, modes, std=0.02)
    assert found.modes_covered == 2 and found.high_quality == 0.8
    assert found.histogram == (6, 0, 0, 2, 0, 0, 0, 0)
    assert found.kl == pytest.approx(0.75 * math.log(6) + 0.25 * math.log(2))


def test_one_mode_only_has_the_largest_divergence():
    assert metrics.mode_coverage(ring()[:1], ring(), 0.02).kl == pytest.approx(math.log(8))


def test_three_standard_deviations_are_the_border():
    modes = torch.tensor([[0.0, 0.0]])
    points = torch.tensor([[0.75, 0.0], [0.0, -0.7499], [0.7501, 0.0], [0.6, 0.6]])
    assert metrics.mode_coverage(points, modes, std=0.25).high_quality == 0.5


def test_no_high_quality_point():
    found = metrics.mode_coverage(torch.full((5, 2), 9.0), ring(), std=0.02)
    assert (found.modes_covered, found.high_quality, found.kl) == (0, 0.0, None)


@pytest.mark.parametrize("name", ["ring", "grid"])
def test_the_true_density_covers_every_mode_with_the_quality_theory_gives(name):
    toy = data.load(name, n=2500, seed=0)
    found = metrics.mode_coverage(toy.points, toy.modes, toy.std)
    assert found.modes_covered == found.modes == len(toy.modes)
    expected = 1 - math.exp(-4.5)
    spread = math.sqrt(expected * (1 - expected) / 2500)
    assert abs(found.high_quality - expected) < 4 * spread
    assert found.kl < 0.02


def test_bad_input_is_refused():
    with pytest.raises(GancourseError, match="std must be positive"):
        metrics.mode_coverage(ring(), ring(), 0.0)
    with pytest.raises(GancourseError, match="Too few samples: 0 modes"):
        metrics.mode_coverage(ring(), torch.zeros(0, 2), 0.1)
    with pytest.raises(GancourseError, match="points hold NaN"):
        metrics.mode_coverage(ring() * math.nan, ring(), 0.1)
    with pytest.raises(GancourseError, match="3 and 2 columns"):
        metrics.mode_coverage(torch.zeros(4, 3), ring(), 0.1)
