"""The chapter's network is the package's, and its conclusions are those of the record."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse import records
from gancourse.tf import keras
from gancourse.tf.models import dense_classifier
from tests.chapters.pages import what_it_needs


@pytest.fixture(scope="module")
def chapter():
    return what_it_needs("clothes", "make_model, forward")


@pytest.fixture(scope="module")
def record():
    return records.experiment("tf/clothes")


def test_model_written_out_is_the_package_s(chapter):
    keras.utils.set_random_seed(4)
    mine = chapter["make_model"]()
    keras.utils.set_random_seed(4)
    theirs = dense_classifier()
    assert mine.count_params() == theirs.count_params() == 101_770
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(mine(images), theirs(images))


def test_network_in_numpy_is_the_one_in_keras(chapter, record):
    model = dense_classifier()
    model.set_weights(record.weights())
    images = np.random.default_rng(1).random((20, 28, 28, 1), np.float32)
    hidden, probabilities = chapter["forward"](images, record.weights())
    assert hidden.shape == (20, 128) and hidden.min() == 0
    np.testing.assert_allclose(probabilities, model(images), atol=1e-5)


def test_the_record_is_of_the_setting_that_the_paper_describes(record):
    settings = record.facts["settings"]
    assert (settings["model"], settings["epochs"], settings["split"]) == (
        "dense_classifier", 10, "test",
    )  # fmt: skip
    assert record.facts["data"]["items"] == {"train": 60_000, "validation": 10_000, "test": 10_000}
    assert [len(record.history(run)) for run in range(len(record.runs))] == [10] * 3


def test_training_goes_on_while_the_test_loss_does_not(record):
    for run in range(len(record.runs)):
        rows = record.history(run)
        losses = [row["loss"] for row in rows]
        assert losses == sorted(losses, reverse=True)
    mean = np.mean([[row["val_loss"] for row in record.history(run)] for run in range(3)], axis=0)
    assert mean.argmin() < 9 and mean[-1] > mean.min()


def test_what_keras_prints_lags_behind_what_the_network_can(record):
    for run in record.runs:
        assert run["history"][0]["val_accuracy"] > run["history"][0]["accuracy"]
        assert run["scores"]["train_accuracy"] > run["scores"]["epoch_accuracy"]
        assert run["scores"]["epoch_accuracy"] == run["history"][-1]["accuracy"]
