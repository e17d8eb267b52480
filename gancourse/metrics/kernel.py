"""Kernel inception distance."""

from __future__ import annotations

import torch

from gancourse.errors import GancourseError
from gancourse.metrics.checks import checked, same_width


def kid(
    real: torch.Tensor,
    fake: torch.Tensor,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    r"""Squared maximum mean discrepancy with the kernel :math:`k(x, y) = (x \cdot y / F + 1)^3`.

    Binkowski et al., *Demystifying MMD GANs*, 2018, section 4. Each subset gives the unbiased
    estimate (Gretton et al. 2012, equation 3), so for equal distributions the expectation is 0 and
    single estimates may be negative.

    Args:
        real: features N x F.
        fake: features M x F.
        subsets: how many random subsets to average over.
        subset_size: samples drawn from each side, without repetition, for one subset.
        seed: of the draws.

    Returns:
        Mean and standard deviation (divisor ``subsets``) of the estimates over the subsets.

    Raises:
        GancourseError: fewer than ``subset_size`` samples on a side, fewer than 2 to a subset, no
            subsets, NaN or infinity, or different widths.
    """
    if subsets < 1 or subset_size < 2:
        raise GancourseError(
            f"KID needs at least 1 subset of at least 2 samples, not {subsets} of {subset_size}."
        )
    real = checked(real, "real features")
    fake = checked(fake, "fake features").to(real.device)
    same_width(real.shape[1], fake.shape[1])
    if min(len(real), len(fake)) < subset_size:
        raise GancourseError(
            f"Too few samples: KID draws subsets of {subset_size}, and there are {len(real)} real "
            f"and {len(fake)} fake ones. Give more, or a smaller subset_size."
        )
    rng = torch.Generator().manual_seed(seed)
    estimates = torch.stack(
        [
            _mmd2(
                real[torch.randperm(len(real), generator=rng)[:subset_size].to(real.device)],
                fake[torch.randperm(len(fake), generator=rng)[:subset_size].to(fake.device)],
            )
            for _ in range(subsets)
        ]
    )
    return float(estimates.mean()), float(estimates.std(correction=0))


def _mmd2(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Unbiased squared MMD of two equally large sets: pairs of a sample with itself left out."""
    n = len(x)
    within_x, within_y = _kernel(x, x), _kernel(y, y)
    pairs = within_x.sum() - within_x.trace() + within_y.sum() - within_y.trace()
    return pairs / (n * (n - 1)) - 2 * _kernel(x, y).mean()


def _kernel(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The cubic polynomial kernel between the rows of x and of y."""
    base = (x @ y.T).div_(x.shape[1]).add_(1)
    return base.square().mul_(base)
