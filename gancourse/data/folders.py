"""Folders of image files: the course's two, and any folder of a user's own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os.path import isdir
from pathlib import Path

import torch

from gancourse.data import cache
from gancourse.data.images import SUFFIXES, common_form, read_images
from gancourse.data.source import Source
from gancourse.data.types import ImageData, Info
from gancourse.errors import GancourseError


def image_files(folder: Path) -> list[Path]:
    """Every image file below a folder, by suffix, in the order of its path; hidden ones left out.

    Raises:
        GancourseError: the folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise GancourseError(f"Cannot list {error.filename}: {error.strerror}.") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(parent, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
        ]
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def class_of(folder: Path, files: list[Path]) -> tuple[tuple[str, ...], list[int] | None]:
    """Class names and each file's label, from the first folder of its path below ``folder``.

    Images that lie directly in ``folder`` have no class, and then no other has one either.
    """
    parts = [path.relative_to(folder).parts for path in files]
    if any(len(part) == 1 for part in parts):
        return (), None
    classes = sorted({part[0] for part in parts})
    number = {name: index for index, name in enumerate(classes)}
    return tuple(classes), [number[part[0]] for part in parts]


def load_folder(
    folder: str | Path, split: str = "train", size: int | None = None, channels: int | None = None
) -> ImageData:
    """Every image below a folder as one tensor.

    Accepted: .jpg, .png, .gif (first frame), .bmp, .tif, .webp, .ppm and the like, of any size,
    grey, RGB, palette, with transparency (laid over white), CMYK, 16-bit grey, EXIF-rotated (turned
    upright). Images in sub-folders take the sub-folder's name as their class, unless some lie
    directly in the folder; other files are left alone.

    Args:
        folder: where the images are.
        split: the name given to the result; the folder is taken whole.
        size: side in pixels of the square images: the centre square is cropped and resized to
            it. None: see :func:`gancourse.data.images.common_form`.
        channels: 1 or 3; None: 1 if every image is grey, else 3.

    Raises:
        GancourseError: there is no image, or one is corrupt; the message names the file.
    """
    folder = Path(os.path.abspath(Path(folder).expanduser()))
    files = image_files(folder)
    if not files:
        raise GancourseError(
            f"There is no image in {folder}. Known endings: {', '.join(sorted(SUFFIXES))}."
        )

    def read() -> ImageData:
        classes, labels = class_of(folder, files)
        return ImageData(
            name=str(folder),
            split=split,
            images=read_images(files, common_form(files, size, channels)),
            labels=None if labels is None else torch.tensor(labels),
            classes=classes,
        )

    return cache.cached((folder, split, size, channels), cache.fingerprint(files), read)


@dataclass(frozen=True)
class Folders(Source):
    """A data set that is one folder of images for each split.

    Attributes:
        info: its description; a folder with another number of images is refused.
        below: where it may lie.
        parts: sub-folder by split.
    """

    info: Info
    below: tuple[str, ...]
    parts: Mapping[str, str]
    torchvision: str | None = None

    def holds(self, where: Path) -> bool:
        """Whether every split has its folder."""
        return all(isdir(where / part) for part in self.parts.values())

    def read(self, where: Path, split: str, size: int | None, channels: int | None) -> ImageData:
        """The images of a split, and their classes where there are some."""
        folder = where / self.parts[split]
        count, expected = len(image_files(folder)), self.info.splits[split]
        if count != expected:
            raise GancourseError(
                f"{folder} holds {count:,} images, {self.info.name} has {expected:,} in split "
                f"{split}. Complete the copy, or load the folder as your own by its path."
            )
        data = load_folder(folder, split, size, channels)
        if data.classes != self.info.classes:
            raise GancourseError(
                f"{folder} has the classes {data.classes}, {self.info.name} has "
                f"{self.info.classes}."
            )
        return replace(data, name=self.info.name)


CATS_DOGS = Folders(
    info=Info(
        name="cats-dogs",
        kind="images",
        splits={"train": 2_000, "validation": 1_000},
        shape=(3, 150, 150),
        classes=("cats", "dogs"),
        licence="competition terms of the original; no open licence stated",
        citation="J. Elson, J. R. Douceur, J. Howell, J. Saul: Asirra: a CAPTCHA that exploits "
        "interest-aligned manual image categorization. CCS 2007.",
        how_to_get="Unpack cats_and_dogs_filtered.zip (train/ and validation/, each with cats/ "
        "and dogs/) into a folder named by GANCOURSE_DATA.",
        about="photographs of cats and of dogs",
    ),
    below=("cats_and_dogs_filtered", "cats_and_dogs_filtered_extracted/cats_and_dogs_filtered"),
    parts={"train": "train", "validation": "validation"},
)

ABSTRACT_ART = Folders(
    info=Info(
        name="abstract-art",
        kind="images",
        splits={"train": 934},
        shape=(3, 128, 128),
        classes=(),
        licence="WikiArt; copyright stays with artists or estates; research use only",
        citation="WikiArt, visual art encyclopedia, abstract paintings: https://www.wikiart.org",
        how_to_get="Put the paintings into abstract_art/images/ of a folder named by "
        "GANCOURSE_DATA; any other set of paintings loads by its path.",
        about="abstract paintings",
    ),
    below=("abstract_art", "abstract-art"),
    parts={"train": "images"},
)
