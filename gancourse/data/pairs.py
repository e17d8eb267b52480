"""Images with a mask for each: CamVid and Oxford-IIIT Pet, in their original layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import isdir, isfile
from pathlib import Path
from typing import IO

import torch
from PIL import Image

from gancourse.data import cache
from gancourse.data.images import UNREADABLE, common_form, read_images, read_masks
from gancourse.data.source import Source
from gancourse.data.types import ImageData, Info
from gancourse.errors import GancourseError


@dataclass(frozen=True)
class Pairs:
    """The files of a split, in one order.

    Attributes:
        images: image files.
        masks: the mask of each.
        labels: the class of each, or None.
        values: the numbers a mask may hold.
        mask_classes: what they mean.
    """

    images: Sequence[Path]
    masks: Sequence[Path]
    labels: Sequence[int] | None
    values: range
    mask_classes: tuple[str, ...]

    def load(
        self, info: Info, where: Path, split: str, size: int | None, channels: int | None
    ) -> ImageData:
        """Decode both, cut alike, so that a pixel and its class stay together.

        Raises:
            GancourseError: a file is missing or corrupt, or a mask differs in size from its image.
        """
        if not self.images:
            raise GancourseError(f"{where}: split {split} is empty.")
        for path in (*self.images, *self.masks):
            if not path.is_file():
                raise GancourseError(
                    f"{path} is missing from {info.name}, split {split}. Complete the copy."
                )

        def read() -> ImageData:
            for image, mask in zip(self.images, self.masks, strict=True):
                check_same_size(image, mask)
            form = common_form(self.images, size, channels)
            return ImageData(
                name=info.name,
                split=split,
                images=read_images(self.images, form),
                labels=None if self.labels is None else torch.tensor(self.labels),
                classes=info.classes,
                masks=read_masks(self.masks, form, self.values),
                mask_classes=self.mask_classes,
            )

        mark = cache.fingerprint([*self.images, *self.masks])
        return cache.cached((where, info.name, split, size, channels), mark, read)


def check_same_size(image: Path | IO[bytes], mask: Path | IO[bytes]) -> None:
    """Refuse a mask that is not of its image's size: cut alike, they would not fit each other.

    Raises:
        GancourseError: the sizes differ, or one of them is no image; the message names it.
    """
    sizes = []
    for path in (image, mask):
        try:
            with Image.open(path) as opened:
                sizes.append(opened.size)
        except UNREADABLE as error:
            raise GancourseError(f"{path} is not a readable image. Replace it.") from error
    if sizes[0] != sizes[1]:
        raise GancourseError(f"{mask} is {sizes[1]} pixels, its image {image} is {sizes[0]}.")


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GancourseError(f"Cannot read {path} ({error}).") from error
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


class CamVid(Source):
    """Street scenes with eleven classes and void, in the layout used with SegNet.

    ``train/NAME.png`` (or .jpg), ``trainannot/NAME.png``, ``train.txt``; likewise val and test. A
    line of the list is a name, or the paths of image and mask.
    """

    mask_classes = (
        "sky",
        "building",
        "pole",
        "road",
        "pavement",
        "tree",
        "sign symbol",
        "fence",
        "car",
        "pedestrian",
        "bicyclist",
        "void",
    )
    info = Info(
        name="camvid",
        kind="images",
        splits={"train": 367, "val": 101, "test": 233},
        shape=(3, 192, 256),
        classes=(),
        licence="none stated; published for research, citation requested",
        citation="G. J. Brostow, J. Fauqueur, R. Cipolla: Semantic object classes in video: a "
        "high-definition ground truth database. Pattern Recognition Letters 30(2), 2009.",
        how_to_get="Put the folder CamVid of the SegNet tutorial (train, trainannot, train.txt, "
        "...) into a folder named by GANCOURSE_DATA.",
        about="street scenes with label maps",
    )
    below = ("camvid", "CamVid")
    torchvision = None

    def holds(self, where: Path) -> bool:
        """Whether the three lists are there."""
        return all(isfile(where / f"{split}.txt") for split in self.info.splits)

    def read(self, where: Path, split: str, size: int | None, channels: int | None) -> ImageData:
        """Images and label maps of a split."""
        names = [Path(line.split()[0]).stem for line in _lines(where / f"{split}.txt")]
        images = {path.stem: path for path in (where / split).glob("*.*")}
        masks = {path.stem: path for path in (where / f"{split}annot").glob("*.png")}
        for one, other, what in ((masks, images, "image"), (images, masks, "mask")):
            alone = sorted(set(one) - set(other))
            if alone:
                raise GancourseError(f"{one[alone[0]]} has no {what} ({len(alone)} such files).")
        if sorted(names) != sorted(images):
            odd = sorted(set(names) ^ set(images)) or ["a name that occurs twice"]
            raise GancourseError(
                f"{where / split}.txt and the files in {where / split} disagree: {odd[0]}."
            )
        pairs = Pairs(
            [images[name] for name in names],
            [masks[name] for name in names],
            None,
            range(len(self.mask_classes)),
            self.mask_classes,
        )
        return pairs.load(self.info, where, split, size, channels)


PET_LISTS = {"train": "trainval.txt", "test": "test.txt"}
TRIMAP = range(1, 4)


class OxfordPets(Source):
    """Cats and dogs of 37 breeds with trimaps, as their authors publish them.

    See https://www.robots.ox.ac.uk/~vgg/data/pets/. There are ``images/NAME.jpg``,
    ``annotations/trimaps/NAME.png`` (1 pet, 2 background, 3 border; loaded as 0, 1, 2),
    ``annotations/list.txt``, and for the splits ``trainval.txt`` and ``test.txt`` beside it, whose
    lines are: name, class 1..37, species, breed within the species.
    """

    mask_classes = ("pet", "background", "border")
    info = Info(
        name="oxford-pets",
        kind="images",
        splits={"train": 3_680, "test": 3_669},
        shape=(3, None, None),
        classes=(
            "Abyssinian",
            "American bulldog",
            "American pit bull terrier",
            "Basset hound",
            "Beagle",
            "Bengal",
            "Birman",
            "Bombay",
            "Boxer",
            "British shorthair",
            "Chihuahua",
            "Egyptian Mau",
            "English cocker spaniel",
            "English setter",
            "German shorthaired",
            "Great Pyrenees",
            "Havanese",
            "Japanese chin",
            "Keeshond",
            "Leonberger",
            "Maine Coon",
            "Miniature pinscher",
            "Newfoundland",
            "Persian",
            "Pomeranian",
            "Pug",
            "Ragdoll",
            "Russian Blue",
            "Saint Bernard",
            "Samoyed",
            "Scottish terrier",
            "Shiba Inu",
            "Siamese",
            "Sphynx",
            "Staffordshire bull terrier",
            "Wheaten terrier",
            "Yorkshire terrier",
        ),
        licence="CC BY-SA 4.0",
        citation="O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar: Cats and dogs. CVPR 2012.",
        how_to_get="Connect to the internet once and load it, or unpack images.tar.gz and "
        "annotations.tar.gz into oxford-iiit-pet/ of a folder named by GANCOURSE_DATA; gancourse.tf "
        "also takes the copy that tensorflow_datasets has prepared.",
        about="cats and dogs of 37 breeds with trimaps",
    )
    below = ("oxford-iiit-pet", "oxford-pets", "oxford-pets/oxford-iiit-pet")
    torchvision = "OxfordIIITPet"

    def holds(self, where: Path) -> bool:
        """Whether both folders and the lists are there."""
        annotations = where / "annotations"
        names = ("list.txt", *PET_LISTS.values())
        return isdir(where / "images") and all(isfile(annotations / name) for name in names)

    def read(self, where: Path, split: str, size: int | None, channels: int | None) -> ImageData:
        """Images, breeds and trimaps of a split."""
        annotations = where / "annotations"
        every = self._labels(annotations / "list.txt")
        listed = annotations / PET_LISTS[split]
        labels = self._labels(listed)
        for name, label in labels.items():
            if every.get(name) != label:
                raise GancourseError(f"{listed}: {name} disagrees with list.txt beside it.")
        pairs = Pairs(
            [where / "images" / f"{name}.jpg" for name in labels],
            [annotations / "trimaps" / f"{name}.png" for name in labels],
            list(labels.values()),
            TRIMAP,
            self.mask_classes,
        )
        return pairs.load(self.info, where, split, size, channels)

    def _labels(self, path: Path) -> dict[str, int]:
        """Breed by name of the image, in the file's order."""
        labels = {}
        for line in _lines(path):
            try:
                name, number, _, _ = line.split()
                label = int(number) - 1
            except ValueError:
                raise GancourseError(
                    f"{path} has a line that is not one of its kind: {line!r}."
                ) from None
            if not 0 <= label < len(self.info.classes):
                raise GancourseError(f"{path}: {name} has class {number}; there are 1..37.")
            labels[name] = label
        return labels


CAMVID = CamVid()
OXFORD_PETS = OxfordPets()
