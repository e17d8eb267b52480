"""The exercises of the chapter "Small pictures of ten classes"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _layer(generator: torch.Generator) -> tuple[int, int, int]:
    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    pool = draw(2, 4)
    kernel = draw(5, 8)
    # sizes that the pooling divides, and others, so that rounding down shows
    side = kernel - 1 + pool * draw(4, 12) + draw(0, pool)
    return side, kernel, pool


def _maps(generator: torch.Generator) -> tuple[int, int, int]:
    side, maps_in, maps_out = (
        int(torch.randint(low, high, (), generator=generator))
        for low, high in ((2, 8), (3, 65), (8, 65))
    )
    return side, maps_in, maps_out


def _confusion(generator: torch.Generator) -> tuple[Tensor]:
    counts = torch.randint(1, 60, (4, 4), generator=generator) + 80 * torch.eye(4).long()
    return (counts.double(),)


EXERCISES = (
    Exercise(
        name="cifar10-classifier.1",
        title="A convolution and a pooling",
        kind=Function(lambda n, k, p: (n - k + 1) // p, _layer),
        why="The convolution leaves n - k + 1; the pooling divides and drops what is left over.",
        hint="First the convolution without padding, then the pooling, rounded down.",
        solution="""
def answer(n, k, p):
    return (n - k + 1) // p
""",
        mistakes=(
            Mistake(
                lambda n, k, p: n // p,
                "Without padding the convolution takes k - 1 pixels away before the pooling.",
            ),
            Mistake(
                lambda n, k, p: -(-(n - k + 1) // p),
                "Rounded up. The pooling drops rows and columns that do not fill a whole square.",
            ),
            Mistake(
                lambda n, k, p: (n - k + 1) / p,
                "Half a pixel does not exist: round down.",
            ),
            Mistake(
                lambda n, k, p: (n - k) // p,
                "Off by one: a kernel as large as the image has one place, not none.",
            ),
        ),
    ),
    Exercise(
        name="cifar10-classifier.2",
        title="Dense against convolutional",
        kind=Function(lambda side, a, b: (side * side) ** 2 * a * b / (9 * a * b), _maps),
        why="The maps cancel: side to the fourth power over nine. A convolution costs the same weights "
        "for every size of image.",
        hint="Count the weights of both, without biases: one has a weight for each pair of input and "
        "output pixels, the other 3 x 3 for each pair of maps.",
        solution="""
def answer(side, maps_in, maps_out):
    dense = (side * side * maps_in) * (side * side * maps_out)
    return dense / (3 * 3 * maps_in * maps_out)
""",
        mistakes=(
            Mistake(
                lambda side, a, b: side**2 / 9,
                "A dense layer connects every input pixel with every output pixel: the area counts "
                "twice.",
            ),
            Mistake(
                lambda side, a, b: side**4 * a * b / 9,
                "The convolution too has a kernel for each pair of maps: the maps cancel.",
            ),
            Mistake(
                lambda side, a, b: side**4,
                "That compares with one weight for each pair of maps. A kernel has nine.",
            ),
        ),
    ),
    Exercise(
        name="cifar10-classifier.3",
        title="What one unit sees",
        kind=Value(18, tolerance=1e-6),
        why="Backwards from one unit: 3, doubled 6, then 8, doubled 16, then 18.",
        hint="Go backwards from one unit of the last map: a convolution adds 2 to the side, a "
        "pooling doubles it.",
        solution="""
side = 1
side = side + 2       # third convolution
side = 2 * side       # pooling
side = side + 2       # second convolution
side = 2 * side       # pooling
answer = side + 2     # first convolution
""",
        mistakes=(
            Mistake(7, "Three convolutions alone would see 7. The poolings widen the view."),
            Mistake(
                12, "Four times three: but a kernel that has been doubled grows by 2 at each layer."
            ),
            Mistake(3, "So much of the map before it. Go on backwards, to the image."),
            Mistake(
                8,
                "There you are behind the first pooling: two layers are still to go.",
            ),
        ),
    ),
    Exercise(
        name="cifar10-classifier.4",
        title="Accuracy class by class",
        kind=Function(lambda counts: counts.diagonal() / counts.sum(1), _confusion),
        why="Of the pictures of a class, which are a row, those on the diagonal are right.",
        hint="Rows are the true classes. How many of a row are on the diagonal?",
        solution="""
def answer(counts):
    return counts.diagonal() / counts.sum(1)
""",
        mistakes=(
            Mistake(
                lambda counts: counts.diagonal() / counts.sum(0),
                "Columns are what was predicted: this is the share of predictions that are right, "
                "called precision.",
            ),
            Mistake(
                lambda counts: counts.diagonal() / counts.sum(),
                "That is divided by all pictures; the parts of a class are compared with that class.",
            ),
            Mistake(
                lambda counts: counts.diagonal(),
                "Those are numbers of pictures. Divide by how many there are of each class.",
            ),
        ),
    ),
    Exercise(
        name="cifar10-classifier.5",
        title="Which knob",
        kind=Choice("augment", ("augment", "longer", "wider", "unshuffled")),
        why="The gap is the trouble, and changed copies of the pictures narrow it. What that costs and "
        "brings is measured on cats and dogs.",
        hint="The training accuracy is no longer the limit. Which change helps the pictures that the "
        "network has not seen?",
        solution="""
answer = "augment"
""",
        mistakes=(
            Mistake(
                "longer",
                "More of the same: the training loss would go on falling and the test loss rise.",
            ),
            Mistake(
                "wider",
                "More weights make it easier still to fit the training pictures.",
            ),
            Mistake(
                "unshuffled",
                "Without shuffling each epoch repeats the same batches; that does not make the "
                "pictures any more varied.",
            ),
        ),
    ),
)
