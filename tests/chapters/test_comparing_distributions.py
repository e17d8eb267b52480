"""What the chapter writes out by hand is what the package computes."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse import theory
from gancourse.theory import Discrete
from tests.chapters.pages import what_it_needs

POINTS = np.arange(5.0)


@pytest.fixture(scope="module")
def chapter():
    names = "kl, js, f_divergence, wasserstein_by_hand, table, entropy, cross_entropy, price"
    return what_it_needs("comparing-distributions", names)


def test_divergences_written_out_are_the_package_s(chapter):
    for p, q in np.random.default_rng(0).dirichlet(np.ones(5), (20, 2)):
        sides = Discrete(POINTS, p), Discrete(POINTS, q)
        assert chapter["kl"](p, q) == pytest.approx(theory.kl(*sides), rel=1e-9)
        assert chapter["js"](p, q) == pytest.approx(theory.js(*sides), rel=1e-9)
        for divergence in chapter["table"].values():
            mine = chapter["f_divergence"](divergence.f, p, q)
            assert mine == pytest.approx(theory.f_divergence(divergence, *sides), rel=1e-9)


def test_wasserstein_written_out_is_the_package_s(chapter):
    rng = np.random.default_rng(1)
    for order, distance in ((1, theory.wasserstein_1), (2, theory.wasserstein_2)):
        x, y = rng.normal(size=(2, 30))
        mine = chapter["wasserstein_by_hand"](x, y, order)
        assert mine == pytest.approx(distance(Discrete(x), Discrete(y)), rel=1e-9)


def test_the_price_is_twice_the_integrand_of_js(chapter):
    for a, b in ((0.3, 2.0), (1.0, 1.1), (0.0, 0.5)):
        with np.errstate(divide="ignore"):
            expected = 2 * theory.F_DIVERGENCES["js"].integrand(np.log(a), np.log(b))
        assert chapter["price"](a, b) == pytest.approx(float(expected), rel=1e-6)
