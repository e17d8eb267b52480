"""The embedded digits: all there, split once and for ever."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
import torch

from gancourse import data
from gancourse.data.digits import Digits
from gancourse.errors import GancourseError


def test_both_splits_together_are_scikit_learns_digits():
    from sklearn.datasets import load_digits

    values, labels = load_digits(return_X_y=True)
    parts = [data.load("digits", split) for split in ("train", "test")]
    assert [len(part) for part in parts] == [1_437, 360]
    ours = sorted(
        (int(label), image.numpy().tobytes())
        for part in parts
        for image, label in zip(part.images, part.labels, strict=True)
    )
    theirs = sorted(
        (int(label), np.rint(row * 255 / 16).astype(np.uint8).tobytes())
        for row, label in zip(values, labels, strict=True)
    )
    assert ours == theirs


def test_form_and_balance():
    train, test = data.load("digits"), data.load("digits", "test")
    assert train.shape == (1, 8, 8) and train.images.dtype == torch.uint8
    assert train.images.min() == 0 and train.images.max() == 255
    shares = [part.labels.bincount(minlength=10) / len(part) for part in (train, test)]
    assert (shares[0] - shares[1]).abs().max() < 0.005
    assert train.labels[:6].tolist() != test.labels[:6].tolist()
    assert data.load("digits", size=32, channels=3).shape == (3, 32, 32)


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(b"1,2,3\n"),
        gzip.compress(b"a,b\n"),
        gzip.compress(b"1," * 64 + b"2\n"),
        gzip.compress(b"1,2,3\n" * 99)[:-9],
    ],
    ids=["no gzip", "too few columns", "no numbers", "too few rows", "cut"],
)
def test_a_spoiled_file_is_refused(tmp_path, monkeypatch, content):
    path = tmp_path / "digits.csv.gz"
    path.write_bytes(content)
    monkeypatch.setattr(Digits, "find", lambda *_: path)
    with pytest.raises(GancourseError, match="digits.csv.gz"):
        data.load("digits")
