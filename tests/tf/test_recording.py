"""Records of experiments: what they hold, how they go on after a break, what they refuse."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gancourse import records
from gancourse.errors import GancourseError
from gancourse.tf import experiments, models, recording, training
from tests.tf import tiny


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A tiny experiment that is known by name; returns the folder of its record."""
    monkeypatch.setitem(experiments.EXPERIMENTS, "tf/tiny", tiny.experiment(epochs=1))
    monkeypatch.setattr(recording, "load_data", lambda experiment: tiny.pictures())
    monkeypatch.setattr(records, "ROOT", tmp_path)
    return tmp_path / "tf" / "tiny"


def test_a_record_holds_what_is_needed_to_judge_it(place):
    record = recording.record("tf/tiny", seeds=1)
    assert sorted(path.name for path in place.iterdir()) == [
        "predictions.npz", "record.json", "weights.safetensors",
    ]  # fmt: skip
    facts = json.loads((place / "record.json").read_text())
    assert facts["experiment"] == "tf/tiny" and facts["claims"] == ["E12", "X13"]
    assert facts["settings"] == experiments.get("tf/tiny").describe()
    items = {"train": 100, "validation": 50, "test": 50}
    assert facts["data"] == {"name": "mnist", "items": items, "note": "tiny"}
    assert set(facts["versions"]) == {"gancourse", "tensorflow", "keras", "python"}
    assert facts["hardware"] and facts["recorded"]
    (run,) = facts["runs"]
    assert set(run) == {"seed", "seconds", "cpu_seconds", "history", "scores"} and run["seed"] == 0

    x, y = tiny.pictures().test
    predicted = record.predictions()["predicted"]
    assert (predicted == y).mean() == pytest.approx(record.scores("test_accuracy")[0], abs=1e-6)
    model = models.dense_classifier()
    model.set_weights(record.weights())
    said = model.predict(x / np.float32(255), verbose=0)
    np.testing.assert_allclose(said.max(1), record.predictions()["confidence"], atol=0.01)


def interrupt(monkeypatch, at):
    """Ctrl-C in the run of that seed, once; returns the seeds that were run."""
    seeds, fit = [], training.fit

    def broken(experiment, seed, **rest):
        seeds.append(seed)
        if seeds == list(range(at + 1)):
            raise KeyboardInterrupt
        return fit(experiment, seed, **rest)

    monkeypatch.setattr(recording, "fit", broken)
    return seeds


def test_after_ctrl_c_the_finished_seed_is_kept_and_the_next_is_run(place, monkeypatch, capsys):
    seeds = interrupt(monkeypatch, at=1)
    with pytest.raises(KeyboardInterrupt):
        recording.record("tf/tiny", seeds=2)
    first = records.experiment("tf/tiny")
    assert [run["seed"] for run in first.runs] == [0]
    predictions = (place / "predictions.npz").read_bytes()
    both = recording.record("tf/tiny", seeds=2, progress=True)
    assert seeds == [0, 1, 1]
    assert "tf/tiny, seed 1 (2 of 2)" in capsys.readouterr().err
    assert [run["seed"] for run in both.runs] == [0, 1]
    assert both.runs[0] == first.runs[0]
    assert both.runs[1]["history"][0]["loss"] != both.runs[0]["history"][0]["loss"]
    assert (place / "predictions.npz").read_bytes() == predictions
    recording.record("tf/tiny", seeds=2)
    assert seeds == [0, 1, 1]  # what is complete is not run again


def test_another_folder_and_weights_that_are_too_large(place, monkeypatch, tmp_path):
    monkeypatch.setattr(recording, "LARGEST", 1000)
    record = recording.record("tf/tiny", seeds=1, out=tmp_path / "mine")
    assert record.path == tmp_path / "mine" and not place.exists()
    assert not (tmp_path / "mine" / "weights.safetensors").exists()
    with pytest.raises(GancourseError, match="has no weights"):
        record.weights()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("settings", {"epochs": 7}),
        ("data", {"name": "mnist", "items": {"train": 99}, "note": ""}),
        ("versions", {"keras": "2.0"}),
    ],
)
def test_a_record_of_something_else_is_left_as_it_is(place, monkeypatch, key, value):
    seeds = interrupt(monkeypatch, at=0)
    data = tiny.pictures()
    facts = recording._facts(experiments.get("tf/tiny"), data) | {key: value, "runs": [{}]}
    place.mkdir(parents=True)
    (place / "record.json").write_text(json.dumps(facts))
    with pytest.raises(GancourseError, match=f"other {key}. Delete the folder"):
        recording.record("tf/tiny", seeds=2)
    assert seeds == [] and json.loads((place / "record.json").read_text()) == facts


def test_no_seeds_and_no_such_experiment(place):
    with pytest.raises(GancourseError, match="0 seeds"):
        recording.record("tf/tiny", seeds=0)
    with pytest.raises(GancourseError, match="Did you mean tf/tiny"):
        recording.record("tf/tyni")
