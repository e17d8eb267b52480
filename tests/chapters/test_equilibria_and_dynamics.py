"""The chapter's games and methods are the package's."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse.theory import games
from gancourse.theory.dynamics import ALGORITHMS, run
from gancourse.theory.smooth_games import bilinear_game, dirac_gan, duopoly
from tests.chapters.pages import what_it_needs

CHAPTER = "equilibria-and-dynamics"


def test_guarantees_and_payoffs_written_out_are_the_package_s():
    chapter = what_it_needs(CHAPTER, "max_min, min_max, safest_row, payoffs")
    rng = np.random.default_rng(0)
    for _ in range(10):
        a = rng.normal(size=(4, 6))
        assert chapter["max_min"](a) == games.max_min(a)
        assert chapter["min_max"](a) == games.min_max(a)
        row, lower = chapter["safest_row"](a)
        found = games.solve_zero_sum(a)
        np.testing.assert_allclose(row, found.row, atol=1e-6)
        assert lower == pytest.approx(found.value, abs=1e-7)
        data, generators = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3), 5)
        discriminators = rng.uniform(0.1, 0.9, (4, 3))
        np.testing.assert_allclose(
            chapter["payoffs"](data, generators, discriminators),
            games.gan_game(data, generators, discriminators),
            atol=1e-13,
        )


@pytest.mark.parametrize("method", sorted(ALGORITHMS))
def test_methods_written_out_are_the_package_s(method):
    play = what_it_needs(CHAPTER, "play")["play"]
    for game in (bilinear_game([[1.0, 0.5], [0.0, 2.0]]), duopoly(), dirac_gan("wgan", 0.3)):
        start = game.equilibrium + np.linspace(0.2, 0.5, len(game.equilibrium))
        mine, theirs = (f(game, method, start, 0.1, 20) for f in (play, run))
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)


def test_the_field_of_the_dirac_gan_is_the_package_s():
    field = what_it_needs(CHAPTER, "field")["field"]
    game = dirac_gan("minimax", 0.7)
    for w in np.random.default_rng(1).normal(size=(20, 2)):
        mine = field(*w, lambda t: 1 / (1 + np.exp(t)), 0.7)
        np.testing.assert_allclose(mine, game.field(w), atol=1e-14)
