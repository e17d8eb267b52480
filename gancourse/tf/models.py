"""The networks of the paper's experiments, architecture only: no loss, no optimiser.

Each is drawn anew on every call, from Keras' global generator (``keras.utils.set_random_seed``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gancourse.errors import GancourseError
from gancourse.tf.backend import keras

__all__ = [
    "cats_dogs_classifier",
    "cifar10_base",
    "cifar10_classifier",
    "dense_classifier",
    "table_classifier",
]


def dense_classifier() -> Any:
    """Clothes and digits: 28 x 28 pixels, one hidden layer of 128, ten classes (paper, 4.1, 4.6).

    Returns:
        An uncompiled Keras model of 101,770 parameters: N x 28 x 28 x 1 in 0..1 to N x 10
        probabilities.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ],
        name="dense",
    )


def table_classifier(hidden: Sequence[int] = (300, 100, 100, 200), dropout: float = 0.0) -> Any:
    """Digits as rows of 784 pixels (paper, 4.2).

    Args:
        hidden: widths of the hidden layers.
        dropout: share of each hidden layer that is left out at random while training, 0 to below 1.

    Returns:
        An uncompiled Keras model, N x 784 in 0..1 to N x 10 probabilities; 297,910 parameters with
        the paper's four hidden layers.

    Raises:
        GancourseError: no hidden layer, or a dropout outside its range.
    """
    if not hidden or not 0 <= dropout < 1:
        raise GancourseError(
            f"Hidden layers {tuple(hidden)} with dropout {dropout:g}: one layer or more is needed, "
            "and a dropout from 0 to below 1."
        )
    layers: list[Any] = [keras.Input((784,))]
    for width in hidden:
        layers.append(keras.layers.Dense(width, activation="relu"))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    layers.append(keras.layers.Dense(10, activation="softmax"))
    return keras.Sequential(layers, name="table")


def cats_dogs_classifier(dropout: float = 0.0) -> Any:
    """Photographs of 150 x 150 pixels: cat (0) or dog (1) (paper, 4.3).

    Three convolutions of 16, 32 and 64 maps, each followed by max-pooling, then a hidden layer of
    512. The paper does not give the maps; these are of the tutorial its text follows.

    Args:
        dropout: after the first and the last max-pooling, 0 to below 1.

    Returns:
        An uncompiled Keras model of 10,641,441 parameters: N x 150 x 150 x 3 in 0..1 to N x 1, the
        probability of a dog.

    Raises:
        GancourseError: a dropout outside its range.
    """
    if not 0 <= dropout < 1:
        raise GancourseError(f"Dropout must be from 0 to below 1, not {dropout:g}.")
    layers: list[Any] = [keras.Input((150, 150, 3))]
    for maps in (16, 32, 64):
        layers.append(keras.layers.Conv2D(maps, 3, padding="same", activation="relu"))
        layers.append(keras.layers.MaxPooling2D())
        if dropout and maps != 32:
            layers.append(keras.layers.Dropout(dropout))
    layers += [
        keras.layers.Flatten(),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    return keras.Sequential(layers, name="cats_dogs")


def cifar10_base() -> Any:
    """The convolutions of the CIFAR-10 network: 56,320 parameters, output 4 x 4 x 64 (paper, 4.4).

    The paper prints the output as (3, 3, 64). Each valid 3 x 3 convolution takes a pixel from every
    side and each pooling halves, rounding down: 32, 30, 15, 13, 6, 4.

    Returns:
        A Keras model, N x 32 x 32 x 3 in 0..1 to N x 4 x 4 x 64.
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
        ],
        name="cifar10_base",
    )


def cifar10_classifier() -> Any:
    """Small pictures of ten classes: :func:`cifar10_base` and two dense layers (paper, 4.4).

    Returns:
        An uncompiled Keras model of 122,570 parameters: N x 32 x 32 x 3 in 0..1 to N x 10
        probabilities.
    """
    return keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            *cifar10_base().layers,
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="cifar10",
    )
