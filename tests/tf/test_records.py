"""The recorded experiments: complete, and their scores come out again from what was stored."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse import records
from gancourse.tf import experiments, models, pipelines
from gancourse.tf.training import load_data
from tests import needs

EXPERIMENTS = experiments.EXPERIMENTS
NAMES = tuple(EXPERIMENTS)
CLASSES = [name for name in NAMES if EXPERIMENTS[name].void is None]


KEPT = {}


def held_out(name):
    """The data that the experiment was judged on; many share them."""
    experiment = EXPERIMENTS[name]
    key = experiment.data, experiment.split, experiment.size
    if key not in KEPT:
        KEPT[key] = load_data(experiment).test
    return KEPT[key]


def judged(name: str) -> str:
    """The score that the stored predictions belong to."""
    return "validation_accuracy" if EXPERIMENTS[name].split == "validation" else "test_accuracy"


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_the_experiment_at_full_length_from_three_seeds(name):
    record = records.experiment(name)
    experiment = EXPERIMENTS[name]
    assert record.facts["settings"] == experiment.describe()
    assert record.facts["claims"] == list(experiment.claims)
    assert record.facts["data"]["name"] == experiment.data
    assert [run["seed"] for run in record.runs] == list(range(len(record.runs)))
    assert len(record.runs) >= 3
    for run in record.runs:
        assert [row["epoch"] for row in run["history"]] == list(range(1, experiment.epochs + 1))
        assert run["seconds"] > 0
        assert run["scores"]["epoch_accuracy"] == run["history"][-1]["accuracy"]
        assert all(0 <= value <= 1 for value in run["scores"].values())
    assert {"tensorflow", "keras"} <= set(record.facts["versions"])
    assert record.facts["data"]["note"] == experiment.note
    assert record.facts["hardware"] and record.facts["recorded"]


@pytest.mark.parametrize("name", CLASSES)
def test_runs_of_other_seeds_differ(name):
    losses = [[row["loss"] for row in run["history"]] for run in records.experiment(name).runs]
    assert all(before != after for before, after in zip(losses, losses[1:], strict=False))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs.data(EXPERIMENTS[name].data)) for name in CLASSES]
)
def test_the_score_of_seed_0_follows_from_the_predictions(name):
    record = records.experiment(name)
    predicted = record.predictions()["predicted"]
    truth = held_out(name)[1]
    truth = truth.argmax(1) if truth.ndim == 2 else truth
    assert predicted.shape == truth.shape
    assert (predicted == truth).mean() == pytest.approx(record.scores(judged(name))[0], abs=1e-6)


WEIGHED = [name for name in CLASSES if (records.ROOT / name / "weights.safetensors").exists()]


def test_the_networks_that_are_small_have_kept_their_weights():
    assert set(CLASSES) - set(WEIGHED) == {"tf/cats-dogs", "tf/cats-dogs-augmented"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=needs.data(EXPERIMENTS[name].data)) for name in WEIGHED]
)
def test_the_score_of_seed_0_follows_from_the_weights(name):
    """In float16 they are rounded; that moves few of the ten thousand predictions."""
    experiment = EXPERIMENTS[name]
    record = records.experiment(name)
    model = getattr(models, experiment.model)(**experiment.options)
    model.set_weights(record.weights())
    x, y = held_out(name)
    x = pipelines.scaled(x) if x.dtype == np.uint8 else x
    output = model.predict(x, batch_size=500, verbose=0)
    truth = y.argmax(1) if y.ndim == 2 else y
    accuracy = float((output.argmax(1) == truth).mean())
    assert accuracy == pytest.approx(record.scores("test_accuracy")[0], abs=0.002)
    agree = (output.argmax(1) == record.predictions()["predicted"]).mean()
    assert agree > 0.995
