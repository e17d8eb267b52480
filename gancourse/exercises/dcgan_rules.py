"""The exercises of the chapter "DCGAN: the rules, one at a time"."""

from __future__ import annotations

import math

import torch

from gancourse.exercises._kinds import Exercise, Function, Mistake, Value


def _layer(generator: torch.Generator) -> tuple[float, int, float]:
    size = 0.02 + float(torch.rand((), generator=generator))
    maps = 2 ** int(torch.randint(5, 11, (), generator=generator))
    return size, maps, float(torch.rand((), generator=generator))


def _next(s: float, maps: int, eps: float) -> float:
    return 0.04 * math.sqrt(maps / 2 * s * s / (s * s + eps))


EXERCISES = (
    Exercise(
        name="dcgan-rules.1",
        title="What a large epsilon leaves",
        kind=Value(0.2 / math.sqrt(0.04 + 0.8)),
        why="About a fifth of the deviation 1 that it should have, and the next layer starts from that.",
        hint="Batch normalisation divides by the root of variance plus epsilon. Take the deviation "
        "of what comes in and divide it.",
        solution="""
answer = 0.2 / (0.2**2 + 0.8) ** 0.5
""",
        mistakes=(
            Mistake(
                1.0, "That is what a tiny epsilon gives. Here epsilon is twenty times the variance."
            ),
            Mistake(
                0.2 / (0.2 + 0.8), "Epsilon is added to the variance, and the root is taken then."
            ),
            Mistake(0.2 / 0.84, "Take the root of variance plus epsilon before you divide."),
            Mistake(
                0.2 / (0.2 + math.sqrt(0.8)), "The root is taken of the sum, not of each part."
            ),
        ),
    ),
    Exercise(
        name="dcgan-rules.2",
        title="From layer to layer",
        kind=Function(_next, _layer, trials=8),
        why="With eps = 0 the size that comes in drops out; with a large eps it is handed on.",
        hint="First the share s^2 / (s^2 + eps) that is left of the variance, half of it behind ReLU; "
        "then maps times 0.02^2 times 4, the number of weights that reach an entry.",
        solution="""
def answer(s, maps, eps):
    return 0.04 * (maps / 2 * s**2 / (s**2 + eps)) ** 0.5
""",
        mistakes=(
            Mistake(
                lambda s, maps, eps: 0.04 * math.sqrt(maps / 2),
                "This is the value for eps = 0. With a large eps the size that comes in matters.",
            ),
            Mistake(
                lambda s, maps, eps: 0.04 * math.sqrt(maps * s * s / (s * s + eps)),
                "ReLU leaves only half of the mean square.",
            ),
            Mistake(
                lambda s, maps, eps: 0.02 * math.sqrt(maps / 2 * s * s / (s * s + eps)),
                "Four weights of the kernel reach an entry, so the variance is four times as large.",
            ),
            Mistake(
                lambda s, maps, eps: 0.04 * math.sqrt(maps / 2) * s,
                "This is a layer without batch normalisation.",
            ),
        ),
    ),
    Exercise(
        name="dcgan-rules.3",
        title="Which biases are superfluous",
        kind=Value(32 * 49 - 32, tolerance=1e-6),
        why="Of each map only the mean of its 49 biases is taken away; a pattern over the places stays.",
        hint="Batch normalisation subtracts one number from each map. How many directions of the "
        "1,568 does that take away?",
        solution="""
answer = 32 * 7 * 7 - 32
""",
        mistakes=(
            Mistake(
                0,
                "That holds for a convolution, which has one bias for each map. Here each place has "
                "its own.",
            ),
            Mistake(32, "That is how many are lost: one mean for each map. The rest remains."),
            Mistake(
                32 * 49, "The mean over each map is subtracted; so much of the biases is lost."
            ),
            Mistake(
                32 * 49 - 1,
                "Each of the 32 maps is normalised on its own, so each loses its mean.",
            ),
        ),
    ),
    Exercise(
        name="dcgan-rules.4",
        title="Apart by chance",
        kind=Value(2 / math.comb(8, 3)),
        why="3.6 %, so among a dozen rules without any effect one expects about half of one to be "
        "called apart.",
        hint="If the rule has no effect, every choice of 3 places out of 8 is equally likely for its "
        "runs in the order by FID. Which choices are called apart?",
        solution="""
from math import comb

answer = 2 / comb(8, 3)
""",
        mistakes=(
            Mistake(
                1 / math.comb(8, 3),
                "That is one side only: all three smaller. All three larger is called apart too.",
            ),
            Mistake(
                2 / 2**3, "The three runs are not compared with one number but with five runs."
            ),
            Mistake(
                2 * math.factorial(3) / math.factorial(8),
                "The order among the five does not matter either.",
            ),
            Mistake(0.05, "That is a convention, not this probability. Count the orders."),
        ),
    ),
    Exercise(
        name="dcgan-rules.5",
        title="A sigmoid in disguise",
        kind=Value(2.0, tolerance=1e-6),
        why="tanh(u) = 2 sigmoid(2 u) - 1, so a generator with a sigmoid can draw whatever one with "
        "tanh can.",
        hint="Write tanh with exponentials, divide numerator and denominator by e^u, and compare with "
        "the sigmoid.",
        solution="""
answer = 2
""",
        mistakes=(
            Mistake(
                0.5,
                "The other way round: at 0 the sigmoid has a quarter of the slope, stretched to "
                "a half. So u must grow.",
            ),
            Mistake(
                4.0,
                "The slope of the sigmoid is a quarter, but its range is stretched by 2 as well.",
            ),
            Mistake(1.0, "At 0 the stretched sigmoid rises with slope 1/2, tanh with slope 1."),
        ),
    ),
)
