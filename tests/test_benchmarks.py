"""The benchmark's loops train what they say, and its results are whole and add up."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field, replace

import pytest
import torch

from benchmarks import __main__ as bench
from benchmarks import environment, parts, report, steps, turns, worker
from benchmarks.setup import Setup
from gancourse import notebook
from gancourse.gans import DCGAN
from tests import needs

SMALL = Setup(worker.BARE, 8, 1, 4, 8, 1, "cpu")


@dataclass(frozen=True)
class Kept(Setup):
    """A small task on random pixels that keeps the players it makes."""

    made: list[DCGAN] = field(default_factory=list)

    def gan(self) -> DCGAN:
        self.made.append(super().gan())
        return self.made[-1]

    def images(self):
        rng = torch.Generator().manual_seed(1)
        shape = (40, self.channels, self.pixels, self.pixels)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=rng), "random"


def trained(make, n=2):
    """Weights after n steps of a loop, and before."""
    task = Kept(**{**SMALL.__dict__})
    with torch.random.fork_rng():
        loop = make(task, task.images()[0])
        before = {k: v.clone() for k, v in task.made[0].state_dict().items()}
        torch.manual_seed(5)
        loop(n)
    return task.made[0].state_dict(), before


def moved(after, before):
    """Players whose parameters have changed; running means move in a forward pass already."""
    parameters = [key for key in after if key.endswith((".weight", ".bias"))]
    return {key.split(".")[0] for key in parameters if not torch.equal(after[key], before[key])}


@pytest.mark.parametrize("name", [worker.OURS, worker.EXAMPLE, worker.BARE])
def test_a_loop_trains_both_players(name):
    after, before = trained(worker.LOOPS[name])
    assert moved(after, before) == {"generator", "discriminator"}


SAME = [m for m in steps.MEASURES if m not in ("batch from a tensor", steps.MEASURES[2])]


@pytest.mark.parametrize("measure", SAME)
def test_a_measure_changes_the_speed_and_nothing_else(measure):
    with_all, _ = trained(steps.bare)
    without, _ = trained(worker.LOOPS[f"without {measure}"])
    for key, value in with_all.items():
        torch.testing.assert_close(without[key], value, rtol=1e-3, atol=1e-5)


def test_without_one_batch_of_fakes_the_generator_runs_twice():
    counts = {}
    for without in ("", steps.MEASURES[2]):
        task = Kept(**{**SMALL.__dict__})
        loop = steps.bare(task, task.images()[0], without)
        task.made[0].generator.register_forward_hook(
            lambda *_, key=without: counts.update({key: counts.get(key, 0) + 1})
        )
        loop(3)
    assert list(counts.values()) == [3, 6]


def test_without_a_tensor_the_batches_come_from_a_loader(monkeypatch):
    drawn = []
    monkeypatch.setattr(steps, "batches", lambda *_: iter(lambda: drawn.append(1) or pixels, None))
    task = Kept(**{**SMALL.__dict__})
    pixels = torch.zeros(8, 1, 8, 8)
    steps.bare(task, task.images()[0], "batch from a tensor")(3)
    assert len(drawn) == 3


@needs.peers()
@pytest.mark.parametrize("name", ["torchgan 0.1.0", "mimicry 0.1.16"])
def test_a_peer_trains_in_an_environment_of_its_own(name):
    loop = turns.Worker(replace(SMALL, loop=name, pixels=28))
    try:
        assert loop.facts is not None, "its program is there"
        assert loop.turn(2) > 0
        assert loop.peak_mib > 100
    finally:
        loop.end()


@needs.peers()
@pytest.mark.parametrize("name", ["torchgan 0.1.0", "mimicry 0.1.16"])
def test_a_peer_trains_both_of_our_players(name, root):
    code = (
        "from benchmarks import worker; from tests.test_benchmarks import moved, trained; "
        f"print(sorted(moved(*trained(worker.LOOPS[{name!r}]))))"
    )
    done = subprocess.run(
        [environment.make(), "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "['discriminator', 'generator']"


def test_a_worker_that_fails_says_why(monkeypatch):
    monkeypatch.setattr(environment, "make", lambda: sys.executable)
    with pytest.raises(RuntimeError, match="DCGAN cannot make images of 9 x 9"):
        turns.Worker(replace(SMALL, pixels=9))


def test_a_program_that_is_missing_is_left_out(monkeypatch, capsys):
    monkeypatch.setattr(environment, "make", lambda: sys.executable)
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setattr(turns.Worker, "_read", lambda self: {"missing": "no such module"})
    assert turns.start({"theirs": SMALL}) == {}
    assert "bare step is left out: no such module" in capsys.readouterr().out


class Steady:
    """A worker that takes a tenth of a second a step, as it says."""

    def __init__(self, setup: Setup, speed: float) -> None:
        self.setup, self.speed, self.peak_mib = setup, speed, 900.0
        self.facts = {"data": "pixels", "start_mib": 500.0, "first_step_seconds": 1.0}

    def turn(self, steps: int) -> float:
        return steps / self.speed

    def end(self) -> None:
        pass


@pytest.fixture
def steady(monkeypatch):
    speeds = {worker.OURS: 10.0, worker.BARE: 11.0, worker.EXAMPLE: 5.0, worker.PRODUCT: 8.0}
    monkeypatch.setattr(turns, "REST", 0)
    monkeypatch.setattr(
        parts,
        "start",
        lambda setups: {n: Steady(s, speeds.get(s.loop, 4.0)) for n, s in setups.items()},
    )


def test_the_table_of_a_net(steady):
    row = parts.net(28, 2, "cpu", 0.01)
    assert row["best_peer"] == worker.EXAMPLE
    assert row["to_best_peer"][worker.OURS] == [2.0, 2.0, 2.0]
    assert row["overhead_over_bare_step"][1] == pytest.approx(0.1)
    assert row["loops"][worker.OURS]["images_per_second"] == 1280
    gflops = 8 * 2 * steps.SIDE**3 / 1e9
    assert row["matrix_product_gflops"][1] == pytest.approx(gflops, abs=0.1)
    share = 10 * row["gflop_a_step"] / gflops
    assert row["loops"][worker.OURS]["share_of_matrix_product"] == pytest.approx(share, abs=1e-3)
    text = report.report("net-28", row)
    assert "gancourse / best peer (PyTorch example, tensors in memory): 2.00" in text
    assert "overhead over the bare step: 10.0%" in text


def test_the_other_tables(steady):
    row = parts.measures(2, "cpu", 0.01)
    assert set(row["speed_to_bare_step"]) == {
        worker.BARE, "compiled", "one thread", *(f"without {m}" for m in steps.MEASURES)
    }  # fmt: skip
    assert "without fused Adam" in report.report("measures", row)
    rows = parts.batch(2, "cpu", 0.01)
    assert {r["batch"] for r in rows} == set(parts.BATCHES)
    assert "5,120" in report.report("batch", rows)
    rows = parts.pixels(2, "cpu", 0.01)
    assert {r["pixels"] for r in rows} == set(parts.SIDES)


def test_a_part_replaces_its_own_entry_only(tmp_path):
    path = tmp_path / "bench.json"
    here = {"machine": {"processor": "one"}, "versions": {"torch": "1"}}
    bench.store("cpu", here, "a", 1, path)
    bench.store("cpu", here, "b", 2, path)
    bench.store("cuda", here, "a", 3, path)
    bench.store("cpu", here, "a", 4, path)
    assert json.loads(path.read_text())["cpu"] == {**here, "parts": {"a": 4, "b": 2}}
    other = {**here, "versions": {"torch": "2"}}
    bench.store("cpu", other, "b", 5, path)
    assert json.loads(path.read_text())["cpu"] == {**other, "parts": {"b": 5}}
    assert json.loads(path.read_text())["cuda"]["parts"] == {"a": 3}


def test_the_results_in_the_package_are_whole():
    results = notebook.recorded("bench.json")["cpu"]
    assert results["machine"]["processor"] and results["machine"]["threads"] >= 1
    assert set(results["parts"]) == set(parts.PARTS)
    for side in parts.NETS:
        row = results["parts"][f"net-{side}"]
        assert row["rounds"] >= turns.FEWEST
        assert row["gflop_a_step"] == round(parts._flops(parts._setup("", side, 1, "cpu")) / 1e9, 3)
        assert {worker.OURS, worker.BARE, *worker.PEERS} <= set(row["loops"])
        best = max(worker.PEERS, key=lambda name: row["loops"][name]["images_per_second"])
        assert row["best_peer"] == best
        for loop in row["loops"].values():
            rate = loop["images_per_second"] / row["batch"] * row["gflop_a_step"]
            share = rate / row["matrix_product_gflops"][1]
            assert loop["share_of_matrix_product"] == pytest.approx(share, rel=0.25)
        report.report(f"net-{side}", row)


@needs.data("fashion-mnist", "abstract-art")
def test_the_data_of_the_nets():
    for side, (channels, batch) in parts.NETS.items():
        images, said = parts._setup("", side, 1, "cpu").images()
        assert images.shape[1:] == (channels, side, side) and len(images) >= batch
        assert images.dtype == torch.uint8 and "random" not in said
