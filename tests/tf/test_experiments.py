"""The table of the paper's experiments."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gancourse import claims, data
from gancourse.errors import GancourseError
from gancourse.tf import pipelines, training
from gancourse.tf.experiments import EXPERIMENTS, get, table

NAMES = tuple(EXPERIMENTS)
SPLITS = {
    "test": {"train", "test"},
    "table": {"train", "test"},
    "validation": {"train", "validation"},
    "three": {"train", "val", "test"},
}


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_can_be_made_of_what_there_is(name):
    experiment = get(name)
    assert experiment.name == name and name.startswith("tf/")
    info = data.info(experiment.data)
    assert SPLITS[experiment.split] <= set(info.splits)
    assert experiment.model in training.MODELS and experiment.split in training.SPLITS
    assert experiment.optimizer in training.OPTIMIZERS and experiment.learning_rate > 0
    assert experiment.epochs > 0 and experiment.batch_size > 0
    assert set(experiment.augment) <= set(pipelines._AUGMENTATIONS)
    assert (experiment.void is not None) == bool(experiment.split == "three")


@pytest.mark.parametrize("name", NAMES)
def test_its_claims_are_in_the_ledger(name):
    assert get(name).claims
    for claim in get(name).claims:
        assert claims.get(claim).id == claim


@pytest.mark.parametrize("name", NAMES)
def test_its_settings_are_json(name):
    described = get(name).describe()
    assert json.loads(json.dumps(described)) == described
    assert not {"name", "claims", "data", "note"} & set(described)
    assert described["epochs"] == get(name).epochs


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_that_the_paper_leaves_open_is_noted(name):
    note = get(name).note
    assert note
    assert ("batch size: " in note) is (name in ("tf/clothes", "tf/cifar10", "tf/digits"))
    assert ("shifts: 15 per cent" in note) is ("shift" in get(name).augment)


def test_settings_are_as_json_gives_them_back():
    own = replace(get("tf/table-adam"), options={"hidden": (300, (1, 2))}, augment=("flip",))
    assert own.describe()["options"] == {"hidden": [300, [1, 2]]}
    assert own.describe()["augment"] == ["flip"]


def test_the_settings_that_the_paper_prints():
    rates = {name: get(f"tf/table-{name}").learning_rate for name in ("sgd", "adam-0.1")}
    assert rates == {"sgd": 0.1, "adam-0.1": 0.1}
    five, four = get("tf/table-five"), get("tf/table-four-100")
    assert len(five.options["hidden"]) == 5 and len(four.options["hidden"]) == 4
    assert five.batch_size == four.batch_size == 100
    plain, augmented = get("tf/cats-dogs"), get("tf/cats-dogs-augmented")
    assert plain.batch_size == augmented.batch_size == 128
    assert plain.epochs == augmented.epochs == 15
    assert augmented.options == {"dropout": 0.2} and not plain.augment


def test_the_table_has_a_line_for_each():
    lines = table().splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(NAMES)
    assert all("batches of" in line for line in lines[1:])
    assert max(map(len, lines)) <= 100
    assert all(line == line.rstrip() for line in lines)


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(GancourseError, match="Did you mean .*tf/cats-dogs"):
        get("tf/cats-dog")


def test_no_two_experiments_are_the_same():
    seen = [json.dumps([e.data, e.describe()], sort_keys=True) for e in EXPERIMENTS.values()]
    assert len(set(seen)) == len(seen)
