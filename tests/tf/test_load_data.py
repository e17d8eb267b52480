"""Every kind of split, read from tiny files in the original formats."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from gancourse.data import registry, search
from gancourse.data.folders import CATS_DOGS
from gancourse.data.idx import STEMS
from gancourse.errors import GancourseError
from gancourse.tf.experiments import get
from gancourse.tf.training import load_data
from tests.data.conftest import idx_bytes, tiny_source, write_gz, write_image


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The one place where data are looked for, and an empty cache."""
    for name in ("TORCH_HOME", "KERAS_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("GANCOURSE_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(search, "DEBIAN", tmp_path / "debian")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def mnist(folder, monkeypatch):
    """Thirty images of MNIST's form for training and ten for the test; the images by split."""
    contents, kept = {}, {}
    for (split, stems), count in zip(STEMS.items(), (30, 10), strict=True):
        images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        kept[split] = images, np.arange(count) % 10
        contents |= dict(zip(stems, map(idx_bytes, kept[split]), strict=True))
    monkeypatch.setitem(registry.SOURCES, "mnist", tiny_source(contents))
    write_gz(folder / "mnist", contents)
    return kept


def test_train_and_test_of_the_data_set_itself(mnist):
    parts = load_data(get("tf/digits"))
    for pair, split in ((parts.train, "train"), (parts.validation, "test"), (parts.test, "test")):
        assert pair[0].dtype == np.uint8 and pair[1].dtype == np.int64
        np.testing.assert_array_equal(pair[0][..., 0], mnist[split][0])
        np.testing.assert_array_equal(pair[1], mnist[split][1])
    assert parts.validation[0] is parts.test[0]


def fingerprints(rows):
    return {hashlib.sha256(np.round(row * 255).astype(np.uint8)).hexdigest() for row in rows}


def test_a_table_is_split_in_four_fifths_and_one_fifth(mnist):
    parts = load_data(get("tf/table-adam"))
    assert [len(x) for x, _ in parts] == [24, 6, 10]
    for x, y in parts:
        assert x.dtype == y.dtype == np.float32 and x.shape[1] == 784 and y.shape[1] == 10
        assert 0 <= x.min() and x.max() <= 1 and (y.sum(1) == 1).all()
    whole = fingerprints(mnist["train"][0].reshape(30, -1) / 255)
    assert fingerprints(parts.train[0]) | fingerprints(parts.validation[0]) == whole
    assert not fingerprints(parts.train[0]) & fingerprints(parts.validation[0])
    np.testing.assert_array_equal(parts.test[1].argmax(1), mnist["test"][1])


def test_training_and_validation_without_a_test(folder, monkeypatch):
    counts = {"train": 6, "validation": 4}
    for split, count in counts.items():
        for number in range(count // 2):
            for name, colour in (("cat", (200, 10, 0)), ("dog", (0, 10, 200))):
                path = folder / f"cats_and_dogs_filtered/{split}/{name}s/{name}.{number}.jpg"
                write_image(path, (60, 80, 3), colour)
    info = replace(CATS_DOGS.info, splits=counts)
    monkeypatch.setitem(registry.SOURCES, "cats-dogs", replace(CATS_DOGS, info=info))
    parts = load_data(get("tf/cats-dogs"))
    assert parts.train[0].shape == (6, 150, 150, 3) and parts.train[0].dtype == np.uint8
    assert parts.validation[0].shape == (4, 150, 150, 3)
    assert parts.train[1].tolist() == [0, 0, 0, 1, 1, 1]
    assert parts.test[0] is parts.validation[0] and parts.test[1] is parts.validation[1]
    red, _, blue = parts.train[0][0].mean((0, 1))
    assert red > 150 > 50 > blue  # the channels come last, in the order red, green, blue


def test_three_parts_with_a_class_for_each_pixel(folder):
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        names = [f"{split}_{number}" for number in range(count)]
        for name in names:
            half = np.zeros((96, 128), np.uint8)
            half[:, 64:] = 11
            write_image(folder / "camvid" / split / f"{name}.png", (96, 128, 3))
            write_image(folder / "camvid" / f"{split}annot" / f"{name}.png", (96, 128), half)
        (folder / "camvid" / f"{split}.txt").write_text("\n".join(names))
    parts = load_data(get("tf/segmentation"))
    assert [x.shape for x, _ in parts] == [(n, 128, 128, 3) for n in (3, 1, 2)]
    assert [y.shape for _, y in parts] == [(n, 128, 128) for n in (3, 1, 2)]
    assert all(y.dtype == np.uint8 and set(np.unique(y)) == {0, 11} for _, y in parts)


def test_data_that_are_nowhere_are_named(folder):
    with pytest.raises(GancourseError, match="cats-dogs"):
        load_data(get("tf/cats-dogs"))
