"""The exercises of the chapter "Judging a GAN"."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value

_IS = 2 * 0.8**0.8 * 0.2**0.2


def _measured(generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Five sample counts, and FIDs near a line in 1/n."""
    counts = 100.0 * torch.cumsum(torch.randint(1, 5, (5,), generator=generator), 0)
    fids = 3 + 400 / counts + 0.2 * torch.randn(5, generator=generator)
    return counts.numpy(), fids.numpy()


def _line(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.polyfit(x, y, 1)[1])


def _kernels(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    x, y = torch.randn(2, 6, 4, generator=generator, dtype=torch.float64)

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / 4 + 1) ** 3

    return kernel(x, x), kernel(y, y), kernel(x, y)


def _kid(real_real: Tensor, fake_fake: Tensor, real_fake: Tensor) -> Tensor:
    n = len(real_real)
    within = real_real.sum() - real_real.trace() + fake_fake.sum() - fake_fake.trace()
    return within / (n * (n - 1)) - 2 * real_fake.mean()


def _mean_off(matrix: Tensor) -> Tensor:
    """Mean of what is not on the diagonal."""
    n = len(matrix)
    return (matrix.sum() - matrix.trace()) / (n * (n - 1))


def _points(generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    real = torch.randn(40, 2, generator=generator, dtype=torch.float64)
    fake = 0.5 + 0.7 * torch.randn(30, 2, generator=generator, dtype=torch.float64)
    return real, fake, int(torch.randint(2, 4, (), generator=generator))


def _recall(real: Tensor, fake: Tensor, k: int) -> Tensor:
    radii = torch.cdist(fake, fake).topk(k + 1, largest=False).values[:, -1]
    return (torch.cdist(real, fake) <= radii).any(dim=1).double().mean()


def _own_balls(real: Tensor, fake: Tensor, k: int) -> Tensor:
    """Coverage: balls around the real points, counted where a fake one is in them."""
    radii = torch.cdist(real, real).topk(k + 1, largest=False).values[:, -1:]
    return (torch.cdist(real, fake) <= radii).any(dim=1).double().mean()


EXERCISES = (
    Exercise(
        name="judging-a-gan.1",
        title="An Inception score by hand",
        kind=Value(_IS),
        why="p(y) is even, so H(p(y)) = log 2. Each image has the entropy of (0.8, 0.2), about "
        "0.50 nats. The difference is 0.19 nats, and its exponential 1.21.",
        hint="Compute the entropy of the mean and the mean of the entropies, subtract, and take "
        "the exponential.",
        solution="""
import numpy as np

sure = np.array([0.8, 0.2])
entropy = -(sure * np.log(sure)).sum()
answer = np.exp(np.log(2) - entropy)
""",
        mistakes=(
            Mistake(2.0, "That is the score if the classifier were sure. It is 80 % sure."),
            Mistake(
                1.0,
                "1 means that the classifier says the same of every image. Here it does not.",
            ),
            Mistake(math.log(_IS), "That is the mutual information. The score is its exponential."),
            Mistake(
                math.log(_IS) / math.log(2),
                "That is the mutual information in bits. Take natural logarithms, then the "
                "exponential.",
            ),
            Mistake(
                1.6, "The score is not the number of classes times the confidence: use entropies."
            ),
        ),
    ),
    Exercise(
        name="judging-a-gan.2",
        title="The FID of infinitely many samples",
        kind=Function(lambda counts, fids: _line(1 / counts, fids), _measured, tolerance=1e-3),
        why="The bias falls like 1/n, so against 1/n the FID lies on a line, and infinitely many "
        "samples are at its left end.",
        hint="Fit a line through the points (1/n, FID) and take its value at 0.",
        solution="""
import numpy as np

def answer(counts, fids):
    slope, intercept = np.polyfit(1 / counts, fids, 1)
    return intercept
""",
        mistakes=(
            Mistake(
                lambda counts, fids: float(np.polyfit(1 / counts, fids, 1)[0]),
                "That is the slope: how strong the bias is. Asked for is the value at 1/n = 0.",
            ),
            Mistake(
                lambda counts, fids: _line(counts, fids),
                "That is a line in n, at n = 0: no samples at all. Take 1/n.",
            ),
            Mistake(
                lambda counts, fids: float(fids[-1]),
                "That is the value with the most samples. It still has a bias.",
            ),
            Mistake(lambda counts, fids: float(fids.min()), "The smallest value still has a bias."),
            Mistake(
                lambda counts, fids: float(fids.mean()),
                "Every one of these values is too large, and so is their mean.",
            ),
        ),
    ),
    Exercise(
        name="judging-a-gan.3",
        title="KID from three matrices",
        kind=Function(_kid, _kernels),
        why="The diagonals of the first two are left out; across the sides every pair counts.",
        hint="Average the first two without their diagonals, the third with everything.",
        solution="""
def answer(real_real, fake_fake, real_fake):
    n = len(real_real)
    within = (real_real.sum() - real_real.trace()
              + fake_fake.sum() - fake_fake.trace())
    return within / (n * (n - 1)) - 2 * real_fake.mean()
""",
        mistakes=(
            Mistake(
                lambda a, b, c: a.mean() + b.mean() - 2 * c.mean(),
                "That keeps the pairs of a sample with itself, and comes out too large.",
            ),
            Mistake(
                lambda a, b, c: (
                    (a.sum() - a.trace() + b.sum() - b.trace()) / len(a) ** 2 - 2 * c.mean()
                ),
                "Without the diagonal there are n (n - 1) pairs, not n squared.",
            ),
            Mistake(
                lambda a, b, c: _kid(a, b, c) + 2 * c.mean() - 2 * _mean_off(c),
                "The third matrix has no pairs of a sample with itself: its diagonal belongs to it.",
            ),
            Mistake(
                lambda a, b, c: _kid(a, b, c) + c.mean(),
                "There are two cross terms, so the mean of the third matrix counts twice.",
            ),
        ),
    ),
    Exercise(
        name="judging-a-gan.4",
        title="Recall",
        kind=Function(_recall, _points),
        why="Balls around the fake samples, and the share of the real ones in any of them.",
        hint="First the radius of each fake sample: the distance to its k-th nearest other fake one.",
        solution="""
import torch

def answer(real, fake, k):
    own = torch.cdist(fake, fake)
    radii = own.topk(k + 1, largest=False).values[:, -1]
    within = torch.cdist(real, fake) <= radii
    return within.any(dim=1).double().mean()
""",
        mistakes=(
            Mistake(
                lambda real, fake, k: _recall(fake, real, k),
                "That is precision: the share of fake samples within the real ones.",
            ),
            Mistake(
                _own_balls,
                "That is coverage: balls around the real samples. Recall draws them around the "
                "fake ones.",
            ),
            Mistake(
                lambda real, fake, k: _recall(real, fake, k - 1),
                "The nearest sample to each is itself, at distance 0: it does not count, so look "
                "one further.",
            ),
        ),
    ),
    Exercise(
        name="judging-a-gan.5",
        title="Learnt by heart",
        kind=Choice("none", ("fid", "precision", "recall", "coverage", "none")),
        why="To a score, the training images are as good as new ones: they are the floor. Look at "
        "the distances to the nearest training images instead.",
        hint="What do the training images themselves score, and what is that number called?",
        solution="""
answer = "none"
""",
        mistakes=(
            Mistake(
                "fid", "The training images have the moments of real images: that is the floor."
            ),
            Mistake("precision", "Training images are real images: precision is high."),
            Mistake("recall", "All kinds of images are among them: recall is high."),
            Mistake(
                "coverage", "The test images have training images close by: coverage is high too."
            ),
        ),
    ),
)
