"""From loaded data to batches: what is kept, what is drawn at random, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gancourse.data import ImageData
from gancourse.errors import GancourseError
from gancourse.tf import keras, pipelines, tf

KINDS = ("flip", "rotation", "zoom", "shift")


def some(n=6, channels=3, side=5, labels=True, masks=False):
    """Random images with labels 0, 1, 2, ... and masks of three classes."""
    generator = torch.Generator().manual_seed(0)

    def draw(high, depth):
        return torch.randint(0, high, (n, depth, side, side), generator=generator).byte()

    return ImageData(
        name="some",
        split="train",
        images=draw(256, channels),
        labels=torch.arange(n) % 10 if labels else None,
        classes=tuple("abcdefghij") if labels else (),
        masks=draw(3, 1) if masks else None,
        mask_classes=("x", "y", "z") if masks else (),
    )


def pictures(n=8, side=16):
    """Smooth pictures in 0..1 that differ from their mirror images."""
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    picture = np.stack([np.add.outer(ramp, ramp * k) for k in (0.25, 0.5, 0.75)], -1)
    return np.repeat((picture / picture.max())[None], n, 0)


def batches_of(dataset):
    return [(x.numpy(), y.numpy()) for x, y in dataset]


def order(dataset):
    return np.concatenate([y for _, y in batches_of(dataset)]).tolist()


def test_images_have_their_channels_last():
    data = some()
    pixels = pipelines.images(data)
    assert pixels.shape == (6, 5, 5, 3) and pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels[4, 1, 2, 0] == data.images[4, 0, 1, 2]


def test_labels_and_masks():
    data = some(masks=True)
    assert pipelines.labels(data).tolist() == [0, 1, 2, 3, 4, 5]
    assert pipelines.labels(data).dtype == np.int64
    masks = pipelines.masks(data)
    assert masks.shape == (6, 5, 5) and masks.dtype == np.uint8
    assert np.array_equal(masks, data.masks[:, 0].numpy())


def test_scaled():
    scaled = pipelines.scaled(np.array([0, 51, 255], np.uint8))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [0, pytest.approx(0.2), 1]


def test_a_row_of_the_table_is_a_label_and_the_pixels_row_by_row():
    data = some(channels=1)
    table = pipelines.kaggle_table(data)
    assert table.shape == (6, 26) and table.dtype == np.uint8
    assert table[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    # the pixel in row i and column j of 5 x 5 stands in column 1 + 5 i + j
    assert table[3, 1 + 5 * 2 + 4] == data.images[3, 0, 2, 4]
    assert np.array_equal(table[:, 1:].reshape(-1, 5, 5), data.images[:, 0].numpy())


def test_a_split_takes_every_row_once_and_keeps_labels_with_pixels():
    table = pipelines.kaggle_table(some(50, channels=1))
    x, y, x_held, y_held = pipelines.split_table(table, 0.3, seed=4)
    assert (len(x), len(x_held)) == (35, 15)
    assert x.dtype == y.dtype == np.float32 and y.shape == (35, 10)
    assert 0 <= x.min() and x.max() <= 1
    assert (y.sum(1) == 1).all() and set(np.unique(y)) == {0, 1}
    back = [
        np.column_stack([targets.argmax(1), np.rint(pixels * 255)]).astype(np.uint8)
        for pixels, targets in ((x, y), (x_held, y_held))
    ]
    assert sorted(map(bytes, np.concatenate(back))) == sorted(map(bytes, table))


def test_the_split_is_drawn_from_its_seed():
    table = pipelines.kaggle_table(some(50, channels=1))
    first, again, other = (pipelines.split_table(table, seed=seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_batches_are_scaled_and_keep_their_order_without_a_seed():
    data = some(7)
    found = batches_of(pipelines.dataset(pipelines.images(data), pipelines.labels(data), 3))
    assert [x.shape for x, _ in found] == [(3, 5, 5, 3), (3, 5, 5, 3), (1, 5, 5, 3)]
    assert found[0][0].dtype == np.float32
    together = np.concatenate([x for x, _ in found])
    np.testing.assert_allclose(together, pipelines.scaled(pipelines.images(data)), rtol=1e-6)
    assert np.concatenate([y for _, y in found]).tolist() == list(range(7))


def test_rows_of_float32_pass_as_they_are():
    rows = np.linspace(-3, 700, 12, dtype=np.float32).reshape(4, 3)
    ((x, _),) = batches_of(pipelines.dataset(rows, np.arange(4), 4))
    assert np.array_equal(x, rows)


def test_a_seed_shuffles_anew_in_each_epoch_and_pairs_stay_together():
    rows = np.arange(40, dtype=np.float32)[:, None]
    made = pipelines.dataset(rows, np.arange(40), 8, seed=3)
    epochs = [order(made), order(made)]
    assert epochs[0] != epochs[1] and sorted(epochs[0]) == list(range(40))
    again = pipelines.dataset(rows, np.arange(40), 8, seed=3)
    assert [order(again), order(again)] == epochs
    assert order(pipelines.dataset(rows, np.arange(40), 8, seed=4)) != epochs[0]
    for x, y in batches_of(made):
        assert np.array_equal(x[:, 0], y)


def test_a_data_set_applies_its_augmentation():
    pixels = (255 * pictures()).astype(np.uint8)
    plain, flipped = (
        np.concatenate(
            [x for x, _ in batches_of(pipelines.dataset(pixels, np.arange(8), 4, augment=change))]
        )
        for change in (None, pipelines.augmentation("flip"))
    )
    same = [np.allclose(a, b) for a, b in zip(plain, flipped, strict=True)]
    mirrored = [np.allclose(a[:, ::-1], b) for a, b in zip(plain, flipped, strict=True)]
    assert all(a or b for a, b in zip(same, mirrored, strict=True))
    assert any(same) and any(mirrored)


@pytest.mark.parametrize("kinds", [(kind,) for kind in KINDS] + [KINDS])
def test_augmentation_keeps_shape_and_range_and_is_random_in_training_only(kinds):
    images = tf.constant(pictures())
    change = pipelines.augmentation(*kinds)
    assert np.array_equal(change(images, training=False), images)
    assert np.array_equal(change.predict(images, verbose=0), images)
    changed = change(images, training=True).numpy()
    assert changed.shape == images.shape and changed.dtype == np.float32
    assert changed.min() >= -1e-5 and changed.max() <= 1 + 1e-5
    assert not np.allclose(changed, images)
    assert not np.allclose(change(images, training=True), changed)


@pytest.mark.parametrize("kind", KINDS)
def test_augmentation_is_drawn_from_its_seed(kind):
    images = tf.constant(pictures())
    first, again, other = (
        pipelines.augmentation(kind, seed=seed)(images, training=True).numpy() for seed in (5, 5, 6)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_augmentations_follow_one_another_as_named():
    change = pipelines.augmentation("zoom", "flip")
    assert [type(layer).__name__ for layer in change.layers] == ["RandomZoom", "RandomFlip"]
    assert isinstance(change, keras.Sequential)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pipelines.labels(some(labels=False)), "some has no labels"),
        (lambda: pipelines.masks(some()), "some has no masks"),
        (lambda: pipelines.scaled(np.zeros(3, np.float32)), "must be uint8.*not float32"),
        (lambda: pipelines.kaggle_table(some()), "some is in colour"),
        (lambda: pipelines.kaggle_table(some(channels=1, labels=False)), "no labels"),
        (lambda: pipelines.split_table(np.zeros((9, 785), np.uint8), 0.01), "leaves one side"),
        (lambda: pipelines.split_table(np.zeros((9, 785), np.uint8), 1.0), "leaves one side"),
        (lambda: pipelines.split_table(np.full((9, 785), 12, np.uint8)), "it holds 12"),
        (lambda: pipelines.dataset(np.zeros((3, 2)), np.zeros(2), 1), "3 items and 2 targets"),
        (lambda: pipelines.dataset(np.zeros((0, 2)), np.zeros(0), 1), "make no data set"),
        (lambda: pipelines.dataset(np.zeros((3, 2)), np.zeros(3), 0), "1 item or more, not 0"),
        (lambda: pipelines.augmentation(), "Name one kind"),
        (lambda: pipelines.augmentation("flipp"), "Did you mean flip"),
    ],
)
def test_what_is_refused_says_why(call, message):
    with pytest.raises(GancourseError, match=message):
        call()
