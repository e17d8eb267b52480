"""The exercises of the chapter "Clothes: a classifier, and how far to believe it"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _answers(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    p = torch.softmax(3 * torch.randn(200, 10, generator=generator), dim=1)
    return p, torch.randint(0, 10, (200,), generator=generator)


def _accuracy(p: Tensor, y: Tensor) -> Tensor:
    return (p.argmax(1) == y).double().mean()


EXERCISES = (
    Exercise(
        name="clothes.1",
        title="Half as many hidden units",
        kind=Value(784 * 64 + 64 + 64 * 10 + 10, tolerance=1e-6),
        why="Half of 101,760 and the ten biases of the output, which do not depend on the width.",
        hint="Each dense layer has inputs times outputs weights and a bias for each output.",
        solution="""
answer = (784 * 64 + 64) + (64 * 10 + 10)
""",
        mistakes=(
            Mistake(
                784 * 64 + 64 * 10,
                "Those are the weights. Each unit of both layers has a bias as well.",
            ),
            Mistake(
                784 * 64 + 64,
                "That is the hidden layer alone; the output layer has parameters too.",
            ),
            Mistake(
                101_770 / 2,
                "Nearly: the ten biases of the output do not become fewer.",
            ),
        ),
    ),
    Exercise(
        name="clothes.2",
        title="Promising too much",
        kind=Function(lambda p, y: p.max(1).values.double().mean() - _accuracy(p, y), _answers),
        why="Positive if it promises too much. It can be 0 for a network that promises too much here "
        "and too little there; hence the groups in the chapter.",
        hint="The certainty of an answer is the largest of its ten probabilities.",
        solution="""
def answer(p, y):
    right = (p.argmax(1) == y).double()
    return p.max(1).values.double().mean() - right.mean()
""",
        mistakes=(
            Mistake(
                lambda p, y: _accuracy(p, y) - p.max(1).values.double().mean(),
                "That is how much it promises too little: turn the difference round.",
            ),
            Mistake(
                lambda p, y: p[torch.arange(len(y)), y].double().mean() - _accuracy(p, y),
                "That takes the probability of the right class, which the network does not know. The "
                "certainty belongs to the class that it names.",
            ),
            Mistake(
                lambda p, y: p.max(1).values.double().mean(),
                "That is the promise; take off what is kept of it.",
            ),
        ),
    ),
    Exercise(
        name="clothes.3",
        title="Softmax twice",
        kind=Value(math.log((math.e + 9) / math.e)),
        why="The second softmax sees a one and nine zeros: e / (e + 9) is the most that it can give "
        "to the right class, and the loss can never fall below this.",
        hint="Put a 1 and nine zeros into the softmax, and take minus the logarithm of the first.",
        solution="""
import math

answer = -math.log(math.e / (math.e + 9))
""",
        mistakes=(
            Mistake(
                0.0,
                "It would be 0 with the probabilities as they are. The second softmax flattens them.",
            ),
            Mistake(
                math.e / (math.e + 9),
                "That is the probability after the second softmax; the loss is minus its logarithm.",
            ),
            Mistake(
                math.log(10),
                "That is the loss of ten equal probabilities. A one stands out among the zeros, if "
                "only by a factor of e.",
            ),
        ),
    ),
    Exercise(
        name="clothes.4",
        title="Better on what it has not seen",
        kind=Choice("moving", ("moving", "easier", "leak", "chance")),
        why="The first batches are judged by weights that have learned next to nothing, and they "
        "count as much as the last.",
        hint="When is each of the two numbers measured?",
        solution="""
answer = "moving"
""",
        mistakes=(
            Mistake(
                "easier",
                "Then it would stay so. At the end, both measured on the finished network, the "
                "training pictures do better.",
            ),
            Mistake(
                "leak",
                "With all test pictures among the training pictures, the two accuracies would end "
                "close together; they are points apart.",
            ),
            Mistake("chance", "It is so from every seed, by more than two points."),
        ),
    ),
)
