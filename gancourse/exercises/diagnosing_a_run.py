"""The exercises of the chapter "Diagnosing a run"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value

_LOST = ("discriminator winning", "vanishing gradients", "oscillation", "none")


def _sets(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Samples half-way to the training set, unseen rows, a training set and a held-out one."""
    train = torch.randn(60, 5, generator=generator, dtype=torch.float64)
    held_out, unseen = torch.randn(2, 30, 5, generator=generator, dtype=torch.float64)
    pull = torch.randn(25, 5, generator=generator, dtype=torch.float64)
    return train[:25] + 0.4 * pull, unseen, train, held_out


def _ratio(rows: Tensor, train: Tensor, held_out: Tensor) -> Tensor:
    return torch.cdist(rows, train).amin(1) / torch.cdist(rows, held_out).amin(1)


def _nearness(samples: Tensor, unseen: Tensor, train: Tensor, held_out: Tensor) -> Tensor:
    of_samples, of_unseen = (_ratio(rows, train, held_out) for rows in (samples, unseen))
    return of_samples.median() / of_unseen.median()


def _without_unseen(samples: Tensor, unseen: Tensor, train: Tensor, held_out: Tensor) -> Tensor:
    return _ratio(samples, train, held_out).median()


def _without_held_out(samples: Tensor, unseen: Tensor, train: Tensor, held_out: Tensor) -> Tensor:
    of_samples, of_unseen = (torch.cdist(rows, train).amin(1) for rows in (samples, unseen))
    return of_samples.median() / of_unseen.median()


EXERCISES = (
    Exercise(
        name="diagnosing-a-run.1",
        title="A lead of 0.7",
        kind=Value([0.7, 0.85]),
        why="The lead is a lower bound of the total variation, and the best guess is right with "
        "probability (1 + TV) / 2.",
        hint="The first number stands in the proposition. For the second: a coin decides between "
        "real and generated; the densities are p and q, and one guesses the larger one.",
        solution="""
least_tv = 0.85 - 0.15
answer = [least_tv, (1 + least_tv) / 2]
""",
        mistakes=(
            Mistake(
                [0.7, 0.7],
                "The first is right. Guessing without looking is right half of the time already, "
                "so 0.7 of the way from there to always.",
            ),
            Mistake(
                [0.85, 0.85],
                "0.85 is D's mean on real images alone. Subtract its mean on generated ones: D = "
                "0.85 everywhere would tell nothing apart.",
            ),
        ),
    ),
    Exercise(
        name="diagnosing-a-run.2",
        title="How many images are few?",
        kind=Value(999 / math.log(2), 2e-2),
        why="Half of the samples have a twin where 1 - exp(-(n - 1) / m) = 1/2.",
        hint="Set the share of samples that have a twin equal to a half, and solve for m.",
        solution="""
import math

answer = (1000 - 1) / math.log(2)
""",
        mistakes=(
            Mistake(
                1000**2 / (2 * math.log(2)),
                "That is the birthday paradox: so many images, and one pair somewhere is as likely "
                "as not. The median asks for a twin of every other sample.",
            ),
            Mistake(
                999 * math.log(2),
                "Solve again: exp(-(n - 1) / m) = 1/2 gives (n - 1) / m = log 2.",
            ),
        ),
    ),
    Exercise(
        name="diagnosing-a-run.3",
        title="Nearness to the training set",
        kind=Function(_nearness, _sets),
        why="Exact draws give about 1, copies 0, whatever the sizes of the sets.",
        hint="Write the ratio of the two distances for one set of rows first; then take the median "
        "of the samples over that of the unseen rows.",
        solution="""
import torch

def ratio(rows, train, held_out):
    near, far = (torch.cdist(rows, others).min(1).values
                 for others in (train, held_out))
    return near / far

def answer(samples, unseen, train, held_out):
    return (ratio(samples, train, held_out).median()
            / ratio(unseen, train, held_out).median())
""",
        mistakes=(
            Mistake(
                _without_unseen,
                "Divide by the same of the unseen rows: the larger set has the nearer neighbours, "
                "and that must cancel.",
            ),
            Mistake(
                _without_held_out,
                "The held-out set is missing: a smooth sample is near to everything, and only "
                "distances to other images that it cannot know make up for that.",
            ),
        ),
    ),
    Exercise(
        name="diagnosing-a-run.4",
        title="Sure, and not lost",
        kind=Choice("none", _LOST),
        why="D is sure of both sides, but the generator's loss has more than halved: it is catching "
        "up. Let it run on.",
        hint="Go through the numbers of each finding; all of them must be beyond their thresholds.",
        solution="""
answer = "none"
""",
        mistakes=(
            Mistake(
                "discriminator winning",
                "D's means would do, but the third number does not: 3.6 is less than half of 9.",
            ),
            Mistake(
                "vanishing gradients",
                "The gradient is a quarter of the largest of the run; the threshold is a fiftieth.",
            ),
            Mistake("oscillation", "A lead that stays at 0.94 does not swing at all."),
        ),
    ),
)
