"""The exercises of the chapter "What the generator minimises"."""

from __future__ import annotations

import math

import torch

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _loss(generator: torch.Generator) -> tuple[float]:
    return (math.log(4) * float(torch.rand((), generator=generator)),)


def _targets(generator: torch.Generator) -> tuple[float, float, float, float]:
    ratio = 0.2 + 3 * float(torch.rand((), generator=generator))
    a, b, c = (2 * torch.rand(3, generator=generator) - 1).tolist()
    return ratio, a, b + 2, c


def _curvature(u: float, a: float, b: float, c: float) -> float:
    return -2 * ((b - c) * u + a - c) * (b - a) / (u * (1 + u) ** 3)


EXERCISES = (
    Exercise(
        name="what-the-generator-minimises.1",
        title="Half an overlap",
        kind=Value(-math.log(2), tolerance=1e-3),
        why="On the overlap, half of each side, D is 1/2 and both logarithms are -log 2; elsewhere "
        "D is certain and right, and the logarithm is 0.",
        hint="Where the intervals overlap D is 1/2; where they do not, D is 0 or 1 and log 1 = 0.",
        solution="""
import math

answer = -(1 - 0.5) * math.log(4)
""",
        mistakes=(
            Mistake(math.log(2), "That is the loss of the discriminator. V is its negative."),
            Mistake(
                -math.log(4),
                "That is the value where the two distributions are equal; here half is apart.",
            ),
            Mistake(
                0.5 * math.log(2),
                "That is the Jensen-Shannon divergence. V is twice that, less log 4.",
            ),
            Mistake(0.0, "0 is the value for disjoint supports. These overlap."),
        ),
    ),
    Exercise(
        name="what-the-generator-minimises.2",
        title="A loss as a measuring instrument",
        kind=Function(lambda loss: (math.log(4) - loss) / 2, _loss),
        why="From 0 at a loss of log 4 to log 2 at a loss of 0.",
        hint="Solve V = -log 4 + 2 JS for JS, and put V = -loss.",
        solution="""
import math


def answer(loss):
    return (math.log(4) - loss) / 2
""",
        mistakes=(
            Mistake(
                lambda loss: (math.log(4) + loss) / 2,
                "The loss is -V: a small loss means that the distributions are far apart.",
            ),
            Mistake(
                lambda loss: math.log(4) - loss,
                "That is 2 JS, and it reaches log 4. JS itself is at most log 2.",
            ),
            Mistake(
                lambda loss: (math.log(2) - loss) / 2,
                "That is negative at a loss of log 4, where JS is 0: two expectations, each of "
                "log 1/2, make log 4.",
            ),
        ),
    ),
    Exercise(
        name="what-the-generator-minimises.3",
        title="A loss that stands still",
        kind=Choice("undecided", ("won", "collapse", "undecided", "apart")),
        why="D = 1/2 gives log 4 against every generator. Only of the best discriminator does the "
        "theorem say that the game is won; train a fresh one and look.",
        hint="What is the loss of a discriminator that says 1/2 to everything?",
        solution="""
answer = "undecided"
""",
        mistakes=(
            Mistake(
                "won",
                "That would follow if D were the best discriminator. A D that has learned nothing "
                "has the same loss.",
            ),
            Mistake(
                "collapse",
                "A single image is easy to tell from varied data: a working D would have a small "
                "loss.",
            ),
            Mistake("apart", "For disjoint supports the best D has a loss of 0, not log 4."),
        ),
    ),
    Exercise(
        name="what-the-generator-minimises.4",
        title="The mean logit",
        kind=Choice("reverse-kl", ("kl", "reverse-kl", "js", "pearson")),
        why="The best logit is log u, so h = -log u and f'' = 1 / u^2: f = -log u.",
        hint="The best logit is log u. Find h, then -h'(u) / u, and compare with f'' of the four.",
        solution="""
answer = "reverse-kl"
""",
        mistakes=(
            Mistake("kl", "The KL has f = u log u and f'' = 1 / u. Here f'' = 1 / u^2."),
            Mistake("js", "JS belongs to log(1 - D), which is not minus the logit."),
            Mistake("pearson", "Pearson's f = (u - 1)^2 has a constant second derivative."),
        ),
    ),
    Exercise(
        name="what-the-generator-minimises.5",
        title="Any three targets",
        kind=Function(_curvature, _targets),
        why="With a < b it is positive for all u exactly when c is b or more: the generator should "
        "aim at what the discriminator says of data, or beyond.",
        hint="h(u) = ((b u + a) / (u + 1) - c)^2. Differentiate, then divide by -u.",
        solution="""
def answer(u, a, b, c):
    h_slope = 2 * ((b * u + a) / (u + 1) - c) * (b - a) / (u + 1) ** 2
    return -h_slope / u
""",
        mistakes=(
            Mistake(
                lambda u, a, b, c: -u * _curvature(u, a, b, c),
                "That is h'(u). The curvature is -h'(u) / u.",
            ),
            Mistake(
                lambda u, a, b, c: -_curvature(u, a, b, c),
                "The sign is turned round: for (0, 1, 1) the curvature is positive.",
            ),
            Mistake(
                lambda u, a, b, c: 2 / (u * (1 + u) ** 3),
                "Right for the targets (0, 1, 1); for others they have to appear in it.",
            ),
            Mistake(
                lambda u, a, b, c: -2 * ((b * u + a) / (u + 1) - c) / u,
                "The chain rule: the best output itself changes with u, with slope "
                "(b - a) / (u + 1)^2.",
            ),
        ),
    ),
    Exercise(
        name="what-the-generator-minimises.6",
        title="Covering two modes",
        kind=Value(math.sqrt(10), tolerance=1e-3),
        why="Variance within the modes plus variance between them: 1 + 9. The fit is broad, and "
        "highest at 0, where there are next to no data.",
        hint="The variance of a mixture is the mean of the variances plus the variance of the "
        "means.",
        solution="""
answer = (1 + 3**2) ** 0.5
""",
        mistakes=(
            Mistake(1.0, "That is about the width that the reverse KL would choose: one mode."),
            Mistake(10.0, "That is the variance; take the root."),
            Mistake(3.0, "That is the spread of the two centres; each mode has a width as well."),
            Mistake(4.0, "Variances add, not standard deviations."),
        ),
    ),
)
