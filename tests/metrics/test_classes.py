"""Inception score and class report."""

import math

import pytest
import torch

from gancourse import metrics
from gancourse.errors import GancourseError


def one_hot(labels, classes):
    return torch.nn.functional.one_hot(torch.tensor(labels), classes).double()


def test_inception_score_at_its_two_ends():
    even = torch.full((20, 4), 0.25)
    assert metrics.inception_score(even, splits=2) == pytest.approx((1.0, 0.0))
    sure = one_hot([0, 1, 2, 3] * 5, 4)
    assert metrics.inception_score(sure, splits=5) == pytest.approx((4.0, 0.0))


def test_inception_score_of_unequal_parts_by_hand():
    # The first part is all one class (score 1), the second two classes evenly (score 2).
    mean, std = metrics.inception_score(one_hot([0, 0, 0, 1], 2), splits=2)
    assert (mean, std) == pytest.approx((1.5, 0.5))


def test_inception_score_agrees_with_torch_fidelity():
    from torch_fidelity.metric_isc import isc_features_to_metric

    logits = 3 * torch.randn(200, 10, generator=torch.Generator().manual_seed(0)).double()
    theirs = isc_features_to_metric(logits, splits=10, shuffle=False)
    ours = metrics.inception_score(logits.softmax(dim=1), splits=10)
    assert ours == pytest.approx(
        (theirs["inception_score_mean"], theirs["inception_score_std"]), rel=1e-10
    )


def test_class_report_by_hand():
    probabilities = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.4, 0.0], [0.0, 0.3, 0.7]])
    report = metrics.class_report(probabilities)
    assert report.n == 3
    assert report.confidence == pytest.approx(0.7)
    assert report.histogram == (2, 0, 1)
    assert report.classes_covered == 2
    assert report.entropy == pytest.approx(-(2 / 3) * math.log(2 / 3) - math.log(1 / 3) / 3)


def test_a_class_counts_from_a_tenth_of_an_even_share():
    # 400 images, 4 classes: an even share is 100, a tenth of it 10.
    labels = [0] * 331 + [1] * 50 + [2] * 10 + [3] * 9
    assert metrics.class_report(one_hot(labels, 4)).classes_covered == 3
    even = metrics.class_report(one_hot([0, 1, 2, 3], 4))
    assert even.classes_covered == 4 and even.entropy == pytest.approx(math.log(4))


@pytest.mark.parametrize(
    "rows", [torch.randn(20, 3), torch.full((20, 3), 0.5), torch.tensor([[1.5, -0.5]] * 20)]
)
def test_rows_that_are_no_probabilities_are_refused(rows):
    for metric in (metrics.inception_score, metrics.class_report):
        with pytest.raises(GancourseError, match="no class probabilities"):
            metric(rows)


def test_too_few_samples_are_refused():
    with pytest.raises(GancourseError, match="Too few samples: 5 class probabilities"):
        metrics.inception_score(one_hot([0] * 5, 2))
    with pytest.raises(GancourseError, match="splits must be at least 1"):
        metrics.inception_score(one_hot([0] * 5, 2), splits=0)
    with pytest.raises(GancourseError, match="Too few samples"):
        metrics.class_report(torch.zeros(0, 3))
