"""IDX files: every wrapping of the right content is taken, every other content refused."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

from gancourse import data
from gancourse.data import registry
from gancourse.data.idx import STEMS, parse
from gancourse.errors import GancourseError
from tests.data.conftest import idx_bytes, tiny_source, write_gz


def arrays(contents, split):
    images, labels = (contents[stem] for stem in STEMS[split])
    count = len(labels) - 8
    return np.frombuffer(images[16:], np.uint8).reshape(count, 28, 28), np.array(list(labels[8:]))


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("wrapping", ["gz", "recompressed", "plain", "npz"])
def test_each_wrapping_gives_the_same_tensors(alone, tiny_mnist, wrapping, split):
    _, contents = tiny_mnist
    folder = alone / "data" / "mnist"
    if wrapping == "npz":
        values = [arrays(contents, part) for part in STEMS]
        np.savez(
            (alone / "data").mkdir() or alone / "data" / "mnist.npz",
            x_train=values[0][0],
            y_train=values[0][1].astype(np.uint8),
            x_test=values[1][0],
            y_test=values[1][1].astype(np.uint8),
        )
    else:
        write_gz(folder, contents)
        for stem, raw in contents.items():
            if wrapping == "recompressed":
                (folder / f"{stem}.gz").write_bytes(gzip.compress(raw, 1, mtime=99))
            if wrapping == "plain":
                (folder / f"{stem}.gz").unlink()
                (folder / stem).write_bytes(raw)
    loaded = data.load("mnist", split, download=False)
    images, labels = arrays(contents, split)
    assert loaded.images.dtype == torch.uint8 and loaded.labels.dtype == torch.int64
    assert np.array_equal(loaded.images.numpy()[:, 0], images)
    assert loaded.labels.tolist() == labels.tolist()
    assert loaded.classes == tuple("0123456789")
    assert loaded.source.startswith(str(alone)) and loaded.licence and loaded.citation


def spoil_truncated(path, raw):
    path.write_bytes(path.read_bytes()[:-200])


def spoil_flipped_in_gz(path, raw):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))


def spoil_flipped_pixel(path, raw):
    path.write_bytes(gzip.compress(raw[:-1] + bytes([raw[-1] ^ 1])))


def spoil_magic(path, raw):
    path.write_bytes(gzip.compress(b"\x00\x00\x0d\x03" + raw[4:]))


def spoil_axes(path, raw):
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(5))))


def spoil_count(path, raw):
    path.write_bytes(gzip.compress(raw[:4] + b"\x00\x00\x00\x09" + raw[8:]))


def spoil_empty(path, raw):
    path.write_bytes(b"")


def spoil_no_gzip(path, raw):
    path.write_bytes(raw)


SPOILED = [
    spoil_truncated,
    spoil_flipped_in_gz,
    spoil_flipped_pixel,
    spoil_magic,
    spoil_axes,
    spoil_count,
    spoil_empty,
    spoil_no_gzip,
]


@pytest.mark.parametrize("spoil", SPOILED)
def test_a_spoiled_file_is_refused_by_name(alone, tiny_mnist, spoil):
    _, contents = tiny_mnist
    folder = write_gz(alone / "data" / "mnist", contents)
    stem = STEMS["train"][0]
    spoil(folder / f"{stem}.gz", contents[stem])
    with pytest.raises(GancourseError, match=f"{stem}.gz"):
        data.load("mnist", download=False)
    assert len(data.load("mnist", "test", download=False)) == 3


def test_fewer_labels_than_images_are_refused(alone, tiny_mnist, monkeypatch):
    _, contents = tiny_mnist
    contents[STEMS["train"][1]] = idx_bytes(np.arange(6))
    monkeypatch.setitem(registry.SOURCES, "mnist", tiny_source(contents))
    write_gz(alone / "data" / "mnist", contents)
    with pytest.raises(GancourseError, match="7 images but 6 labels"):
        data.load("mnist", download=False)


def test_a_label_without_a_class_is_refused(alone, tiny_mnist, monkeypatch):
    _, contents = tiny_mnist
    contents[STEMS["train"][1]] = idx_bytes(np.arange(4, 11))
    monkeypatch.setitem(registry.SOURCES, "mnist", tiny_source(contents))
    write_gz(alone / "data" / "mnist", contents)
    with pytest.raises(GancourseError, match="label 10"):
        data.load("mnist", download=False)


def test_a_set_with_a_missing_file_is_not_found(alone, tiny_mnist):
    _, contents = tiny_mnist
    folder = write_gz(alone / "data" / "mnist", contents)
    (folder / f"{STEMS['test'][1]}.gz").unlink()
    assert data.find("mnist") is None


@pytest.mark.parametrize("content", [b"no archive", b"PK\x05\x06" + bytes(18)])
def test_a_spoiled_npz_is_refused(alone, tiny_mnist, content):
    (alone / "data").mkdir()
    (alone / "data" / "mnist.npz").write_bytes(content)
    with pytest.raises(GancourseError, match="mnist.npz"):
        data.load("mnist", download=False)


def test_an_npz_with_pickled_objects_is_not_opened(alone, tiny_mnist):
    (alone / "data").mkdir()
    objects = np.array([{"a": 1}], dtype=object)
    np.savez(alone / "data" / "mnist.npz", x_train=objects, y_train=objects)
    with pytest.raises(GancourseError, match="mnist.npz"):
        data.load("mnist", download=False)


def test_parse_reads_what_the_format_says(tmp_path):
    assert parse(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]), tmp_path, 1).tolist() == [7, 9]
