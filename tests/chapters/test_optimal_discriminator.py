"""What the chapter writes out is what the package computes, and its table can be made again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gancourse import notebook, theory
from tests.chapters.pages import what_it_needs
from tools import optimal_discriminator


def test_the_best_discriminator_written_out_is_the_package_s():
    chapter = what_it_needs("optimal-discriminator", "best_logit, best_discriminator")
    p, q = theory.Laplace(0.5), theory.Gaussian(0, 1.5)
    x = np.linspace(-60, 60, 1001)
    np.testing.assert_allclose(
        chapter["best_logit"](p, q)(x), theory.optimal_logit(p, q)(x), rtol=1e-12
    )
    np.testing.assert_allclose(
        chapter["best_discriminator"](p, q)(x), theory.optimal_discriminator(p, q)(x), atol=1e-12
    )


def test_the_table_is_of_the_pairs_on_the_page():
    chapter = what_it_needs("optimal-discriminator", "pairs, data, model")
    assert list(chapter["pairs"]) == list(optimal_discriminator.PAIRS)
    for name, mine in chapter["pairs"].items():
        rng = np.random.default_rng(0)
        for one, other in zip(mine, optimal_discriminator.PAIRS[name], strict=True):
            x = one.sample(50, rng)
            np.testing.assert_array_equal(one.log_prob(x), other.log_prob(x))


def test_a_row_of_the_table_can_be_made_again():
    """Not to the last digit: other processors round differently, and training adds it up."""
    table = notebook.recorded("optimal-discriminator/errors.json")
    cases = [(r["pair"], r["steps"], r["seed"]) for r in table["reached"]]
    assert len(set(cases)) == len(cases) == 5 * 3 * 5
    stored = table["reached"][cases.index(("two uniforms", 75, 2))]
    row = optimal_discriminator.reached("two uniforms", 75, 2)
    assert row["error"] == pytest.approx(stored["error"], rel=0.2)
    assert row["gap"] == pytest.approx(stored["gap"], rel=0.3)


def test_a_few_points_are_memorised():
    table = notebook.recorded("optimal-discriminator/errors.json")
    top = theory.optimal_value(*optimal_discriminator.PAIRS["mixture, Gaussian"])
    for row in table["memorised"]:
        assert row["value"] < top
        assert row["points"] > 20 or row["value"] < -math.log(4) < row["value_on_its_points"]
