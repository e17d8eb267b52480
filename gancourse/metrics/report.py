"""All scores of one set of images against another, with everything needed to compare them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch

from gancourse.augment import resize_and_crop
from gancourse.metrics.classes import inception_score
from gancourse.metrics.extractors import extractor as named_extractor
from gancourse.metrics.frechet import fid, statistics
from gancourse.metrics.kernel import kid
from gancourse.metrics.neighbours import neighbour_scores


@dataclass(frozen=True)
class Scores:
    """Scores of generated images, beside the extractor, split and counts they depend on.

    Attributes:
        fid: Frechet distance, 0 or more; smaller is better.
        kid: mean kernel distance over the subsets; about 0 for equal distributions.
        kid_std: its standard deviation over the subsets; no error of the mean, and 0 where a
            subset is all there is.
        inception_score: of the fake images, in [1, K]; larger is better.
        precision: fraction of fake images in the real manifold (k = 3).
        recall: fraction of real images in the fake manifold (k = 3).
        density: mean number of real balls a fake image is in, divided by k (k = 5).
        coverage: fraction of real balls with a fake image in them (k = 5).
        n_real: number of real images.
        n_fake: number of fake images.
        split: which real images they were, such as ``"mnist/test"``.
        extractor: name of the feature extractor.
        extractor_sha256: hash of its weights.
    """

    fid: float
    kid: float
    kid_std: float
    inception_score: float
    precision: float
    recall: float
    density: float
    coverage: float
    n_real: int
    n_fake: int
    split: str
    extractor: str
    extractor_sha256: str

    def as_dict(self) -> dict[str, float | int | str]:
        """The attributes by name, ready for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"FID        {self.fid:.3f}\n"
            f"KID        {self.kid:.5f} (std {self.kid_std:.5f})\n"
            f"IS         {self.inception_score:.3f}\n"
            f"precision  {self.precision:.3f}   recall    {self.recall:.3f}\n"
            f"density    {self.density:.3f}   coverage  {self.coverage:.3f}\n"
            f"{self.n_fake} fake against {self.n_real} real images ({self.split}), "
            f"{self.extractor} {self.extractor_sha256[:8]}"
        )


class Reference:
    """Real images as an extractor sees them, for judging several sets of fakes against.

    Images larger than the extractor takes are resized to it, real and fake alike, and the split
    then says so.

    Args:
        real: uint8 N x C x H x W.
        extractor: name, see :func:`gancourse.metrics.extractor`.
        split: what the real images are, such as ``"fashion-mnist/test"``; kept in the scores.

    Raises:
        GancourseError: fewer than 10 images, images the extractor does not take, or an extractor
            that is not there.
    """

    def __init__(
        self, real: torch.Tensor, extractor: str, *, split: str = "split not stated"
    ) -> None:
        self.extractor = named_extractor(extractor)
        fitted = self._fitted(real)
        if fitted.shape != real.shape:
            split += " at {} x {} pixels".format(*fitted.shape[2:])
        self.split = split
        self.features = self.extractor.features(fitted)
        self.statistics = statistics(self.features)

    def _fitted(self, images: torch.Tensor) -> torch.Tensor:
        """Images at the size that the extractor takes, if they are larger squares of colour."""
        _, *sides = self.extractor.input_shape
        if images.ndim == 4 and sides[0] is not None and sides[0] == sides[1]:
            height, width = images.shape[2:]
            if height == width > sides[0]:
                return resize_and_crop(images, sides[0])
        return images

    def scores(self, fake: torch.Tensor) -> Scores:
        """Every score of the fake images against these real ones.

        FID, KID (100 subsets of 1,000, or of as many as the smaller side has), the Inception score
        (10 parts), precision and recall (k = 3), density and coverage (k = 5), all from one pass
        of the extractor over the images.

        Args:
            fake: uint8 M x C x H x W.

        Returns:
            The :class:`Scores`.

        Raises:
            GancourseError: fewer than 10 images, or images the extractor does not take.
        """
        real, measure = self.features, self.extractor
        features, probabilities = measure.features_and_probabilities(self._fitted(fake))
        kid_mean, kid_std = kid(real, features, subset_size=min(1000, len(real), len(fake)))
        precision, recall, density, coverage = neighbour_scores(real, features, k=3, density_k=5)
        return Scores(
            fid=fid(self.statistics, statistics(features)),
            kid=kid_mean,
            kid_std=kid_std,
            inception_score=inception_score(probabilities)[0],
            precision=precision,
            recall=recall,
            density=density,
            coverage=coverage,
            n_real=len(real),
            n_fake=len(fake),
            split=self.split,
            extractor=measure.name,
            extractor_sha256=measure.sha256,
        )


def scores(
    real: torch.Tensor, fake: torch.Tensor, extractor: str, *, split: str = "split not stated"
) -> Scores:
    """Every score of the fake images against the real ones, as :meth:`Reference.scores` gives them.

    Args:
        real: uint8 N x C x H x W.
        fake: uint8 M x C x H x W.
        extractor: name, see :func:`gancourse.metrics.extractor`.
        split: what the real images are, such as ``"fashion-mnist/test"``; kept in the scores.

    Returns:
        The :class:`Scores`.

    Raises:
        GancourseError: fewer than 10 images on a side, images the extractor does not take, or an
            extractor that is not there.
    """
    return Reference(real, extractor, split=split).scores(fake)
