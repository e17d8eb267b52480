"""Precision, recall, density, coverage: known answers, a naive loop, torch-fidelity, bad input."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse import metrics
from gancourse.errors import GancourseError
from gancourse.metrics import neighbours


def on_a_line(*values):
    return torch.tensor(values, dtype=torch.float32)[:, None]


def naive(real, fake, k):
    """All four scores by loops over pairs, as the papers define them."""

    def distance(x, y):
        return math.dist(x.tolist(), y.tolist())

    def radius(rows, i):
        return sorted(distance(rows[i], other) for j, other in enumerate(rows) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    fake_radii = [radius(fake, j) for j in range(len(fake))]
    inside = np.array(
        [[distance(x, y) <= r for y in fake] for x, r in zip(real, real_radii, strict=True)]
    )
    precision = inside.any(axis=0).mean()
    recall = np.mean(
        [any(distance(x, y) <= r for y, r in zip(fake, fake_radii, strict=True)) for x in real]
    )
    return precision, recall, inside.sum() / (k * len(fake)), inside.any(axis=1).mean()


def test_hand_made_sets():
    real, fake = on_a_line(0, 1, 2, 10), on_a_line(0.5, 20)
    # Real radii 1, 1, 1, 8: only 0.5 lies inside, in the balls of 0 and 1.
    # Fake radii 19.5: every real point lies inside one.
    assert metrics.precision_recall(real, fake, k=1) == (0.5, 1.0)
    assert metrics.density_coverage(real, fake, k=1) == (2 / (1 * 2), 2 / 4)


def test_the_second_neighbour_widens_the_balls():
    real, fake = on_a_line(0, 1, 3, 7), on_a_line(4.5, 8, 30)
    # Real radii for k = 2: 3, 2, 3, 6. 4.5 is in the balls of 3 and 7, 8 in that of 7, 30 in none.
    # Fake radii for k = 2: 25.5, 22, 25.5.
    assert metrics.precision_recall(real, fake, k=2) == (2 / 3, 1.0)
    assert metrics.density_coverage(real, fake, k=2) == (3 / (2 * 3), 2 / 4)


def test_a_collapsed_generator_is_precise_but_covers_little():
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(400, 2, generator=rng)
    fake = real[:1] + 1e-3 * torch.randn(400, 2, generator=rng)
    precision, recall = metrics.precision_recall(real, fake)
    density, coverage = metrics.density_coverage(real, fake)
    assert precision == 1.0 and recall < 0.05 and coverage < 0.1 and density > 0.5


def test_sets_far_apart_share_nothing():
    rng = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 50, 3, generator=rng)
    assert metrics.precision_recall(real, fake + 100) == (0.0, 0.0)
    assert metrics.density_coverage(real, fake + 100) == (0.0, 0.0)


@settings(max_examples=25, deadline=None)
@given(
    real_count=st.integers(6, 25),
    fake_count=st.integers(6, 25),
    width=st.integers(1, 4),
    k=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_agreement_with_the_naive_loop(real_count, fake_count, width, k, seed):
    rng = np.random.default_rng(seed)
    real = torch.from_numpy(rng.normal(size=(real_count, width)))
    fake = torch.from_numpy(rng.normal(size=(fake_count, width)) * 1.3)
    ours = (*metrics.precision_recall(real, fake, k), *metrics.density_coverage(real, fake, k))
    assert ours == pytest.approx(naive(real, fake, k), abs=1e-12)


def test_precision_and_recall_agree_with_torch_fidelity():
    from torch_fidelity.metric_prc import calculate_precision_recall_full

    rng = torch.Generator().manual_seed(0)
    real = torch.randn(300, 8, generator=rng, dtype=torch.float64)
    fake = torch.randn(200, 8, generator=rng, dtype=torch.float64) * 1.1
    theirs = calculate_precision_recall_full(fake, real, neighborhood=3)
    assert metrics.precision_recall(real, fake, k=3) == pytest.approx(theirs, abs=1e-6)


def test_small_pieces_give_the_same(monkeypatch):
    rng = torch.Generator().manual_seed(3)
    real, fake = torch.randn(2, 97, 5, generator=rng)
    whole = neighbours.neighbour_scores(real, fake, 3, 5)
    monkeypatch.setattr(neighbours, "ELEMENTS", 7 * 97)
    assert neighbours.neighbour_scores(real, fake, 3, 5) == whole


def test_one_pass_gives_what_the_two_functions_give():
    rng = torch.Generator().manual_seed(4)
    real, fake = torch.randn(2, 60, 4, generator=rng)
    expected = (*metrics.precision_recall(real, fake), *metrics.density_coverage(real, fake))
    assert neighbours.neighbour_scores(real, fake, 3, 5) == expected


def test_bad_input_is_refused():
    rows = torch.zeros(4, 2)
    with pytest.raises(GancourseError, match="Too few samples: 3 real features.* at least 4"):
        metrics.precision_recall(rows[:3], rows)
    with pytest.raises(GancourseError, match="Too few samples: 4 real features.* at least 6"):
        metrics.density_coverage(rows, rows)
    with pytest.raises(GancourseError, match="k must be at least 1"):
        metrics.precision_recall(rows, rows, k=0)
    with pytest.raises(GancourseError, match="2 and 1 columns"):
        metrics.precision_recall(rows, rows[:, :1])
    with pytest.raises(GancourseError, match="real features hold NaN"):
        metrics.density_coverage(rows * math.nan, rows, k=1)
