"""What lies nearest in the training set: is a generator copying?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gancourse.errors import GancourseError

ELEMENTS = 2**23
"""Distances held at a time; as float32 they take 32 MB."""


class Extractor(Protocol):
    """What features are measured with, such as :class:`gancourse.metrics.extractors.Extractor`."""

    def features(self, images: Tensor) -> Tensor:
        """Features N x F of images N x C x H x W."""


def _vectors(images: Tensor, extractor: Extractor | None) -> Tensor:
    """Features N x F as they are, or of images: an extractor's, else pixels in [0, 1]."""
    if images.ndim == 2 and images.is_floating_point() and extractor is None:
        return images.float()
    if images.ndim != 4 or images.dtype != torch.uint8 or len(images) == 0:
        raise GancourseError(
            "Neighbours are looked for among uint8 images N x C x H x W, or float features N x F "
            f"without an extractor, not {images.dtype} {tuple(images.shape)}."
        )
    return images.flatten(1).float() / 255 if extractor is None else extractor.features(images)


def nearest_neighbours(
    images: Tensor, data: Tensor, *, extractor: Extractor | None = None, k: int = 1
) -> tuple[Tensor, Tensor]:
    """The k nearest of the data to each image.

    Args:
        images: uint8 N x C x H x W, or float features N x F.
        data: uint8 M x C x H x W, or float features M x F; looked through in chunks, on the
            device of ``images``.
        extractor: measures by its features; without one by pixels, scaled to [0, 1].
        k: how many.

    Returns:
        int64 N x k indices into ``data``, the nearest first, and float32 N x k Euclidean
        distances. Which of two is nearer is decided by a matrix product in float32; the distances
        are then taken from the differences, so that a copy is at exactly 0.

    Raises:
        GancourseError: neither images nor features, other shapes on the other side, or k less
            than 1 or more than there are data.
    """
    if not 1 <= k <= len(data):
        raise GancourseError(
            f"There are {len(data)} items to look among; asked for the {k} nearest."
        )
    x = _vectors(images, extractor)
    best = torch.full((len(x), k), torch.inf, device=x.device)
    index = torch.zeros(len(x), k, dtype=torch.int64, device=x.device)
    at = 0
    for chunk in data.split(max(1, ELEMENTS // max(len(x), x.shape[1]))):
        y = _vectors(chunk.to(x.device), extractor)
        if y.shape[1] != x.shape[1]:
            raise GancourseError(
                f"Images and data are not of one kind: {x.shape[1]} and {y.shape[1]} numbers each."
            )
        middle = y.mean(0)  # distances do not change, and the squares below stay small
        a, b = x - middle, y - middle
        squared = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * (a @ b.T)
        found, where = squared.topk(min(k, len(y)), largest=False)
        found, order = torch.cat([best, found], 1).sort(stable=True)
        index = torch.cat([index, where + at], 1).gather(1, order)[:, :k]
        best, at = found[:, :k], at + len(y)
    columns = [
        (x - _vectors(data[column.to(data.device)].to(x.device), extractor)).norm(dim=1)
        for column in index.T
    ]
    distance, order = torch.stack(columns, 1).sort(stable=True)
    return index.gather(1, order), distance


@dataclass(frozen=True)
class Copying:
    """How near samples lie to the training images, and how near unseen images do.

    Attributes:
        index: int64 N, each sample's nearest training image.
        distance: float32 N, how far that is.
        reference: float32 M, the same of the test images: what not having copied looks like.
        nearer: the probability that a sample lies nearer to the training images than a test image
            (ties count half): 1/2 where they cannot be told apart, 1 where all are copies. The
            statistic of Mann and Whitney, which Meehan, Chaudhuri and Dasgupta, *A Non-Parametric
            Test to Detect Data-Copying in Generative Models*, 2020, use for this question.
    """

    index: Tensor
    distance: Tensor
    reference: Tensor
    nearer: float


def copying(
    images: Tensor, train: Tensor, test: Tensor, *, extractor: Extractor | None = None
) -> Copying:
    """Is it copying? Distances to the training set, of samples and of the test set.

    Args:
        images: uint8 N x C x H x W samples, or float features N x F.
        train: what the generator was trained on, in the same form.
        test: images of the same kind that it has not seen.
        extractor: measures by its features; without one by pixels, scaled to [0, 1].

    Returns:
        Neighbours, both sets of distances, and how often a sample is the nearer one.

    Raises:
        GancourseError: see :func:`nearest_neighbours`.
    """
    if extractor is not None:  # once for the training set, which is looked through twice
        images, train, test = (_vectors(x, extractor) for x in (images, train, test))
    index, distance = nearest_neighbours(images, train)
    _, reference = nearest_neighbours(test, train)
    own, others = distance[:, 0], reference[:, 0].to(distance.device).sort().values
    farther = len(others) - torch.searchsorted(others, own, right=True)
    ties = len(others) - torch.searchsorted(others, own) - farther
    nearer = float((farther + ties / 2).mean() / len(others))
    return Copying(index[:, 0], own, reference[:, 0], nearer)
