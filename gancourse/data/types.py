"""What ``data.load`` returns: images, points or a series, each with its licence and citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Info:
    """What is known of a data set before it is loaded.

    Attributes:
        name: the name ``data.load`` knows it by.
        kind: ``"images"``, ``"points"`` or ``"series"``.
        splits: items in each split, by the split's name; None where it is known only once read.
        shape: (C, H, W) of an image as stored, (2,) of a point, () of a series; None in the
            height and width where the images differ in size.
        classes: class names in the order of the labels; empty where there are no labels.
        licence: the licence as its publisher states it.
        citation: whom to cite.
        how_to_get: one sentence: what to do where it is not on the machine.
        about: one sentence: what it shows.
    """

    name: str
    kind: str
    splits: Mapping[str, int | None]
    shape: tuple[int | None, ...]
    classes: tuple[str, ...]
    licence: str
    citation: str
    how_to_get: str
    about: str

    @property
    def items(self) -> int | None:
        """Items in all splits together, or None where unknown before reading."""
        counts = list(self.splits.values())
        return None if None in counts else sum(count or 0 for count in counts)


@dataclass(frozen=True)
class ImageData:
    """Images as one tensor.

    Attributes:
        name: the data set's name, or the folder it was read from.
        split: which part of it.
        images: uint8, N x C x H x W, 0 to 255.
        labels: int64, N, an index into ``classes``; None where there are no labels.
        classes: class names.
        licence: the licence as its publisher states it.
        citation: whom to cite.
        source: where it was read from.
        masks: uint8, N x 1 x H x W, a class value a pixel; None where there are none.
        mask_classes: what the mask values 0, 1, ... mean.
    """

    name: str
    split: str
    images: Tensor
    labels: Tensor | None = None
    classes: tuple[str, ...] = ()
    licence: str = ""
    citation: str = ""
    source: str = ""
    masks: Tensor | None = None
    mask_classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of every image."""
        _, channels, height, width = self.images.shape
        return channels, height, width


@dataclass(frozen=True)
class PointData:
    """Points in the plane drawn from a density that is known.

    Attributes:
        name: the toy's name.
        split: which draw; ``"train"`` and ``"test"`` are independent.
        points: float32, N x 2.
        labels: int64, N: which mode, moon or field a point was drawn from; 0 on the curves.
        modes: float32, K x 2, the true mode centres; K is 0 where the density has no modes.
        std: standard deviation of the Gaussian noise in each coordinate.
    """

    name: str
    points: Tensor
    labels: Tensor
    modes: Tensor = field(default_factory=lambda: torch.zeros(0, 2))
    std: float = 0.0
    split: str = "train"

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True)
class SeriesData:
    """A series in time.

    Attributes:
        name: the data set's name.
        dates: datetime64[D], N, ascending.
        values: float64, N.
        licence: the licence as its publisher states it.
        citation: whom to cite.
        unit: what the values are measured in.
    """

    name: str
    dates: np.ndarray
    values: np.ndarray
    licence: str = ""
    citation: str = ""
    unit: str = ""

    def __len__(self) -> int:
        return len(self.values)
