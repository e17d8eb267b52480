"""The exercises of the chapter "Living in latent space"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value
from gancourse.latent import slerp


def _way(generator: torch.Generator) -> tuple[int, float]:
    d = int(torch.randint(2, 600, (), generator=generator))
    return d, float(torch.rand((), generator=generator))


def _directions(generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    a, b = torch.randn(2, 12, generator=generator, dtype=torch.float64)
    return a / a.norm(), b / b.norm(), float(torch.rand((), generator=generator))


def _distances(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    # Small whole numbers, so that there are ties.
    own = torch.randint(0, 8, (30,), generator=generator)
    return own.double(), torch.randint(2, 10, (40,), generator=generator).double()


def _nearer(own: Tensor, others: Tensor) -> Tensor:
    less = (own[:, None] < others).double() + (own[:, None] == others).double() / 2
    return less.mean()


EXERCISES = (
    Exercise(
        name="latent-space.1",
        title="The length on a straight way",
        kind=Function(lambda d, t: math.sqrt(d * ((1 - t) ** 2 + t**2)), _way),
        why="The products of independent coordinates have mean 0, so only the two squares are left. At "
        "t = 1/2 it is the square root of d / 2.",
        hint="Square the length, take the mean of each of the three terms, and take the root.",
        solution="""
def answer(d, t):
    return (d * ((1 - t) ** 2 + t**2)) ** 0.5
""",
        mistakes=(
            Mistake(
                lambda d, t: math.sqrt(d),
                "That is the length at the ends. Half-way there is less: two vectors at right angles "
                "do not add up in length.",
            ),
            Mistake(
                lambda d, t: d * ((1 - t) ** 2 + t**2),
                "That is the mean of the squared length. The root is missing.",
            ),
            Mistake(
                lambda d, t: math.sqrt(d) * ((1 - t) + t) / math.sqrt(2),
                "That is the length half-way; it depends on t.",
            ),
        ),
    ),
    Exercise(
        name="latent-space.2",
        title="The arc between two directions",
        kind=Function(lambda a, b, t: slerp(a, b, t), _directions),
        why="The result has length 1, and the angle to a is t times the angle between a and b.",
        hint="The angle comes from the scalar product; the two weights are sines divided by a sine.",
        solution="""
import torch


def answer(a, b, t):
    angle = torch.acos(a @ b)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
""",
        mistakes=(
            Mistake(
                lambda a, b, t: (1 - t) * a + t * b,
                "That is the straight way: between the ends it is shorter than 1.",
            ),
            Mistake(
                lambda a, b, t: ((1 - t) * a + t * b) / ((1 - t) * a + t * b).norm(),
                "That is on the arc, but not at the share t of its angle: it hurries through the "
                "middle.",
            ),
            Mistake(
                lambda a, b, t: math.cos(t * math.pi / 2) * a + math.sin(t * math.pi / 2) * b,
                "That is right where a and b are at right angles. Here the angle is another one.",
            ),
            Mistake(lambda a, b, t: slerp(b, a, t), "At t = 0 that is b; it shall be a."),
        ),
    ),
    Exercise(
        name="latent-space.3",
        title="A sum of long enough vectors",
        kind=Value(math.sqrt(10 / 3)),
        why="The three means have squared lengths of d / 10 each, 3 d / 10 together; d is wanted, so the "
        "length grows by the root of 10 / 3.",
        hint="What is the mean squared length of a mean of 10 vectors, and of the sum of three of them?",
        solution="""
answer = (10 / 3) ** 0.5
""",
        mistakes=(
            Mistake(
                10 / 3,
                "That is the factor of the squared length. The length grows by its root.",
            ),
            Mistake(
                math.sqrt(10),
                "That would be right for one mean of ten. There are three of them, and the squares of "
                "independent vectors add up, also where one is subtracted.",
            ),
            Mistake(
                math.sqrt(3 / 10), "That is how much too short the sum is. What makes up for it?"
            ),
            Mistake(1.0, "That is right for three vectors each. For ten the sum is too short."),
        ),
    ),
    Exercise(
        name="latent-space.4",
        title="Steps, and steps a tenth as long",
        kind=Value([1.0, 10.0], tolerance=0.02),
        why="Where the speed exists, it does not depend on the step. Where the image jumps, a step ten "
        "times shorter meets a jump ten times less often, but a jump counts a hundred times as much.",
        hint="Ask for each: how often does a step meet a change, and how much does it count?",
        solution="""
answer = [1.0, 10.0]
""",
        mistakes=(
            Mistake(
                [1.0, 1.0],
                "A jump is as large for the shortest step, and is divided by the square of the step.",
            ),
            Mistake(
                [1.0, 100.0],
                "A jump counts a hundred times as much, but a shorter step meets it less often.",
            ),
            Mistake(
                [0.01, 0.1],
                "That forgets the division by the square of the step, which makes a speed of it.",
            ),
            Mistake([10.0, 1.0], "The other way round: the smooth one first."),
        ),
    ),
    Exercise(
        name="latent-space.5",
        title="How often a sample is nearer",
        kind=Function(_nearer, _distances),
        why="Each sample is compared with each test image, and a tie counts half.",
        hint="Compare every entry of the one with every entry of the other.",
        solution="""
import torch


def answer(own, others):
    difference = others - own[:, None]
    return (difference.sign() + 1).mean() / 2
""",
        mistakes=(
            Mistake(
                lambda own, others: (
                    (own[:, None] > others).double().mean()
                    + (own[:, None] == others).double().mean() / 2
                ),
                "That is the probability that a sample is farther away.",
            ),
            Mistake(
                lambda own, others: (own[:, None] < others).double().mean(),
                "Almost: ties count half.",
            ),
            Mistake(
                lambda own, others: (own[:, None] <= others).double().mean(),
                "Almost: ties count half, not whole.",
            ),
            Mistake(
                lambda own, others: (own < others.mean()).double().mean(),
                "The mean of the others hides how they are spread. Compare with each of them.",
            ),
        ),
    ),
    Exercise(
        name="latent-space.6",
        title="What truncation changes",
        kind=Choice("length", ("length", "tails", "direction", "nothing")),
        why="Truncated vectors that get their length back make images of the same scores, and vectors "
        "that are only shortened make those of truncation.",
        hint="Look at the last two rows of the table of truncation.",
        solution="""
answer = "length"
""",
        mistakes=(
            Mistake(
                "tails",
                "Without tails, but as long as before, the images have the scores of samples.",
            ),
            Mistake(
                "direction",
                "The direction does turn a little, but a vector of the new direction and the old "
                "length has the scores of a sample.",
            ),
            Mistake("nothing", "Recall falls, and the contrast with it."),
        ),
    ),
)
