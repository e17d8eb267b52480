"""Algorithm 1 on densities: each step moves one player, and together they find the data."""

import copy

import numpy as np
import pytest
import torch

from gancourse import theory
from gancourse.errors import GancourseError
from gancourse.losses import minimax_discriminator
from gancourse.theory import Gaussian, Mixture
from gancourse.theory.algorithm_1 import Algorithm1

DATA = Mixture([Gaussian(-1, 0.5), Gaussian(1, 0.5)])


def weights(network: torch.nn.Module) -> list[torch.Tensor]:
    return copy.deepcopy(list(network.parameters()))


def equal(before: list[torch.Tensor], network: torch.nn.Module) -> bool:
    return all(map(torch.equal, before, network.parameters()))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("objective", ["saturating", "non-saturating"])
def test_each_step_moves_one_player(optimizer, objective):
    game = Algorithm1(DATA, optimizer=optimizer, objective=objective, hidden=(8,))
    g, d = weights(game.generator), weights(game.network)
    game.discriminator_step()
    assert equal(g, game.generator) and not equal(d, game.network)
    d = weights(game.network)
    game.generator_step()
    assert not equal(g, game.generator) and equal(d, game.network)
    assert game.steps == 1


def test_k_counts_the_discriminator_s_steps(monkeypatch):
    game, order = Algorithm1(DATA, k=3, hidden=(8,)), []
    for name in ("discriminator_step", "generator_step"):
        step = getattr(game, name)
        monkeypatch.setattr(game, name, lambda s=step, n=name: order.append(n[0]) or s())
    game.run(2)
    assert "".join(order) == "dddgdddg" and game.steps == 2


def test_a_step_of_plain_descent_by_hand():
    game = Algorithm1(DATA, optimizer="sgd", lr=(0.1, 0.2), hidden=(4,), batch_size=16)
    twin = copy.deepcopy(game)
    game.discriminator_step()
    real = torch.from_numpy(twin.data.sample(16, twin._rng)).float().reshape(-1, 1)
    fake = twin.generator(torch.randn(16, 1, generator=twin._noise)).detach()
    loss = minimax_discriminator(twin.network(real), twin.network(fake))
    gradients = torch.autograd.grad(loss, list(twin.network.parameters()))
    for now, before, gradient in zip(
        game.network.parameters(), twin.network.parameters(), gradients, strict=True
    ):
        torch.testing.assert_close(now, before - 0.2 * gradient)


@pytest.mark.parametrize("seed", [0, 1])
def test_on_the_line_it_finds_the_data(seed):
    data = Gaussian(1.5, 0.5)
    game = Algorithm1(data, k=2, lr=(2e-3, 8e-3), hidden=(32, 32), batch_size=128, seed=seed)
    before = theory.js(data, game.generator_density())
    game.run(350)
    after = theory.js(data, game.generator_density())
    assert before > 0.3 and after < 0.05


def test_the_density_is_that_of_the_samples():
    game = Algorithm1(DATA, hidden=(16,), seed=2)
    game.run(30)
    drawn, density = game.sample(20_000), game.generator_density()
    levels = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(density.cdf(np.quantile(drawn, levels)), levels, atol=0.02)
    plane = Algorithm1(theory.ring(4, 1.0, 0.1), hidden=(8,)).generator_density(0.2)
    assert plane.dim == 2 and plane.bandwidth == 0.2
    assert Algorithm1(DATA, latent_dim=3, hidden=(8,)).generator_density().dim == 1


def test_equal_seeds_give_equal_runs_and_sampling_does_not_disturb_them():
    first, second = (Algorithm1(DATA, hidden=(8,), seed=5) for _ in range(2))
    losses = []
    for _ in range(3):
        losses.append(first.step())
        first.sample(10), first.generator_density(), first.discriminator([0.0])
    assert losses == [second.step() for _ in range(3)]
    np.testing.assert_array_equal(first.sample(5, seed=1), second.sample(5, seed=1))
    assert not np.array_equal(first.sample(5, seed=1), first.sample(5, seed=2))


def test_shapes():
    game = Algorithm1(theory.ring(), hidden=(8,), latent_dim=3)
    assert game.sample(7).shape == (7, 2)
    assert game.noise_map(np.zeros((4, 5, 3))).shape == (4, 5, 2)
    d = game.discriminator(np.zeros((4, 5, 2)))
    assert d.shape == (4, 5) and ((d > 0) & (d < 1)).all()
    line = Algorithm1(DATA, hidden=(8,))
    assert line.noise_map(0.0).shape == () and line.sample(3).shape == (3,)
    assert line.logit(np.zeros((2, 3))).shape == (2, 3)


@pytest.mark.parametrize(
    "options, says",
    [
        ({"objective": "saturatng"}, "Did you mean saturating"),
        ({"optimizer": "adamw"}, "Did you mean adam"),
        ({"k": 0}, "1 or more"),
        ({"lr": (0.1, -1)}, "must be positive"),
    ],
)
def test_bad_settings_are_refused(options, says):
    with pytest.raises(GancourseError, match=says):
        Algorithm1(DATA, **options)
    with pytest.raises(GancourseError, match="3 dimensions"):
        Algorithm1(Gaussian([0, 0, 0]))
