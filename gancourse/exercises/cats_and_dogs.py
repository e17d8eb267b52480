"""The exercises of the chapter "Cats and dogs: learning by heart"."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _logits(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    a = 3 * torch.randn(40, generator=generator, dtype=torch.float64)
    a[:4] = torch.tensor([300.0, -300.0, 900.0, -900.0])
    return a, torch.randint(0, 2, (40,), generator=generator).double()


def _loss(a: Tensor, y: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(a, y)


def _masked(generator: torch.Generator) -> tuple[Tensor, Tensor, float]:
    rate = 0.1 + 0.3 * float(torch.rand((), generator=generator))
    kept = (torch.rand(30, generator=generator) >= rate).double()
    return torch.rand(30, generator=generator, dtype=torch.float64), kept, rate


EXERCISES = (
    Exercise(
        name="cats-and-dogs.1",
        title="One block more",
        kind=Value(448 + 4_640 + 18_496 + 36_928 + 2_654_720 + 513, tolerance=1e-7),
        why="A layer more, and a quarter of the parameters: the dense layer sees 9 x 9 places in "
        "place of 18 x 18.",
        hint="The fourth pooling halves 18 to 9. Count the new convolution, and the dense layer "
        "anew from 9 x 9 x 64 inputs.",
        solution="""
convolutions = (27 * 16 + 16) + (144 * 32 + 32) + (288 * 64 + 64)
fourth = 9 * 64 * 64 + 64
dense = 9 * 9 * 64 * 512 + 512
answer = convolutions + fourth + dense + (512 + 1)
""",
        mistakes=(
            Mistake(
                10_641_441 + 36_928,
                "That adds the convolution and leaves the dense layer as it was. Behind a fourth "
                "pooling it has a quarter of the inputs.",
            ),
            Mistake(
                36_928 + 2_654_720 + 513,
                "The first three convolutions are missing: 448, 4,640 and 18,496.",
            ),
            Mistake(
                448 + 4_640 + 18_496 + 2_654_720 + 513,
                "The fourth convolution is missing: 9 weights for each pair of maps, and 64 biases.",
            ),
            Mistake(
                2 * 18_496 + 448 + 4_640 + 2_654_720 + 513,
                "The fourth convolution has 64 maps before it, not 32.",
            ),
        ),
    ),
    Exercise(
        name="cats-and-dogs.2",
        title="The loss, from the logits",
        kind=Function(_loss, _logits),
        why="It never forms a probability, so that none is rounded to 0 or 1; the loss of a certain "
        "and wrong answer is large, and finite.",
        hint="Write the chapter's equation for the loss in terms of the logit; torch.log1p and "
        "torch.clamp(a, min=0) keep it finite for logits of 900. Then take the mean.",
        solution="""
import torch


def answer(a, y):
    return (a.clamp(min=0) - a * y + torch.log1p(torch.exp(-a.abs()))).mean()
""",
        mistakes=(
            Mistake(
                lambda a, y: F.binary_cross_entropy_with_logits(a, y, reduction="sum"),
                "That is the sum over the photographs; the loss is their mean.",
            ),
            Mistake(
                lambda a, y: F.binary_cross_entropy_with_logits(a, 1 - y),
                "Cats and dogs are exchanged: the logit is that of label 1, a dog.",
            ),
            Mistake(
                lambda a, y: -F.binary_cross_entropy_with_logits(a, y),
                "That is the mean of the logarithms; the loss is minus it.",
            ),
            Mistake(
                lambda a, y: F.binary_cross_entropy(torch.sigmoid(a), y),
                "Nearly: for a logit of 300 the sigmoid is rounded to exactly 1, and PyTorch cuts "
                "the logarithms off at -100. Stay with the logits.",
            ),
        ),
    ),
    Exercise(
        name="cats-and-dogs.3",
        title="How many photographs",
        kind=Value(0.73 * 0.27 / 0.005**2),
        why="About eight times as many photographs for an error about a third as large: the error "
        "falls with the root of the number.",
        hint="Solve the formula of the standard error for n.",
        solution="""
answer = 0.73 * (1 - 0.73) / 0.005**2
""",
        mistakes=(
            Mistake(
                0.73 * 0.27 / 0.005,
                "The standard error is a square root, so its square stands below.",
            ),
            Mistake(
                0.25 / 0.005**2,
                "That is for an accuracy of one half, where the error is largest.",
            ),
            Mistake(0.73 * 0.27 / 0.5**2, "Half a point is 0.005, not 0.5."),
        ),
    ),
    Exercise(
        name="cats-and-dogs.4",
        title="Dropout, once by hand",
        kind=Function(lambda x, kept, rate: x * kept / (1 - rate), _masked),
        why="Divided by the share that stays, the mean is what it is without dropout. So nothing has "
        "to be changed when it is switched off.",
        hint="What is left out becomes 0. What stays is enlarged so that the mean is kept.",
        solution="""
def answer(x, kept, rate):
    return x * kept / (1 - rate)
""",
        mistakes=(
            Mistake(
                lambda x, kept, rate: x * kept,
                "The mean would be smaller in training than afterwards, by the share left out.",
            ),
            Mistake(
                lambda x, kept, rate: x * kept * (1 - rate),
                "That makes it smaller still: divide by the share that stays.",
            ),
            Mistake(
                lambda x, kept, rate: x * kept / rate,
                "`rate` is the share that is left out; divide by the share that stays.",
            ),
            Mistake(
                lambda x, kept, rate: x * (1 - kept) / (1 - rate),
                "`kept` is 1 where a number stays, not where it is left out.",
            ),
        ),
    ),
    Exercise(
        name="cats-and-dogs.5",
        title="Better on what it has not seen, again",
        kind=Choice("harder", ("harder", "leak", "smaller", "moving")),
        why="Turned, enlarged and with a fifth of two layers missing, the photographs are a harder "
        "task than the plain ones of the validation.",
        hint="What is switched on when the first of the two is measured, and off for the second?",
        solution="""
answer = "harder"
""",
        mistakes=(
            Mistake(
                "leak",
                "A leak would lift the validation up to the training accuracy, and not above it.",
            ),
            Mistake(
                "smaller",
                "Fewer photographs make an accuracy less certain. They do not make it higher.",
            ),
            Mistake(
                "moving",
                "That plays a part: the mean is taken over an epoch in which the weights improve. But "
                "it is the same without augmentation, where the order is the other one by far.",
            ),
        ),
    ),
)
