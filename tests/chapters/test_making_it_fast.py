"""What the chapter counts and times is what the package does, and its record says what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gancourse import cost, notebook
from gancourse.gans import DCGAN
from gancourse.training import Settings
from gancourse.training.trainer import Trainer
from tests.chapters.pages import what_it_needs

CHAPTER = "making-it-fast"
SIDES = (28, 32, 64, 128)


def chapter(names):
    return what_it_needs(CHAPTER, names)


@pytest.fixture
def parts():
    return notebook.recorded("bench.json")["cpu"]["parts"]


def test_stopwatch_written_out_is_the_package_s():
    watches = chapter("Stopwatch")["Stopwatch"](), cost.Stopwatch()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        images = torch.randint(0, 256, (64, 1, 8, 8), dtype=torch.uint8)
        made = Trainer(DCGAN((1, 8, 8), 10, 4), images, Settings(images=100, batch_size=8))
        made.step()
        seen = []
        for watch in watches:
            with watch:
                made.step()
            seen.append([kind for kind, _, _ in watch.spans])
    assert seen[0] == seen[1]
    assert set(seen[0]) == set(cost.KINDS)


def test_operations_written_out_are_the_package_s():
    here = chapter("counted, passes")
    layers = cost.layers(DCGAN((1, 28, 28), latent_dim=100, width=32))
    assert here["counted"] == [layer.forward for layer in layers]
    assert here["passes"] == [layer.passes for layer in layers]


@pytest.mark.parametrize("seed", range(3))
def test_gradients_of_a_product_are_two_products(seed):
    torch.manual_seed(seed)
    w = torch.randn(3, 4, requires_grad=True)
    x = torch.randn(4, 5, requires_grad=True)
    y = w @ x
    back = torch.randn_like(y)
    y.backward(back)
    torch.testing.assert_close(w.grad, back @ x.T)
    torch.testing.assert_close(x.grad, w.T @ back)


def test_amdahl_s_law_is_what_a_clock_would_say():
    amdahl = chapter("amdahl")["amdahl"]
    rng = np.random.default_rng(0)
    for _ in range(20):
        times = rng.random(5)
        s = 1 + 9 * rng.random()
        after = times.copy()
        after[:2] /= s
        p = times[:2].sum() / times.sum()
        assert times.sum() / after.sum() == pytest.approx(amdahl(p, s))
        assert amdahl(p, s) < 1 / (1 - p)


def test_the_record_says_what_the_chapter_says(parts):
    for side in SIDES:
        row = parts[f"net-{side}"]
        assert row["to_best_peer"]["gancourse"][1] > 1
        best = row["loops"][row["best_peer"]]["images_per_second"]
        ratio = row["loops"]["gancourse"]["images_per_second"] / best
        assert ratio == pytest.approx(row["to_best_peer"]["gancourse"][1], rel=0.15)
        assert row["gflop_a_step"] == pytest.approx(
            cost.step_flops(DCGAN((row["channels"], side, side), 100, row["width"]), row["batch"])
            / 1e9,
            abs=1e-3,
        )
    assert [row["pixels"] for row in parts["profile"]] == list(SIDES)
    for row in parts["profile"]:
        assert sum(row["shares"].values()) == pytest.approx(1, abs=1e-3)


def test_speed_grows_with_the_batch_and_falls_with_the_resolution(parts):
    for loop in ("gancourse", "PyTorch example, tensors in memory"):
        by_batch = [row for row in parts["batch"] if row["loop"] == loop]
        speeds = [row["images_per_second"] for row in by_batch]
        assert speeds[0] < 0.7 * max(speeds)
        assert [row["batch"] for row in by_batch] == sorted(row["batch"] for row in by_batch)
        assert by_batch[-1]["peak_mib"] > by_batch[0]["peak_mib"]
        by_side = [row for row in parts["pixels"] if row["loop"] == loop]
        speeds = [row["images_per_second"] for row in by_side]
        assert speeds == sorted(speeds, reverse=True)
        assert by_side[-1]["peak_mib"] > by_side[0]["peak_mib"]


@pytest.mark.parametrize("seed", range(1, 4))
def test_turns_and_medians_find_the_truth_on_a_moody_machine(seed):
    compare = chapter("compare")["compare"]
    rng = np.random.default_rng(seed)
    found = np.array([compare(rng) for _ in range(1000)])
    close = (np.abs(found / 1.1 - 1) < 0.05).mean(0)
    assert close[2] > 0.95
    assert close[0] < 0.4
    assert found[:, 1].mean() > 1.15
