"""Tiny data sets in the original formats, on a machine that has no others."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from gancourse.data import registry, search
from gancourse.data.cifar import PARTS, Cifar10
from gancourse.data.idx import MNIST, STEMS, Idx


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A home, a cache and a current folder with nothing in them; returns the current folder."""
    for name in ("GANCOURSE_DATA", "TORCH_HOME", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("home", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(search, "DEBIAN", tmp_path / "debian")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def idx_bytes(array: np.ndarray) -> bytes:
    """An IDX file of uint8, written out by the format's description."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return head + array.astype(np.uint8).tobytes()


@pytest.fixture
def tiny_mnist(alone, monkeypatch):
    """Seven training and three test images; returns the source and the four files' contents."""
    rng = np.random.default_rng(0)
    contents = {}
    for (split, stems), count in zip(STEMS.items(), (7, 3), strict=True):
        images = rng.integers(0, 256, (count, 28, 28))
        labels = np.arange(count) if split == "train" else np.arange(count)[::-1]
        contents |= dict(zip(stems, (idx_bytes(images), idx_bytes(labels)), strict=True))
    source = tiny_source(contents)
    monkeypatch.setitem(registry.SOURCES, "mnist", source)
    return source, contents


def tiny_source(contents: dict[str, bytes]) -> Idx:
    """MNIST's source, but of these contents."""
    return replace(
        MNIST, sha256={stem: hashlib.sha256(raw).hexdigest() for stem, raw in contents.items()}
    )


def write_gz(folder: Path, contents: dict[str, bytes]) -> Path:
    """The four files as their authors publish them."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, raw in contents.items():
        (folder / f"{stem}.gz").write_bytes(gzip.compress(raw, mtime=0))
    return folder


@pytest.fixture
def tiny_cifar(alone, monkeypatch):
    """Two images a batch; returns the contents of the six files, in Python 2's pickle protocol."""
    contents = {}
    for number, name in enumerate(name for part in PARTS.values() for name in part):
        rng = np.random.default_rng(number)
        batch = {
            b"data": rng.integers(0, 256, (2, 3072), dtype=np.uint8),
            b"labels": [number, 9 - number],
        }
        contents[name] = pickled(batch)
    register_cifar(monkeypatch, contents)
    return contents


class Python2Pickler(pickle._Pickler):
    """Writes bytes as Python 2 wrote its strings, which CIFAR-10's files are made of."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        self.write(pickle.BINSTRING + struct.pack("<i", len(value)) + value)
        self.memoize(value)

    dispatch[bytes] = save_string


def pickled(value) -> bytes:
    """``value`` in Python 2's pickle protocol 2."""
    file = io.BytesIO()
    Python2Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def register_cifar(monkeypatch, contents: dict[str, bytes]) -> None:
    """Make ``cifar10`` stand for these contents."""
    md5 = {name: hashlib.md5(raw).hexdigest() for name, raw in contents.items()}
    monkeypatch.setitem(registry.SOURCES, "cifar10", Cifar10(md5, per_file=2))


def write_tar(path: Path, contents: dict[str, bytes], mode: str) -> Path:
    """An archive with everything below ``cifar-10-batches-py/``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as file:
        for name, raw in contents.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(raw)
            file.addfile(member, io.BytesIO(raw))
    return path


def write_image(path: Path, shape=(16, 16, 3), value=None, **options) -> Path:
    """An image file of one colour, or of noise that its name decides."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if value is None:
        seed = int.from_bytes(hashlib.md5(path.name.encode()).digest()[:4], "big")
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    else:
        pixels = np.broadcast_to(np.asarray(value, dtype=np.uint8), shape)
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, **options)
    return path
