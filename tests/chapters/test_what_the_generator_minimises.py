"""What the chapter writes out by hand is what the package computes."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse.theory import OBJECTIVES, Discrete, Gaussian, optimal_value
from tests.chapters.pages import what_it_needs

CHAPTER = "what-the-generator-minimises"


def test_value_written_out_is_the_package_s():
    value_at_best = what_it_needs(CHAPTER, "value_at_best")["value_at_best"]
    rng = np.random.default_rng(5)
    for size in (2, 3, 10):
        p, q = rng.dirichlet(np.ones(size)), rng.dirichlet(np.ones(size))
        theirs = optimal_value(Discrete(range(size), p), Discrete(range(size), q))
        assert value_at_best(p, q) == pytest.approx(theirs, abs=1e-12)


def test_slope_of_the_frozen_value_is_that_of_the_package_s_divergence():
    chapter = what_it_needs(CHAPTER, "frozen_slope, slope")
    descends = OBJECTIVES["saturating"].descends
    for theta in (0.5, 2.0):
        true = chapter["slope"](lambda a: descends(Gaussian(0, 1), Gaussian(a, 1)), theta)
        assert chapter["frozen_slope"](theta) == pytest.approx(true, abs=1e-6)
