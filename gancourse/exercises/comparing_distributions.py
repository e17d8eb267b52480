"""The exercises of the chapter "Comparing distributions"."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _coins(generator: torch.Generator) -> tuple[float, float]:
    a, b = (0.05 + 0.9 * torch.rand(2, generator=generator, dtype=torch.float64)).tolist()
    return a, b


def _kl(a: float, b: float) -> float:
    return a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))


def _samples(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    x, y = torch.randn(2, 9, generator=generator, dtype=torch.float64)
    return x, 2 * y + 1


def _w1(x: Any, y: Any) -> Tensor:
    return (torch.as_tensor(x).sort().values - torch.as_tensor(y).sort().values).abs().mean()


def _slopes(generator: torch.Generator) -> tuple[Tensor]:
    return (5 * torch.randn(20, generator=generator, dtype=torch.float64),)


def _conjugate(t: Any) -> Tensor:
    clipped = torch.as_tensor(t).clamp(min=-2)
    return clipped**2 / 4 + clipped


EXERCISES = (
    Exercise(
        name="comparing-distributions.1",
        title="Two coins",
        kind=Function(_kl, _coins),
        why="Both sides of the coin count. The result is 0 only for a = b.",
        hint="Sum p log(p / q) over the two outcomes, heads and tails.",
        solution="""
import math

def answer(a, b):
    return a * math.log(a / b) + (1 - a) * math.log((1 - a) / (1 - b))
""",
        mistakes=(
            Mistake(
                lambda a, b: _kl(b, a),
                "That is the other direction: the first argument is what one averages over.",
            ),
            Mistake(
                lambda a, b: a * math.log(a / b), "Tails can happen too: a second term is missing."
            ),
            Mistake(
                lambda a, b: _kl(a, b) / math.log(2), "That is in bits. Take natural logarithms."
            ),
            Mistake(
                lambda a, b: -a * math.log(b) - (1 - a) * math.log(1 - b),
                "That is the cross-entropy. Subtract the entropy of the first coin.",
            ),
        ),
    ),
    Exercise(
        name="comparing-distributions.2",
        title="Half an overlap",
        kind=Value(math.log(2) / 2),
        why="Where both live the densities are equal and cost nothing; where only one does, the price is "
        "log 2 for its mass, which is a half of each.",
        hint="Split the line into three parts: first only, both, second only. What is p / m in each?",
        solution="""
import math

only_one = 0.5 * math.log(2)    # half of each distribution, where the other is 0
both = 0.5 * math.log(1)        # the other half, where p = q = m
answer = 0.5 * (only_one + both) + 0.5 * (only_one + both)
""",
        mistakes=(
            Mistake(math.log(2), "That would be without any overlap."),
            Mistake(
                math.log(2) / 4, "Both halves of the definition count: there are two KL terms."
            ),
            Mistake(0.5, "That is the total variation, or JS in bits. In nats it is smaller."),
            Mistake(0.0, "That is the value for equal distributions."),
        ),
    ),
    Exercise(
        name="comparing-distributions.3",
        title="Moving earth on a line",
        kind=Function(_w1, _samples),
        why="Keeping the order is the cheapest plan on a line, and it needs no more than a sort.",
        hint="Which point of y should the smallest point of x travel to?",
        solution="""
def answer(x, y):
    return (x.sort().values - y.sort().values).abs().mean()
""",
        mistakes=(
            Mistake(
                lambda x, y: (x - y).abs().mean(),
                "That pairs points as they happen to stand. Put both samples in order first.",
            ),
            Mistake(
                lambda x, y: (x.mean() - y.mean()).abs(),
                "That is a lower bound, which sees the means only.",
            ),
            Mistake(
                lambda x, y: ((x.sort().values - y.sort().values) ** 2).mean().sqrt(),
                "That is the distance of order 2.",
            ),
            Mistake(
                lambda x, y: (x.sort().values - y.sort().values).abs().sum(),
                "Each of the N points has the mass 1 / N: take the mean.",
            ),
        ),
    ),
    Exercise(
        name="comparing-distributions.4",
        title="A step on the plateau",
        kind=Choice("w1", ("kl", "js", "tv", "w1")),
        why="It alone knows how far apart two points are.",
        hint="Look at the chart of the shifted point.",
        solution="""
answer = "w1"
""",
        mistakes=(
            Mistake("kl", "It is infinite before and after the step."),
            Mistake("js", "It is log 2 before and after the step."),
            Mistake("tv", "It is 1 before and after the step: an observer is never wrong."),
        ),
    ),
    Exercise(
        name="comparing-distributions.5",
        title="A conjugate with a corner",
        kind=Function(_conjugate, _slopes),
        why="For t below -2 the best u is 0, and the conjugate stays at -f(0) = -1.",
        hint="The derivative of u t - (u - 1)^2 is zero at u = 1 + t / 2. Is that u allowed?",
        solution="""
def answer(t):
    t = t.clamp(min=-2)
    return t**2 / 4 + t
""",
        mistakes=(
            Mistake(
                lambda t: t**2 / 4 + t,
                "Right for t of -2 or more. Below it the vertex is at a negative u, where f is not "
                "defined.",
            ),
            Mistake(
                lambda t: t.clamp(min=0) ** 2 / 4 + t.clamp(min=0),
                "The corner is where 1 + t / 2 becomes 0, not where t does.",
            ),
            Mistake(lambda t: t**2 / 4, "That is the conjugate of u^2. Here f is shifted by 1."),
            Mistake(
                lambda t: (t**2 / 4 + t) * (t > -2),
                "Below -2 the supremum is at u = 0, and it is not 0 there: what is f(0)?",
            ),
        ),
    ),
    Exercise(
        name="comparing-distributions.6",
        title="The best observer",
        kind=Value(0.3),
        why="Half of what the total variation leaves: (1 - 0.4) / 2. At total variation 0 it is a coin "
        "toss.",
        hint="What must the answer be for a total variation of 0, and of 1?",
        solution="""
answer = (1 - 0.4) / 2
""",
        mistakes=(
            Mistake(
                0.6, "With one half being a coin toss, an error of 0.6 is worse than guessing."
            ),
            Mistake(0.4, "At a total variation of 1 the best observer never errs."),
            Mistake(0.7, "That is how often the best one is right."),
            Mistake(0.2, "Half of the total variation is what one gains over a coin toss."),
        ),
    ),
)
