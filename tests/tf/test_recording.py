"""Records of experiments: what they hold, how they go on after a break, what they refuse."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from gancourse import records
from gancourse.errors import GancourseError
from gancourse.tf import experiments, models, recording, training
from tests.tf import tiny

ITEMS = {"train": 100, "validation": 50, "test": 50}


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
    assert facts["data"] == {"name": "mnist", "items": ITEMS, "note": "tiny"}
    assert set(facts["versions"]) == {"gancourse", "tensorflow", "keras", "python"}
    (run,) = facts["runs"]
    assert set(run) == {
        "seed", "seconds", "cpu_seconds", "hardware", "recorded", "history", "scores",
    }  # fmt: skip
    assert run["seed"] == 0 and "CPU" in run["hardware"]
    assert facts["hardware"] == run["hardware"] and facts["recorded"] == run["recorded"]

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


def test_what_is_complete_is_not_run_again_and_says_so(place, monkeypatch, capsys):
    recording.record("tf/tiny", seeds=2, progress=False)
    seeds, before = interrupt(monkeypatch, at=0), (place / "record.json").read_bytes()
    assert capsys.readouterr().err == ""
    for progress in (True, None):
        record = recording.record("tf/tiny", seeds=1, progress=progress)
        assert len(record.runs) == 2
        err = capsys.readouterr().err
        assert err.startswith("tf/tiny has 2 seeds already; nothing was run.") and "--out" in err
    recording.record("tf/tiny", seeds=2, progress=False)
    assert capsys.readouterr().err == "" and seeds == []
    # Newer versions take nothing from a record that is complete.
    monkeypatch.setattr(recording.gancourse, "__version__", "99")
    assert len(recording.record("tf/tiny", seeds=2).runs) == 2
    assert (place / "record.json").read_bytes() == before
    with pytest.raises(GancourseError, match="other versions"):
        recording.record("tf/tiny", seeds=3)


def test_each_run_keeps_the_hardware_and_the_day_of_its_own(place, monkeypatch):
    monkeypatch.setattr(recording, "_hardware", lambda: "the old machine")
    monkeypatch.setattr(recording, "_today", lambda: "2026-01-01")
    recording.record("tf/tiny", seeds=1)
    monkeypatch.setattr(recording, "_hardware", lambda: "the new machine")
    monkeypatch.setattr(recording, "_today", lambda: "2026-02-02")
    record = recording.record("tf/tiny", seeds=2)
    told = [(run["hardware"], run["recorded"]) for run in record.runs]
    assert told == [("the old machine", "2026-01-01"), ("the new machine", "2026-02-02")]
    assert (record.facts["hardware"], record.facts["recorded"]) == told[0]


def test_runs_without_hardware_of_an_older_record_stay_as_they_are(place):
    recording.record("tf/tiny", seeds=1)
    facts = json.loads((place / "record.json").read_text())
    for key in ("hardware", "recorded"):
        del facts["runs"][0][key]
    (place / "record.json").write_text(json.dumps(facts))
    record = recording.record("tf/tiny", seeds=2)
    assert record.runs[0] == facts["runs"][0] and record.runs[1]["hardware"]


class Device:
    def __init__(self, name):
        self.name = name


def test_a_gpu_is_called_by_the_name_it_is_sold_under(monkeypatch):
    told = {"/gpu:0": {"device_name": "NVIDIA H200"}, "/gpu:1": {}}
    config = recording.tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: [Device(n) for n in told])
    monkeypatch.setattr(config.experimental, "get_device_details", lambda d: told[d.name])
    assert recording._hardware() == "NVIDIA H200, /gpu:1"


def test_the_encoder_s_weights_are_those_for_the_size_of_the_experiment(monkeypatch, tmp_path):
    asked = []

    def find(size):
        asked.append(size)
        (tmp_path / "weights.h5").write_bytes(b"weights")
        return tmp_path / "weights.h5"

    monkeypatch.setattr(recording.unet, "find_weights", find)
    own = replace(experiments.get("tf/segmentation"), size=224)
    facts = recording._facts(own, tiny.pictures())
    assert asked == [224] and facts["data"]["weights"]["file"] == "weights.h5"


def test_another_folder_and_weights_that_are_too_large(place, monkeypatch, tmp_path):
    monkeypatch.setattr(recording, "LARGEST", 1000)
    record = recording.record("tf/tiny", seeds=1, out=tmp_path / "mine")
    assert record.path == tmp_path / "mine" and not place.exists()
    assert record.name == "tf/tiny" == records.experiment("mine", root=tmp_path).name
    assert not (tmp_path / "mine" / "weights.safetensors").exists()
    with pytest.raises(GancourseError, match="has no weights"):
        record.weights()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("experiment", "tf/clothes", "the record of tf/clothes, not of tf/tiny"),
        ("settings", {"epochs": 7}, "other settings"),
        ("data", {"name": "mnist", "items": {"train": 99}, "note": ""}, "other data"),
        ("data", {"name": "fashion-mnist", "items": ITEMS, "note": "tiny"}, "other data"),
        ("data", {"name": "mnist", "items": ITEMS, "note": "tiny", "weights": {}}, "other data"),
        ("versions", {"keras": "2.0"}, "other versions"),
    ],
)
def test_a_record_of_something_else_is_left_as_it_is(place, monkeypatch, key, value, message):
    seeds = interrupt(monkeypatch, at=0)
    data = tiny.pictures()
    facts = recording._facts(experiments.get("tf/tiny"), data) | {key: value, "runs": [{}]}
    place.mkdir(parents=True)
    (place / "record.json").write_text(json.dumps(facts))
    # A complete record of something else is not taken for this one either.
    for wanted in (2,) if key == "versions" else (1, 2):
        with pytest.raises(GancourseError, match=f"{message}. Delete the folder"):
            recording.record("tf/tiny", seeds=wanted)
    assert seeds == [] and json.loads((place / "record.json").read_text()) == facts


@pytest.mark.parametrize("content", ["[]", "{}", '{"runs": 3}', '{"runs": [', '"tf/tiny"'])
def test_a_damaged_record_is_refused_and_left_as_it_is(place, monkeypatch, content):
    seeds = interrupt(monkeypatch, at=0)
    place.mkdir(parents=True)
    (place / "record.json").write_text(content)
    with pytest.raises(GancourseError, match="record.json (holds no runs|is not a readable JSON)"):
        recording.record("tf/tiny", seeds=1)
    assert seeds == [] and (place / "record.json").read_text() == content


def full(dir):
    raise OSError(30, "Read-only file system")


def test_a_folder_that_cannot_be_written_is_noticed_before_the_training(place, monkeypatch):
    seeds = interrupt(monkeypatch, at=0)
    file = place.parent.parent / "file"
    file.write_text("")
    for out in (file, file / "below"):
        with pytest.raises(GancourseError, match="Cannot write a record into .*--out"):
            recording.record("tf/tiny", out=out)
    monkeypatch.setattr(recording.tempfile, "TemporaryFile", full)
    with pytest.raises(GancourseError, match="Read-only file system. Nothing was run"):
        recording.record("tf/tiny")
    assert seeds == []


def test_options_that_json_writes_in_another_way_are_still_the_same(place, monkeypatch):
    hidden = tiny.experiment(
        epochs=1, model="table_classifier", loss="categorical_crossentropy",
        options={"hidden": (8,)},
    )  # fmt: skip
    monkeypatch.setitem(experiments.EXPERIMENTS, "tf/tiny", hidden)
    monkeypatch.setattr(recording, "load_data", lambda experiment: tiny.rows())
    recording.record("tf/tiny", seeds=1)
    assert len(recording.record("tf/tiny", seeds=2).runs) == 2


def test_no_seeds_and_no_such_experiment(place):
    with pytest.raises(GancourseError, match="0 seeds"):
        recording.record("tf/tiny", seeds=0)
    with pytest.raises(GancourseError, match="Did you mean tf/tiny"):
        recording.record("tf/tyni")
