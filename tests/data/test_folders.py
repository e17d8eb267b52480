"""Folders of images: order, classes, splits, copies."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from gancourse import data
from gancourse.data import cache, folders, registry
from gancourse.data.folders import CATS_DOGS, Folders
from gancourse.errors import GancourseError
from tests.data.conftest import write_image

pytestmark = pytest.mark.usefixtures("alone")


def test_a_flat_folder_has_no_labels(alone):
    for index, name in enumerate(["b.png", "A.PNG", "deep/er/c.jpeg"]):
        write_image(alone / "photos" / name, (9, 9, 3), index)
    (alone / "photos" / "readme.txt").write_text("no image")
    write_image(alone / "photos" / ".hidden.png")
    write_image(alone / "photos" / ".thumbnails" / "x.png")
    loaded = data.load("photos")
    assert loaded.images.shape == (3, 3, 9, 9) and loaded.images.is_contiguous()
    assert loaded.images[:2, 0, 0, 0].tolist() == [1, 0]  # in the order of the paths
    assert loaded.labels is None and loaded.classes == () and loaded.split == "train"
    assert loaded.source == loaded.name == str(alone / "photos") and loaded.licence


def test_sub_folders_are_classes(alone):
    for name in ("dogs/1.png", "cats/1.png", "cats/old/2.png"):
        write_image(alone / "photos" / name)
    loaded = data.load(alone / "photos", size=8, channels=1)
    assert loaded.classes == ("cats", "dogs") and loaded.labels.tolist() == [0, 0, 1]
    assert loaded.labels.dtype == torch.int64 and loaded.shape == (1, 8, 8)


def test_a_sub_folder_may_be_the_split(alone):
    for name in ("train/a/1.png", "validation/a/1.png", "validation/b/1.png"):
        write_image(alone / "photos" / name)
    assert len(data.load("./photos")) == 1
    assert data.load("photos", "validation").classes == ("a", "b")
    with pytest.raises(GancourseError, match="no sub-folder test"):
        data.load("photos", "test")


def test_grey_folders_have_one_channel(alone):
    write_image(alone / "photos" / "a.png", (8, 8))
    write_image(alone / "photos" / "b.png", (8, 8))
    assert data.load("photos").shape == (1, 8, 8)
    write_image(alone / "photos" / "c.png", (8, 8, 3))
    assert data.load("photos").shape == (3, 8, 8)


def test_an_empty_folder_is_refused(alone):
    (alone / "photos").mkdir()
    (alone / "photos" / "notes.txt").write_text("no image")
    with pytest.raises(GancourseError, match="no image in .*photos"):
        data.load("photos")


def test_a_folder_that_is_not_there_is_refused(alone):
    for name in ("my/photos", alone / "photos"):
        with pytest.raises(GancourseError, match="There is no folder"):
            data.load(name)
    with pytest.raises(GancourseError, match="Unknown data set or folder of images 'photos'"):
        data.load("photos")


def test_a_dangling_link_is_refused_by_name(alone):
    write_image(alone / "photos" / "a.png")
    (alone / "photos" / "b.png").symlink_to(alone / "gone.png")
    with pytest.raises(GancourseError, match="photos/b.png"):
        data.load("photos")


def test_the_second_load_reads_the_copy_until_a_file_changes(alone, monkeypatch):
    for name in ("a/1.png", "b/2.png"):
        write_image(alone / "photos" / name)
    first = data.load("photos")
    count = []
    read = folders.read_images
    monkeypatch.setattr(folders, "read_images", lambda *a: count.append(1) or read(*a))
    again = data.load("photos")
    assert again.images.equal(first.images) and again.labels.equal(first.labels)
    assert again.classes == first.classes and not count
    data.load("photos", size=8)
    assert len(count) == 1
    write_image(alone / "photos" / "b" / "2.png", value=5)
    assert (data.load("photos").images[1] == 5).all() and len(count) == 2
    write_image(alone / "photos" / "b" / "3.png")
    assert len(data.load("photos")) == 3


def copies():
    return list((cache.cache_folder() / "unpacked").glob("*.safetensors"))


def spoil_bytes(path):
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(bytes(raw))


def spoil_half(path):
    path.write_bytes(path.read_bytes()[:-100])


def spoil_empty(path):
    path.write_bytes(b"")


def spoil_metadata(path):
    save_file(load_file(path), path)


@pytest.mark.parametrize("spoil", [spoil_bytes, spoil_half, spoil_empty, spoil_metadata])
def test_a_spoiled_copy_is_made_again(alone, spoil):
    write_image(alone / "photos" / "a.png", value=9)
    data.load("photos")
    (copy,) = copies()
    spoil(copy)
    assert (data.load("photos").images == 9).all()
    assert (load_file(copy)["images"] == 9).all()


def test_without_a_writable_cache_there_is_no_copy(alone, monkeypatch):
    (alone / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(alone / "file"))
    write_image(alone / "photos" / "a.png")
    assert len(data.load("photos")) == 1


def test_a_set_too_large_for_a_copy_has_none(alone, monkeypatch):
    monkeypatch.setattr(cache, "LARGEST", 100)
    write_image(alone / "photos" / "a.png")
    assert len(data.load("photos")) == 1 and not copies()


@pytest.fixture
def tiny_cats(alone, monkeypatch):
    info = CATS_DOGS.info
    tiny = Folders(
        info=type(info)(**{**vars(info), "splits": {"train": 2, "validation": 2}}),
        below=CATS_DOGS.below,
        parts=CATS_DOGS.parts,
    )
    monkeypatch.setitem(registry.SOURCES, "cats-dogs", tiny)
    folder = alone / "data" / "cats_and_dogs_filtered"
    for split in tiny.parts:
        for kind in ("cats", "dogs"):
            write_image(folder / split / kind / "0.jpg")
    return folder


def test_cats_dogs(tiny_cats):
    loaded = data.load("cats-dogs", "validation")
    assert loaded.labels.tolist() == [0, 1] and loaded.classes == ("cats", "dogs")
    assert loaded.name == "cats-dogs" and loaded.source == str(tiny_cats)
    assert data.load("cats-dogs", size=8).shape == (3, 8, 8)


def test_an_incomplete_copy_of_a_data_set_is_refused(tiny_cats):
    (tiny_cats / "train" / "dogs" / "0.jpg").unlink()
    with pytest.raises(GancourseError, match="train holds 1 images, cats-dogs has 2"):
        data.load("cats-dogs")


def test_other_classes_are_refused(tiny_cats):
    (tiny_cats / "train" / "dogs").rename(tiny_cats / "train" / "wolves")
    with pytest.raises(GancourseError, match="wolves"):
        data.load("cats-dogs")


def test_images_larger_than_a_batch_of_threads_keep_their_order(alone):
    for index in range(40):
        write_image(alone / "photos" / f"{index:02d}.png", (8, 8, 3), index)
    assert np.array_equal(data.load("photos").images[:, 0, 0, 0], np.arange(40))
