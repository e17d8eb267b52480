"""The exercises of the chapter "Making it fast"."""

from __future__ import annotations

import torch

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _draw(generator: torch.Generator, low: int, high: int) -> int:
    return int(torch.randint(low, high, (), generator=generator))


def _layer(generator: torch.Generator) -> tuple[int, int, int, int]:
    """Kernel, maps in, maps out, side that goes in."""
    return (
        2 * _draw(generator, 1, 4),
        _draw(generator, 2, 40),
        _draw(generator, 2, 40),
        _draw(generator, 3, 20),
    )


def _part(generator: torch.Generator) -> tuple[float, float]:
    part = 0.1 + 0.8 * float(torch.rand((), generator=generator))
    return part, 1.5 + 8 * float(torch.rand((), generator=generator))


def _two_batches(generator: torch.Generator) -> tuple[float, float, float, float]:
    """Two batch sizes and the milliseconds of their steps."""
    few = _draw(generator, 2, 20)
    many = few + _draw(generator, 30, 200)
    fixed = 2 + 8 * float(torch.rand((), generator=generator))
    each = 0.2 + float(torch.rand((), generator=generator))
    return few, fixed + each * few, many, fixed + each * many


# The net of 28 pixels and width 32: operations of a forward pass of one image.
_GENERATOR = (100 * 3136 * 2, 2 * 16 * 64 * 32 * 7**2, 2 * 16 * 32 * 14**2)
_DISCRIMINATOR = (2 * 16 * 32 * 14**2, 2 * 16 * 32 * 64 * 7**2, 2 * 3136)


def _work(generator: tuple[int, ...], discriminator: tuple[int, ...]) -> int:
    passes = zip(generator + discriminator, _GENERATOR + _DISCRIMINATOR, strict=True)
    return sum(count * operations for count, operations in passes)


_OURS = _work((2, 3, 3), (6, 8, 8))
_WASTEFUL = _work((3, 4, 4), (7, 9, 9))

EXERCISES = (
    Exercise(
        name="making-it-fast.1",
        title="The operations of a transposed convolution",
        kind=Function(lambda k, c, m, n: 2 * k * k * c * m * n * n, _layer, trials=6),
        why="It stamps its kernels once for each pixel that goes in. A strided convolution from 2 n to n "
        "pixels with the same kernels costs the same: it is the other one's transpose.",
        hint="How many kernels are there, how many weights has each, and how often is each used?",
        solution="""
def answer(k, c, m, n):
    return 2 * k**2 * c * m * n**2
""",
        mistakes=(
            Mistake(
                lambda k, c, m, n: 2 * k * k * c * m * (2 * n) ** 2,
                "Those are the pixels that come out. A transposed convolution stamps once for each "
                "pixel that goes in, a quarter of them.",
            ),
            Mistake(
                lambda k, c, m, n: k * k * c * m * n * n,
                "That counts the multiplications. Each product is also added to a sum.",
            ),
            Mistake(
                lambda k, c, m, n: 2 * k * c * m * n * n,
                "A kernel has k rows and k columns.",
            ),
            Mistake(
                lambda k, c, m, n: 2 * k * k * (c + m) * n * n,
                "There is a kernel for each pair of a map that goes in and one that comes out.",
            ),
        ),
    ),
    Exercise(
        name="making-it-fast.2",
        title="A loop that wastes passes",
        kind=Value(_WASTEFUL / _OURS, tolerance=5e-3),
        why="Two measures that cost nothing save a sixth of the operations, on every machine.",
        hint="The second batch of fakes is one more forward pass of every layer of the generator. Without "
        "freezing, every layer of the discriminator has one more product, also the first.",
        solution="""
seen = list(zip(counted, passes, strict=True))
ours = sum(flops * times for flops, times in seen)
wasteful = sum(flops * (times + 1) for flops, times in seen)
answer = wasteful / ours
""",
        mistakes=(
            Mistake(
                _OURS / _WASTEFUL,
                "That is what our step does of the other's operations. Asked is the other way round.",
            ),
            Mistake(
                _work((2, 3, 3), (7, 9, 9)) / _OURS,
                "That is the discriminator alone. The fakes that are drawn twice are missing.",
            ),
            Mistake(
                _work((3, 4, 4), (6, 8, 8)) / _OURS,
                "That is the generator alone. The discriminator's gradient that nobody uses is missing.",
            ),
            Mistake(
                (4 + 9) / (3 + 8),
                "Passes of different layers cost different amounts: weigh each with its operations.",
            ),
        ),
    ),
    Exercise(
        name="making-it-fast.3",
        title="What can be gained at best",
        kind=Function(lambda p, s: 1 / (1 - p + p / s), _part, trials=6),
        why="However large s is, the gain stays below 1 / (1 - p): the rest takes its time.",
        hint="Let the whole take 1. How long does it take after the change?",
        solution="""
def answer(p, s):
    return 1 / ((1 - p) + p / s)
""",
        mistakes=(
            Mistake(
                lambda p, s: s,
                "Only if everything became faster. The part 1 - p takes as long as before.",
            ),
            Mistake(
                lambda p, s: p * s + 1 - p,
                "Speeds do not add up, times do: add what each part takes.",
            ),
            Mistake(
                lambda p, s: 1 - p + p / s,
                "That is the time that is left. The gain is one over it.",
            ),
            Mistake(
                lambda p, s: 1 / (p + (1 - p) / s),
                "The parts have changed places: p is the part that becomes faster.",
            ),
        ),
    ),
    Exercise(
        name="making-it-fast.4",
        title="The fixed cost of a step",
        kind=Function(
            lambda n, t, m, u: t - n * (u - t) / (m - n), _two_batches, trials=6, tolerance=1e-3
        ),
        why="What a step of no images would take. It is paid once a step, so large batches share it.",
        hint="Two points lie on a straight line. Its slope is the cost of an image; where does it begin?",
        solution="""
def answer(n, t, m, u):
    slope = (u - t) / (m - n)
    return t - slope * n
""",
        mistakes=(
            Mistake(
                lambda n, t, m, u: (u - t) / (m - n),
                "That is the slope, the cost of one more image.",
            ),
            Mistake(
                lambda n, t, m, u: t,
                "The small batch has images too, and they have their share in its time.",
            ),
            Mistake(
                lambda n, t, m, u: t - n * u / m,
                "u / m is the time an image takes in the large batch, with its share of the fixed cost.",
            ),
            Mistake(
                lambda n, t, m, u: u - t,
                "That is the cost of the additional images, all of them.",
            ),
        ),
    ),
    Exercise(
        name="making-it-fast.5",
        title="Too good to be true",
        kind=Choice("wait", ("wait", "warm-up", "cache", "turns")),
        why="The clock has timed the asking. Wait for the device before each reading.",
        hint="Which part of the work is the same for 64 images and for 4096?",
        solution="""
answer = "wait"
""",
        mistakes=(
            Mistake(
                "warm-up",
                "Without a warm-up the first steps take longer than the others, not the same.",
            ),
            Mistake(
                "cache",
                "Data that stay in a cache speed up a small batch; a batch 64 times as large does not fit.",
            ),
            Mistake(
                "turns",
                "Without turns the machine's moods get into a ratio of two programs. Here it is one "
                "program, and its time does not depend on the work.",
            ),
        ),
    ),
)
