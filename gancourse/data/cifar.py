"""CIFAR-10 in its own format: six pickle files, in a folder or still in their archive.

A pickle is a program. These are run only after the MD5 of each is the one its authors published
(https://www.cs.toronto.edu/~kriz/cifar.html), and then by an unpickler that knows numpy arrays and
nothing else.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import pickle
import tarfile
import zlib
from collections.abc import Mapping
from os.path import isfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gancourse.data import cache
from gancourse.data.source import Source
from gancourse.data.types import ImageData, Info
from gancourse.errors import GancourseError

PARTS = {"train": tuple(f"data_batch_{n}" for n in range(1, 6)), "test": ("test_batch",)}
ARCHIVES = (".tar.gz", ".tar.xz", ".tar")
MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class ArrayUnpickler(pickle.Unpickler):
    """Admits what a pickled numpy array of plain numbers needs, and refuses every other global."""

    def find_class(self, module: str, name: str) -> Any:
        """The object a pickle names, if it is one of the three."""
        try:
            return ADMITTED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None


class Cifar10(Source):
    """60,000 colour photographs of 32 x 32 pixels in ten classes.

    Args:
        md5: of each pickle file, by name.
        per_file: images in each of them.
    """

    info = Info(
        name="cifar10",
        kind="images",
        splits={"train": 50_000, "test": 10_000},
        shape=(3, 32, 32),
        classes=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        licence="none stated; citation requested",
        citation="A. Krizhevsky: Learning multiple layers of features from tiny images. "
        "Technical report, University of Toronto, 2009.",
        how_to_get="Connect to the internet once and load it, or put cifar-10-python.tar.gz "
        "into a folder named by GANCOURSE_DATA.",
        about="small photographs in ten classes, colour",
    )
    below = (
        "cifar-10-batches-py",
        "cifar10/cifar-10-batches-py",
        "cifar-10-batches-py-target/cifar-10-batches-py",  # Keras 3
        "cifar-10-python.tar.gz",
        "cifar-10-batches-py.tar.gz",  # Keras 2
        "cifar-10-batches-py.tar.xz",
        "cifar10/cifar-10-python.tar.gz",
        "cifar10/cifar-10-batches-py.tar.gz",
        "cifar10/cifar-10-batches-py.tar.xz",
    )
    torchvision = "CIFAR10"

    def __init__(self, md5: Mapping[str, str] = MD5, per_file: int = 10_000):
        self._md5 = md5
        self._per_file = per_file

    def holds(self, where: Path) -> bool:
        """An archive by its name, or a folder with all six files."""
        if isfile(where):
            return where.name.endswith(ARCHIVES)
        return all(isfile(where / name) for name in self._md5)

    def read(self, where: Path, split: str, size: int | None, channels: int | None) -> ImageData:
        """A split, from an archive or from the stored copy of one."""
        if where.is_dir():
            try:
                contents = {name: (where / name).read_bytes() for name in PARTS[split]}
            except OSError as error:
                raise GancourseError(f"Cannot read {where}: {error}.") from error
            return self._parse(contents, where, split)
        mark = cache.fingerprint([where])
        path = {name: cache.path_of((where, name)) for name in PARTS}
        found = cache.load(path[split], mark)
        if found is None:
            # Both splits come out of one pass over the archive, which takes the time.
            contents = self._unpack(where)
            both = {name: self._parse(contents, where, name) for name in PARTS}
            for name, data in both.items():
                cache.store(path[name], mark, data)
            found = both[split]
        return found

    def _unpack(self, archive: Path) -> dict[str, bytes]:
        contents = {}
        try:
            with tarfile.open(archive, "r|*") as file:
                for member in file:
                    name = Path(member.name).name
                    stream = file.extractfile(member) if name in self._md5 else None
                    if stream is not None:
                        contents[name] = stream.read()
        except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
            raise GancourseError(
                f"{archive} is truncated or corrupt ({error}). Delete it and get it again."
            ) from error
        missing = sorted(set(self._md5) - set(contents))
        if missing:
            raise GancourseError(f"{archive} lacks {', '.join(missing)}. Get it again.")
        return contents

    def _parse(self, contents: Mapping[str, bytes], where: Path, split: str) -> ImageData:
        images, labels = [], []
        for name in PARTS[split]:
            content = contents[name]
            md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
            if md5 != self._md5[name]:
                raise GancourseError(
                    f"{where / name} is not CIFAR-10's file: its MD5 is {md5}, not "
                    f"{self._md5[name]}. It was not opened; delete it and get it again."
                )
            try:
                batch = ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
                pixels, targets = batch[b"data"], np.array(batch[b"labels"], dtype=np.int64)
                images.append(pixels.reshape(self._per_file, 3, 32, 32))
            except (pickle.UnpicklingError, KeyError, TypeError, ValueError, EOFError) as error:
                raise GancourseError(
                    f"{where / name} is not a CIFAR-10 batch ({error})."
                ) from error
            if pixels.dtype != np.uint8 or targets.shape != (len(pixels),):
                raise GancourseError(
                    f"{where / name} holds {len(pixels):,} images but {targets.size:,} labels."
                )
            labels.append(targets)
        return ImageData(
            name=self.info.name,
            split=split,
            images=torch.from_numpy(np.concatenate(images)),
            labels=torch.from_numpy(np.concatenate(labels)),
            classes=self.info.classes,
        )


CIFAR10 = Cifar10()
