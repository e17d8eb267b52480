"""The exercises of the chapter "The optimal discriminator"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _place(generator: torch.Generator) -> tuple[float]:
    return (2 * float(torch.randn((), generator=generator)),)


def _unequal(generator: torch.Generator) -> tuple[Tensor, int, int]:
    counts = torch.randint(10, 1000, (2,), generator=generator).tolist()
    return 2 * torch.randn(16, generator=generator), counts[0], counts[1]


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


EXERCISES = (
    Exercise(
        name="optimal-discriminator.1",
        title="The share of real points",
        kind=Value(0.75),
        why="0.3 / (0.3 + 0.1): three of four points that land there are real.",
        hint="Of all points that land there, which share is real?",
        solution="""
answer = 0.3 / (0.3 + 0.1)
""",
        mistakes=(
            Mistake(3, "That is the ratio of the densities, D / (1 - D). D is a probability."),
            Mistake(
                math.log(3), "That is the logit, log 0.3 - log 0.1. Put it through the sigmoid."
            ),
            Mistake(
                0.25, "That is the probability of 'generated'. D is the probability of 'real'."
            ),
            Mistake(
                1,
                "Calling such points real would be the best decision, but it is not the best "
                "probability: one in four of them is generated.",
            ),
            Mistake(0.3, "A density is no probability. Compare it with the other density."),
        ),
    ),
    Exercise(
        name="optimal-discriminator.2",
        title="The best discriminator of two Gaussians",
        kind=Function(lambda x: _sigmoid(2 * x), _place, trials=8),
        why="The squares in the two exponents cancel, and the logit 2 x is a straight line: for "
        "Gaussians of equal width the best discriminator is a logistic regression.",
        hint="Write log p(x) - log q(x). Most of it cancels. Then put it through the sigmoid.",
        solution="""
import math

def answer(x):
    logit = -(x - 1)**2 / 2 + (x + 1)**2 / 2
    return 1 / (1 + math.exp(-logit))
""",
        mistakes=(
            Mistake(
                lambda x: _sigmoid(-2 * x),
                "Turned round: the data lie at +1, so D must be large for large x.",
            ),
            Mistake(
                lambda x: _sigmoid(x),
                "The slope is too small. (x + 1)^2 - (x - 1)^2 is 4 x, and there is a factor of 1/2 "
                "before it.",
            ),
            Mistake(
                lambda x: _sigmoid(4 * x),
                "The exponent of a normal density is half the square of the distance.",
            ),
            Mistake(
                lambda x: 2 * x,
                "That is the logit. The discriminator's answer is its sigmoid.",
            ),
            Mistake(
                lambda x: float(x > 0),
                "That is the best decision. The best probability changes gradually, as both kinds "
                "of points are found on both sides.",
            ),
        ),
    ),
    Exercise(
        name="optimal-discriminator.3",
        title="Undoing unequal numbers",
        kind=Function(lambda logit, n_real, n_fake: logit - math.log(n_real / n_fake), _unequal),
        why="Unequal numbers add log(n_real / n_fake) to the best logit everywhere; take it away.",
        hint="What do the unequal shares add to the logit? Take it away again.",
        solution="""
import math

def answer(logit, n_real, n_fake):
    return logit - math.log(n_real / n_fake)
""",
        mistakes=(
            Mistake(
                lambda logit, n_real, n_fake: logit + math.log(n_real / n_fake),
                "The shift is added twice now. Which sign takes it away?",
            ),
            Mistake(
                lambda logit, n_real, n_fake: logit - n_real / n_fake,
                "On the scale of logits, ratios become their logarithms.",
            ),
            Mistake(
                lambda logit, n_real, n_fake: logit * n_fake / n_real,
                "It is the ratio p/q that is multiplied. On the scale of logits that is a sum.",
            ),
            Mistake(
                lambda logit, n_real, n_fake: logit - math.log(n_real / (n_real + n_fake)),
                "The shift is the logarithm of the odds, real to generated, not of the share of "
                "real points.",
            ),
            Mistake(
                lambda logit, n_real, n_fake: logit,
                "Nothing was changed. With ten times as many real points, the network says 'real' "
                "more readily everywhere.",
            ),
        ),
    ),
    Exercise(
        name="optimal-discriminator.4",
        title="From the loss to the error",
        kind=Value(0.02, tolerance=1e-4),
        why="Half the root of 0.0016. The value lacks 0.0016, and that bounds the mean error.",
        hint="How much does the value lack of the best one? Then use the bound by the excess loss.",
        solution="""
excess = -1.0 - (-1.0016)
answer = excess**0.5 / 2
""",
        mistakes=(
            Mistake(0.0016, "That is what the value lacks. The bound is half of its square root."),
            Mistake(
                0.04, "Half of that: the excess loss is at least four times the squared error."
            ),
            Mistake(0.0004, "That bounds the mean of the squared error. Take its root."),
            Mistake(0.0283, "The excess loss is at least four times the squared error, not twice."),
        ),
    ),
    Exercise(
        name="optimal-discriminator.5",
        title="Right on every point it knows",
        kind=Choice("memorised", ("memorised", "perfect generator", "too small", "unbalanced")),
        why="It has learned which points it was shown, not where real points lie.",
        hint="Compare what it does on points it knows with what it does on new ones.",
        solution="""
answer = "memorised"
""",
        mistakes=(
            Mistake(
                "perfect generator",
                "Then no discriminator could do better than half on new points, but another one does.",
            ),
            Mistake(
                "too small",
                "A network too small to tell the points apart could not be right on all 60 of them.",
            ),
            Mistake(
                "unbalanced", "There are 30 of each kind; a shift of the logit is not the matter."
            ),
        ),
    ),
)
