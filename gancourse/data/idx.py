"""MNIST's file format IDX: http://yann.lecun.com/exdb/mnist/ describes it.

A file is a header (two zero bytes, a type code, the number of axes, then each axis as a big-endian
uint32) and the values. The same content comes plain, gzip-compressed by anyone, or as the arrays of
Keras's ``.npz``; so what is checked is the SHA-256 of the unpacked content, never of the wrapping.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from os.path import isfile
from pathlib import Path

import numpy as np
import torch

from gancourse.data.source import Source
from gancourse.data.types import ImageData, Info
from gancourse.errors import GancourseError

STEMS = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
UNSIGNED_BYTE = 0x08


def header(shape: tuple[int, ...]) -> bytes:
    """The IDX header of a uint8 array of this shape."""
    return struct.pack(f">HBB{len(shape)}I", 0, UNSIGNED_BYTE, len(shape), *shape)


def unpack(path: Path) -> bytes:
    """The content of a plain or gzip-compressed file.

    Raises:
        GancourseError: the file cannot be read, is truncated, or its own checksum fails.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as file:
                return file.read()
        return path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise GancourseError(
            f"{path} is truncated or corrupt ({error}). Delete it and get it again."
        ) from error


def parse(content: bytes, path: Path, axes: int) -> np.ndarray:
    """The uint8 array in the content of an IDX file.

    Args:
        content: the unpacked file.
        path: named in errors.
        axes: how many axes there must be: 3 for images, 1 for labels.

    Raises:
        GancourseError: the magic number or the byte count is wrong.
    """
    magic = struct.pack(">HBB", 0, UNSIGNED_BYTE, axes)
    start = 4 + 4 * axes
    if content[:4] != magic or len(content) < start:
        raise GancourseError(
            f"{path} is not an IDX file of uint8 with {axes} axes: it begins with "
            f"{content[:4].hex() or 'nothing'}, not {magic.hex()}."
        )
    shape = struct.unpack(f">{axes}I", content[4:start])
    expected = int(np.prod(shape, dtype=np.int64))
    if len(content) - start != expected:
        raise GancourseError(
            f"{path} announces {shape}, that is {expected:,} bytes, but holds "
            f"{len(content) - start:,}. Delete it and get it again."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


@dataclass(frozen=True)
class Idx(Source):
    """A data set of four IDX files, or of the same arrays in an ``.npz``.

    Attributes:
        info: its description.
        below: where it may lie below each place that is searched.
        sha256: of the unpacked content of each file, by stem.
        torchvision: the class of ``torchvision.datasets`` that downloads it.
    """

    info: Info
    below: tuple[str, ...]
    sha256: Mapping[str, str]
    torchvision: str | None

    def holds(self, where: Path) -> bool:
        """Whether all files are there, by name."""
        if where.suffix == ".npz":
            return isfile(where)
        return all(self._file(where, stem) for pair in STEMS.values() for stem in pair)

    def read(self, where: Path, split: str, size: int | None, channels: int | None) -> ImageData:
        """Both arrays of a split, checked and untouched."""
        read = self._read_npz if where.suffix == ".npz" else self._read_files
        images, labels = read(where, split)
        if len(images) != len(labels):
            raise GancourseError(
                f"{where}: {len(images):,} images but {len(labels):,} labels in split {split}."
            )
        if len(labels) and labels.max() >= len(self.info.classes):
            raise GancourseError(f"{where}: label {labels.max()} in split {split} has no class.")
        return ImageData(
            name=self.info.name,
            split=split,
            images=torch.from_numpy(images.copy()).unsqueeze(1),
            labels=torch.from_numpy(labels.astype(np.int64)),
            classes=self.info.classes,
        )

    def _file(self, folder: Path, stem: str) -> Path | None:
        # torchvision unpacks as "t10k-images-idx3-ubyte"; some tools write ".idx3-ubyte".
        names = (f"{stem}.gz", stem, stem.replace("-idx", ".idx"))
        return next((folder / name for name in names if isfile(folder / name)), None)

    def _read_files(self, folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
        arrays = []
        for stem, axes in zip(STEMS[split], (3, 1), strict=True):
            path = self._file(folder, stem)
            if path is None:
                raise GancourseError(f"{folder} lacks {stem}.gz. {self.info.how_to_get}")
            content = unpack(path)
            array = parse(content, path, axes)
            self._verify(stem, [content], path)
            arrays.append(array)
        return arrays[0], arrays[1]

    def _read_npz(self, path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = [np.ascontiguousarray(file[f"{axis}_{split}"]) for axis in "xy"]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise GancourseError(
                f"{path} is not Keras's archive of {self.info.name} ({error}). "
                "Delete it and get it again."
            ) from error
        for stem, array in zip(STEMS[split], arrays, strict=True):
            self._verify(stem, [header(array.shape), array.tobytes()], path)
        return arrays[0], arrays[1]

    def _verify(self, stem: str, parts: list[bytes], path: Path) -> None:
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        if digest.hexdigest() != self.sha256[stem]:
            raise GancourseError(
                f"{path} is not {self.info.name}'s {stem}: the SHA-256 of its content is "
                f"{digest.hexdigest()[:16]}..., not {self.sha256[stem][:16]}... "
                "Delete it and get it again."
            )


def _sums(*sums: str) -> dict[str, str]:
    """SHA-256 by stem, in the order of ``STEMS``."""
    return dict(zip((stem for pair in STEMS.values() for stem in pair), sums, strict=True))


MNIST = Idx(
    info=Info(
        name="mnist",
        kind="images",
        splits={"train": 60_000, "test": 10_000},
        shape=(1, 28, 28),
        classes=tuple("0123456789"),
        licence="CC BY-SA 3.0",
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to "
        "document recognition. Proceedings of the IEEE 86(11), 1998.",
        how_to_get="Connect to the internet once and load it, or put the four "
        "*-ubyte.gz files into mnist/ of a folder named by GANCOURSE_DATA.",
        about="handwritten digits, grey",
    ),
    below=("mnist", "MNIST/raw", "mnist/MNIST/raw", "mnist.npz"),
    sha256=_sums(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    torchvision="MNIST",
)

FASHION_MNIST = Idx(
    info=Info(
        name="fashion-mnist",
        kind="images",
        splits={"train": 60_000, "test": 10_000},
        shape=(1, 28, 28),
        classes=(
            "T-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        licence="MIT",
        citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for "
        "benchmarking machine learning algorithms. arXiv:1708.07747, 2017.",
        how_to_get="Connect to the internet once and load it; or on Debian and Ubuntu: "
        "apt-get install dataset-fashion-mnist.",
        about="articles of clothing, grey",
    ),
    below=("fashion-mnist", "FashionMNIST/raw", "fashion-mnist/FashionMNIST/raw"),
    sha256=_sums(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    torchvision="FashionMNIST",
)
