"""KID: hand-computed values, torch-fidelity on the same features, bad input."""

import math

import pytest
import torch

from gancourse import metrics
from gancourse.errors import GancourseError


def test_kid_of_two_points_each_by_hand():
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [2.0]])
    # k(x, y) = (x y + 1)^3: within 1 and 1; across 1, 1, 1 and 27, mean 7.5.
    mean, std = metrics.kid(real, fake, subsets=1, subset_size=2)
    assert (mean, std) == (1 + 1 - 2 * 7.5, 0.0)


def test_kid_divides_by_the_width():
    real = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
    fake = torch.tensor([[2.0, 2.0], [2.0, 2.0], [2.0, 2.0]])
    # k(x, y) = (x.y / 2 + 1)^3. Within real: 1, 27, 27; within fake: 125; across: 27, 27, 125.
    mean, _ = metrics.kid(real, fake, subsets=1, subset_size=3)
    assert mean == pytest.approx(55 / 3 + 125 - 2 * 179 / 3, abs=1e-12)


def test_kid_agrees_with_torch_fidelity():
    from torch_fidelity.metric_kid import kid_features_to_metric

    rng = torch.Generator().manual_seed(0)
    real = torch.randn(90, 8, generator=rng, dtype=torch.float64)
    fake = torch.randn(90, 8, generator=rng, dtype=torch.float64) * 1.2 + 0.1
    theirs = kid_features_to_metric(real, fake, kid_subsets=1, kid_subset_size=90, verbose=False)
    ours, _ = metrics.kid(real, fake, subsets=1, subset_size=90)
    assert ours == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-10)


def test_kid_of_equal_distributions_is_zero_within_its_error_and_finds_a_shift():
    rng = torch.Generator().manual_seed(1)
    real, same = torch.randn(2, 2000, 16, generator=rng)
    mean, std = metrics.kid(real, same, subsets=50, subset_size=200)
    assert abs(mean) < std
    shifted, _ = metrics.kid(real, same + 0.5, subsets=50, subset_size=200)
    assert shifted > 5 * std


def test_kid_is_reproducible_and_its_seed_matters():
    rng = torch.Generator().manual_seed(2)
    real, fake = torch.randn(2, 100, 4, generator=rng)
    first = metrics.kid(real, fake, subsets=5, subset_size=50)
    assert first == metrics.kid(real, fake, subsets=5, subset_size=50)
    assert first != metrics.kid(real, fake, subsets=5, subset_size=50, seed=1)


def test_bad_input_is_refused():
    rows = torch.zeros(10, 3)
    with pytest.raises(GancourseError, match="subsets of 1000, and there are 10 real"):
        metrics.kid(rows, rows)
    with pytest.raises(GancourseError, match="3 and 2 columns"):
        metrics.kid(rows, rows[:, :2], subset_size=5)
    with pytest.raises(GancourseError, match="at least 2 samples"):
        metrics.kid(rows, rows, subset_size=1)
    with pytest.raises(GancourseError, match="fake features hold NaN"):
        metrics.kid(rows, rows + math.inf, subset_size=5)
