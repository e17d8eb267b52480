"""The exercises of the chapter "The records, side by side"."""

from __future__ import annotations

import math

import numpy as np
import torch

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value

#: the mean of the largest of fifty independent standard normal numbers
_LARGEST_OF_50 = 2.249073


def _history(generator: torch.Generator) -> tuple[np.ndarray, np.ndarray, bool]:
    """Epochs, a score at each, and whether a smaller one is better."""
    epochs = torch.cumsum(torch.randint(1, 4, (12,), generator=generator), 0)
    values = torch.rand(12, generator=generator, dtype=torch.float64)
    return epochs.numpy(), values.numpy(), bool(torch.randint(2, (), generator=generator))


def _best_epoch(epochs: np.ndarray, values: np.ndarray, smaller_is_better: bool) -> float:
    return float(epochs[np.argmin(values) if smaller_is_better else np.argmax(values)])


def _seeds(generator: torch.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A score of three runs of one GAN, and of five of another."""
    one = 5 + 0.3 * torch.randn(3, generator=generator, dtype=torch.float64)
    other = 6 + 0.5 * torch.randn(5, generator=generator, dtype=torch.float64)
    return one.numpy(), other.numpy()


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    error = math.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
    return float(abs(one.mean() - other.mean()) / error)


EXERCISES = (
    Exercise(
        name="recorded-runs.1",
        title="Which two numbers can be compared?",
        kind=Choice("same-data", ("same-gan", "same-extractor", "same-data", "none")),
        why="Extractor, reference images and counts are the same, so the two numbers are of one "
        "kind.",
        hint="A FID is made of an extractor, of reference images, and of two counts.",
        solution="""
answer = "same-data"
""",
        mistakes=(
            Mistake(
                "same-gan",
                "One GAN, but two data sets: each has its own extractor and its own test images. "
                "The smaller number may only mean that the features are smaller.",
            ),
            Mistake(
                "same-extractor",
                "The extractor is the same, but the reference images are not: test images of CIFAR-10 "
                "and training paintings, and their numbers differ too.",
            ),
            Mistake("none", "One pair has everything in common that a FID depends on."),
        ),
    ),
    Exercise(
        name="recorded-runs.2",
        title="The best epoch",
        kind=Function(_best_epoch, _history),
        why="Of a distance the smallest value is best, of a share the largest.",
        hint="numpy's argmin and argmax give a position; the epoch stands at that position.",
        solution="""
def answer(epochs, values, smaller_is_better):
    best = values.argmin() if smaller_is_better else values.argmax()
    return epochs[best]
""",
        mistakes=(
            Mistake(
                lambda epochs, values, smaller: float(
                    np.argmin(values) if smaller else np.argmax(values)
                ),
                "That is the position in the array, not the epoch.",
            ),
            Mistake(
                lambda epochs, values, smaller: float(epochs[np.argmin(values)]),
                "Not every score is a distance: of precision the largest value is best.",
            ),
            Mistake(
                lambda epochs, values, smaller: float(values.min() if smaller else values.max()),
                "That is the best score. When was it?",
            ),
        ),
    ),
    Exercise(
        name="recorded-runs.3",
        title="The luck of the best of fifty",
        kind=Value(0.06 * _LARGEST_OF_50),
        why="The smallest of fifty standard normal numbers is -2.25 on average. Times 0.06 that is "
        "-0.135, so it is too small by 0.135.",
        hint="Draw fifty normal numbers with standard deviation 0.06, take the smallest, repeat "
        "that many thousand times, and average.",
        solution="""
import numpy as np

draws = 0.06 * np.random.default_rng(0).normal(size=(100_000, 50))
answer = -draws.min(axis=1).mean()
""",
        mistakes=(
            Mistake(-0.06 * _LARGEST_OF_50, "By how much it is too small is a positive number."),
            Mistake(0.0, "Each epoch's score is right on average. The smallest one is not."),
            Mistake(
                0.06 / math.sqrt(50),
                "That is the standard error of the mean of fifty. Here one takes the smallest.",
            ),
            Mistake(
                0.06 * math.sqrt(2 * math.log(50)),
                "That is an upper bound, to which the mean comes near only for very many epochs.",
            ),
        ),
    ),
    Exercise(
        name="recorded-runs.4",
        title="More than the seeds?",
        kind=Function(_apart, _seeds),
        why="The variances of the two means add, each with its own number of runs.",
        hint="The variance of a mean is the variance over the runs, with the divisor n - 1, "
        "divided by the number of runs. The variances of the two means add.",
        solution="""
import numpy as np

def answer(one, other):
    variances = one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
    return abs(one.mean() - other.mean()) / np.sqrt(variances)
""",
        mistakes=(
            Mistake(
                lambda one, other: float(
                    abs(one.mean() - other.mean())
                    / math.sqrt(one.var() / len(one) + other.var() / len(other))
                ),
                "Of few runs the variance has the divisor n - 1 (ddof=1).",
            ),
            Mistake(
                lambda one, other: float(
                    abs(one.mean() - other.mean()) / math.sqrt(one.var(ddof=1) + other.var(ddof=1))
                ),
                "That compares with the spread of single runs. The means are surer than that.",
            ),
            Mistake(
                lambda one, other: float(
                    abs(one.mean() - other.mean())
                    / (
                        one.std(ddof=1) / math.sqrt(len(one))
                        + other.std(ddof=1) / len(other) ** 0.5
                    )
                ),
                "Errors that are independent do not add; their squares do.",
            ),
        ),
    ),
)
