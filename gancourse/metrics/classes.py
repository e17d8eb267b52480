"""What a classifier's probabilities say of generated images."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gancourse.errors import GancourseError
from gancourse.metrics.checks import checked


def inception_score(probabilities: torch.Tensor, splits: int = 10) -> tuple[float, float]:
    r"""Inception score: :math:`\exp \mathbb{E}_x \, KL(p(y|x) \,\|\, p(y))`.

    Salimans et al., *Improved Techniques for Training GANs*, 2016, section 4, for any classifier;
    p(y) is the mean over the part. It sees neither the real images nor variety within a class.

    Args:
        probabilities: N x K, rows that sum to 1, in an order that carries no meaning.
        splits: consecutive parts, each scored by itself.

    Returns:
        Mean and standard deviation (divisor ``splits``) over the parts; a score lies in [1, K].

    Raises:
        GancourseError: fewer samples than splits, or rows that are no probabilities.
    """
    if splits < 1:
        raise GancourseError(f"splits must be at least 1, not {splits}.")
    probabilities = _probabilities(probabilities, at_least=splits)
    # xlogy takes 0 log 0 as 0, which is its limit.
    scores = torch.stack(
        [
            (torch.xlogy(part, part) - torch.xlogy(part, part.mean(dim=0))).sum(dim=1).mean().exp()
            for part in probabilities.tensor_split(splits)
        ]
    )
    return float(scores.mean()), float(scores.std(correction=0))


@dataclass(frozen=True)
class ClassReport:
    """How sure a classifier is of images, and how they spread over its classes.

    Attributes:
        n: number of images.
        confidence: mean over the images of the largest class probability, in [1 / K, 1].
        classes_covered: classes that hold at least a tenth of an even share of the images, so
            that one stray image in thousands does not count as a class the generator can draw.
        histogram: images assigned to each class (largest probability), K counts.
        entropy: of the histogram, in nats; log K when the classes are equally frequent.
    """

    n: int
    confidence: float
    classes_covered: int
    histogram: tuple[int, ...]
    entropy: float


def class_report(probabilities: torch.Tensor) -> ClassReport:
    """Confidence and class coverage of images, from a classifier's probabilities.

    Args:
        probabilities: N x K, rows that sum to 1.

    Returns:
        The :class:`ClassReport`.

    Raises:
        GancourseError: no rows, or rows that are no probabilities.
    """
    probabilities = _probabilities(probabilities)
    count, classes = probabilities.shape
    confidence, assigned = probabilities.max(dim=1)
    histogram = torch.bincount(assigned, minlength=classes)
    shares = histogram.double() / count
    return ClassReport(
        n=count,
        confidence=float(confidence.mean()),
        classes_covered=int((10 * classes * histogram >= count).sum()),
        histogram=tuple(histogram.tolist()),
        entropy=float(torch.special.entr(shares).sum()),
    )


def _probabilities(probabilities: torch.Tensor, at_least: int = 1) -> torch.Tensor:
    """Class probabilities as float64, refused where they are none."""
    probabilities = checked(probabilities, "class probabilities", at_least)
    sums = probabilities.sum(dim=1)
    if (probabilities < 0).any() or not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
        raise GancourseError(
            "The rows are no class probabilities: they must not be negative and must sum to 1. "
            "Take the softmax of logits."
        )
    return probabilities
