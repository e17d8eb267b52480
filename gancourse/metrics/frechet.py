"""Frechet inception distance, and the streaming mean and covariance it is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gancourse.errors import GancourseError
from gancourse.metrics.checks import checked, same_width


@dataclass(eq=False)
class Statistics:
    """Mean and covariance of features, which can be extended batch by batch.

    Attributes:
        mean: float64 F.
        cov: float64 F x F, with divisor n - 1; zero while n is 1.
        n: number of samples they were computed from.
    """

    mean: torch.Tensor
    cov: torch.Tensor
    n: int

    def update(self, features: torch.Tensor) -> None:
        """Take in a further batch, in place.

        Args:
            features: N x F.

        Raises:
            GancourseError: another width, no rows, NaN or infinity; nothing has changed then.
        """
        self.merge(statistics(features))

    def merge(self, other: Statistics) -> None:
        """Take in the statistics of further samples, in place.

        The pairwise formula of Chan, Golub and LeVeque (1983): sums of squared deviations add up,
        plus a term for the distance between the two means. No large sums are subtracted, so
        nothing is lost to cancellation when the mean is large beside the spread.
        """
        same_width(len(self.mean), len(other.mean))
        total = self.n + other.n
        delta = other.mean.to(self.mean) - self.mean
        between = torch.outer(delta, delta) * (self.n * other.n / total)
        within = self.cov * (self.n - 1) + other.cov.to(self.cov) * (other.n - 1)
        self.mean = self.mean + delta * (other.n / total)
        self.cov = (within + between) / (total - 1)
        self.n = total


def statistics(features: torch.Tensor) -> Statistics:
    """Mean and covariance of features, in float64.

    Args:
        features: N x F, one sample a row, on any device.

    Returns:
        Their :class:`Statistics` on the same device; extend them with ``update``.

    Raises:
        GancourseError: not a matrix, no rows, NaN or infinity.
    """
    features = checked(features, "features")
    mean = features.mean(dim=0)
    centred = features - mean
    return Statistics(mean, centred.T @ centred / max(len(features) - 1, 1), len(features))


def fid(a: Statistics, b: Statistics) -> float:
    r"""Frechet distance between the Gaussians with these means and covariances.

    .. math:: |\mu_a - \mu_b|^2 + \operatorname{tr}(\Sigma_a + \Sigma_b)
              - 2 \operatorname{tr}\,(\Sigma_a^{1/2} \Sigma_b \Sigma_a^{1/2})^{1/2}

    Heusel et al., *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium*, 2017, equation 6, which has the square root of :math:`\Sigma_a \Sigma_b`; that
    matrix is similar to the symmetric one used here. Its eigenvalues are real and not negative, so
    their roots need no general matrix square root and no imaginary part is thrown away.

    Args:
        a: statistics of one set, such as real features.
        b: of the other; the order does not matter.

    Returns:
        A number of 0 or more; smaller is better. It is biased upwards, the more so the fewer
        samples there are, so compare only scores of equal counts.

    Raises:
        GancourseError: a side has fewer than two samples, the widths differ, or a value is NaN.
    """
    same_width(len(a.mean), len(b.mean))
    for side in (a, b):
        if side.n < 2:
            raise GancourseError(
                f"Too few samples: FID needs at least 2 on each side, and one has {side.n}."
            )
        if not (torch.isfinite(side.mean).all() and torch.isfinite(side.cov).all()):
            raise GancourseError("The statistics hold NaN or infinity. Look at the features.")
    mean_a, cov_a = a.mean.double(), a.cov.double()
    mean_b, cov_b = b.mean.to(mean_a), b.cov.to(cov_a)
    values, vectors = torch.linalg.eigh(cov_a)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    product = root @ cov_b @ root
    # Rounding leaves the product a little asymmetric and small eigenvalues a little below zero.
    spectrum = torch.linalg.eigvalsh((product + product.T) / 2).clamp(min=0)
    means = (mean_a - mean_b).square().sum()
    distance = means + cov_a.trace() + cov_b.trace() - 2 * spectrum.sqrt().sum()
    return max(float(distance), 0.0)
