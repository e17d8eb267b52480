"""Fidelity and diversity from nearest neighbours: precision and recall, density and coverage."""

from __future__ import annotations

import torch

from gancourse.errors import GancourseError
from gancourse.metrics.checks import checked, same_width

ELEMENTS = 2**23
"""Distances held at a time; as float64 they take 64 MB."""


def precision_recall(real: torch.Tensor, fake: torch.Tensor, k: int = 3) -> tuple[float, float]:
    """Improved precision and recall.

    Kynkaanniemi et al., *Improved Precision and Recall Metric for Assessing Generative Models*,
    2019, equations 1 and 2. A set's manifold is the union of the closed balls around its samples
    that reach to each sample's k-th nearest neighbour in the set (itself not counted).

    Args:
        real: features N x F.
        fake: features M x F.
        k: which neighbour sets the radius.

    Returns:
        Precision, the fraction of fake samples in the real manifold, and recall, the fraction of
        real samples in the fake one; both in [0, 1], larger is better.

    Raises:
        GancourseError: k or fewer samples on a side, NaN or infinity, or different widths.
    """
    precision, recall, _, _ = neighbour_scores(real, fake, k, k)
    return precision, recall


def density_coverage(real: torch.Tensor, fake: torch.Tensor, k: int = 5) -> tuple[float, float]:
    """Density and coverage.

    Naeem et al., *Reliable Fidelity and Diversity Metrics for Generative Models*, 2020, equations
    4 and 5. Both look only at balls around real samples, so outliers among the fake ones do not
    inflate them as they do recall.

    Args:
        real: features N x F.
        fake: features M x F.
        k: which neighbour sets a real ball's radius.

    Returns:
        Density, how many real balls a fake sample lies in, divided by k (0 or more, about 1 for
        equal distributions), and coverage, the fraction of real balls with a fake sample in them
        (in [0, 1]); larger is better.

    Raises:
        GancourseError: k or fewer real samples, fewer than 2 fake ones, NaN or infinity, or
            different widths.
    """
    _, _, density, coverage = neighbour_scores(real, fake, 1, k)
    return density, coverage


def neighbour_scores(
    real: torch.Tensor, fake: torch.Tensor, k: int, density_k: int
) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage from one pass over the distances.

    Args:
        real: features N x F.
        fake: features M x F.
        k: see :func:`precision_recall`.
        density_k: see :func:`density_coverage`.

    Returns:
        Precision, recall, density, coverage.

    Raises:
        GancourseError: too few samples for k or ``density_k``, NaN or infinity, or different
            widths.
    """
    if min(k, density_k) < 1:
        raise GancourseError(f"k must be at least 1, not {min(k, density_k)}.")
    real = checked(real, "real features", max(k, density_k) + 1)
    fake = checked(fake, "fake features", k + 1).to(real.device)
    same_width(real.shape[1], fake.shape[1])

    nearest = _neighbours(real, max(k, density_k))
    radii, wide_radii = nearest[:, k - 1 : k], nearest[:, density_k - 1 : density_k]
    fake_radii = _neighbours(fake, k)[:, k - 1]
    precise = torch.zeros(len(fake), dtype=torch.bool, device=real.device)
    recalled = hits = covered = 0
    for rows in torch.arange(len(real), device=real.device).split(_rows(fake)):
        squared = _squared_distances(real[rows], fake)
        precise |= (squared <= radii[rows]).any(dim=0)
        recalled += int((squared <= fake_radii).any(dim=1).sum())
        hits += int((squared <= wide_radii[rows]).count_nonzero())
        covered += int((squared.amin(dim=1) <= wide_radii[rows, 0]).sum())
    return (
        float(precise.double().mean()),
        recalled / len(real),
        hits / (density_k * len(fake)),
        covered / len(real),
    )


def _rows(columns: torch.Tensor) -> int:
    """How many rows of distances to these samples to hold at a time."""
    return max(1, ELEMENTS // len(columns))


def _squared_distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Squared Euclidean distances N x M by one matrix product.

    In float64 the expansion |x|^2 + |y|^2 - 2 x.y keeps distances down to 1e-8 of the norms.
    """
    squares = x.square().sum(dim=1)[:, None] + y.square().sum(dim=1)
    return squares.addmm_(x, y.T, alpha=-2)


def _neighbours(features: torch.Tensor, k: int) -> torch.Tensor:
    """Squared distances N x k of each sample to its k nearest others, ascending."""
    nearest = []
    for rows in torch.arange(len(features), device=features.device).split(_rows(features)):
        squared = _squared_distances(features[rows], features)
        squared[torch.arange(len(rows), device=rows.device), rows] = torch.inf
        nearest.append(squared.topk(k, dim=1, largest=False).values)
    return torch.cat(nearest)
