"""Several processes make the run that one makes; and none waits for one that is gone."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import gancourse
from gancourse.errors import GancourseError
from gancourse.training import distribute
from gancourse.training.folder import read_history

BIN = Path(sys.executable).parent
#: largest difference of figures, and of 98 % of the weights, after 20 steps; seen here: 2e-7
CLOSE = 5e-6

pytestmark = pytest.mark.timeout(900)  # several processes, on a machine that may be busy


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What ``two.py`` says of all its cases."""
    script = Path(__file__).with_name("two.py")
    command = [sys.executable, str(script), str(tmp_path_factory.mktemp("two"))]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def result(report, case):
    found = report[case]
    assert "traceback" not in found, found["traceback"]
    return found


def test_two_and_four_do_what_one_does(report):
    found = result(report, "against_one")
    assert len(found) == 6
    for name, apart in found.items():
        assert apart["same"], name
        assert apart["weights"] < CLOSE and apart["history"] < CLOSE, (name, apart)


def test_the_same_number_gives_the_same_bits(report):
    assert result(report, "again") == []


def test_perceptrons_too_and_all_processes_hold_the_same(report):
    found = result(report, "vanilla")
    assert found["differ"] == [] and found["apart"] < CLOSE


def test_checkpoints_go_from_one_to_two_and_back(report):
    for way, apart in result(report, "handed_over").items():
        assert apart["same"], way
        assert apart["weights"] < CLOSE and apart["history"] < CLOSE, (way, apart)


def test_killed_and_resumed(report):
    found = result(report, "killed")
    assert found["kills"] >= 3 and found["differ"] == []
    assert any(text.startswith("error: Process") for text in found["said"]), found


def test_a_process_that_stands_still_is_given_up(report):
    found = result(report, "silent")
    assert re.match(r"error: Process 1 of 2 has lost another one.*--resume", found["said"])
    assert found["seconds"] < 200  # without a limit of ours it would be half an hour


def test_ctrl_c_in_one_stops_all_after_the_same_step(report):
    found = result(report, "interrupted")
    assert found["said"] == ["interrupted"] * 2
    assert 0 < found["step"] < 200 and found["differ"] == []


def test_batch_normalisation_is_that_of_the_whole_minibatch(report):
    found = result(report, "normalised")
    for parts in found.values():
        assert parts["BatchNorm1d back"] and parts["BatchNorm2d back"]
        assert parts["BatchNorm1d"] < 1e-5 and parts["BatchNorm2d"] < 1e-5, parts


def test_an_error_in_one_is_an_error_in_all_and_said_once(report):
    (first, values, at), (second, others, later) = result(report, "errors")
    assert [text for _, text in first[:3]] == ["said by 0", "said by 1", "said by 0"]
    assert [text for _, text in first[:3]] == [text for _, text in second[:3]]
    assert [told for told, _ in first[:3]] == ["", "told ", ""]
    assert [told for told, _ in second[:3]] == ["told ", "", "told "]
    assert "A batch of 9 cannot be divided among 2 processes" in first[3][1]
    assert "training.seed: 0 -> 1" in second[4][1] and first[4][1] == second[4][1]
    assert values == [5, 0, True] and others == [5, None, True]
    assert at < later  # the first process of a machine comes before the others


def test_alone_nothing_is_exchanged():
    world, x = distribute.ALONE, torch.randn(4, 2)
    assert world.slice(x).data_ptr() == x.data_ptr() and world.slice(x).shape == x.shape
    before = x.clone()
    world.average([x])
    assert torch.equal(x, before) and world.any(True) and not world.any(False)
    assert world.first(lambda: 3) == world.first_only(lambda: 3) == world.everywhere(lambda: 3) == 3
    with distribute.join("cpu") as (joined, device):
        assert joined is world and device.type == "cpu"
        assert not torch.distributed.is_initialized()


def test_more_processes_than_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(GancourseError, match="Process 2 on this machine finds 1 GPU[.]"):
        with distribute.join("auto"):
            pass


def test_one_device_by_number_is_refused(monkeypatch):
    monkeypatch.setattr(distribute, "choose", torch.device)
    for name in ("cuda:1", "mps"):
        with pytest.raises(GancourseError, match="Several processes cannot share"):
            distribute._own_device(name, 0)


def launch(*command):
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [str(BIN / command[0]), *map(str, command[1:])]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout


STARTERS = {
    "torchrun": ("torchrun", "--standalone", "--nproc-per-node", 2),
    "accelerate": (
        *("accelerate", "launch", "--multi_gpu", "--num_machines", 1, "--num_processes", 2),
        *("--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", 0),
    ),
}


@pytest.mark.parametrize("starter", STARTERS)
def test_the_commands_of_the_page(tmp_path, starter):
    """In short; their losses are those of one process."""
    said = launch(
        *(*STARTERS[starter], "-m", "gancourse", "train", "vanilla/digits", "--images", 1280),
        *("--device", "cpu", "--out", tmp_path / "two"),
    )
    assert said.count("Run folder") == 1
    run = gancourse.train("vanilla/digits", images=1280, device="cpu", out=tmp_path / "one")
    (two,), (one,) = read_history(tmp_path / "two/history.jsonl"), run.history
    assert all(abs(one[k] - two[k]) < CLOSE for k in ("loss_d", "loss_g", "d_real", "d_fake"))
    facts = json.loads((tmp_path / "two/run.json").read_text())
    assert facts["settings"] == run.facts["settings"] and facts["status"] == "finished"
    assert facts["versions"]["device"].startswith("2 processes, each on CPU")
    # One process goes on with the run of two.
    more = gancourse.train(
        "vanilla/digits", images=2560, device="cpu", out=tmp_path / "two", resume=True
    )
    assert [row["step"] for row in more.history] == [20, 40]


def test_a_wrong_name_is_told_once(report):
    first, second = result(report, "wrong_name")
    assert first.startswith("gancourse: Unknown recipe 'vanilla/digit'") and second == ""
