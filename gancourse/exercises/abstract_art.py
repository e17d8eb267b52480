"""The exercises of the chapter "Project: abstract art, 200 epochs"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Exercise, Function, Mistake, Value


def _logits(generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    return tuple(  # type: ignore[return-value]
        mean + torch.randn(40, generator=generator) for mean in (3.0, 1.5, -2.0)
    )


def _averaging(generator: torch.Generator) -> tuple[float, int]:
    decay = 0.8 + 0.19 * torch.rand((), generator=generator)
    return float(decay), int(torch.randint(5, 20, (), generator=generator))


def _weights(decay: float, steps: int) -> Tensor:
    return (1 - decay) * decay ** torch.arange(steps)


def _paintings(generator: torch.Generator) -> tuple[int, int, float]:
    train, held_out = torch.randint(50, 900, (2,), generator=generator).tolist()
    return train, held_out, float(torch.rand((), generator=generator))


def _bound(generator: torch.Generator) -> tuple[float, int]:
    s = 200 * torch.rand((), generator=generator)
    return float(s), int(torch.randint(50, 5000, (), generator=generator))


EXERCISES = (
    Exercise(
        name="abstract-art.1",
        title="How much the discriminator knows by heart",
        kind=Function(
            lambda train, held_out, fake: (
                (train.mean() - held_out.mean()) / (train.mean() - fake.mean())
            ),
            _logits,
        ),
        why="0 where held-out images are believed like training images, 1 where they are taken for "
        "fakes; the scale of the logits cancels.",
        hint="Put the means into the definition of r; what stands above is what D cannot carry over.",
        solution="""
def answer(train, held_out, fake):
    return (train.mean() - held_out.mean()) / (train.mean() - fake.mean())
""",
        mistakes=(
            Mistake(
                lambda train, held_out, fake: train.mean() - held_out.mean(),
                "The difference alone grows with the scale of the logits. Divide by the way from "
                "training images to fakes.",
            ),
            Mistake(
                lambda train, held_out, fake: (
                    (held_out.mean() - fake.mean()) / (train.mean() - fake.mean())
                ),
                "That is 1 - r: it is 1 for a discriminator that knows nothing by heart.",
            ),
            Mistake(
                lambda train, held_out, fake: (
                    (train.mean() - held_out.mean()) / (held_out.mean() - fake.mean())
                ),
                "The way below goes from training images to fakes. From held-out images it is no "
                "longer between 0 and 1.",
            ),
        ),
    ),
    Exercise(
        name="abstract-art.2",
        title="A mirror that cannot be undone",
        kind=Value(0.5, tolerance=1e-6),
        why="The eigenvalues are 1 and 1 - 2q. At q = 1/2 a painting and its mirror image become "
        "equally frequent, whatever they were before.",
        hint="With q a pair of frequencies (a, b) becomes ((1-q)a + qb, (1-q)b + qa). When can a and "
        "b not be computed from these?",
        solution="""
answer = 0.5
""",
        mistakes=(
            Mistake(
                1.0,
                "Mirroring every image can be undone: mirror them again. All images changed is not "
                "all information lost.",
            ),
            Mistake(0.0, "Then nothing is changed at all, and nothing need be undone."),
        ),
    ),
    Exercise(
        name="abstract-art.3",
        title="What an average remembers",
        kind=Function(_weights, _averaging),
        why="They add up to 1 - d^n: the older steps have the rest.",
        hint="Write the average out for two steps: (1 - d) w_t + d ((1 - d) w_(t-1) + d ...).",
        solution="""
import torch


def answer(d, n):
    return (1 - d) * d ** torch.arange(n)
""",
        mistakes=(
            Mistake(
                lambda d, n: d ** torch.arange(n),
                "These do not add up to 1 for many steps: the factor 1 - d is missing.",
            ),
            Mistake(
                lambda d, n: _weights(d, n).flip(0),
                "The order is turned round: the latest step weighs most and comes first.",
            ),
            Mistake(
                lambda d, n: d * (1 - d) ** torch.arange(n),
                "The two factors are exchanged: at every later step an old weight is multiplied by d.",
            ),
            Mistake(
                lambda d, n: torch.full((n,), 1 / n),
                "That is the plain mean of n steps. Here older steps weigh less and less.",
            ),
        ),
    ),
    Exercise(
        name="abstract-art.4",
        title="A generator that sometimes copies",
        kind=Function(lambda n, m, c: (1 - c) * m / (n + m), _paintings),
        why="A copy has a training image as its nearest; of the others a share of m / (n + m) has a "
        "held-out one.",
        hint="Take the samples apart: those that are copies, and those that are not.",
        solution="""
def answer(n, m, c):
    return (1 - c) * m / (n + m)
""",
        mistakes=(
            Mistake(
                lambda n, m, c: m / (n + m),
                "That is the share without any copies.",
            ),
            Mistake(
                lambda n, m, c: (1 - c) * m / n,
                "The nearest painting is looked for among all n + m.",
            ),
            Mistake(
                lambda n, m, c: m / (n + m) - c,
                "Of the copies, too, only some would have had a held-out painting as their nearest.",
            ),
            Mistake(
                lambda n, m, c: c * m / (n + m),
                "The copies are those whose nearest painting is never a held-out one.",
            ),
        ),
    ),
    Exercise(
        name="abstract-art.5",
        title="What s allows",
        kind=Function(lambda s, n: (s / n) ** 0.5, _bound),
        why="The same s is a loose bound for few points and a tight one for many.",
        hint="s bounds the sum of n squares. How large is one of them on average, and its root?",
        solution="""
def answer(s, n):
    return (s / n) ** 0.5
""",
        mistakes=(
            Mistake(lambda s, n: s / n, "That is the mean square: take the root."),
            Mistake(
                lambda s, n: s**0.5,
                "s bounds the sum of all squares, not each of them: divide by the number of points.",
            ),
            Mistake(lambda s, n: s**0.5 / n, "Divide first, then take the root."),
        ),
    ),
)
