"""The paper's networks: every layer's weights, the shapes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse.errors import GancourseError
from gancourse.tf import keras, models

PAPER = (300, 100, 100, 200)


def parameters(model):
    """The parameters of each layer that has some."""
    return [layer.count_params() for layer in model.layers if layer.count_params()]


def dense(inputs, units):
    return inputs * units + units


def convolution(maps_in, maps_out):
    return 3 * 3 * maps_in * maps_out + maps_out


def test_the_network_of_clothes_and_digits():
    model = models.dense_classifier()
    assert parameters(model) == [dense(784, 128), dense(128, 10)]
    assert model.count_params() == 101_770
    assert model.input_shape == (None, 28, 28, 1) and model.output_shape == (None, 10)


def test_the_table_network_has_784_inputs_four_hidden_layers_and_one_output():
    model = models.table_classifier()
    assert model.input_shape == (None, 784) and model.output_shape == (None, 10)
    assert [layer.units for layer in model.layers] == [*PAPER, 10]
    assert [keras.activations.serialize(layer.activation) for layer in model.layers] == [
        *["relu"] * 4,
        "softmax",
    ]
    sizes = (784, *PAPER, 10)
    assert parameters(model) == [dense(a, b) for a, b in zip(sizes, sizes[1:], strict=False)]
    assert model.count_params() == 297_910
    # Read otherwise, "six input layers" gives another number: six layers before the output.
    assert models.table_classifier((300, 100, 100, 100, 100, 200)).count_params() != 297_910


def test_the_table_network_with_a_fifth_layer_and_with_dropout():
    five = models.table_classifier([300, 100, 100, 100, 200])
    assert five.count_params() == 297_910 + dense(100, 100) == 308_010
    dropped = models.table_classifier(dropout=0.3)
    kinds = [type(layer).__name__ for layer in dropped.layers]
    assert kinds == ["Dense", "Dropout"] * 4 + ["Dense"]
    assert {layer.rate for layer in dropped.layers if hasattr(layer, "rate")} == {0.3}
    assert dropped.count_params() == 297_910


def test_dropout_acts_in_training_only():
    model = models.table_classifier(dropout=0.3)
    rows = np.random.default_rng(0).random((4, 784), dtype=np.float32)
    assert np.array_equal(model(rows), model(rows))
    assert not np.array_equal(model(rows, training=True), model(rows, training=True))


def test_the_network_of_cats_and_dogs():
    model = models.cats_dogs_classifier()
    assert parameters(model) == [
        convolution(3, 16),
        convolution(16, 32),
        convolution(32, 64),
        dense(18 * 18 * 64, 512),
        dense(512, 1),
    ]
    assert model.count_params() == 10_641_441
    assert model.input_shape == (None, 150, 150, 3) and model.output_shape == (None, 1)
    assert keras.activations.serialize(model.layers[-1].activation) == "sigmoid"


def test_dropout_of_cats_and_dogs_follows_the_first_and_the_last_pooling():
    model = models.cats_dogs_classifier(dropout=0.2)
    kinds = [type(layer).__name__ for layer in model.layers]
    block = ["Conv2D", "MaxPooling2D"]
    assert kinds == [*block, "Dropout", *block, *block, "Dropout", "Flatten", "Dense", "Dense"]
    assert model.count_params() == 10_641_441


def test_the_cifar10_base_ends_at_4_by_4():
    base, model = models.cifar10_base(), models.cifar10_classifier()
    assert base.output_shape == (None, 4, 4, 64)
    assert parameters(base) == [convolution(3, 32), convolution(32, 64), convolution(64, 64)]
    assert parameters(base) == [896, 18_496, 36_928]
    assert base.count_params() == 56_320
    head = dense(4 * 4 * 64, 64) + dense(64, 10)
    assert model.count_params() == 56_320 + head == 122_570
    assert model.output_shape == (None, 10)
    as_printed = 56_320 + dense(3 * 3 * 64, 64) + dense(64, 10)
    assert as_printed == 93_898 != 122_570


@pytest.mark.parametrize(
    "build", [models.dense_classifier, models.table_classifier, models.cifar10_classifier]
)
def test_outputs_are_probabilities(build):
    model = build()
    shape = (3, *model.input_shape[1:])
    output = np.asarray(model(np.random.default_rng(0).random(shape, dtype=np.float32)))
    assert output.shape == (3, 10) and output.dtype == np.float32
    assert (output > 0).all()
    np.testing.assert_allclose(output.sum(1), 1, rtol=1e-5)


def test_a_seed_draws_the_same_weights_again():
    drawn = []
    for seed in (0, 0, 1):
        keras.utils.set_random_seed(seed)
        drawn.append(models.dense_classifier().get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(drawn[0], drawn[1], strict=True))
    assert not np.array_equal(drawn[0][0], drawn[2][0])


def test_models_are_not_compiled():
    assert not models.dense_classifier().compiled


def test_an_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match="32"):
        models.cifar10_classifier()(np.zeros((1, 28, 28, 3), np.float32))


@pytest.mark.parametrize(
    ("hidden", "dropout"), [((), 0.0), ((300,), 1.0), ((300,), -0.1), ((300,), float("nan"))]
)
def test_table_network_refuses(hidden, dropout):
    with pytest.raises(GancourseError, match="one layer or more is needed"):
        models.table_classifier(hidden, dropout)


@pytest.mark.parametrize("dropout", [1.0, -0.2])
def test_cats_and_dogs_refuse(dropout):
    with pytest.raises(GancourseError, match="from 0 to below 1"):
        models.cats_dogs_classifier(dropout)
