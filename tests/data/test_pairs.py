"""CamVid and Oxford-IIIT Pet, in tiny copies of their layouts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gancourse import data
from gancourse.data.pairs import OXFORD_PETS
from gancourse.errors import GancourseError
from tests.data.conftest import write_image


@pytest.fixture
def camvid(alone):
    folder = alone / "data" / "CamVid"
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        names = [f"{split}_{number}" for number in range(count)][::-1]
        for name in names:
            half = np.zeros((12, 16), np.uint8)
            half[:, 8:] = 11
            write_image(folder / split / f"{name}.png", (12, 16, 3), half[:, :, None] * 20)
            write_image(folder / f"{split}annot" / f"{name}.png", (12, 16), half)
        (folder / f"{split}.txt").write_text("\n".join(names) + "\n")
    return folder


def test_camvid(camvid):
    loaded = data.load("camvid")
    assert loaded.images.shape == (3, 3, 12, 16) and loaded.masks.shape == (3, 1, 12, 16)
    assert loaded.masks.dtype == torch.uint8 and loaded.masks.unique().tolist() == [0, 11]
    assert loaded.mask_classes[11] == "void" and loaded.labels is None
    assert len(data.load("camvid", "val")) == 1


def test_image_and_mask_are_cut_alike(camvid):
    loaded = data.load("camvid", size=6)
    assert loaded.images.shape == (3, 3, 6, 6) and loaded.masks.shape == (3, 1, 6, 6)
    assert torch.equal(loaded.images[:, :1] > 110, loaded.masks == 11)
    again = data.load("camvid", size=6)
    assert again.masks.equal(loaded.masks) and again.mask_classes == loaded.mask_classes


def test_lists_with_paths_are_read_too(camvid):
    lines = [f"/SegNet/CamVid/val/{n}.png /SegNet/CamVid/valannot/{n}.png" for n in ["val_0"]]
    (camvid / "val.txt").write_text("\n".join(lines))
    assert len(data.load("camvid", "val")) == 1


def mask_without_image(folder):
    (folder / "train" / "train_1.png").unlink()
    return "trainannot/train_1.png has no image"


def image_without_mask(folder):
    (folder / "trainannot" / "train_1.png").unlink()
    return "train/train_1.png has no mask"


def short_list(folder):
    (folder / "train.txt").write_text("train_0\ntrain_1\n")
    return "train.txt.*disagree: train_2"


def doubled_list(folder):
    (folder / "train.txt").write_text("train_0\ntrain_1\ntrain_2\ntrain_2\n")
    return "train.txt.*disagree"


def empty_list(folder):
    for path in [*(folder / "train").iterdir(), *(folder / "trainannot").iterdir()]:
        path.unlink()
    (folder / "train.txt").write_text("")
    return "split train is empty"


def binary_list(folder):
    (folder / "train.txt").write_bytes(b"\xff\xfe\x00")
    return "train.txt"


def other_size(folder):
    write_image(folder / "trainannot" / "train_1.png", (6, 8), 0)
    return "train_1.png is .8, 6. pixels"


def other_value(folder):
    write_image(folder / "trainannot" / "train_1.png", (12, 16), 12)
    return "train_1.png.*values 12..12, allowed 0..11"


def colour_mask(folder):
    write_image(folder / "trainannot" / "train_1.png", (12, 16, 3), 1)
    return "train_1.png.*mode RGB"


def text_mask(folder):
    (folder / "trainannot" / "train_1.png").write_text("no image")
    return "trainannot/train_1.png is not a readable image"


@pytest.mark.parametrize(
    "spoil",
    [
        mask_without_image,
        image_without_mask,
        short_list,
        doubled_list,
        empty_list,
        binary_list,
        other_size,
        other_value,
        colour_mask,
        text_mask,
    ],
)
def test_a_spoiled_camvid_is_refused(camvid, spoil):
    message = spoil(camvid)
    with pytest.raises(GancourseError, match=message):
        data.load("camvid", download=False)


PETS = {
    "trainval.txt": [("Abyssinian_100", 1, 1, 1), ("american_bulldog_2", 2, 2, 1)],
    "test.txt": [("yorkshire_terrier_9", 37, 2, 25)],
}


@pytest.fixture
def pets(alone):
    folder = alone / "data" / "oxford-iiit-pet"
    every = ["#Image CLASS-ID SPECIES BREED ID", "#ID: 1:37 Class ids"]
    for name, rows in PETS.items():
        lines = [" ".join(map(str, row)) for row in rows]
        every += lines
        (folder / "annotations").mkdir(parents=True, exist_ok=True)
        (folder / "annotations" / name).write_text("\n".join(lines) + "\n")
        for index, (stem, *_) in enumerate(rows):
            shape = (20 + 10 * index, 30)
            mask = np.ones(shape, np.uint8)
            mask[:, 15:], mask[:, 14] = 2, 3
            write_image(folder / "images" / f"{stem}.jpg", (*shape, 3), (mask * 80)[:, :, None])
            write_image(folder / "annotations" / "trimaps" / f"{stem}.png", shape, mask)
            # The original archives carry macOS's droppings.
            (folder / "annotations" / "trimaps" / f"._{stem}.png").write_bytes(b"\x00\x05\x16\x07")
    (folder / "annotations" / "list.txt").write_text("\n".join(every) + "\n")
    return folder


def test_pets(pets):
    loaded = data.load("oxford-pets", download=False)
    assert loaded.images.shape == (2, 3, 16, 16) and loaded.masks.shape == (2, 1, 16, 16)
    assert loaded.masks.unique().tolist() == [0, 1, 2]
    assert loaded.mask_classes == ("pet", "background", "border")
    assert [loaded.classes[label] for label in loaded.labels] == ["Abyssinian", "American bulldog"]
    assert loaded.masks[0, 0, 0, 0] == 0 and loaded.masks[0, 0, 0, -1] == 1
    test = data.load("oxford-pets", "test", size=8, channels=1, download=False)
    assert test.shape == (1, 8, 8) and test.classes[test.labels[0]] == "Yorkshire terrier"


def test_there_are_37_breeds_in_the_alphabet():
    classes = OXFORD_PETS.info.classes
    assert len(set(classes)) == 37 and list(classes) == sorted(classes, key=str.lower)


def write_list(folder, name, text):
    (folder / "annotations" / name).write_text(text)


def lost_image(folder):
    (folder / "images" / "Abyssinian_100.jpg").unlink()
    return "images/Abyssinian_100.jpg is missing"


def lost_trimap(folder):
    (folder / "annotations" / "trimaps" / "Abyssinian_100.png").unlink()
    return "trimaps/Abyssinian_100.png is missing"


def other_class(folder):
    write_list(folder, "trainval.txt", "Abyssinian_100 2 1 1\n")
    return "trainval.txt: Abyssinian_100 disagrees"


def no_such_class(folder):
    write_list(folder, "trainval.txt", "Abyssinian_100 38 1 1\n")
    return "trainval.txt: Abyssinian_100 has class 38"


def odd_line(folder):
    write_list(folder, "trainval.txt", "Abyssinian_100\n")
    return "trainval.txt has a line"


def truncated_photo(folder):
    path = write_image(folder / "images" / "Abyssinian_100.jpg", (20, 30, 3))
    path.write_bytes(path.read_bytes()[:-300])
    return "Abyssinian_100.jpg is not a readable image"


def zero_trimap(folder):
    write_image(folder / "annotations" / "trimaps" / "Abyssinian_100.png", (20, 30), 0)
    return "Abyssinian_100.png.*values 0..0, allowed 1..3"


@pytest.mark.parametrize(
    "spoil",
    [lost_image, lost_trimap, other_class, no_such_class, odd_line, truncated_photo, zero_trimap],
)
def test_a_spoiled_copy_of_pets_is_refused(pets, spoil):
    message = spoil(pets)
    with pytest.raises(GancourseError, match=message):
        data.load("oxford-pets", download=False)


def test_pets_without_lists_are_not_found(pets):
    (pets / "annotations" / "list.txt").unlink()
    assert data.find("oxford-pets") is None
