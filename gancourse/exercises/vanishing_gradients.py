"""The exercises of the chapter "Vanishing gradients"."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _state(generator: torch.Generator) -> tuple[float, float, float]:
    theta, s, e = torch.rand(3, generator=generator).tolist()
    return 0.5 + 4 * theta, 1.2 + s, 0.02 + 0.3 * e


def _logits(generator: torch.Generator) -> tuple[Tensor]:
    return (100 * torch.randn(30, generator=generator),)


EXERCISES = (
    Exercise(
        name="vanishing-gradients.1",
        title="Twice as far",
        kind=Value(math.exp(6), tolerance=1e-3),
        why="The exponents are -2 and -8: twice the distance, four times the exponent, and a "
        "gradient some four hundred times smaller.",
        hint="Put both distances into the exponent, and divide the larger value by the smaller.",
        solution="""
import math

answer = math.exp(8**2 / 8 - 4**2 / 8)
""",
        mistakes=(
            Mistake(2.0, "The distance is doubled, but it stands, squared, in an exponent."),
            Mistake(math.exp(0.5), "The distance is squared in the exponent."),
            Mistake(math.exp(-6), "That is the ratio the other way round; give the shrinkage."),
            Mistake(math.exp(48), "The square is divided by 8 s^2."),
        ),
    ),
    Exercise(
        name="vanishing-gradients.2",
        title="The pull of the other loss",
        kind=Function(lambda theta, s, e: theta / s**2 * (1 - e), _state),
        why="The slope of the logit, times the mean of 1 - D.",
        hint="A sample counts 1 - D in the non-saturating loss. The slope of the best logit is "
        "theta / s^2 in size.",
        solution="""
def answer(theta, s, e):
    return theta / s**2 * (1 - e)
""",
        mistakes=(
            Mistake(
                lambda theta, s, e: theta / s**2 * e,
                "That is the saturating gradient, in which a sample counts D.",
            ),
            Mistake(
                lambda theta, s, e: theta / s * (1 - e),
                "The logit of two Gaussians has the variance in its slope, not its root.",
            ),
            Mistake(
                lambda theta, s, e: -theta / s**2 * (1 - e),
                "The sign: the loss grows with the distance, so its gradient is positive, and "
                "descent goes back to the data.",
            ),
        ),
    ),
    Exercise(
        name="vanishing-gradients.3",
        title="A logarithm that is never of 0",
        kind=Function(lambda t: -softplus(t), _logits),
        why="log(1 - sigmoid(t)) = -log(1 + e^t), and softplus computes that without overflow.",
        hint="Write 1 - sigmoid(t) as 1 / (1 + e^t) and take the logarithm on paper.",
        solution="""
from torch.nn.functional import softplus


def answer(t):
    return -softplus(t)
""",
        mistakes=(
            Mistake(
                lambda t: torch.log(1 - torch.sigmoid(t)),
                "From a logit of about 17 on, 1 - sigmoid(t) is 0 in float32, and its logarithm "
                "infinite.",
            ),
            Mistake(
                lambda t: torch.log(1 - torch.sigmoid(t) + 1e-8),
                "Finite, but wrong: it stops near -18, where the loss should go on falling, and "
                "its gradient is 0 there.",
            ),
            Mistake(lambda t: softplus(-t), "That is the non-saturating loss, -log sigmoid(t)."),
            Mistake(lambda t: softplus(t), "The sign: log(1 - D) is negative."),
        ),
    ),
    Exercise(
        name="vanishing-gradients.4",
        title="What noise buys",
        kind=Function(
            lambda theta, s, eta: math.exp(theta**2 / 8 * (1 / s**2 - 1 / (s**2 + eta**2))),
            _state,
        ),
        why="Variances add, so s^2 becomes s^2 + eta^2. The gain is above 1 and grows with the "
        "distance.",
        hint="With noise both distributions have the variance s^2 + eta^2.",
        solution="""
import math


def answer(theta, s, eta):
    def exponential(variance):
        return math.exp(-(theta**2) / (8 * variance))

    return exponential(s**2 + eta**2) / exponential(s**2)
""",
        mistakes=(
            Mistake(
                lambda theta, s, eta: math.exp(theta**2 / 8 * (1 / s**2 - 1 / (s + eta) ** 2)),
                "Variances add, standard deviations do not.",
            ),
            Mistake(
                lambda theta, s, eta: math.exp(-(theta**2) / 8 / (s**2 + eta**2)),
                "That is the exponential with noise. Divide it by the one without.",
            ),
            Mistake(
                lambda theta, s, eta: math.exp(-(theta**2) / 8 * (1 / s**2 - 1 / (s**2 + eta**2))),
                "That is the ratio the other way round: noise makes the exponential larger.",
            ),
        ),
    ),
    Exercise(
        name="vanishing-gradients.5",
        title="One change",
        kind=Choice("non-saturating", ("deeper", "float64", "non-saturating", "tanh")),
        why="The small factor is D, the weight of a sample in the saturating loss. In the "
        "non-saturating loss that weight is 1 - D, here nearly 1.",
        hint="Which of the three factors in the chain rule is small here?",
        solution="""
answer = "non-saturating"
""",
        mistakes=(
            Mistake("deeper", "Every layer's gradient contains the same small factor D."),
            Mistake(
                "float64",
                "1e-6 is no rounding: float32 represents it well. The gradient is that small.",
            ),
            Mistake("tanh", "It multiplies the gradient by a number of at most 1."),
        ),
    ),
    Exercise(
        name="vanishing-gradients.6",
        title="A floor for the loss",
        kind=Value(2 * math.log1p(math.exp(-3)), tolerance=1e-4),
        why="A logit can differ by at most 6 between a data point and its partner, so neither can be "
        "judged with certainty.",
        hint="Put 2 and 3 into the bound for a Lipschitz discriminator.",
        solution="""
import math

answer = 2 * math.log(1 + math.exp(-2 * 3 / 2))
""",
        mistakes=(
            Mistake(
                2 * math.log1p(math.exp(-6)),
                "The exponent is half of slope times distance: the two sides share the difference.",
            ),
            Mistake(
                math.log1p(math.exp(-3)),
                "That is one of the two sides; the loss has data and samples.",
            ),
            Mistake(0.0, "That is the floor of a discriminator without any bound on its slope."),
            Mistake(2 * math.log1p(math.exp(3)), "The sign in the exponent is turned round."),
        ),
    ),
)
