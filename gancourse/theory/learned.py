"""A discriminator that is trained until it is nearly the best one, between two known densities."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.special import expit
from torch import Tensor

from gancourse.errors import GancourseError
from gancourse.losses import minimax_discriminator
from gancourse.nets.points import PointDiscriminator
from gancourse.theory.arguments import Array, count, positive
from gancourse.theory.closed_forms import comparable
from gancourse.theory.densities import Density
from gancourse.theory.value import expectations, optimal_discriminator

__all__ = ["LearnedDiscriminator", "fit_discriminator", "mean_absolute_error"]


@dataclass(frozen=True, eq=False)
class LearnedDiscriminator:
    """A network that was trained to tell samples of two densities apart.

    Attributes:
        network: points N x dim, float32, to N logits.
        losses: the discriminator's loss at each step, an estimate of -V(D, G).
    """

    network: PointDiscriminator
    losses: list[float]

    def logit(self, x: ArrayLike) -> Array:
        """Logits of points of the shape that ``Density.log_prob`` takes, as float64."""
        return evaluated(self.network, x)

    def probability(self, x: ArrayLike) -> Array:
        """D(x), the probability of "data", in [0, 1]."""
        return np.asarray(expit(self.logit(x)))


def fit_discriminator(
    p: Density,
    q: Density,
    *,
    steps: int = 600,
    batch_size: int = 512,
    hidden: Sequence[int] = (64, 64),
    lr: float = 0.01,
    seed: int = 0,
) -> LearnedDiscriminator:
    """Train a discriminator between data from p and samples of a generator that stays at q.

    Each step draws new points from both. Adam's learning rate falls to 0 along half a cosine, so
    that the noise of single batches dies away at the end.

    Args:
        p: the distribution of the data, on the line or in a space of any dimension.
        q: the distribution of the samples, of the same dimension.
        steps: how many batches of each side.
        batch_size: points of each side in a step.
        hidden: widths of the network's hidden layers.
        lr: Adam's learning rate at the start.
        seed: of the weights and of the points.

    Returns:
        The trained discriminator. The same arguments give the same one on one machine.

    Raises:
        GancourseError: other dimensions, a discrete distribution beside a density, names instead
            of numbers, or a count or a rate that is not positive.
    """
    comparable(p, q)
    if p.dim == 0:
        raise GancourseError("A network takes numbers; these distributions are over names.")
    rng = np.random.default_rng(seed)
    probe = np.concatenate([_rows(d, 4096, rng) for d in (p, q)])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PointDiscriminator(p.dim, hidden, probe.mean(axis=0), probe.std(axis=0))
    optimizer = torch.optim.Adam(network.parameters(), lr=float(positive(lr, "lr")), fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, count(steps, "steps"))
    losses = []
    for _ in range(steps):
        real, fake = (torch.from_numpy(_rows(d, batch_size, rng)).float() for d in (p, q))
        loss = minimax_discriminator(*network(torch.cat([real, fake])).chunk(2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return LearnedDiscriminator(network.eval(), losses)


def mean_absolute_error(learned: LearnedDiscriminator, p: Density, q: Density) -> float:
    """How far D is from the best discriminator: the mean of abs(D - D*) over the even mixture.

    On the line the mean is an integral. In more dimensions it is taken over 50,000 fresh draws of
    each side, the same ones in every call, so that its standard error is below 0.002.

    Returns:
        A number in [0, 1].

    Raises:
        GancourseError: other dimensions, or a discrete distribution beside a density.
    """
    best = optimal_discriminator(p, q)

    def gap(x: Array) -> Array:
        return np.abs(learned.probability(x) - best(x))

    if p.dim == 1:
        return expectations((p, gap), (q, gap)) / 2
    rng = np.random.default_rng(0)
    return float(np.mean([gap(side.sample(50_000, rng)).mean() for side in (p, q)]))


def evaluated(network: PointDiscriminator, x: ArrayLike) -> Array:
    """The network's logits at points of the shape that ``Density.log_prob`` takes.

    Computed in float64: an integral over values that are rounded to float32 does not converge.
    """
    points = np.asarray(x, dtype=np.float64)
    dim = len(network.centre)
    with torch.no_grad():
        logits: Tensor = deepcopy(network).double()(torch.from_numpy(points.reshape(-1, dim)))
    return logits.numpy().reshape(points.shape if dim == 1 else points.shape[:-1])


def _rows(density: Density, n: int, rng: np.random.Generator) -> Array:
    """Draws as n x dim, on the line too."""
    return np.asarray(density.sample(count(n), rng), dtype=np.float64).reshape(n, -1)
