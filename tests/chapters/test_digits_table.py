"""The chapter's table, network and Adam are the package's and Keras'; its records are comparable."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gancourse import data, records
from gancourse.tf import experiments, keras, models, pipelines, tf
from tests.chapters.pages import what_it_needs

NAMES = ("sgd", "adam", "adam-0.01", "adam-0.1", "adam-0.5", "four-100", "five", "five-0.01")
NAMES += ("dropout",)


def test_the_table_written_out_is_the_package_s():
    as_table = what_it_needs("digits-table", "as_table")["as_table"]
    digits = data.load("digits")
    images, labels = pipelines.images(digits)[..., 0], pipelines.labels(digits)
    assert np.array_equal(as_table(images, labels), pipelines.kaggle_table(digits))


@pytest.mark.parametrize("hidden", [(300, 100, 100, 200), (300, 100, 100, 100, 200)])
def test_the_network_written_out_is_the_package_s(hidden):
    mine = what_it_needs("digits-table", "make_model")["make_model"](hidden)
    theirs = models.table_classifier(hidden)
    assert mine.count_params() == theirs.count_params()
    mine.set_weights(theirs.get_weights())
    rows = np.random.default_rng(0).random((5, 784), dtype=np.float32)
    assert np.array_equal(mine(rows), theirs(rows))


def test_adam_written_out_is_keras_adam():
    adam = what_it_needs("digits-table", "adam")["adam"]
    generator = np.random.default_rng(1)
    w, m, v = generator.standard_normal(6), 0.0, 0.0
    kept, optimizer = tf.Variable(w), keras.optimizers.Adam(0.03)
    for t in range(1, 8):
        g = generator.standard_normal(6) * 10.0 ** generator.integers(-3, 3, 6)
        w, m, v = adam(w, g, m, v, t, rate=0.03)
        optimizer.apply([tf.constant(g)], [kept])
        np.testing.assert_allclose(w, kept.numpy(), rtol=1e-5, atol=1e-7)


def test_the_first_step_is_the_rate_whatever_the_gradient():
    adam = what_it_needs("digits-table", "adam")["adam"]
    gradient = np.array([1e6, -3.0, 1e-3, -1e-4, 0.0])
    moved, _, _ = adam(np.zeros(5), gradient, 0.0, 0.0, 1, rate=0.5)
    np.testing.assert_allclose(moved, -0.5 * np.sign(gradient), rtol=0.05)
    # where the gradient is as small as Keras' epsilon in the first step, half of it is left
    small = 1e-7 / np.sqrt(1 - 0.999)
    assert adam(0.0, small, 0.0, 0.0, 1, rate=0.5)[0] == pytest.approx(-0.25)


def test_torch_s_adam_takes_the_same_first_step():
    weight = torch.zeros(3, requires_grad=True)
    weight.grad = torch.tensor([40.0, -1.0, 2e-3])
    torch.optim.Adam([weight], lr=0.5).step()
    torch.testing.assert_close(weight.detach(), torch.tensor([-0.5, 0.5, -0.5]), rtol=1e-4, atol=0)


def test_the_records_are_of_the_same_rows_and_length():
    found = [records.experiment(f"tf/table-{name}") for name in NAMES]
    assert all(record.facts["data"]["items"] == found[0].facts["data"]["items"] for record in found)
    assert {len(record.history(run)) for record in found for run in range(3)} == {20}
    for name, record in zip(NAMES, found, strict=True):
        settings = experiments.get(f"tf/table-{name}").describe()
        assert record.facts["settings"] == settings
        assert [run["seed"] for run in record.runs] == [0, 1, 2]


@pytest.mark.parametrize("name", ["adam-0.1", "adam-0.5"])
def test_at_a_rate_of_a_tenth_and_a_half_one_digit_is_all_it_says(name):
    record = records.experiment(f"tf/table-{name}")
    assert max(record.scores("test_accuracy")) < 0.2
    assert np.unique(record.predictions()["predicted"]).size == 1
