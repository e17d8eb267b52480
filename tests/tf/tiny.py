"""Tiny problems for the tests of the experiments: seconds, not minutes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gancourse.tf.experiments import Experiment, get
from gancourse.tf.training import Pair, Splits


def bars(count: int, seed: int) -> Pair:
    """Noise with one bright line at the height that the class says; classes in order."""
    rng = np.random.default_rng(seed)
    labels = np.sort(np.arange(count) % 10)
    images = rng.integers(0, 60, (count, 28, 28, 1), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2 * label + 4] = 250
    return images, labels.astype(np.int64)


def pictures() -> Splits:
    """100 pictures to learn from and 50 to be judged by."""
    held_out = bars(50, 1)
    return Splits(bars(100, 0), held_out, held_out)


def rows() -> Splits:
    """The same as rows of 784 numbers with one-hot classes, and a third part."""
    parts = [bars(count, seed) for seed, count in enumerate((100, 50, 30))]
    return Splits(
        *(
            (x.reshape(len(x), -1).astype(np.float32) / 255, np.eye(10, dtype=np.float32)[y])
            for x, y in parts
        )
    )


def experiment(**changes: object) -> Experiment:
    """The digits' experiment under another name, in two epochs."""
    settings: dict = {"name": "tf/tiny", "epochs": 2, "batch_size": 10, "note": "tiny"}
    return replace(get("tf/digits"), **(settings | changes))
