"""The real data sets, where they are: the published counts, and some pixels' statistics."""

from __future__ import annotations

import time

import pytest
import torch

from gancourse import data
from tests import needs


def share(images: torch.Tensor) -> tuple[float, float]:
    values = images.double() / 255
    return round(values.mean().item(), 4), round(values.std().item(), 4)


@pytest.mark.parametrize(
    ("name", "moments", "labels"),
    [
        pytest.param("mnist", (0.1307, 0.3081), [5, 0, 4, 1, 9], marks=needs.data("mnist")),
        pytest.param(
            "fashion-mnist", (0.2860, 0.3530), [9, 0, 0, 3, 0], marks=needs.data("fashion-mnist")
        ),
    ],
)
def test_idx_sets(name, moments, labels):
    start = time.monotonic()
    train = data.load(name, download=False)
    assert time.monotonic() - start < 20
    assert train.images.shape == (60_000, 1, 28, 28) and train.images.is_contiguous()
    assert share(train.images) == moments and train.labels[:5].tolist() == labels
    test = data.load(name, "test", download=False)
    assert len(test) == 10_000 and test.labels.bincount().min() > 800


@pytest.mark.timeout(900)  # the archive is unpacked once, on a machine that may be busy
@needs.data("cifar10")
def test_cifar10():
    train, test = (data.load("cifar10", split, download=False) for split in ("train", "test"))
    assert train.images.shape == (50_000, 3, 32, 32) and len(test) == 10_000
    assert train.labels.bincount().tolist() == [5_000] * 10
    assert test.labels.bincount().tolist() == [1_000] * 10
    means = (train.images.double().mean((0, 2, 3)) / 255).round(decimals=4).tolist()
    assert means == [0.4914, 0.4822, 0.4465]


@needs.data("cats-dogs")
def test_cats_dogs():
    validation = data.load("cats-dogs", "validation")
    assert validation.images.shape == (1_000, 3, 150, 150)
    assert validation.labels.bincount().tolist() == [500, 500]
    assert data.load("cats-dogs", size=64).images.shape == (2_000, 3, 64, 64)


@needs.data("camvid")
def test_camvid():
    for split, count in data.info("camvid").splits.items():
        part = data.load("camvid", split, size=64)
        assert part.images.shape == (count, 3, 64, 64) and part.masks.shape == (count, 1, 64, 64)
        assert part.masks.max() == 11


@needs.data("abstract-art")
def test_abstract_art():
    art = data.load("abstract-art")
    assert art.images.shape == (934, 3, 128, 128) and art.labels is None
    assert share(art.images)[1] > 0.2
