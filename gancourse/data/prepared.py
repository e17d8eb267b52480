"""Oxford-IIIT Pet as TensorFlow Datasets has prepared it, where that is installed; no download."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from gancourse.data import images
from gancourse.data.pairs import OXFORD_PETS, TRIMAP, check_same_size
from gancourse.data.types import ImageData
from gancourse.errors import GancourseError

BUILDER = "oxford_iiit_pet"


class _Named(io.BytesIO):
    """The bytes of an image file, which a message can call by its name."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name

    def __str__(self) -> str:
        return self.name


def prepared_pets(split: str, size: int) -> ImageData | None:
    """The pets out of the store of ``tensorflow_datasets``, if they are in it.

    The store holds the files as their authors publish them, as records, in an order of its own. They
    are decoded, checked and cut by the same functions as the originals. To put them there is the
    business of ``tensorflow_datasets``: ``tfds.load("oxford_iiit_pet")``.

    ``data.load`` does not look here, since reading the records takes TensorFlow, which is for those
    who ask for it: :func:`gancourse.tf.segmentation.segmentation_arrays` does.

    Args:
        split: ``"train"`` or ``"test"``; of another one the store has nothing.
        size: side of the square images and masks in pixels.

    Returns:
        RGB images with breeds and masks; None if the package is not installed, or has not prepared
        this data set.

    Raises:
        GancourseError: the size is none, or a record is damaged or not of its kind.
    """
    images.check_form(size, 3)
    if split not in OXFORD_PETS.info.splits:
        return None
    try:
        import tensorflow_datasets as tfds
    except ImportError:
        return None
    builder = tfds.builder(BUILDER)
    if not builder.is_prepared():
        return None
    form = images.Form(3, size, size)
    photographs, masks, labels = [], [], []
    for record in _records(tfds, builder, split):
        stem = record["file_name"].decode().rpartition(".")[0]
        where = f"{builder.data_dir}, split {split}, {stem}"
        photograph = _Named(f"{where}.jpg", record["image"])
        trimap = _Named(f"{where}.png", record["segmentation_mask"])
        check_same_size(photograph, trimap)
        photographs.append(images.decode(photograph, form))
        masks.append(images.decode_mask(trimap, form, TRIMAP))
        labels.append(int(record["label"]))
    if not photographs:
        raise GancourseError(f"{builder.data_dir}: split {split} is empty. Prepare it again.")
    return ImageData(
        name=OXFORD_PETS.info.name,
        split=split,
        images=_stacked(photographs),
        labels=torch.tensor(labels),
        classes=OXFORD_PETS.info.classes,
        licence=OXFORD_PETS.info.licence,
        citation=OXFORD_PETS.info.citation,
        source=str(builder.data_dir),
        masks=_stacked(masks),
        mask_classes=OXFORD_PETS.mask_classes,
    )


def _records(tfds: Any, builder: Any, split: str) -> Iterator[dict[str, Any]]:
    """The records of a split one by one, image and trimap still encoded."""
    as_stored = {name: tfds.decode.SkipDecoding() for name in ("image", "segmentation_mask")}
    try:
        yield from tfds.as_numpy(builder.as_dataset(split=split, decoders=as_stored))
    except Exception as error:  # TensorFlow's errors share no other class, and are many
        raise GancourseError(
            f"The copy of {BUILDER} in {builder.data_dir} cannot be read ({error}). Delete it, and "
            f'prepare it again by tensorflow_datasets.load("{BUILDER}").'
        ) from error


def _stacked(parts: list[np.ndarray]) -> torch.Tensor:
    """uint8 N x C x H x W of N arrays H x W x C."""
    return torch.from_numpy(np.ascontiguousarray(np.stack(parts).transpose(0, 3, 1, 2)))
