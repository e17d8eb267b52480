"""What the chapter says of reading, saving and drawing, on inputs that need no data set."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import gancourse
from gancourse import metrics, records
from gancourse.tf import keras, load, save, tf
from gancourse.tf.models import dense_classifier


@pytest.fixture(scope="module")
def reader():
    model = dense_classifier()
    model.set_weights(records.experiment("tf/digits").weights())
    return model


@pytest.fixture(scope="module")
def judge():
    return metrics.extractor("mnist-cnn")


@pytest.fixture(scope="module")
def drawn():
    return gancourse.load("vanilla/mnist").sample(300, seed=1)


def _read(reader, images):
    return reader(images.permute(0, 2, 3, 1).numpy().astype(np.float32) / 255).numpy()


def test_a_loaded_model_is_the_same_to_the_last_bit_and_trains_on(tmp_path):
    keras.utils.set_random_seed(0)
    model = dense_classifier()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    generator = np.random.default_rng(0)
    x, y = generator.random((64, 28, 28, 1), np.float32), generator.integers(0, 10, 64)
    model.fit(x, y, verbose=0)
    save(model, tmp_path / "reader.keras")
    again = load(tmp_path / "reader.keras")
    np.testing.assert_array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
    for net in (model, again):
        net.fit(x, y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_x13_what_the_classifier_is_certain_of_is_no_digit(reader, judge):
    """Pictures made for the classifier, from black, by its own gradient."""
    wanted = np.arange(10)
    picture = tf.Variable(tf.zeros((10, 28, 28, 1)))
    for _ in range(60):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(
                keras.losses.sparse_categorical_crossentropy(wanted, reader(picture))
            )
        step = tf.sign(tape.gradient(loss, picture))
        picture.assign(tf.clip_by_value(picture - 0.01 * step, 0, 1))
    certain = reader(picture).numpy()[wanted, wanted]
    pixels = (255 * picture.numpy()).round().astype(np.uint8)
    seen = judge.probabilities(torch.from_numpy(pixels).permute(0, 3, 1, 2)).argmax(1).numpy()
    assert certain.min() > 0.99
    assert (seen == wanted).sum() <= 3


def test_certainty_does_not_tell_drawn_digits_from_noise_and_agreement_does(reader, judge, drawn):
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, drawn.shape, generator=generator).to(torch.uint8)
    certainty, agreement = {}, {}
    for name, images in (("drawn", drawn), ("noise", noise)):
        p = _read(reader, images)
        certainty[name] = p.max(1).mean()
        agreement[name] = (p.argmax(1) == judge.probabilities(images).argmax(1).numpy()).mean()
    assert abs(certainty["drawn"] - certainty["noise"]) < 0.05
    assert agreement["drawn"] > 0.75 > 0.4 > agreement["noise"]


def test_the_writer_draws_every_digit(judge, drawn):
    assert metrics.class_report(judge.probabilities(drawn)).classes_covered == 10


def test_the_record_is_of_the_setting_that_the_paper_describes():
    record = records.experiment("tf/digits")
    settings = record.facts["settings"]
    assert (settings["model"], settings["epochs"], settings["optimizer"]) == (
        "dense_classifier", 5, "adam",
    )  # fmt: skip
    assert len(record.runs) == 3
