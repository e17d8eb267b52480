"""The exercises of the chapter "Handwritten digits: read, and then really drawn"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _answers(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    p = torch.softmax(3 * torch.randn(200, 10, generator=generator), dim=1)
    return p, torch.randint(0, 10, (200,), generator=generator)


def _among(p: Tensor, y: Tensor, first: int, last: int) -> Tensor:
    """Share of labels whose class has a rank from ``first`` to ``last``, 0 the most probable."""
    ranked = p.argsort(1, descending=True)[:, first : last + 1]
    return (ranked == y[:, None]).any(1).double().mean()


def _counts(generator: torch.Generator) -> tuple[Tensor]:
    counts = torch.randint(1, 400, (10,), generator=generator)
    counts[torch.randint(0, 10, (3,), generator=generator)] = 0
    return (counts,)


def _entropy(counts: Tensor) -> Tensor:
    return torch.special.entr(counts.double() / counts.sum()).sum()


EXERCISES = (
    Exercise(
        name="handwritten-digits.1",
        title="Right at the second attempt",
        kind=Function(lambda p, y: _among(p, y, 0, 1), _answers),
        why="The share grows with every attempt that is allowed, and with ten it is 1: an accuracy "
        "says little without their number.",
        hint="Find the two most probable classes of each row, and whether the label is one of them.",
        solution="""
def answer(p, y):
    two = p.topk(2, dim=1).indices
    return (two == y[:, None]).any(1).double().mean()
""",
        mistakes=(
            Mistake(
                lambda p, y: _among(p, y, 0, 0),
                "That is the plain accuracy: one attempt.",
            ),
            Mistake(
                lambda p, y: _among(p, y, 1, 1),
                "That counts the second attempts alone. The first may be right as well.",
            ),
            Mistake(
                lambda p, y: (p.topk(2, dim=1).indices == y[:, None]).double().mean(),
                "That divides by both attempts: a row is right if any of its two is.",
            ),
            Mistake(
                lambda p, y: _among(p, y, 8, 9),
                "Those are the two least probable classes; sort the other way round.",
            ),
        ),
    ),
    Exercise(
        name="handwritten-digits.2",
        title="What a file holds",
        kind=Value(3 * 4 * 101_770, tolerance=1e-6),
        why="Three numbers of four bytes for each of the 101,770 parameters; the file is a little "
        "larger, for the architecture and the names. Without the optimiser it is a third of it.",
        hint="Count the numbers that are kept for each parameter, then the bytes of a number.",
        solution="""
answer = 101_770 * (1 + 2) * 4
""",
        mistakes=(
            Mistake(4 * 101_770, "Those are the parameters alone. Adam keeps two more for each."),
            Mistake(
                2 * 4 * 101_770,
                "Adam has two running means, of the gradient and of its square; and the parameter "
                "itself is kept too.",
            ),
            Mistake(3 * 101_770, "That is how many numbers there are. Each takes 32 bits."),
            Mistake(3 * 32 * 101_770, "Those are bits; a byte has eight."),
        ),
    ),
    Exercise(
        name="handwritten-digits.3",
        title="What a certainty says",
        kind=Choice("ratio", ("digit", "seven", "ratio", "real")),
        why="The ten probabilities compare the ten classes with each other, and with nothing else.",
        hint="Think of the pictures of specks above, of which the reader was certain.",
        solution="""
answer = "ratio"
""",
        mistakes=(
            Mistake("digit", "It is as certain of noise. There is no class for what is no digit."),
            Mistake(
                "seven",
                "That would follow if every picture showed a digit, and if the promise "
                "were kept. Neither is so.",
            ),
            Mistake("real", "That is a question about p(x), which a classifier does not model."),
        ),
    ),
    Exercise(
        name="handwritten-digits.4",
        title="Classes in effect",
        kind=Function(lambda counts: _entropy(counts).exp(), _counts),
        why="It is 10 when all are equally frequent, 1 when there is only one, and counts a rare "
        "class as a fraction.",
        hint="Turn counts into shares first, and let 0 ln 0 be 0, which is its limit.",
        solution="""
import torch


def answer(counts):
    shares = counts[counts > 0].double() / counts.sum()
    return torch.exp(-(shares * torch.log(shares)).sum())
""",
        mistakes=(
            Mistake(_entropy, "That is the entropy H, in nats. The number of classes is e to it."),
            Mistake(
                lambda counts: (_entropy(counts) / torch.log(torch.tensor(2.0))).exp(),
                "That takes H in bits and raises e to it; 2 belongs to bits, e to nats.",
            ),
            Mistake(
                lambda counts: (counts > 0).double().sum(),
                "That counts a class that occurs once as much as any other.",
            ),
            Mistake(
                lambda counts: counts.sum() / counts.max().double(),
                "That looks at the most frequent class alone.",
            ),
        ),
    ),
)
