"""The chapter's network and augmentation are the package's; what it says of the data is so."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse import data
from gancourse.data import registry
from gancourse.data.folders import image_files
from gancourse.tf import models, pipelines
from gancourse.tf.backend import keras
from tests import needs
from tests.chapters.pages import what_it_needs


@pytest.fixture(scope="module")
def chapter():
    return what_it_needs("cats-and-dogs", "make_classifier, make_augmentation, standard_error")


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_the_network_written_out_is_the_package_s(chapter, dropout):
    networks = []
    for make in (chapter["make_classifier"], models.cats_dogs_classifier):
        keras.utils.set_random_seed(5)
        networks.append(make(dropout=dropout))
    mine, theirs = ([type(layer).__name__ for layer in network.layers] for network in networks)
    assert mine == theirs
    assert mine.count("Dropout") == (2 if dropout else 0)
    for a, b in zip(networks[0].get_weights(), networks[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    images = np.random.default_rng(0).random((2, 150, 150, 3), np.float32)
    outputs = [network.predict_on_batch(images) for network in networks]
    np.testing.assert_array_equal(*outputs)


def test_the_augmentation_written_out_is_the_package_s(chapter):
    images = np.random.default_rng(0).random((4, 24, 24, 3), np.float32)
    mine = chapter["make_augmentation"](seed=7)(images, training=True)
    theirs = pipelines.augmentation("flip", "rotation", "zoom", "shift", seed=7)
    np.testing.assert_array_equal(mine, theirs(images, training=True))
    assert not np.array_equal(mine, images)


def test_the_standard_error_is_the_spread_of_counted_accuracies(chapter):
    counts = np.random.default_rng(0).binomial(1000, 0.73, 20_000) / 1000
    assert counts.std() == pytest.approx(chapter["standard_error"](0.73, 1000), rel=0.02)


@needs.data("cats-dogs")
def test_the_photographs_that_the_page_names():
    where = registry.find("cats-dogs")
    names = {
        split: [p.name for p in image_files(where / split)] for split in ("train", "validation")
    }
    assert names["train"][1091] == "dog.180.jpg" and names["train"][1712] == "dog.74.jpg"
    assert names["validation"][84].startswith("cat.")
    labels = data.load("cats-dogs", split="validation", size=150).labels
    assert labels[84] == 0 and labels[866] == 1
