"""Unpacked copies of what is slow to read: archives and folders of images.

A copy is one safetensors file in ``<cache>/unpacked``. Its metadata hold a fingerprint of the
source and a checksum of the tensors; where either does not match, the copy is not used and the
source is read again. There is one copy for each source, split, size and number of channels.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gancourse import files
from gancourse.data.search import cache_folder
from gancourse.data.types import ImageData
from gancourse.errors import GancourseError

VERSION = 1  # raise it when the same files would be read into other tensors than before
LARGEST = 2**31  # bytes; writing a copy holds it in memory a second time
TENSORS = ("images", "labels", "masks")


def fingerprint(paths: Iterable[Path]) -> str:
    """What changes when a file is added, removed or written: SHA-256 of names, sizes, times."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            state = path.stat()
        except OSError as error:
            raise GancourseError(f"Cannot read {path}: {error.strerror}.") from error
        digest.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def cached(key: tuple[object, ...], mark: str, read: Callable[[], ImageData]) -> ImageData:
    """The stored copy of what ``read`` returns, or ``read`` itself and a copy for the next time.

    Args:
        key: what tells this copy from others: source, split, size, channels.
        mark: the source's :func:`fingerprint`.
        read: reads the source.
    """
    path = path_of(key)
    found = load(path, mark)
    if found is None:
        found = read()
        store(path, mark, found)
    return found


def path_of(key: tuple[object, ...]) -> Path:
    """The file for a key."""
    name = hashlib.sha256(repr((VERSION, *map(str, key))).encode()).hexdigest()[:24]
    return cache_folder() / "unpacked" / f"{name}.safetensors"


def store(path: Path, mark: str, data: ImageData) -> None:
    """Write a copy, unless the data are too large or the folder cannot be written."""
    tensors = {name: getattr(data, name) for name in TENSORS if getattr(data, name) is not None}
    if sum(tensor.nbytes for tensor in tensors.values()) > LARGEST:
        return
    metadata = {
        "fingerprint": mark,
        "checksum": _checksum(tensors),
        "name": data.name,
        "split": data.split,
        "classes": json.dumps(data.classes),
        "mask_classes": json.dumps(data.mask_classes),
    }
    try:
        files.write_bytes(path, save(tensors, metadata))
    except GancourseError:
        return


def load(path: Path, mark: str) -> ImageData | None:
    """A copy that is whole and belongs to ``mark``, or None."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("fingerprint") != mark:
                return None
            stored = file.keys()
            tensors = {name: file.get_tensor(name) for name in stored}
        if metadata["checksum"] != _checksum(tensors):
            return None
        data = ImageData(
            name=metadata["name"],
            split=metadata["split"],
            images=tensors["images"],
            classes=tuple(json.loads(metadata["classes"])),
            mask_classes=tuple(json.loads(metadata["mask_classes"])),
        )
        return replace(data, labels=tensors.get("labels"), masks=tensors.get("masks"))
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _checksum(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for name in TENSORS:
        if name in tensors:
            digest.update(f"{name}{tuple(tensors[name].shape)}".encode())
            digest.update(tensors[name].contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()
