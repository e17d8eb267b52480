"""The exercises of the chapter "Project: Fashion-MNIST, 50 epochs"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Exercise, Function, Mistake, Value


def _kinds(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    weights = torch.rand(2, 6, generator=generator, dtype=torch.float64) + 0.05
    p, q = weights / weights.sum(1, keepdim=True)
    return p, q


def _gap(p: Tensor, q: Tensor) -> Tensor:
    return ((p - q) ** 2 / (p + q)).sum() / 2


def _scores(generator: torch.Generator) -> tuple[Tensor]:
    luck, level = torch.randn(4, 1, generator=generator), torch.randn(1, 9, generator=generator)
    return (5 + luck + level + 0.3 * torch.randn(4, 9, generator=generator),)


def _rest(scores: Tensor) -> Tensor:
    return scores - scores.mean(0) - scores.mean(1, keepdim=True) + scores.mean()


def _noise(scores: Tensor) -> Tensor:
    freedom = (scores.shape[0] - 1) * (scores.shape[1] - 1)
    return (_rest(scores).square().sum() / freedom).sqrt()


EXERCISES = (
    Exercise(
        name="fashion-mnist-project.1",
        title="One score tells the other",
        kind=Value(0.24),
        why="With the best bias the two scores sum to 1, so the other one is 0.38.",
        hint="What is the sum of the two scores where the loss is smallest in the last bias?",
        solution="""
real = 0.62
fake = 1 - real
answer = real - fake
""",
        mistakes=(
            Mistake(0.38, "That is the score of the fakes. The gap is what lies between the two."),
            Mistake(
                0.12,
                "That is the distance from one half. The fakes are as far away on the other side.",
            ),
            Mistake(0.0, "The gap is 0 only where both scores are one half."),
        ),
    ),
    Exercise(
        name="fashion-mnist-project.2",
        title="The gap of the best discriminator",
        kind=Function(_gap, _kinds),
        why="It is 0 for equal distributions and 1 for kinds that never occur on both sides.",
        hint="The best discriminator gives kind k the number p_k / (p_k + q_k). Take its mean over "
        "the real images and over the fakes.",
        solution="""
def answer(p, q):
    best = p / (p + q)
    return (p * best).sum() - (q * best).sum()
""",
        mistakes=(
            Mistake(
                lambda p, q: ((p - q) ** 2 / (p + q)).sum(),
                "Twice too much: in the formula one half stands before the sum.",
            ),
            Mistake(
                lambda p, q: (p - q).abs().sum() / 2,
                "That is the total variation: the gap of a discriminator that says 0 or 1. The "
                "best one for the logarithmic loss says how sure it is.",
            ),
            Mistake(
                lambda p, q: (p * p / (p + q)).sum(),
                "That is the score of the real images. Take off that of the fakes.",
            ),
            Mistake(
                lambda p, q: (p / (p + q)).mean() - (q / (p + q)).mean(),
                "The kinds are not equally frequent: each mean has to be weighted by p or by q.",
            ),
        ),
    ),
    Exercise(
        name="fashion-mnist-project.3",
        title="The same smoothing for every step",
        kind=Value(10 * 468),
        why="s is a sum over the values: 468 times as many values, 468 times the budget.",
        hint="The deviation in the root mean square is the square root of s / N.",
        solution="""
values = 468 * 50
answer = 10 / 50 * values
""",
        mistakes=(
            Mistake(10, "The same s over 468 times as many values allows each of them much less."),
            Mistake(10 / 468, "The other way round: s is a sum, and there are more terms now."),
            Mistake(10 * 468**2, "s grows with the number of values, not with its square."),
            Mistake(10 * 468**0.5, "The root of s / N has to stay the same, so s / N has to."),
        ),
    ),
    Exercise(
        name="fashion-mnist-project.4",
        title="A best epoch that is always there",
        kind=Value(1 + 199 * (4 + 2**0.5) / 7, tolerance=0.005),
        why="It lies at 77 % of any run whose curve settles early. Nothing has to happen there.",
        hint="The second turning point lies at the share (4 + sqrt 2) / 7 of the way from the first "
        "epoch to the last.",
        solution="""
answer = round(1 + 199 * (4 + 2 ** 0.5) / 7)
""",
        mistakes=(
            Mistake(
                1 + 199 * (4 - 2**0.5) / 7,
                "That is the first turning point; the second has the other sign of the root.",
            ),
            Mistake(39, "That is where it lies in fifty epochs. The place is a share of the run."),
            Mistake(42, "That is where a slower curve turns in fifty epochs; here there are 200."),
            Mistake(
                200 * (1 + 2 * 2**0.5) / 7,
                "That is x, which runs from -1 to 1. The share of the way is (1 + x) / 2.",
            ),
        ),
    ),
    Exercise(
        name="fashion-mnist-project.5",
        title="The noise that matters",
        kind=Function(_noise, _scores),
        why="Luck that a set of noise has in every epoch is gone, and so is what the epochs differ "
        "by; what is left can make the wrong epoch the best.",
        hint="Take the mean of each row and of each column out, put the mean of all back in, and "
        "divide the sum of squares by (M - 1)(E - 1).",
        solution="""
def answer(F):
    rest = F - F.mean(0) - F.mean(1, keepdim=True) + F.mean()
    freedom = (F.shape[0] - 1) * (F.shape[1] - 1)
    return (rest.square().sum() / freedom).sqrt()
""",
        mistakes=(
            Mistake(
                lambda scores: (scores - scores.mean(0)).square().mean().sqrt(),
                "The luck that a set of noise has in all epochs is still in it: take the mean of "
                "each row out as well.",
            ),
            Mistake(
                lambda scores: _rest(scores).square().mean().sqrt(),
                "Of M x E residuals only (M - 1)(E - 1) are free, as every row and every column "
                "sums to 0. Divide by that number.",
            ),
            Mistake(
                lambda scores: _noise(scores) ** 2,
                "That is the variance; take its square root.",
            ),
            Mistake(
                lambda scores: (
                    (scores - scores.mean(0) - scores.mean(1, keepdim=True)).square().sum()
                    / ((scores.shape[0] - 1) * (scores.shape[1] - 1))
                ).sqrt(),
                "Both means contain the mean of all scores, so it was taken off twice. Add it once.",
            ),
        ),
    ),
)
