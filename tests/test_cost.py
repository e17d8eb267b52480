"""Operations counted by hand are those that torch counts; the stopwatch sees every operator."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gancourse import cost
from gancourse.gans import DCGAN, GANS
from gancourse.training import Settings
from gancourse.training.trainer import Trainer


def trainer(name="dcgan", shape=(1, 8, 8), batch_size=6, **options):
    images = torch.randint(0, 256, (24, *shape), dtype=torch.uint8)
    gan = GANS[name](shape, latent_dim=10, **options)
    return Trainer(gan, images, Settings(images=100, batch_size=batch_size))


@pytest.fixture(autouse=True)
def own_seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize(
    ("name", "shape", "options"),
    [
        ("dcgan", (1, 8, 8), {"width": 4}),
        ("dcgan", (1, 28, 28), {"width": 8}),
        ("dcgan", (3, 32, 32), {"width": 4}),
        ("dcgan", (3, 64, 64), {"width": 2}),
        ("vanilla", (1, 8, 8), {"hidden": (16, 32)}),
    ],
)
def test_operations_of_a_step_are_those_that_torch_counts(name, shape, options):
    made = trainer(name, shape, **options)
    made.step()
    with FlopCounterMode(display=False) as counted:
        made.step()
    assert cost.step_flops(made.gan, 6) == counted.get_total_flops()


def test_a_layer_by_hand():
    layers = cost.layers(DCGAN((3, 32, 32), latent_dim=100, width=64))
    assert [layer.kind for layer in layers] == ["linear", *3 * ["up"], *3 * ["down"], "linear"]
    up = layers[1]
    assert (up.sides, up.maps, up.passes) == ((4, 8), (256, 128), 3)
    assert up.forward == 2 * 16 * 256 * 128 * 4**2
    down = layers[4]
    assert (down.sides, down.maps, down.passes) == ((32, 16), (3, 64), 6)
    assert down.forward == 2 * 16 * 3 * 64 * 16**2


def test_counting_leaves_the_players_as_they_were():
    gan = DCGAN((1, 8, 8), width=4).train()
    before = {key: value.clone() for key, value in gan.state_dict().items()}
    cost.layers(gan)
    assert all(module.training for module in gan.modules())
    assert all(torch.equal(before[key], value) for key, value in gan.state_dict().items())
    assert not any(module._forward_hooks for module in gan.modules())


def test_the_stopwatch_sees_every_kind_and_the_same_number_each_step():
    made = trainer(width=4)
    made.step()
    watches = []
    for _ in range(2):
        with cost.Stopwatch() as watch:
            made.step()
        watches.append(watch)
    first, second = ([kind for kind, _, _ in watch.spans] for watch in watches)
    assert first == second and len(first) > 100
    shares = watches[0].shares()
    assert tuple(shares) == cost.KINDS and min(shares.values()) > 0
    assert sum(shares.values()) == pytest.approx(1)
    ends = [end for _, _, end in watches[0].spans]
    assert ends == sorted(ends)


def test_the_stopwatch_tells_forward_from_backward():
    layer = torch.nn.Conv2d(1, 2, 3)
    with cost.Stopwatch() as watch:
        out = layer(torch.zeros(1, 1, 8, 8)).sum()
        assert "convolution, backward" not in {kind for kind, _, _ in watch.spans}
        out.backward()
    kinds = [kind for kind, _, _ in watch.spans]
    assert kinds.index("convolution, forward") < kinds.index("convolution, backward")
    assert not {"normalisation", "data"} & set(kinds)
