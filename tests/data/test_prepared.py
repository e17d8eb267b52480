"""The pets out of a store of TensorFlow Datasets, which a stub stands for: no test needs it."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from gancourse import data
from gancourse.data.prepared import prepared_pets
from gancourse.errors import GancourseError

STEMS = {"beagle_7": 4, "Abyssinian_100": 0}


def encoded(pixels, form):
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels, np.uint8)).save(file, form)
    return file.getvalue()


def record(stem, label, width=30):
    """As ``oxford_iiit_pet`` gives it where image and trimap are not decoded."""
    height = 20 + 10 * (label > 0)
    mask = np.ones((height, width), np.uint8)
    mask[:, 15:], mask[:, 12:15] = 2, 3
    noise = np.random.default_rng(label).integers(0, 256, (height, 30, 3))
    return {
        "file_name": f"{stem}.jpg".encode(),
        "image": encoded(noise, "jpeg"),
        "segmentation_mask": encoded(mask, "png"),
        "label": np.int64(label),
        "species": np.int64(0),
    }


@pytest.fixture
def store(alone, monkeypatch):
    """A module in place of tensorflow_datasets; what its store holds may be changed."""
    rows = [record(stem, label) for stem, label in STEMS.items()]
    store = SimpleNamespace(prepared=True, rows={"train": rows, "test": rows[:1]})

    def as_dataset(split, decoders):
        assert {type(decoder) for decoder in decoders.values()} == {Skip}
        assert set(decoders) == {"image", "segmentation_mask"}
        return iter(store.rows[split])

    class Skip:
        """Leaves a feature as it is stored."""

    def builder(name):
        assert name == "oxford_iiit_pet"
        return SimpleNamespace(
            is_prepared=lambda: store.prepared,
            as_dataset=as_dataset,
            data_dir="/store/oxford_iiit_pet/4.0.0",
        )

    module = ModuleType("tensorflow_datasets")
    module.builder, module.as_numpy = builder, iter
    module.decode = SimpleNamespace(SkipDecoding=Skip)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)
    return store


def test_a_prepared_copy_is_read_like_the_originals(store, alone):
    folder = alone / "data" / "oxford-iiit-pet"
    for stem, row in zip(STEMS, store.rows["train"], strict=True):
        for path, key in (
            (folder / "images" / f"{stem}.jpg", "image"),
            (folder / "annotations" / "trimaps" / f"{stem}.png", "segmentation_mask"),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(row[key])
    lines = "".join(f"{stem} {label + 1} 1 1\n" for stem, label in STEMS.items())
    for name in ("list.txt", "trainval.txt", "test.txt"):
        (folder / "annotations" / name).write_text(lines)
    original = data.load("oxford-pets", size=8, channels=3, download=False)
    found = prepared_pets("train", 8)
    assert torch.equal(found.images, original.images) and found.images.shape == (2, 3, 8, 8)
    assert torch.equal(found.masks, original.masks) and found.masks.unique().tolist() == [0, 1, 2]
    assert torch.equal(found.labels, original.labels)
    same = ("name", "split", "classes", "mask_classes", "licence", "citation")
    assert all(getattr(found, name) == getattr(original, name) for name in same)
    assert found.source == "/store/oxford_iiit_pet/4.0.0"
    assert len(prepared_pets("test", 8)) == 1


def test_nothing_where_it_is_not_prepared_or_has_no_such_split(store):
    assert prepared_pets("val", 8) is None
    store.prepared = False
    assert prepared_pets("train", 8) is None


def test_nothing_without_the_package(alone, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    assert prepared_pets("train", 8) is None


def test_what_is_absent_says_that_a_prepared_copy_would_do(store):
    with pytest.raises(GancourseError, match="the copy that tensorflow_datasets has prepared"):
        data.load("oxford-pets", download=False)


def torn(row):
    row["image"] = row["image"][:-100]
    return r"4.0.0, split train, beagle_7.jpg is not a readable image"


def of_zeros(row):
    row["segmentation_mask"] = encoded(np.zeros((30, 30)), "png")
    return r"beagle_7.png.*values 0..0, allowed 1..3"


def narrower(row):
    row["segmentation_mask"] = record("beagle_7", 4, width=28)["segmentation_mask"]
    return r"beagle_7.png is .28, 30. pixels, its image .*beagle_7.jpg is .30, 30."


@pytest.mark.parametrize("spoil", [torn, of_zeros, narrower])
def test_a_damaged_record_is_refused_by_name(store, spoil):
    message = spoil(store.rows["train"][0])
    with pytest.raises(GancourseError, match=message):
        prepared_pets("train", 8)


def test_a_store_that_cannot_be_read_is_refused(store):
    class DataLossError(Exception):
        """As TensorFlow raises it: of no class that Python has."""

    def broken():
        yield record("beagle_7", 4)
        raise DataLossError("truncated record at 0")

    store.rows["train"] = broken()
    with pytest.raises(GancourseError, match=r"cannot be read \(truncated record.*load\(\"oxford"):
        prepared_pets("train", 8)


def test_an_empty_split_and_an_impossible_size_are_refused(store):
    store.rows["test"] = []
    with pytest.raises(GancourseError, match="split test is empty"):
        prepared_pets("test", 8)
    with pytest.raises(GancourseError, match="size is 2"):
        prepared_pets("train", 2)
