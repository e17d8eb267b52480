"""The exercises of the chapter "Convolutions up and down"."""

from __future__ import annotations

import torch

from gancourse.exercises._kinds import Exercise, Function, Mistake, Value


def _kernel_and_padding(generator: torch.Generator) -> tuple[int, int]:
    padding = int(torch.randint(0, 6, (), generator=generator))
    return 2 * padding + int(torch.randint(1, 3, (), generator=generator)), padding


def _odd(generator: torch.Generator) -> tuple[int]:
    return (2 * int(torch.randint(1, 8, (), generator=generator)) + 1,)


EXERCISES = (
    Exercise(
        name="convolutions.1",
        title="The pixels that the floor forgot",
        kind=Function(lambda k, p: 2 + 2 * p - k, _kernel_and_padding, trials=8),
        why="Kernel 4 with padding 1 needs none, kernels 3 and 5 with their usual padding need one.",
        hint="Set (m - 1) s - 2 p + k + o with s = 2 equal to 2 m, and solve for o.",
        solution="""
def answer(k, p):
    return 2 + 2 * p - k
""",
        mistakes=(
            Mistake(
                lambda k, p: k - 2 * p - 2,
                "The sign is turned round: this is what the output has too much without it.",
            ),
            Mistake(
                lambda k, p: 1,
                "Right for odd kernels. Kernel 4 with padding 1 doubles already.",
            ),
            Mistake(
                lambda k, p: 0,
                "Without it, odd kernels end one pixel short of the double: 8 becomes 15.",
            ),
            Mistake(
                lambda k, p: 2 * p - k,
                "Solve once more: (m - 1) 2 is 2 m less two, and these two are missing here.",
            ),
        ),
    ),
    Exercise(
        name="convolutions.2",
        title="A sparse matrix",
        kind=Value(22**2, tolerance=1e-6),
        why="In each direction eight windows of three pixels, less one pixel at each end; then squared.",
        hint="Count along one side first: eight windows of three, of which some lie on padding.",
        solution="""
answer = (3 * 8 - 2) ** 2
""",
        mistakes=(
            Mistake(
                64 * 9,
                "That is nine for each output. Windows at the rim lie partly on padding, which is "
                "no pixel and has no column.",
            ),
            Mistake(22, "That is the count along one side. The image has two."),
            Mistake(9, "Those are the different values. Each stands in the matrix many times."),
            Mistake(64 * 64, "Those are all entries. Most of them are zero."),
            Mistake(
                100,
                "That is the matrix on the page: kernel 4, stride 2, six pixels a side. Here it is "
                "kernel 3, stride 1, eight pixels.",
            ),
        ),
    ),
    Exercise(
        name="convolutions.3",
        title="Wider kernels",
        kind=Function(lambda k: (k + 1) / (k - 1), _odd, trials=6, tolerance=1e-3),
        why="2 for kernel 3, 1.5 for kernel 5, and towards 1 for wide kernels: the checkerboard fades, but "
        "only an even kernel removes the difference.",
        hint="How many stamps lie on a pixel where they are most, and where they are fewest? The "
        "variances are as these counts.",
        solution="""
def answer(k):
    return (k + 1) / (k - 1)
""",
        mistakes=(
            Mistake(
                lambda k: ((k + 1) / (k - 1)) ** 2,
                "That is the ratio of the variances. The question is about standard deviations.",
            ),
            Mistake(
                lambda k: ((k + 1) / (k - 1)) ** 0.5,
                "That is the ratio along a line. In an image the counts of both directions multiply.",
            ),
            Mistake(
                lambda k: 1.0,
                "That holds for even kernels, which the stride 2 divides.",
            ),
            Mistake(
                lambda k: 2.0,
                "Right for kernel 3. For kernel 5 the counts along a side are 3 and 2.",
            ),
        ),
    ),
    Exercise(
        name="convolutions.4",
        title="The view of a patch discriminator",
        kind=Value(70, tolerance=1e-6),
        why="Backwards: 1, 4, 7, then 16, 34, 70. Two convolutions without a stride, at the end, widen the "
        "view by 24 pixels each.",
        hint="Go back from one unit: a layer with kernel k and stride s turns r into s (r - 1) + k.",
        solution="""
r = 1
for k, s in [(4, 1), (4, 1), (4, 2), (4, 2), (4, 2)]:  # from the last
    r = s * (r - 1) + k
answer = r
""",
        mistakes=(
            Mistake(94, "That takes stride 2 for all five. The last two have stride 1."),
            Mistake(22, "Those are the three strided layers alone. Two more follow."),
            Mistake(
                28,
                "That has the layers the other way round: the strided ones come first, and what "
                "follows them counts in steps of eight pixels.",
            ),
            Mistake(16, "That adds up k - 1 as if every stride were 1."),
            Mistake(20, "That adds up the kernels. Strides multiply, and windows overlap."),
        ),
    ),
    Exercise(
        name="convolutions.5",
        title="What 0.02 does to 256 maps",
        kind=Value(0.02 * (256 * 4 * 0.5) ** 0.5, tolerance=5e-3),
        why="256 maps, four entries of the kernel that reach each pixel, half of the mean square left by "
        "ReLU: 0.02 times the root of 512.",
        hint="The variance is the number of terms, times 0.0004, times the mean square of what comes in.",
        solution="""
answer = 0.02 * (256 * 4 * 0.5) ** 0.5
""",
        mistakes=(
            Mistake(
                0.02 * (256 * 4) ** 0.5,
                "ReLU sets one half of the entries to zero: the mean square that comes in is 1/2.",
            ),
            Mistake(
                0.02 * (256 * 16 * 0.5) ** 0.5,
                "The kernel has 16 weights, but with stride 2 only every second one in each "
                "direction reaches a given pixel.",
            ),
            Mistake(
                0.02 * (256 * 16) ** 0.5,
                "Two things: with stride 2 four of the 16 weights reach a pixel, and ReLU halves the "
                "mean square.",
            ),
            Mistake(0.0004 * 512, "That is the variance; take its root."),
            Mistake(
                0.02 * (4 * 0.5) ** 0.5,
                "That is one map. The contributions of all 256 add up.",
            ),
        ),
    ),
)
