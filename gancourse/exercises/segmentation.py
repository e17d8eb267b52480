"""The exercises of the chapter "A class for every pixel"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _counts(generator: torch.Generator) -> tuple[Tensor]:
    size = int(torch.randint(2, 5, (), generator=generator))
    counts = torch.randint(1, 50, (size, size), generator=generator).double()
    return (counts + 40 * torch.eye(size),)


def _iou(confusion: Tensor) -> Tensor:
    both = confusion.diagonal()
    return both / (confusion.sum(0) + confusion.sum(1) - both)


def _pixels(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    losses = 3 * torch.rand(12, generator=generator, dtype=torch.float64)
    mask = torch.randint(0, 3, (12,), generator=generator)
    mask[:3] = 11
    mask[3] = 0
    return losses, mask


def _without_void(losses: Tensor, mask: Tensor) -> Tensor:
    return losses[mask != 11].mean()


def _share(generator: torch.Generator) -> tuple[float, int]:
    share = 0.1 + 0.8 * float(torch.rand((), generator=generator))
    return share, int(torch.randint(2, 21, (), generator=generator))


EXERCISES = (
    Exercise(
        name="segmentation.1",
        title="The first step up",
        kind=Value(1_475_584, tolerance=1e-7),
        why="3 * 3 * 320 * 512 weights of the kernel, and a scale and a shift for each of the 512 maps.",
        hint="A kernel of 3 x 3 for each pair of an input and an output map; then two trained "
        "numbers a map for the batch normalisation.",
        solution="""
answer = 3 * 3 * 320 * 512 + 2 * 512
""",
        mistakes=(
            Mistake(1_474_560, "That is the kernel. Batch normalisation has trained weights too."),
            Mistake(
                1_476_608,
                "Of the four numbers a map of a batch normalisation, two are statistics, which are "
                "counted along and not trained.",
            ),
            Mistake(
                1_476_096,
                "There is no bias: batch normalisation would subtract it again.",
            ),
        ),
    ),
    Exercise(
        name="segmentation.2",
        title="Intersection over union",
        kind=Function(_iou, _counts),
        why="The pixels that both call by the class, over those that at least one does; those that both "
        "do are in the row and in the column, and must be counted once.",
        hint="Row sum: the class is the true one. Column sum: it is the predicted one. Diagonal: both.",
        solution="""
def answer(confusion):
    both = confusion.diagonal()
    return both / (confusion.sum(0) + confusion.sum(1) - both)
""",
        mistakes=(
            Mistake(
                lambda c: c.diagonal() / (c.sum(0) + c.sum(1)),
                "The pixels on the diagonal are in the row sum and in the column sum; the union counts "
                "them once.",
            ),
            Mistake(
                lambda c: c.diagonal() / c.sum(1),
                "That is the share of each true class that is found (recall). Pixels that are wrongly "
                "given to the class must cost something too.",
            ),
            Mistake(
                lambda c: c.diagonal() / c.sum(0),
                "That is the share of each predicted class that is right (precision). Pixels of the "
                "class that are missed must cost something too.",
            ),
        ),
    ),
    Exercise(
        name="segmentation.3",
        title="One class everywhere",
        kind=Function(lambda share, classes: torch.tensor([share, share / classes]), _share),
        why="Pixel accuracy is the share itself. One class has the intersection over union `part`, all "
        "others 0: the mean is that share over the number of classes.",
        hint="For the predicted class the union is everything, the intersection its true pixels. What "
        "is the intersection for each other class?",
        solution="""
import torch


def answer(part, count):
    return torch.tensor([part, part / count])
""",
        mistakes=(
            Mistake(
                lambda share, classes: torch.tensor([share, share]),
                "The mean goes over all classes that occur; those that are never predicted count 0.",
            ),
            Mistake(
                lambda share, classes: torch.tensor([share / classes, share / classes]),
                "The pixel accuracy does not ask for classes: a share of the pixels is right.",
            ),
        ),
    ),
    Exercise(
        name="segmentation.4",
        title="A loss without void",
        kind=Function(_without_void, _pixels),
        why="Only the pixels that have a class are in the sum, and only they are counted.",
        hint="Choose the losses where the mask is not 11, and take their mean.",
        solution="""
def answer(losses, mask):
    return losses[mask != 11].mean()
""",
        mistakes=(
            Mistake(
                lambda losses, mask: (losses * (mask != 11)).mean(),
                "The sum is right. But it is divided by the number of all pixels: a picture with much "
                "void would seem easy.",
            ),
            Mistake(
                lambda losses, mask: losses.mean(),
                "The void pixels are still in it.",
            ),
        ),
    ),
    Exercise(
        name="segmentation.5",
        title="Left and right",
        kind=Choice("both", ("both", "image", "mask", "neither")),
        why="A pixel and its class must stay at the same place, so both are mirrored, by the same draw.",
        hint="After the change, is the class of each pixel still the one at its place?",
        solution="""
answer = "both"
""",
        mistakes=(
            Mistake(
                "image",
                "For a classifier that is right, since the class of a mirrored cat is still cat. Here "
                "the mask would tell each pixel the class of another.",
            ),
            Mistake("mask", "The picture would stay, and each class would move to another pixel."),
            Mistake(
                "neither",
                "That is right too, but nothing is random then: the question is how to mirror.",
            ),
        ),
    ),
)
