"""Which modes of a mixture of Gaussians a generator has found."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gancourse.errors import GancourseError
from gancourse.metrics.checks import checked, same_width


@dataclass(frozen=True)
class ModeCoverage:
    """Result of :func:`mode_coverage`.

    Attributes:
        n: number of points judged.
        modes: number of modes there are.
        modes_covered: modes with at least one high-quality point.
        high_quality: fraction of the points within three standard deviations of a mode.
        histogram: high-quality points at each mode.
        kl: KL divergence, in nats, of the shares in ``histogram`` from equal shares: 0 if even,
            log of the number of modes if all are at one; None without a high-quality point.
    """

    n: int
    modes: int
    modes_covered: int
    high_quality: float
    histogram: tuple[int, ...]
    kl: float | None


def mode_coverage(points: torch.Tensor, modes: torch.Tensor, std: float) -> ModeCoverage:
    """Modes covered and fraction of high-quality points.

    A point is of high quality if its nearest mode is at most ``3 * std`` away (Srivastava et al.,
    *VEEGAN*, 2017, section 4.1); a mode is covered if it is nearest to one such point. The
    literature judges 2,500 points. Of exact draws from a mixture in the plane,
    1 - exp(-9/2) = 98.9 % are of high quality.

    Args:
        points: N x D, generated.
        modes: K x D, the centres; at least one.
        std: standard deviation of each component along each axis.

    Returns:
        The :class:`ModeCoverage`.

    Raises:
        GancourseError: no points or modes, another dimension, NaN or infinity, or std not positive.
    """
    if not std > 0:
        raise GancourseError(f"std must be positive, not {std}.")
    points, modes = checked(points, "points"), checked(modes, "modes")
    same_width(points.shape[1], modes.shape[1])
    modes = modes.to(points.device)
    # Plain differences: with few modes there is no need for the matrix product, which rounds more.
    distances = torch.cdist(points, modes, compute_mode="donot_use_mm_for_euclid_dist")
    nearest, mode = distances.min(dim=1)
    histogram = torch.bincount(mode[nearest <= 3 * std], minlength=len(modes))
    good = int(histogram.sum())
    shares = histogram.double() / max(good, 1)
    return ModeCoverage(
        n=len(points),
        modes=len(modes),
        modes_covered=int((histogram > 0).sum()),
        high_quality=good / len(points),
        histogram=tuple(histogram.tolist()),
        kl=float(torch.xlogy(shares, shares * len(modes)).sum()) if good else None,
    )
