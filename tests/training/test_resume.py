"""Resume is exact to the bit, wherever the run was cut."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import tiny
import torch

from gancourse.errors import GancourseError
from gancourse.training import fit
from gancourse.training.folder import RunFolder
from gancourse.training.trainer import Trainer


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    path = tmp_path_factory.mktemp("calm") / "run"
    tiny.train(path)
    return path


@pytest.mark.timeout(900)  # a dozen starts of the program
def test_killed_at_random_moments(tmp_path):
    script = Path(__file__).with_name("kill.py")
    command = [sys.executable, str(script), str(tmp_path), "12", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    kills, runs, exact = map(int, re.findall(r"\d+", done.stdout.splitlines()[-1]))
    assert kills >= 12 and runs == exact > 0


def interrupt(path, stop, monkeypatch, **changes):
    """Train until Ctrl-C arrives during a step, which is finished and saved."""
    step = Trainer.step

    def interrupted_step(trainer):
        step(trainer)
        if trainer.step_count == stop:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", interrupted_step)
        with pytest.raises(KeyboardInterrupt):
            tiny.train(path, **changes)
    assert (path / "last.safetensors").exists()


@pytest.mark.parametrize("stop", [1, 3, 4, 5, 17, 39])
def test_interrupted_after_any_step(tmp_path, calm, stop, monkeypatch):
    """The run goes on as if nothing was."""
    interrupt(tmp_path / "run", stop, monkeypatch)
    tiny.train(tmp_path / "run", resume=True)
    assert tiny.differences(calm, tmp_path / "run") == []


@pytest.mark.parametrize("k", [1, 2])
def test_flips_and_diffaugment_go_on_too(tmp_path, calm, k, monkeypatch):
    """Their draws come from the generator that a checkpoint holds."""
    changes = {
        "flips": ("horizontal", "vertical"),
        "diffaugment": ("color", "translation", "cutout"),
        "k": k,
    }
    whole = tmp_path / "whole"
    tiny.train(whole, **changes)
    for stop in (1, 6):
        path = tmp_path / f"stopped-{stop}"
        interrupt(path, stop, monkeypatch, **changes)
        tiny.train(path, resume=True, **changes)
        assert tiny.differences(whole, path) == []
    assert tiny.differences(calm, whole) != []


def test_resumed_results_are_the_undisturbed_ones(tmp_path, calm):
    """Also what fit returns, not only what it stores."""
    tiny.train(tmp_path / "run", images=96)
    gan, ema, history = tiny.train(tmp_path / "run", resume=True)
    gan2, ema2, history2 = tiny.train()
    assert all(map(torch.equal, gan.state_dict().values(), gan2.state_dict().values()))
    assert all(map(torch.equal, ema.state_dict().values(), ema2.state_dict().values()))
    assert tiny.without_times(history) == tiny.without_times(history2)
    assert tiny.differences(calm, tmp_path / "run") == []


def test_sgd_with_momentum_resumes_too(tmp_path):
    for path, parts in ((tmp_path / "a", [320]), (tmp_path / "b", [104, 320])):
        for number, shown in enumerate(parts):
            tiny.train(path, resume=number > 0, images=shown, optimizer="sgd", k=2, tick=48)
    found = tiny.differences(tmp_path / "a", tmp_path / "b")
    assert [f for f in found if not f.startswith(("history", "picture"))] == []


def test_killed_before_the_first_checkpoint(tmp_path, calm):
    path = tmp_path / "run"
    tiny.train(path, images=32)
    (path / "last.safetensors").unlink()
    tiny.train(path, resume=True)
    assert tiny.differences(calm, path) == []


def test_history_cut_in_the_middle_of_a_line(tmp_path, calm):
    path = tmp_path / "run"
    tiny.train(path, images=64)
    with open(path / "history.jsonl", "a") as file:
        file.write('{"tick": 3, "st')
    tiny.train(path, resume=True)
    assert tiny.differences(calm, path) == []


def test_seeds_matter_and_the_global_generator_does_not():
    torch.manual_seed(0)
    _, first, _ = tiny.train(images=32)
    state = torch.get_rng_state()
    torch.manual_seed(1)
    _, second, _ = tiny.train(images=32)
    _, third, _ = tiny.train(images=32, seed=6)
    same = [torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True)]
    other = [torch.equal(a, b) for a, b in zip(first.parameters(), third.parameters(), strict=True)]
    assert all(same) and not all(other)
    torch.manual_seed(0)
    assert torch.equal(state, torch.get_rng_state())


def test_two_at_once_are_refused(tmp_path):
    with RunFolder(tmp_path / "run", resume=False):
        second = RunFolder(tmp_path / "run", resume=False)
        with pytest.raises(GancourseError, match="Another process is training"):
            second.__enter__()
    with RunFolder(tmp_path / "run", resume=False):  # free again
        pass


def test_off_the_main_thread_signals_are_left_alone(tmp_path):
    errors = []

    def work():
        try:
            tiny.train(tmp_path / "run", images=32)
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == [] and (tmp_path / "run" / "last.safetensors").exists()


def test_in_memory_ctrl_c_stops_at_once():
    # A parallel run of pytest ignores Ctrl-C in its workers; a user's Python does not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(tiny.gan(), tiny.images(), tiny.settings(images=10_000_000))
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_memory_ctrl_c_leaves_nets_that_can_be_trained():
    """It may come anywhere in a step, also while the discriminator is frozen."""
    gan = tiny.gan()
    whole = gan.generator_loss

    def pressed(*arguments):
        assert not any(p.requires_grad for p in gan.discriminator.parameters())
        raise KeyboardInterrupt

    gan.generator_loss = pressed
    with pytest.raises(KeyboardInterrupt):
        fit(gan, tiny.images(), tiny.settings())
    gan.generator_loss = whole
    assert all(p.requires_grad for p in gan.discriminator.parameters())
    fit(gan, tiny.images(), tiny.settings())
