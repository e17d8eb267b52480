"""Smoothing: what the budget buys, against polynomials and scipy itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import UnivariateSpline

from gancourse.curves import noise, smooth
from gancourse.errors import GancourseError

EPOCHS = np.arange(1, 51)


def wiggly(seed):
    noise = np.random.default_rng(seed).normal(size=50)
    return np.sin(EPOCHS / 6) + 0.2 * noise


@pytest.mark.parametrize("s", [0.5, 2, 5, 10])
def test_it_is_scipy_s_spline_over_the_epochs(s):
    values = wiggly(0)
    np.testing.assert_array_equal(
        smooth(values.tolist(), s), UnivariateSpline(EPOCHS, values, s=s)(EPOCHS)
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_budget_is_kept_and_used(seed):
    values = wiggly(seed)
    cubic = np.polyval(np.polyfit(EPOCHS, values, 3), EPOCHS)
    left = ((values - cubic) ** 2).sum()
    for share in (0.2, 0.5, 0.9):
        used = ((values - smooth(values, share * left)) ** 2).sum()
        assert used == pytest.approx(share * left, rel=2e-3)
    np.testing.assert_allclose(smooth(values, 1.01 * left), cubic, atol=1e-8)


def test_no_budget_leaves_the_values_and_any_budget_leaves_a_cubic():
    values = wiggly(0)
    np.testing.assert_allclose(smooth(values, 0), values, atol=1e-10)
    cubic = EPOCHS**3 / 1e4 - EPOCHS / 5
    np.testing.assert_allclose(smooth(cubic, 1e9), cubic, atol=1e-8)


def test_s_has_the_unit_of_the_values_squared():
    values = wiggly(1)
    np.testing.assert_allclose(smooth(10 * values, 100 * 2), 10 * smooth(values, 2), atol=1e-7)


@pytest.mark.parametrize(
    ("values", "s", "message"),
    [
        ([1, 2, 3], 1, r"four finite values"),
        ([[1, 2, 3, 4]], 1, r"shape \(1, 4\)\."),
        ([1, 2, float("nan"), 4, 5], 1, "not finite"),
        ([1, 2, 3, 4, 5], -1, "s is -1"),
        ([1, 2, 3, 4, 5], float("nan"), "s is nan"),
    ],
)
def test_what_cannot_be_smoothed_is_refused(values, s, message):
    with pytest.raises(GancourseError, match=message):
        smooth(values, s)


def test_noise_of_epochs_is_found_whatever_sets_and_epochs_have_in_common():
    found = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        common = 5 * rng.normal(size=(4, 1)) + 7 * rng.normal(size=12)
        found.append(noise(common + 0.3 * rng.normal(size=(4, 12))))
    assert np.mean(np.square(found)) == pytest.approx(0.09, rel=0.05)


def test_noise_of_a_table_by_hand_and_of_one_without_any():
    # The rest of [[0, 0], [0, 1]] is 1/4 everywhere but for its sign, with one degree of freedom.
    assert noise([[0, 0], [0, 1]]) == pytest.approx(0.5)
    assert noise([[1, 2, 4], [11, 12, 14]]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1, 2, 3], r"shape \(3,\)\."),
        ([[1, 2, 3]], r"shape \(1, 3\)\."),
        ([[1], [2]], r"shape \(2, 1\)\."),
        ([[1, float("nan")], [2, 3]], "not finite"),
    ],
)
def test_what_is_no_table_is_refused(scores, message):
    with pytest.raises(GancourseError, match=message):
        noise(scores)
