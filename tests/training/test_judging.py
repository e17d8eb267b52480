"""What samples are judged against, and the film of a record."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gancourse import data as datasets
from gancourse import metrics
from gancourse.augment import resize_and_crop
from gancourse.errors import GancourseError
from gancourse.files import write_bytes
from gancourse.training import judging
from gancourse.training.record import _beside, _film, _replace


def png(picture):
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def test_data_without_a_test_split_are_judged_against_themselves(tmp_path):
    photos = tmp_path / "photos"
    for number in range(20):
        write_bytes(photos / f"{number:02d}.png", png(Image.new("RGB", (20 + number, 30))))
    images, split = judging._reference(str(photos), 64)
    assert split == f"{photos}/train" and images.shape == (20, 3, 64, 64)


def test_larger_images_are_judged_at_the_extractors_size():
    small = torch.randint(0, 256, (40, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    images = small.to(torch.uint8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    reference = metrics.Reference(images, "cifar10-cnn", split="patches")
    again = reference.scores(images)
    assert again.split == "patches at 32 x 32 pixels" and again.precision == 1
    assert again.fid < reference.scores(images // 2).fid
    same = metrics.scores(resize_and_crop(images, 32), resize_and_crop(images, 32), "cifar10-cnn")
    assert (same.fid, same.split) == (again.fid, "split not stated")


@pytest.mark.parametrize(("side", "columns"), [(8, 5), (64, 5), (128, 2)])
def test_a_film_is_no_higher_than_its_format_allows(tmp_path, side, columns):
    width = 8 * (side + 1) - 1
    for tick in (1, 30, 60):
        picture = Image.effect_noise((width, width), 90)
        write_bytes(tmp_path / "samples" / f"{tick:04d}.png", png(picture))
    blank = png(Image.new("L", (width, width)))
    for tick in set(range(1, 61)) - {1, 30, 60}:
        write_bytes(tmp_path / "samples" / f"{tick:04d}.png", blank)
    content, facts = _film(tmp_path, [{"tick": tick} for tick in range(1, 61)])
    assert (facts["rows"], facts["columns"]) == (columns, columns)
    ticks = facts["ticks"]
    assert len(ticks) == 50 and ticks[0] == 1 and ticks[-1] == 60
    with Image.open(io.BytesIO(content)) as film:
        assert film.size == (columns * (side + 1) - 1, 50 * (columns * (side + 1) - 1))
        first = film.convert("L").crop((0, 0, film.width, film.width))
    with Image.open(tmp_path / "samples" / "0001.png") as picture:
        corner = picture.crop((0, 0, first.width, first.width))
    gap = np.abs(np.asarray(first, float) - np.asarray(corner, float)).mean()
    assert gap < 30 < np.asarray(corner, float).mean()


def test_the_floor_is_what_real_images_score():
    train, test = (datasets.load("digits", split=split).images for split in ("train", "test"))
    expected = metrics.scores(test, train, "digits-cnn", split="digits/test")
    found = judging.floor("digits", size=8)
    assert found.n_fake == expected.n_fake == len(train) and found.split == expected.split
    assert (found.fid, found.recall) == pytest.approx((expected.fid, expected.recall), rel=1e-6)
    some = judging.floor("digits", n=200)
    assert some.n_fake == 200 and some.fid > found.fid


def test_the_floor_without_a_test_split_is_of_two_halves(tmp_path):
    photos = tmp_path / "photos"
    for number in range(21):
        picture = Image.effect_noise((32, 32), 40 + 4 * number).convert("RGB")
        write_bytes(photos / f"{number:02d}.png", png(picture))
    found = judging.floor(str(photos), size=32, extractor="cifar10-cnn")
    assert (found.n_real, found.n_fake) == (11, 10)
    assert found.split == f"{photos}/train, one half"
    assert found == judging.floor(str(photos), size=32, extractor="cifar10-cnn")
    assert found.fid > 0
    with pytest.raises(GancourseError, match="torch-fidelity|extractor"):
        judging.floor(str(photos), size=32)


class Draws:
    """What is asked of a run, from real images: so it scores as they do."""

    def __init__(self, data, images):
        self.settings = {"data": {"name": data}, "gan": {"shape": list(images.shape[1:])}}
        self.images = images

    def sample(self, n, seed=0):
        return self.images[:n]


def test_samples_are_scored_as_the_floor_is_with_a_test_split():
    train, test = (datasets.load("digits", split=split).images for split in ("train", "test"))
    run = Draws("digits", train)
    expected = metrics.scores(test, train[:300], "digits-cnn", split="digits/test")
    assert judging.like_floor(run, n=300) == expected
    assert "scores_like_floor" not in _beside(run, 300)


def test_and_without_one_against_the_same_half(monkeypatch):
    images = datasets.load("digits").images[:101]
    monkeypatch.setattr(judging, "_reference", lambda name, size: (images, f"{name}/train"))
    half = judging.floor("digits")
    assert (half.n_real, half.n_fake, half.split) == (51, 50, "digits/train, one half")
    order = torch.randperm(101, generator=torch.Generator().manual_seed(0))
    other = Draws("digits", images[order[51:]])
    assert judging.like_floor(other) == half
    assert judging.like_floor(other, n=20).n_fake == 20
    copier = judging.like_floor(Draws("digits", images[order[:51]]))
    assert copier.precision == 1 and copier.fid < half.fid / 2


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    target, fresh = tmp_path / "record", tmp_path / ".record.new"
    for folder, text in ((target, "old"), (fresh, "new")):
        folder.mkdir()
        (folder / "run.json").write_text(text)
    with pytest.raises(OSError, match="nowhere"):
        _replace(target, tmp_path / "nowhere")
    assert (target / "run.json").read_text() == "old"
    _replace(target, fresh)
    assert (target / "run.json").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["record"]
    target.rename(tmp_path / ".record.old")  # as a kill between the two steps leaves it
    with pytest.raises(OSError, match="nowhere"):
        _replace(target, tmp_path / "nowhere")
    assert (target / "run.json").read_text() == "new"
