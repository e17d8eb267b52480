"""FID and its streaming statistics: closed forms, other implementations, bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse import metrics
from gancourse.errors import GancourseError


def gaussian(mean, cov):
    """Population statistics, set by hand."""
    cov = torch.tensor(cov, dtype=torch.float64)
    return metrics.Statistics(torch.tensor(mean, dtype=torch.float64), cov, n=1000)


def features(seed, count=300, width=6):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(count, width)) @ rng.normal(size=(width, width)))


def test_fid_of_diagonal_gaussians_is_the_sum_over_axes():
    a = gaussian([1.0, 0.0, 2.0], np.diag([1.0, 4.0, 9.0]))
    b = gaussian([0.0, 2.0, 2.0], np.diag([4.0, 4.0, 1.0]))
    # (1 + 4 + 0) from the means, (1 - 2)^2 + 0 + (3 - 1)^2 from the standard deviations.
    assert metrics.fid(a, b) == pytest.approx(10.0, abs=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, math.pi / 2])
def test_fid_of_plane_gaussians_that_do_not_commute(angle):
    # In the plane tr sqrt(A B) = sqrt(tr(A B) + 2 sqrt(det(A B))).
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    a, b = np.diag([9.0, 0.25]), turn @ np.diag([4.0, 1.0]) @ turn.T
    root = math.sqrt(np.trace(a @ b) + 2 * math.sqrt(np.linalg.det(a @ b)))
    expected = 5.0 + np.trace(a) + np.trace(b) - 2 * root
    assert metrics.fid(gaussian([1.0, 2.0], a), gaussian([0.0, 0.0], b)) == pytest.approx(
        expected, rel=1e-12
    )


def test_fid_of_a_set_with_itself_is_zero_also_with_fewer_samples_than_features():
    for count in (300, 4):
        stats = metrics.statistics(features(0, count))
        assert 0.0 <= metrics.fid(stats, stats) < 1e-6


def test_fid_is_symmetric():
    a, b = metrics.statistics(features(0)), metrics.statistics(features(1))
    assert metrics.fid(a, b) == pytest.approx(metrics.fid(b, a), rel=1e-10)


def test_fid_agrees_with_torch_fidelity():
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    real, fake = features(0), features(1, count=200)
    theirs = fid_statistics_to_metric(
        fid_features_to_statistics(real), fid_features_to_statistics(fake), verbose=False
    )["frechet_inception_distance"]
    ours = metrics.fid(metrics.statistics(real), metrics.statistics(fake))
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_fid_agrees_with_torchmetrics():
    from torchmetrics.image.fid import FrechetInceptionDistance

    class Pixels(torch.nn.Module):
        """Images of 3 x 2 x 2 pixels are their own features."""

        num_features = 12

        def forward(self, images):
            return images.flatten(1).double()

    rng = torch.Generator().manual_seed(0)
    real = torch.randint(0, 256, (80, 3, 2, 2), generator=rng, dtype=torch.uint8)
    fake = torch.randint(0, 200, (60, 3, 2, 2), generator=rng, dtype=torch.uint8)
    theirs = FrechetInceptionDistance(feature=Pixels(), normalize=False).set_dtype(torch.float64)
    theirs.update(real, real=True)
    theirs.update(fake, real=False)
    ours = metrics.fid(metrics.statistics(real.flatten(1)), metrics.statistics(fake.flatten(1)))
    assert ours == pytest.approx(float(theirs.compute()), rel=1e-9)


def test_statistics_are_numpys_mean_and_covariance():
    rows = features(3)
    stats = metrics.statistics(rows.float())
    assert stats.n == 300 and stats.mean.dtype == stats.cov.dtype == torch.float64
    rows = rows.float().double().numpy()
    np.testing.assert_allclose(stats.mean.numpy(), rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(stats.cov.numpy(), np.cov(rows, rowvar=False), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8),
    width=st.integers(1, 5),
    offset=st.sampled_from([0.0, 1.0, 1e4]),
    seed=st.integers(0, 2**32 - 1),
)
def test_batches_give_what_all_rows_at_once_give(sizes, width, offset, seed):
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy(rng.normal(size=(sum(sizes), width)) + offset)
    first, *rest = rows.split(sizes)
    streamed = metrics.statistics(first)
    for batch in rest:
        streamed.update(batch)
    whole = metrics.statistics(rows)
    assert streamed.n == whole.n
    scale = float(whole.cov.abs().max())
    torch.testing.assert_close(streamed.mean, whole.mean, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(streamed.cov, whole.cov, rtol=1e-10, atol=1e-10 * scale)


def test_a_large_mean_costs_no_accuracy():
    rows = torch.from_numpy(np.random.default_rng(0).integers(-50, 50, (400, 3)).astype(float))
    streamed = metrics.statistics(rows[:7] + 1e8)
    for batch in rows[7:].split(33):
        streamed.update(batch + 1e8)
    torch.testing.assert_close(streamed.cov, metrics.statistics(rows).cov, rtol=1e-10, atol=1e-6)


def test_merge_of_two_streams():
    rows = features(5)
    left, right = metrics.statistics(rows[:100]), metrics.statistics(rows[100:])
    left.merge(right)
    torch.testing.assert_close(left.cov, metrics.statistics(rows).cov, rtol=1e-10, atol=1e-12)


def test_bad_input_is_refused_and_changes_nothing():
    stats = metrics.statistics(features(0))
    before = stats.cov.clone()
    broken = features(1)
    broken[7, 2] = math.nan
    with pytest.raises(GancourseError, match=r"NaN or infinity in 1 of 300 rows \(first: row 7"):
        stats.update(broken)
    with pytest.raises(GancourseError, match="6 and 4 columns"):
        stats.update(features(1, width=4))
    with pytest.raises(GancourseError, match="Too few samples"):
        stats.update(torch.zeros(0, 6))
    assert torch.equal(stats.cov, before) and stats.n == 300

    with pytest.raises(GancourseError, match="at least 2"):
        metrics.fid(stats, metrics.statistics(features(0, count=1)))
    with pytest.raises(GancourseError, match="6 and 4 columns"):
        metrics.fid(stats, metrics.statistics(features(1, width=4)))
    with pytest.raises(GancourseError, match="NaN"):
        metrics.fid(stats, gaussian([math.nan] * 6, np.eye(6)))
    with pytest.raises(GancourseError, match="matrix N x F, not 4"):
        metrics.statistics(torch.zeros(4))
