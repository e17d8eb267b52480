"""CIFAR-10: folder and archives alike, a copy for the second time, no pickle before its MD5."""

from __future__ import annotations

import os
import pickle
import time

import numpy as np
import pytest

from gancourse import data
from gancourse.data import cache, registry
from gancourse.data.cifar import ArrayUnpickler, Cifar10
from gancourse.errors import GancourseError
from tests.data.conftest import pickled, register_cifar, write_tar

ARCHIVES = [
    ("cifar-10-python.tar.gz", "w:gz"),
    ("cifar-10-batches-py.tar.gz", "w:gz"),
    ("cifar10/cifar-10-batches-py.tar.xz", "w:xz"),
]


def write_folder(folder, contents):
    folder.mkdir(parents=True)
    for name, raw in contents.items():
        (folder / name).write_bytes(raw)
    return folder


@pytest.mark.parametrize(("name", "mode"), [(None, None), *ARCHIVES])
def test_folder_and_archives_give_the_same_tensors(alone, tiny_cifar, name, mode):
    if name is None:
        write_folder(alone / "data" / "cifar-10-batches-py", tiny_cifar)
    else:
        write_tar(alone / "data" / name, tiny_cifar, mode)
    train, test = (data.load("cifar10", split, download=False) for split in ("train", "test"))
    assert train.images.shape == (10, 3, 32, 32) and test.images.shape == (2, 3, 32, 32)
    assert train.labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]
    assert test.labels.tolist() == [5, 4]
    first = pickle.loads(tiny_cifar["data_batch_1"], encoding="bytes")[b"data"][0]
    assert np.array_equal(train.images[0].numpy(), first.reshape(3, 32, 32))
    assert train.classes[0] == "airplane" and len(train.classes) == 10


def test_the_second_load_reads_the_copy(alone, tiny_cifar, monkeypatch):
    archive = write_tar(alone / "data" / "cifar-10-python.tar.gz", tiny_cifar, "w:gz")
    first = data.load("cifar10", download=False)
    monkeypatch.setattr(Cifar10, "_unpack", lambda *_: pytest.fail("unpacked again"))
    for split, count in (("train", 10), ("test", 2)):
        assert len(data.load("cifar10", split, download=False)) == count
    assert data.load("cifar10", download=False).images.equal(first.images)
    os.utime(archive, ns=(0, time.time_ns() + 10**9))
    with pytest.raises(pytest.fail.Exception, match="unpacked again"):
        data.load("cifar10", download=False)


def test_a_flipped_byte_is_refused_before_unpickling(alone, tiny_cifar, monkeypatch):
    spoiled = dict(tiny_cifar)
    raw = bytearray(spoiled["data_batch_3"])
    raw[200] ^= 1
    spoiled["data_batch_3"] = bytes(raw)
    write_folder(alone / "data" / "cifar-10-batches-py", spoiled)
    seen = []
    load = ArrayUnpickler.load
    monkeypatch.setattr(ArrayUnpickler, "load", lambda self: seen.append(1) or load(self))
    with pytest.raises(GancourseError, match="data_batch_3.*MD5"):
        data.load("cifar10", download=False)
    assert len(seen) == 2  # the two batches before it


@pytest.mark.parametrize(("name", "mode"), ARCHIVES[1:])
def test_a_truncated_archive_is_refused_and_leaves_no_copy(alone, tiny_cifar, name, mode):
    archive = write_tar(alone / "data" / name, tiny_cifar, mode)
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(GancourseError, match=archive.name):
        data.load("cifar10", download=False)
    assert not list((cache.cache_folder()).glob("**/*.safetensors"))


def test_what_is_no_archive_is_refused(alone, tiny_cifar):
    (alone / "data").mkdir()
    (alone / "data" / "cifar-10-python.tar.gz").write_bytes(b"<html>404</html>")
    with pytest.raises(GancourseError, match="cifar-10-python.tar.gz"):
        data.load("cifar10", download=False)


def test_an_archive_that_lacks_a_batch_is_refused(alone, tiny_cifar):
    register_all = dict(tiny_cifar)
    del register_all["data_batch_4"]
    write_tar(alone / "data" / "cifar-10-python.tar.gz", register_all, "w:gz")
    with pytest.raises(GancourseError, match="lacks data_batch_4"):
        data.load("cifar10", download=False)


@pytest.mark.parametrize("labels", [[1], [1, 2, 3]])
def test_another_number_of_labels_is_refused(alone, tiny_cifar, monkeypatch, labels):
    batch = {b"data": np.zeros((2, 3072), np.uint8), b"labels": labels}
    contents = tiny_cifar | {"data_batch_2": pickled(batch)}
    register_cifar(monkeypatch, contents)
    write_folder(alone / "data" / "cifar-10-batches-py", contents)
    with pytest.raises(GancourseError, match=f"data_batch_2 holds 2 images but {len(labels)}"):
        data.load("cifar10", download=False)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.mark.parametrize("harm", [Evil(), np.array([Evil()], dtype=object)])
def test_a_pickle_that_calls_something_is_refused_even_with_its_md5(
    alone, tiny_cifar, monkeypatch, harm
):
    contents = tiny_cifar | {"data_batch_1": pickled({b"data": harm, b"labels": []})}
    register_cifar(monkeypatch, contents)
    write_folder(alone / "data" / "cifar-10-batches-py", contents)
    with pytest.raises(GancourseError, match="data_batch_1"):
        data.load("cifar10", download=False)
    assert not (alone / "harm").exists()


def test_the_published_sums_are_the_registered_ones():
    assert registry.SOURCES["cifar10"]._md5["test_batch"] == "40351d587109b95175f43aff81a1287e"
    assert len(registry.SOURCES["cifar10"]._md5) == 6
