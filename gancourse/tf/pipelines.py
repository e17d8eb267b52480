"""From a loaded data set to what Keras takes: arrays with the channels last, and ``tf.data``."""

from __future__ import annotations

from typing import Any

import numpy as np

from gancourse.data import ImageData
from gancourse.errors import GancourseError, unknown
from gancourse.tf.backend import keras, tf

__all__ = [
    "augmentation",
    "dataset",
    "images",
    "kaggle_table",
    "labels",
    "masks",
    "scaled",
    "split_table",
]


def images(data: ImageData) -> np.ndarray:
    """The pixels with the channels last, as TensorFlow's kernels on a CPU want them.

    Returns:
        uint8 N x H x W x C, 0 to 255.
    """
    return np.ascontiguousarray(data.images.permute(0, 2, 3, 1).numpy())


def labels(data: ImageData) -> np.ndarray:
    """The class of each image, int64 N.

    Raises:
        GancourseError: the data set has none.
    """
    if data.labels is None:
        raise GancourseError(f"{data.name} has no labels, and a classifier needs them.")
    return data.labels.numpy()


def masks(data: ImageData) -> np.ndarray:
    """The class of each pixel, uint8 N x H x W.

    Raises:
        GancourseError: the data set has none.
    """
    if data.masks is None:
        raise GancourseError(f"{data.name} has no masks, and segmentation needs them.")
    return data.masks[:, 0].numpy()


def scaled(pixels: np.ndarray) -> np.ndarray:
    """Pixels uint8 0..255 to float32 0..1, any shape.

    Raises:
        GancourseError: not uint8; scaling twice would leave a picture nearly black.
    """
    if pixels.dtype != np.uint8:
        raise GancourseError(f"Pixels must be uint8, 0 to 255, to be scaled; not {pixels.dtype}.")
    return pixels.astype(np.float32) / np.float32(255)


def kaggle_table(data: ImageData) -> np.ndarray:
    """Images as rows of a table: the label, then the pixels from the top left row by row.

    It is the layout of Kaggle's competition "Digit Recognizer", whose rows have 785 columns.

    Returns:
        uint8 N x (1 + H * W).

    Raises:
        GancourseError: images in colour, or without labels.
    """
    pixels = images(data)
    if pixels.shape[-1] != 1:
        raise GancourseError(f"A table of pixels is made of grey images; {data.name} is in colour.")
    return np.column_stack([labels(data).astype(np.uint8), pixels.reshape(len(pixels), -1)])


def split_table(
    table: np.ndarray, fraction: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Rows drawn for training and validation, pixels scaled, labels one-hot.

    Args:
        table: uint8 N x 785, from :func:`kaggle_table`.
        fraction: share of the rows that validate, between 0 and 1.
        seed: of the draw.

    Returns:
        (x_train, y_train, x_validation, y_validation): float32, N x 784 in 0..1 and N x 10.

    Raises:
        GancourseError: a fraction that leaves one side empty, or labels beyond 9.
    """
    cut = round(len(table) * fraction)
    if not 0 < cut < len(table):
        raise GancourseError(
            f"A fraction of {fraction:g} of {len(table)} rows leaves one side of the split empty."
        )
    if table[:, 0].max() > 9:
        raise GancourseError(
            f"The first column must be a digit 0..9; it holds {table[:, 0].max()}."
        )
    order = np.random.default_rng(seed).permutation(len(table))
    x, y = scaled(table[order, 1:]), np.eye(10, dtype=np.float32)[table[order, 0]]
    return x[cut:], y[cut:], x[:cut], y[:cut]


def dataset(
    pixels: np.ndarray,
    targets: np.ndarray,
    batch_size: int,
    *,
    seed: int | None = None,
    augment: Any = None,
) -> Any:
    """Minibatches for ``fit``, ``evaluate`` and ``predict``.

    The data set is shuffled anew in each epoch where there is a seed; the last batch is smaller
    where the size does not divide the data. Pixels are scaled batch by batch, so that what waits in
    memory stays bytes.

    Args:
        pixels: uint8 N x ..., scaled to 0..1; float32 is passed on.
        targets: N x ...
        batch_size: items a batch.
        seed: of the shuffling; None keeps the order.
        augment: a Keras model for scaled images, such as :func:`augmentation` makes.

    Returns:
        A ``tf.data.Dataset`` of (float32 batch, targets).

    Raises:
        GancourseError: as many pixels as targets are needed, and a batch size of 1 or more.
    """
    if len(pixels) != len(targets) or len(pixels) == 0:
        raise GancourseError(f"{len(pixels)} items and {len(targets)} targets make no data set.")
    if batch_size < 1:
        raise GancourseError(f"A batch holds 1 item or more, not {batch_size}.")
    batches = tf.data.Dataset.from_tensor_slices((pixels, targets))
    if seed is not None:
        batches = batches.shuffle(len(pixels), seed=seed, reshuffle_each_iteration=True)
    batches = batches.batch(batch_size)
    if pixels.dtype == np.uint8:
        batches = batches.map(lambda x, y: (tf.cast(x, tf.float32) / 255.0, y))
    if augment is not None:
        batches = batches.map(lambda x, y: (augment(x, training=True), y))
    return batches.prefetch(2)


#: kind of augmentation -> the layer, as the paper names them (section 4.3); shift is by up to 15 %
_AUGMENTATIONS = {
    "flip": lambda seed: keras.layers.RandomFlip("horizontal", seed=seed),
    "rotation": lambda seed: keras.layers.RandomRotation(45 / 360, fill_mode="nearest", seed=seed),
    "zoom": lambda seed: keras.layers.RandomZoom(0.5, fill_mode="nearest", seed=seed),
    "shift": lambda seed: keras.layers.RandomTranslation(
        0.15, 0.15, fill_mode="nearest", seed=seed
    ),
}


def augmentation(*kinds: str, seed: int = 0) -> Any:
    """Random changes that leave the class as it is: one layer after the other.

    Args:
        kinds: of ``"flip"`` (left to right), ``"rotation"`` (up to 45 degrees), ``"zoom"`` (in and
            out by up to half) and ``"shift"`` (up to 15 % each way; the paper gives no figure).
        seed: of the draws.

    Returns:
        A Keras model from float32 N x H x W x C to the same. With ``training=False``, as in
        ``predict``, it changes nothing; called without that argument, Keras' layers are random.

    Raises:
        GancourseError: no kind, or an unknown one.
    """
    if not kinds:
        raise GancourseError(f"Name one kind of augmentation or more: {', '.join(_AUGMENTATIONS)}.")
    for kind in kinds:
        if kind not in _AUGMENTATIONS:
            raise unknown("augmentation", kind, _AUGMENTATIONS)
    layers = [_AUGMENTATIONS[kind](seed + index) for index, kind in enumerate(kinds)]
    return keras.Sequential(layers, name="augmentation")
