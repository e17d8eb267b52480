"""The exercises of the chapter "Digits as a table, and the learning rate"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _shares(generator: torch.Generator) -> tuple[Tensor]:
    shares = 0.2 + torch.rand(10, generator=generator, dtype=torch.float64)
    return (shares / shares.sum(),)


def _gradient(generator: torch.Generator) -> tuple[Tensor, float]:
    sizes = 0.5 + torch.rand(8, generator=generator, dtype=torch.float64)
    signs = torch.randn(8, generator=generator, dtype=torch.float64).sign()
    return 0.1 * sizes * signs, 0.01 + float(torch.rand((), generator=generator))


def _row(generator: torch.Generator) -> tuple[Tensor, float]:
    pixels = torch.rand(30, generator=generator, dtype=torch.float64)
    lit = torch.rand(30, generator=generator) < 0.4
    return pixels * lit, 0.001 + 0.1 * float(torch.rand((), generator=generator))


EXERCISES = (
    Exercise(
        name="digits-table.1",
        title="The weights of the fifth layer",
        kind=Value(308_010, tolerance=1e-7),
        why="The fifth layer takes 100 numbers to 100: 100 x 100 weights and 100 biases, 10,100 more "
        "than the 297,910 of four layers.",
        hint="Each layer has (inputs) x (outputs) weights and one bias for each output. Add them up.",
        solution="""
sizes = [784, 300, 100, 100, 100, 200, 10]
answer = sum(a * b + b for a, b in zip(sizes, sizes[1:]))
""",
        mistakes=(
            Mistake(297_910, "That is the network with four hidden layers."),
            Mistake(
                307_200,
                "Those are the weights alone. Each of the layers has a bias for each output too.",
            ),
            Mistake(
                307_910,
                "The layer that was added has biases as well: 100 of them.",
            ),
        ),
    ),
    Exercise(
        name="digits-table.2",
        title="The best that a constant can do",
        kind=Function(lambda shares: -(shares * shares.log()).sum(), _shares),
        why="The mean of -log q_k with weights p_k is smallest at q = p, where it is the entropy of the "
        "shares. With ten equal shares that is log 10.",
        hint="If q is what is always predicted, the loss is the sum of -p_k log q_k. Which q makes it "
        "smallest?",
        solution="""
def answer(shares):
    return -(shares * shares.log()).sum()
""",
        mistakes=(
            Mistake(
                lambda shares: torch.tensor(10.0).log(),
                "That is for ten equal shares. If some classes are more frequent, one can do better.",
            ),
            Mistake(
                lambda shares: -shares.max().log(),
                "Only the largest class counts here, but every row pays -log of its own class' "
                "probability.",
            ),
            Mistake(
                lambda shares: 1 - shares.max(),
                "That is the smallest share of wrong answers, not the loss.",
            ),
            Mistake(
                lambda shares: -shares.log().mean(),
                "Each class counts as often as it occurs: a mean with the weights p_k.",
            ),
        ),
    ),
    Exercise(
        name="digits-table.3",
        title="The first step of Adam",
        kind=Function(lambda gradient, rate: -rate * gradient.sign(), _gradient, tolerance=1e-3),
        why="Both means hold one gradient only, so their quotient is its sign. The size of the "
        "gradient has dropped out, but for the small constant.",
        hint="In step 1 the corrected means are g and g squared. What is left of g over its own "
        "absolute value?",
        solution="""
def answer(gradient, rate):
    return -rate * gradient.sign()
""",
        mistakes=(
            Mistake(
                lambda gradient, rate: -rate * gradient,
                "That is the step of gradient descent. Adam divides by the root of the second mean.",
            ),
            Mistake(
                lambda gradient, rate: rate * gradient.sign(),
                "The size is right, the direction is not: the step goes against the gradient.",
            ),
            Mistake(
                lambda gradient, rate: -rate * 0.1 / 0.001**0.5 * gradient.sign(),
                "The two means have not been corrected for their start at zero: divide them by "
                "1 - 0.9 and 1 - 0.999.",
            ),
        ),
    ),
    Exercise(
        name="digits-table.4",
        title="How far a unit can be pushed in one step",
        kind=Function(lambda pixels, rate: rate * (pixels.sum() + 1), _row),
        why="If all weights and the bias move the same way, the pixels add up, because none of them is "
        "negative.",
        hint="The change is the sum of (change of a weight) x (pixel), and the change of the bias. Each "
        "change is at most the rate.",
        solution="""
def answer(pixels, rate):
    return rate * (pixels.sum() + 1)
""",
        mistakes=(
            Mistake(
                lambda pixels, rate: torch.tensor(rate, dtype=torch.float64),
                "So far moves one weight. The unit adds up all of them.",
            ),
            Mistake(
                lambda pixels, rate: rate * (pixels.square().sum().sqrt() + 1),
                "That is the length of the row. Steps of equal size in all weights add up the pixels "
                "themselves.",
            ),
            Mistake(
                lambda pixels, rate: rate * (len(pixels) + 1),
                "A weight whose pixel is black moves nothing: weigh each by its pixel.",
            ),
            Mistake(
                lambda pixels, rate: rate * pixels.sum(),
                "The bias moves too.",
            ),
        ),
    ),
    Exercise(
        name="digits-table.5",
        title="Reading a log",
        kind=Choice("dead", ("dead", "over-fitting", "slow", "finished")),
        why="One in ten is what one class for everything gets, and the loss is a little above "
        "log 10 = 2.303: the inputs no longer reach the output. The optimiser only shakes the last "
        "biases, and with them the class.",
        hint="Compare the accuracy with one in ten, and the loss with log 10.",
        solution="""
answer = "dead"
""",
        mistakes=(
            Mistake(
                "over-fitting",
                "That shows as a gap between training and validation; here both are equally bad.",
            ),
            Mistake(
                "slow",
                "A slow run creeps upwards. Here nothing has improved in nineteen epochs, and the rate "
                "is large.",
            ),
            Mistake("finished", "At one in ten? That is what guessing gives."),
        ),
    ),
)
