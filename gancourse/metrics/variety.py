"""Samples beside real images: how varied they are, and whether they are copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from gancourse import augment
from gancourse.latent import nearest_neighbours
from gancourse.metrics.classes import class_report
from gancourse.metrics.extractors import Extractor
from gancourse.metrics.neighbours import precision_recall

__all__ = ["Nearness", "Variety", "energy_distance", "features", "nearness", "variety"]


@dataclass(frozen=True)
class Variety:
    """How varied samples are, beside as many real images.

    Attributes:
        twins: median distance of a sample to the nearest other one, divided by the same of real
            images.
        precision: of the samples, divided by that of other real images (k = 3).
        recall: of the samples, divided by that of other real images (k = 3).
        classes: classes that the samples cover, or None without a classifier.
        real_classes: classes that the real images cover, or None.
    """

    twins: float
    precision: float
    recall: float
    classes: int | None = None
    real_classes: int | None = None


@dataclass(frozen=True)
class Nearness:
    """How much nearer samples are to training images than other real images are.

    Attributes:
        samples: median over the samples. With test images, of (distance to the nearest training
            image) / (distance to the nearest held-out test image); without, of the former alone.
        real: the same of real images that are in neither set.
        held_out: whether there were test images.
    """

    samples: float
    real: float
    held_out: bool


def pixels(images: Tensor) -> Tensor:
    """Pixels 0..1 of images pooled to at most 32 a side: float32 N x F."""
    signal = images.float() / 255
    if images.shape[-1] > 32:
        signal = adaptive_avg_pool2d(signal, 32)
    return signal.flatten(1)


def features(images: Tensor, classifier: Extractor | None) -> Tensor:
    """Where distances are measured: a classifier's features, or pixels; float64 N x F."""
    return (pixels(images) if classifier is None else classifier.features(images)).double()


def halves(images: Tensor, most: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two disjoint random choices of the same number of images, at most ``most`` each."""
    order = torch.randperm(len(images), generator=rng)
    count = min(most, len(images) // 2)
    return images[order[:count]], images[order[count : 2 * count]]


def _nearest_other(rows: Tensor) -> float:
    """Median over the rows of the distance to the nearest other row."""
    distances = torch.cdist(rows, rows)
    return float(distances.fill_diagonal_(torch.inf).amin(dim=1).median())


def variety(
    samples: Tensor, reference: Tensor, classifier: Extractor | None, rng: torch.Generator
) -> Variety:
    """Measure samples beside as many real images, and those beside others.

    Args:
        samples: uint8 N x C x H x W.
        reference: real images, uint8 M x C x H x W; a half of them, at most N, is compared with,
            and as many others set the precision and recall that exact draws would have.
        classifier: of the data, or None: then distances are of pixels, and classes unknown.
        rng: chooses the halves.

    Raises:
        GancourseError: fewer than 8 real images, or fewer than 4 samples.
    """
    real, other = halves(reference, len(samples), rng)
    x, y, z = (features(images, classifier) for images in (real, other, samples[: len(real)]))
    best_precision, best_recall = precision_recall(x, y)
    precision, recall = precision_recall(x, z)
    classes = real_classes = None
    if classifier is not None:
        classes, real_classes = (
            class_report(classifier.probabilities(images)).classes_covered
            for images in (samples, torch.cat([real, other]))
        )
    return Variety(
        twins=_nearest_other(z) / max(_nearest_other(x), 1e-12),
        precision=precision / max(best_precision, 1e-12),
        recall=recall / max(best_recall, 1e-12),
        classes=classes,
        real_classes=real_classes,
    )


def _nearest(queries: Tensor, images: Tensor, flips: Sequence[str]) -> Tensor:
    """Distance of each image to the nearest of others or of their mirror images, by pixels."""
    others = pixels(images)
    best = torch.full((len(queries),), torch.inf)
    axes = [augment.FLIPS[name] for name in flips]
    # Mirroring both sides leaves a distance as it is, so the fewer images are mirrored.
    for chosen in (c for count in range(len(axes) + 1) for c in combinations(axes, count)):
        found = nearest_neighbours(pixels(queries.flip(chosen)), others)[1][:, 0]
        best = torch.minimum(best, found)
    return best


def nearness(
    samples: Tensor,
    train: Tensor,
    test: Tensor | None,
    flips: Sequence[str],
    rng: torch.Generator,
) -> Nearness:
    """Measure nearest neighbours by pixels, of samples and of real images.

    Args:
        samples: uint8 N x C x H x W.
        train: what the generator was trained on, uint8.
        test: real images that it has not seen, uint8: a half is held out, the other half measured
            as the samples are. Without them an eighth of the training images is measured against
            the others.
        flips: how training images were mirrored (``Settings.flips``): a mirror image of a training
            image counts as that image.
        rng: chooses the halves.
    """
    if test is None:
        order = torch.randperm(len(train), generator=rng)
        real, others = train[order[: len(train) // 8]][:1000], train[order[len(train) // 8 :]]
        of_samples, of_real = (_nearest(images, others, flips) for images in (samples, real))
        return Nearness(float(of_samples.median()), float(of_real.median()), held_out=False)
    held_out, unseen = halves(test, len(test), rng)
    of_samples, of_real = (
        _nearest(images, train, flips) / _nearest(images, held_out, flips).clamp(min=1e-6)
        for images in (samples, unseen[:1000])
    )
    return Nearness(float(of_samples.median()), float(of_real.median()), held_out=True)


def energy_distance(x: Tensor, y: Tensor) -> float:
    r"""Energy distance, as a share of the distance of two real images: 0 for equal distributions.

    .. math:: (2 E|X - Y| - E|X - X'| - E|Y - Y'|) \,/\, E|X - X'|

    Szekely and Rizzo, *Testing for Equal Distributions in High Dimension*, 2004. Without the pairs
    of a row with itself, so that the numerator is not biased by the number of rows, and may be
    below 0.

    Args:
        x: real features, float N x F, N of 2 or more.
        y: features of samples, float M x F, M of 2 or more.
    """
    between = torch.cdist(x, y).mean()
    within_x, within_y = (torch.cdist(z, z).sum() / (len(z) * (len(z) - 1)) for z in (x, y))
    return float((2 * between - within_x - within_y) / within_x)
