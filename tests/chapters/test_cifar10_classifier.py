"""The chapter's network is the package's, its arithmetic is Keras', and the record is whole."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse import data, records
from gancourse.tf import experiments, models, pipelines, tf
from tests import needs
from tests.chapters.pages import what_it_needs


def test_the_network_written_out_is_the_package_s():
    mine = what_it_needs("cifar10-classifier", "make_model")["make_model"]()
    theirs = models.cifar10_classifier()
    assert [w.shape for w in mine.weights] == [w.shape for w in theirs.weights]
    mine.set_weights(theirs.get_weights())
    images = np.random.default_rng(0).random((2, 32, 32, 3), dtype=np.float32)
    assert np.array_equal(mine(images), theirs(images))


def test_the_counts_by_hand_are_keras_counts():
    chapter = what_it_needs("cifar10-classifier", "convolution, dense, base, head, sides")
    counts = [layer.count_params() for layer in models.cifar10_classifier().layers]
    assert chapter["base"] + chapter["head"] == [count for count in counts if count]
    sides = [32] + [layer.output.shape[1] for layer in models.cifar10_base().layers]
    assert chapter["sides"] == sides == [32, 30, 15, 13, 6, 4]


@pytest.mark.parametrize("row", range(4))
def test_one_entry_sees_18_pixels_four_further_for_each_neighbour(row):
    base = models.cifar10_base()
    images = tf.Variable(np.random.default_rng(row).random((4, 32, 32, 3), dtype=np.float32))
    with tf.GradientTape() as tape:
        output = tf.reduce_sum(base(images)[:, row, 3 - row])
    seen = np.abs(tape.gradient(output, images).numpy()).max((0, 3)) > 0
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert (rows.min(), rows.max()) == (4 * row, 4 * row + 17)
    assert (columns.min(), columns.max()) == (4 * (3 - row), 4 * (3 - row) + 17)


def test_the_record_is_of_the_settings_and_has_three_seeds():
    record = records.experiment("tf/cifar10")
    assert record.facts["settings"] == experiments.get("tf/cifar10").describe()
    assert [run["seed"] for run in record.runs] == [0, 1, 2]
    assert {len(record.history(run)) for run in range(3)} == {10}


@needs.data("cifar10")
def test_the_recorded_weights_give_the_recorded_answers():
    record = records.experiment("tf/cifar10")
    test = data.load("cifar10", split="test")
    said = record.predictions()["predicted"]
    accuracy = (said == pipelines.labels(test)).mean()
    assert accuracy == pytest.approx(record.scores("test_accuracy")[0], abs=1e-6)
    model = models.cifar10_classifier()
    model.set_weights(record.weights())
    images = pipelines.scaled(pipelines.images(test)[:200])
    again = np.asarray(model(images)).argmax(1)
    assert (again == said[:200]).mean() >= 0.98  # the weights are stored as float16
