"""The command line, called as a user does."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from gancourse import cli


@pytest.fixture
def call(monkeypatch, capsys, tmp_path):
    """Run ``gancourse ...`` in an empty folder; returns (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["gancourse", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    return run


TRAIN = ("train", "vanilla/digits", "--images", "640", "--device", "cpu")


def test_a_newcomers_path(call, tmp_path):
    code, out, _ = call(*TRAIN)
    assert code == 0 and "runs/vanilla-digits" in out and "gancourse sample" in out
    run = tmp_path / "runs" / "vanilla-digits"
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    assert Image.open(run / "samples" / "0001.png").size == (71, 71)

    code, out, _ = call("sample", run, "-n", 10, "--seed", 3, "--out", "ten.png")
    assert code == 0 and Image.open(tmp_path / "ten.png").size == (71, 17)

    code, out, _ = call("evaluate", run, "--n", 100)
    assert code == 0 and "FID" in out and "digits-cnn" in out

    code, out, _ = call(*TRAIN[:3], 1280, *TRAIN[4:], "--resume")
    assert code == 0
    rows = [json.loads(r) for r in (run / "history.jsonl").read_text().splitlines()]
    assert rows[-1]["images"] == 1280


def test_tables(call):
    code, out, _ = call("recipes")
    assert code == 0 and "dcgan/fashion-mnist" in out
    code, out, _ = call("data")
    assert code == 0 and "fashion-mnist" in out and "digits" in out
    code, out, _ = call("--help")
    assert code == 0 and "train" in out and "evaluate" in out


def test_dry_run_writes_nothing(call, tmp_path):
    code, out, _ = call(*TRAIN, "--dry-run")
    assert code == 0 and "images/s" in out and "parameters" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "dcgan/fashon-mnist"), "Did you mean dcgan/fashion-mnist"),
        (("train", "vanilla/digits", "--data", "nowhere"), "nowhere"),
        (("train", "vanilla/digits", "--batch-size", "9999"), "batch of 9999"),
        (("train", "vanilla/digits", "--lr", "-1"), "lr_d is -1"),
        (("train", "vanilla/digits", "--resume"), "no run in runs/vanilla-digits"),
        (("train", "vanilla/digits", "--device", "tpu9"), "tpu9"),
        (("train", "vanilla/digits", "--dry-run", "--epochs", "0"), "epochs is 0"),
        (("sample", "nothing"), "Unknown run folder or record"),
        (("evaluate", "nothing"), "Unknown run folder or record"),
        (("record", "nothing"), "Unknown recipe"),
    ],
)
def test_errors_are_one_message_and_exit_code_2(call, words, message):
    code, _, err = call(*words)
    assert code == 2 and message in err
    assert "Traceback" not in err and len(err.strip().splitlines()) <= 2


def test_fast(call, tmp_path):
    """The path is shown, kept in the run folder, and a resumed run stays on it."""
    code, out, _ = call(*TRAIN, "--fast", "--dry-run")
    assert code == 0 and "path       generator contiguous, discriminator contiguous" in out
    code, out, _ = call(*TRAIN, "--dry-run")
    assert code == 0 and "--fast tries" in out
    assert call(*TRAIN, "--fast")[0] == 0
    facts = json.loads((tmp_path / "runs" / "vanilla-digits" / "run.json").read_text())
    assert facts["status"] == "finished" and facts["fast"]["device"] == "cpu"
    code, _, err = call(*TRAIN, "--resume")
    assert code == 2 and "training.fast: True -> None" in err
    assert call(*TRAIN[:3], 1280, *TRAIN[4:], "--fast", "--resume")[0] == 0


def test_sample_into_a_strange_file(call, tmp_path):
    call(*TRAIN)
    code, _, err = call("sample", "runs/vanilla-digits", "--out", "a.xyz")
    assert code == 2 and ".png" in err
    code, _, err = call("sample", "runs/vanilla-digits", "-n", "0")
    assert code == 2 and "0 samples" in err


def test_existing_run(call):
    assert call(*TRAIN)[0] == 0
    code, _, err = call(*TRAIN)
    assert code == 2 and "--resume" in err


def test_ctrl_c(call, monkeypatch, tmp_path):
    import os
    import signal

    from gancourse.training.trainer import Trainer

    step = Trainer.step

    def pressed(trainer):
        step(trainer)
        if trainer.step_count == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Trainer, "step", pressed)
    code, _, err = call(*TRAIN)
    assert code == 130 and "--resume" in err
    monkeypatch.setattr(Trainer, "step", step)
    assert call(*TRAIN, "--resume")[0] == 0


def test_an_experiment_is_recorded_seed_by_seed(call, tmp_path, monkeypatch):
    from gancourse.tf import experiments, recording, training

    small = experiments.Experiment(
        "tf/clothes", ("E1",), "fashion-mnist", "test", "dense_classifier", epochs=2
    )
    monkeypatch.setitem(experiments.EXPERIMENTS, "tf/clothes", small)
    rng = np.random.default_rng(0)
    part = (rng.integers(0, 256, (64, 28, 28, 1), dtype=np.uint8), np.arange(64) % 10)
    tiny = training.Splits(part, part, part)
    monkeypatch.setattr(recording, "load_data", lambda experiment: tiny)
    code, _, err = call("record", "tf/clothes", "--seeds", 1, "--out", "kept")
    assert code == 0 and "epoch 2/2" in err and "val_accuracy" in err
    code, out, err = call("record", "tf/clothes", "--seeds", 2, "--out", "kept")
    assert code == 0 and "seed 1 (2 of 2)" in err and "seed 0" not in err
    assert len(json.loads((tmp_path / "kept/record.json").read_text())["runs"]) == 2
    code, out, err = call("record", "tf/clothes", "--seeds", 2, "--out", "kept")
    assert code == 0 and "epoch" not in err and "kept" in out


def test_a_comparison_is_recorded(call, tmp_path, monkeypatch):
    from gancourse.tf import frameworks

    asked = []
    monkeypatch.setattr(
        frameworks, "record", lambda name, **rest: asked.append((name, rest)) or tmp_path / "a.json"
    )
    code, out, _ = call("record", "tf/frameworks/digits", "--out", "kept")
    assert code == 0 and out.strip() == f"Record: {tmp_path / 'a.json'}"
    ((name, rest),) = asked
    assert name == "tf/frameworks/digits" and str(rest["out"]) == "kept" and rest["progress"]


def test_options_that_do_not_fit_what_is_recorded(call):
    for words, told in (
        (("record", "dcgan/digits", "--seeds", 0), "one or more"),
        (("record", "tf/clothes", "--device", "cpu"), "CUDA_VISIBLE_DEVICES"),
        (("record", "tf/cloths"), "tf/clothes"),
        (("record", "tf/clothes", "--seeds", 0), "1 is the least"),
        (("record", "tf/frameworks/digit"), "tf/frameworks/digits"),
        (("record", "tf/frameworks/digits", "--seeds", 1), "seeds of its own"),
    ):
        code, out, err = call(*words)
        assert code == 2 and told in err and len(err.splitlines()) <= 3, err


def test_claims(call):
    from gancourse import claims

    code, out, _ = call("claims")
    assert code == 0 and f"{len(claims.ledger())} claims: reproduced" in out
    longest = max((entry.claim for entry in claims.ledger()), key=len)
    assert longest in out  # piped, nothing is shortened
    code, out, _ = call("claims", "e3")
    assert code == 0 and "Adam" in out and "tf/table-sgd" in out
    code, _, err = call("claims", "E99")
    assert code == 2 and "Did you mean" in err


def test_claims_with_a_broken_record(call, monkeypatch, tmp_path):
    from gancourse import records

    monkeypatch.setattr(records, "ROOT", tmp_path)
    (tmp_path / "tf" / "clothes").mkdir(parents=True)
    (tmp_path / "tf" / "clothes" / "record.json").write_text("{")
    code, out, err = call("claims")
    assert code == 2 and out == "" and "clothes/record.json is not a readable JSON" in err


@pytest.mark.parametrize("begun", [False, True])
def test_ctrl_c_says_what_is_saved(call, monkeypatch, tmp_path, begun):
    out = tmp_path / "run"

    def interrupted(*args, **kwargs):
        if begun:
            out.mkdir()
            (out / "run.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr("gancourse.train", interrupted)
    code, stdout, err = call(*TRAIN, "--out", out)
    said = f"saved in {out}" if begun else "nothing was begun"
    assert code == 130 and stdout == "" and err.strip().startswith(f"Interrupted; {said}.")
    assert ("--resume" in err) == begun
