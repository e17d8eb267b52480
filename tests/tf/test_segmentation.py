"""Masks: loaded for either data set, flipped with their images, learned and scored without void."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, confusion_matrix, jaccard_score

from gancourse import data
from gancourse.errors import GancourseError
from gancourse.tf import keras, unet
from gancourse.tf import segmentation as seg


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels, np.uint8)).save(path)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def pets(tmp_path, own_cache):
    """Oxford-IIIT Pet as its authors publish it: two photographs, pet left, background right."""
    folder = tmp_path / "oxford-iiit-pet"
    rows = ["Abyssinian_1 1 1 1", "beagle_2 5 2 4"]
    for number, row in enumerate(rows):
        mask = np.ones((40 + 8 * number, 60), np.uint8)
        mask[:, 30:], mask[:, 28:30] = 2, 3
        name = row.split()[0]
        write(folder / "images" / f"{name}.jpg", np.dstack([mask * 80] * 3))
        write(folder / "annotations" / "trimaps" / f"{name}.png", mask)
    for name, lines in (("list.txt", rows), ("trainval.txt", rows), ("test.txt", rows[:1])):
        (folder / "annotations" / name).write_text("\n".join(lines) + "\n")
    return tmp_path


@pytest.fixture
def camvid(tmp_path, own_cache):
    """CamVid as it goes with SegNet: one street a split, void in the right half."""
    mask = np.zeros((48, 64), np.uint8)
    mask[:, 32:] = 11
    for split in ("train", "val", "test"):
        write(tmp_path / "camvid" / split / "a.png", np.dstack([mask * 20] * 3))
        write(tmp_path / "camvid" / f"{split}annot" / "a.png", mask)
        (tmp_path / "camvid" / f"{split}.txt").write_text("a\n")
    return tmp_path


def test_pets_and_streets_through_one_function(pets, camvid):
    loaded = seg.segmentation_arrays("oxford-pets", size=32, root=pets, download=False)
    assert loaded.images.shape == (2, 32, 32, 3) and loaded.images.dtype == np.uint8
    assert loaded.masks.shape == (2, 32, 32) and set(np.unique(loaded.masks)) == {0, 1, 2}
    assert loaded.classes == ("pet", "background", "border") and loaded.void is None
    street = seg.segmentation_arrays("camvid", "val", size=32, root=camvid)
    assert (
        len(street.classes) == 11 and street.void == 11 and set(np.unique(street.masks)) == {0, 11}
    )
    # cut alike
    assert np.array_equal(street.images[..., 0] > 110, street.masks == 11)


def test_a_prepared_copy_stands_in_for_pets_that_are_not_there(pets, own_cache, monkeypatch):
    there = data.load("oxford-pets", size=32, root=pets, download=False)
    asked = []

    def prepared(split, size):
        asked.append((split, size))
        return there if split == "train" else None

    monkeypatch.setattr(seg, "prepared_pets", prepared)
    options = {"size": 32, "download": False}
    original = seg.segmentation_arrays("oxford-pets", root=pets, **options)
    assert not asked  # the original comes first
    elsewhere = dict(options, root=pets / "nowhere")
    monkeypatch.setattr(data, "find", lambda name, root=None: None)
    instead = seg.segmentation_arrays("oxford-pets", **elsewhere)
    assert asked == [("train", 32)] and np.array_equal(instead.images, original.images)
    assert np.array_equal(instead.masks, original.masks) and instead.classes == original.classes


def test_a_step_on_pets_in_their_original_format(pets):
    loaded = seg.segmentation_arrays("oxford-pets", size=32, root=pets, download=False)
    keras.utils.set_random_seed(0)
    model = seg.compile_segmentation(unet.unet(3, size=32, weights=None))
    model.run_eagerly = True  # to trace 155 layers takes longer than this one step
    batches = seg.segmentation_dataset(loaded.images, loaded.masks, 2, classes=3, seed=0, flip=True)
    history = model.fit(batches, epochs=1, verbose=0, shuffle=False).history
    assert np.isfinite(history["loss"][0]) and 0 <= history["accuracy"][0] <= 1
    predicted = seg.predict_masks(model, loaded.images)
    assert predicted.shape == loaded.masks.shape and predicted.dtype == np.uint8
    with pytest.raises(GancourseError, match=r"takes uint8 images N x 32 x 32 x 3.*size=32"):
        seg.predict_masks(model, np.zeros((1, 64, 64, 3), np.uint8))


def pairs(count=6, side=32, classes=5):
    """Images whose red channel is 20 times the mask."""
    masks = np.random.default_rng(0).integers(0, classes, (count, side, side), dtype=np.uint8)
    images = np.zeros((count, side, side, 3), np.uint8)
    images[..., 0] = 20 * masks
    return images, masks


def epoch(batches):
    parts = [[part.numpy() for part in batch] for batch in batches]
    return [np.concatenate(part) for part in zip(*parts, strict=True)]


def test_images_masks_and_weights_flip_together():
    images, masks = pairs()
    batches = seg.segmentation_dataset(images, masks, 4, classes=4, void=4, seed=3, flip=True)
    seen = set()
    first = None
    for _ in range(3):
        x, y, weights = epoch(batches)
        red = np.rint(x[..., 0] * 255 / 20).astype(int)
        assert np.array_equal(weights, (red != 4).astype(np.float32))
        assert np.array_equal(y, np.where(red == 4, 0, red))
        for one in red:
            straight = [np.array_equal(one, mask) for mask in masks]
            mirrored = [np.array_equal(one, mask[:, ::-1]) for mask in masks]
            assert sum(straight) + sum(mirrored) == 1
            seen.add((int(np.argmax(np.array(straight) | np.array(mirrored))), any(mirrored)))
        assert first is None or not np.array_equal(first, x)  # drawn anew each epoch
        first = x
    assert {flipped for _, flipped in seen} == {True, False} and len({i for i, _ in seen}) == 6


def test_a_seed_repeats_the_data_and_without_one_they_stay_as_they_are():
    images, masks = pairs()
    again = [
        epoch(seg.segmentation_dataset(images, masks, 4, classes=5, seed=1, flip=True))
        for _ in range(2)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*again, strict=True))
    x, y, weights = epoch(seg.segmentation_dataset(images, masks, 4, classes=5))
    assert np.array_equal(y, masks) and x.dtype == np.float32 and weights.min() == 1
    assert np.allclose(x * 255, images)


IMAGES, MASKS = pairs(2)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((IMAGES, MASKS + 4), "hold 5, 6, 7, 8; with 5 classes they may hold 0..4"),
        ((IMAGES, MASKS.astype(np.int64) - 1), "hold -1"),
        ((IMAGES, MASKS.astype(np.float32)), "whole numbers"),
        ((IMAGES, MASKS[:, :16]), r"need masks \(2, 32, 32\)"),
        ((IMAGES, MASKS[:1]), r"need masks \(2, 32, 32\)"),
        ((IMAGES[:0], MASKS[:0]), "one image or more"),
        ((IMAGES[:, :30, :20], MASKS[:, :30, :20]), "30 x 20.*multiples of 32"),
        ((IMAGES / 255.0, MASKS), "uint8 N x H x W x 3"),
        ((IMAGES[..., :1], MASKS), "uint8 N x H x W x 3"),
        ((IMAGES, MASKS, 0), "1 image or more"),
    ],
)
def test_pairs_that_cannot_be_learned_from_are_refused(arguments, message):
    with pytest.raises(GancourseError, match=message):
        seg.segmentation_dataset(*arguments, classes=5)


def test_a_flip_needs_a_seed():
    with pytest.raises(GancourseError, match="seed=0"):
        seg.segmentation_dataset(IMAGES, MASKS, classes=5, flip=True)


def test_void_counts_neither_in_the_loss_nor_in_the_accuracy():
    logits = np.random.default_rng(0).normal(size=(2, 32, 32, 4)).astype(np.float32)
    images, masks = pairs(2, classes=5)
    _, target, weights = epoch(seg.segmentation_dataset(images, masks, 2, classes=4, void=4))
    # a model that adds a constant to the logits it is given: nothing to learn, nothing to change
    same = keras.Sequential([keras.Input((32, 32, 4)), keras.layers.Activation("linear")])
    seg.compile_segmentation(same)
    loss, accuracy = same.evaluate(logits, target, sample_weight=weights, batch_size=2, verbose=0)
    counted = masks != 4
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    of_truth = np.take_along_axis(log_p, target[..., None], -1)[..., 0]
    assert loss == pytest.approx(-of_truth[counted].mean(), rel=1e-5)
    assert accuracy == pytest.approx((logits.argmax(-1) == masks)[counted].mean(), rel=1e-5)


def test_scores_by_hand():
    truth = np.array([[[0, 0, 0, 1], [1, 2, 9, 9]]])
    said = np.array([[[0, 0, 1, 1], [1, 1, 0, 1]]])
    scores = seg.segmentation_scores(said, truth, 4, void=9)
    assert scores["pixel_accuracy"] == pytest.approx(4 / 6)
    assert scores["iou"] == [pytest.approx(2 / 3), pytest.approx(2 / 4), 0.0, None]
    assert scores["mean_iou"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert scores["confusion"] == [[2, 1, 0, 0], [0, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(1)
    truth, said = rng.integers(0, 7, (3, 9, 9)), rng.integers(0, 6, (3, 9, 9))
    scores = seg.segmentation_scores(said, truth, 6, void=6)
    flat = truth[truth != 6], said[truth != 6]
    assert scores["pixel_accuracy"] == pytest.approx(accuracy_score(*flat))
    assert scores["iou"] == pytest.approx(list(jaccard_score(*flat, average=None)))
    assert scores["confusion"] == confusion_matrix(*flat).tolist()


@pytest.mark.parametrize(
    "said, truth, message",
    [
        ([[0, 1]], [[0, 1, 1]], "differ in shape"),
        ([[0, 3]], [[0, 1]], "hold 3; with 3 classes"),
        ([[0, 1]], [[0, 4]], "may hold 0..2 and void 9"),
        ([[0, 1]], [[9, 9]], "all is void"),
    ],
)
def test_masks_that_cannot_be_scored(said, truth, message):
    with pytest.raises(GancourseError, match=message):
        seg.segmentation_scores(np.array([said]), np.array([truth]), 3, void=9)


def test_commonest_class_of_each_position():
    masks = np.array([[[0, 1, 9]], [[2, 1, 9]], [[2, 0, 9]]])
    assert seg.commonest_class(masks, 3).tolist() == [[2, 1, 0]]
