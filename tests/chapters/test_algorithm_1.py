"""The chapter's algorithm and densities are the package's, and its proofs hold on random cases."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse import notebook
from gancourse.nets.points import PointDiscriminator, PointGenerator
from gancourse.theory import Gaussian, Mixture, ring
from gancourse.theory.algorithm_1 import Algorithm1
from tests.chapters.pages import what_it_needs
from tools import algorithm_1_seeds

CHAPTER = "algorithm-1"
LINE = Mixture([Gaussian(-1.0, 0.3), Gaussian(1.2, 0.5)], [0.4, 0.6])
seeds = st.integers(0, 2**32 - 1)


def value(p, g, d):
    return float((p * np.log(d) + g * np.log(1 - d)).sum())


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize(("data", "k"), [(LINE, 1), (ring(8, 1.0, 0.05), 3)])
def test_algorithm_written_out_is_the_package_s(data, k, optimizer):
    play = what_it_needs(CHAPTER, "algorithm_1")["algorithm_1"]
    theirs = Algorithm1(data, k=k, optimizer=optimizer, lr=(2e-3, 1e-2), seed=5)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        players = PointGenerator(data.dim, data.dim), PointDiscriminator(data.dim)
    make = {
        "adam": lambda weights, lr: torch.optim.Adam(weights, lr, betas=(0.5, 0.999)),
        "sgd": lambda weights, lr: torch.optim.SGD(weights, lr),
    }[optimizer]
    optimizers = [make(players[i].parameters(), (2e-3, 1e-2)[i]) for i in range(2)]
    mine = play(data, players, optimizers, steps=5, k=k, seed=5)
    np.testing.assert_allclose(mine, [theirs.step() for _ in range(5)], atol=1e-6)
    for w, other in zip(players[0].parameters(), theirs.generator.parameters(), strict=True):
        torch.testing.assert_close(w, other, rtol=0, atol=1e-5)


def test_density_written_out_is_the_package_s():
    density_of = what_it_needs(CHAPTER, "density_of")["density_of"]
    run = Algorithm1(LINE, lr=(3e-3, 1e-2), seed=2)
    run.run(10)
    grid = np.linspace(-3, 3, 500)
    np.testing.assert_allclose(
        density_of(run.noise_map, grid), np.exp(run.generator_density().log_prob(grid)), rtol=1e-6
    )


def test_the_change_of_variables_gives_known_densities():
    density_of = what_it_needs(CHAPTER, "density_of")["density_of"]
    x = np.linspace(0.2, 4, 40)
    phi = np.exp(-(np.log(x) ** 2) / 2) / np.sqrt(2 * np.pi)
    np.testing.assert_allclose(density_of(np.exp, x, pieces=20_000), phi / x, rtol=0.01)
    # z^2 turns back: chi-squared with one degree of freedom, twice one piece.
    twice = 2 * np.exp(-x / 2) / np.sqrt(2 * np.pi) / (2 * np.sqrt(x))
    np.testing.assert_allclose(density_of(np.square, x, pieces=20_000), twice, rtol=0.01)


@settings(max_examples=100, deadline=None)
@given(seed=seeds, points=st.integers(2, 6))
def test_the_gradient_with_the_discriminator_held_still_is_a_subgradient(seed, points):
    rng = np.random.default_rng(seed)
    p, g, other = rng.dirichlet(np.ones(points), 3) * 0.99 + 0.01 / points
    best, best_other = p / (p + g), p / (p + other)
    slope = np.log(1 - best)
    bound = value(p, g, best) + slope @ (other - g)
    assert value(p, other, best_other) >= bound - 1e-12
    # It is the gradient: the maximum over D is differentiable here.
    move, width = other - g, 1e-6
    ends = [value(p, x, p / (p + x)) for x in (g + width * move, g - width * move)]
    assert (ends[0] - ends[1]) / 2 / width == pytest.approx(slope @ move, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, points=st.integers(2, 6))
def test_the_idealised_algorithm_converges_at_least_at_the_rate_of_the_theorem(seed, points):
    nearest = what_it_needs(CHAPTER, "nearest")["nearest"]
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(points)) * 0.8 + 0.2 / points
    least = p.min() * rng.uniform(0.3, 1)
    step = least * rng.uniform(0.2, 1)
    g = nearest(rng.dirichlet(np.ones(points)), least)
    assert g.sum() == pytest.approx(1, abs=1e-12) and g.min() >= least
    factor = 1 - step * p.min() / 2
    for _ in range(60):
        before = np.linalg.norm(g - p)
        g = nearest(g - step * np.log(g / (p + g)), least)
        assert np.linalg.norm(g - p) <= factor * before + 1e-12


def test_a_run_of_the_table_can_be_made_again():
    table = notebook.recorded("algorithm-1/seeds.json")
    assert len(table["runs"]) == 30
    stored = next(r for r in table["runs"] if (r["seed"], r["k"], r["rate_d"]) == (0, 5, 5e-3))
    made = algorithm_1_seeds.one(0, 5, 5e-3, looks=1)
    assert made["looks"][0]["generator_steps"] == stored["looks"][0]["generator_steps"] == 100
    assert made["looks"][0]["at_modes"] == pytest.approx(stored["looks"][0]["at_modes"], abs=0.25)


def test_the_conclusions_of_the_page_are_those_of_the_record():
    runs = notebook.recorded("algorithm-1/seeds.json")["runs"]

    def mean(k, rate, steps=None):
        rows = [run["looks"] for run in runs if (run["k"], run["rate_d"]) == (k, rate)]
        assert len(rows) == 5
        looks = [
            row[-1] if steps is None else next(x for x in row if x["generator_steps"] == steps)
            for row in rows
        ]
        return np.mean([look["at_modes"] for look in looks]), [look["modes"] for look in looks]

    # At equal steps of the generator: k buys much if D is slow, next to nothing if it is fast.
    slow, fast = ([mean(k, rate, 600)[0] for k in (1, 2, 5)] for rate in (1e-3, 5e-3))
    assert slow[0] < slow[1] / 3 and slow[1] < slow[2] and max(fast) - min(fast) < 0.05
    # At equal cost: two turns best with the slow one, one turn with the fast one, best of all.
    slow, fast = ([mean(k, rate)[0] for k in (1, 2, 5)] for rate in (1e-3, 5e-3))
    assert slow[0] < slow[2] < slow[1] < fast[0] == max(fast)
    # Fewer runs with all modes, with the fast discriminator.
    complete = [sum(mean(k, rate)[1].count(8) for k in (1, 2, 5)) for rate in (1e-3, 5e-3)]
    assert complete[1] < complete[0]
