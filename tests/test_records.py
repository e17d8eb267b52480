"""Records of experiments as a reader without TensorFlow opens them."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from safetensors.numpy import save_file

from gancourse import records
from gancourse.errors import GancourseError


def row(epoch: int, accuracy: float) -> dict:
    return {"epoch": epoch, "loss": 1.0, "accuracy": accuracy}


@pytest.fixture
def root(tmp_path):
    """A folder with the record of an experiment with three seeds."""
    folder = tmp_path / "tf" / "tiny"
    folder.mkdir(parents=True)
    runs = [
        {"seed": seed, "seconds": 1.5, "history": [row(1, 0.5), row(2, score)],
         "scores": {"test_accuracy": score, "train_accuracy": 0.9}}
        for seed, score in enumerate((0.5, 0.6, 0.7))
    ]  # fmt: skip
    facts = {"experiment": "tf/tiny", "settings": {"epochs": 2}, "runs": runs}
    (folder / "record.json").write_text(json.dumps(facts))
    np.savez(folder / "predictions.npz", predicted=np.array([1, 0], np.uint8))
    names = {f"{i:03d}": np.full((2,), i, np.float16) for i in (0, 1, 2, 10)}
    save_file(names, folder / "weights.safetensors")
    return tmp_path


def test_scores_history_predictions_weights(root):
    record = records.experiment("tf/tiny", root=root)
    assert record.name == "tf/tiny" and record.facts["settings"] == {"epochs": 2}
    assert record.scores("test_accuracy") == [0.5, 0.6, 0.7]
    mean, sd = record.mean_sd("test_accuracy")
    assert math.isclose(mean, 0.6) and math.isclose(sd, 0.1)
    assert [r["accuracy"] for r in record.history(2)] == [0.5, 0.7]
    assert record.history()[-1] == row(2, 0.5)
    assert record.predictions()["predicted"].tolist() == [1, 0]
    weights = record.weights()
    assert [w.tolist() for w in weights] == [[i, i] for i in (0, 1, 2, 10)]
    assert all(w.dtype == np.float32 for w in weights)


def test_one_seed_has_no_spread(root):
    path = root / "tf" / "tiny" / "record.json"
    facts = json.loads(path.read_text())
    path.write_text(json.dumps(facts | {"runs": facts["runs"][:1]}))
    mean, sd = records.experiment("tf/tiny", root=root).mean_sd("test_accuracy")
    assert mean == 0.5 and math.isnan(sd)


def test_every_record_of_the_package_opens(monkeypatch, root):
    assert all(name.startswith("tf/") for name in records.names())
    for name in records.names():
        assert records.experiment(name).facts["experiment"] == name
    monkeypatch.setattr(records, "ROOT", root)
    assert records.names() == ("tf/tiny",)
    assert records.experiment("tf/tiny").path == root / "tf" / "tiny"


def test_an_unknown_score_and_a_missing_record(root):
    record = records.experiment("tf/tiny", root=root)
    with pytest.raises(GancourseError, match="Did you mean test_accuracy"):
        record.scores("test_acuracy")
    with pytest.raises(GancourseError, match="gancourse record tf/tinny"):
        records.experiment("tf/tinny", root=root)


@pytest.mark.parametrize("content", ['{"runs": []}', "[]", '{"experiment": "tf/tiny"}'])
def test_a_record_without_runs_is_refused(root, content):
    (root / "tf" / "tiny" / "record.json").write_text(content)
    with pytest.raises(GancourseError, match="holds no runs"):
        records.experiment("tf/tiny", root=root)


def test_damaged_files_are_named(root):
    record = records.experiment("tf/tiny", root=root)
    for name, read in (("predictions.npz", record.predictions),
                       ("weights.safetensors", record.weights)):  # fmt: skip
        path = root / "tf" / "tiny" / name
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(GancourseError, match=f"{name}.*damaged"):
            read()
        path.unlink()
        with pytest.raises(GancourseError, match="missing|no weights"):
            read()
    (root / "tf" / "tiny" / "record.json").write_text("{")
    with pytest.raises(GancourseError, match="not a readable JSON"):
        records.experiment("tf/tiny", root=root)


WITHOUT = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
from gancourse import claims, records
from gancourse.errors import GancourseError
import gancourse.tf
from gancourse.tf import EXPERIMENTS
from gancourse.tf import figures
print(len(EXPERIMENTS) > 10)
print(records.experiment("tf/tiny", root=sys.argv[1]).predictions()["predicted"].tolist())
for name in records.names():
    records.experiment(name)
print(claims.get("E1").id)
for take in (lambda: gancourse.tf.tf, lambda: gancourse.tf.fit):
    try:
        take()
    except GancourseError as error:
        print(error)
"""


def test_all_this_works_where_tensorflow_is_not_installed(root):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(WITHOUT), str(root)],
        env=os.environ | {"KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["True", "[1, 0]", "E1"]
    assert len(lines) == 5
    for said in lines[3:]:
        assert "needs tensorflow and keras" in said
        assert "pip install 'gancourse[tf]'" in said
    assert done.stderr == ""
