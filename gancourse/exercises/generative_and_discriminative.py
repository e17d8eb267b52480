"""The exercises of the chapter "Two ways to model data"."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _classes(generator: torch.Generator) -> tuple[float, float, float, float]:
    means = 2 * torch.randn(2, generator=generator)
    sigma, pi = (0.3 + 0.5 * torch.rand(2, generator=generator)).tolist()
    return (*means.tolist(), sigma, pi)


def _logit(mu_0: float, mu_1: float, sigma: float, pi: float) -> tuple[float, float]:
    slope = (mu_1 - mu_0) / sigma**2
    return slope, (mu_0**2 - mu_1**2) / (2 * sigma**2) + math.log(pi / (1 - pi))


def _points(generator: torch.Generator) -> tuple[Tensor, float, float, float]:
    x = 2 * torch.randn(7, generator=generator, dtype=torch.float64)
    pi, shift = torch.rand(2, generator=generator).tolist()
    return x, 0.2 + 0.5 * pi, -0.5 - shift, 1.0 + shift


def _parts(x: Any, m_0: float, m_1: float) -> tuple[Tensor, Tensor]:
    x = torch.as_tensor(x)
    return torch.exp(-((x - m_0) ** 2) / 2), torch.exp(-((x - m_1) ** 2) / 2)


def _e_step(x: Any, pi: float, m_0: float, m_1: float) -> Tensor:
    first, second = _parts(x, m_0, m_1)
    return pi * second / ((1 - pi) * first + pi * second)


def _without_weights(x: Any, pi: float, m_0: float, m_1: float) -> Tensor:
    first, second = _parts(x, m_0, m_1)
    return second / (first + second)


def _unnormalised(x: Any, pi: float, m_0: float, m_1: float) -> Tensor:
    return pi * _parts(x, m_0, m_1)[1] / math.sqrt(2 * math.pi)


EXERCISES = (
    Exercise(
        name="generative-and-discriminative.1",
        title="An alarm",
        kind=Value(0.01 * 0.9 / (0.01 * 0.9 + 0.99 * 0.05), tolerance=5e-3),
        why="Most alarms come from the many healthy people. The posterior needs the prior.",
        hint="Write down the four joint probabilities, and divide one by the sum of two.",
        solution="""
ill = 0.01 * 0.9            # p(alarm, ill)
healthy = 0.99 * 0.05       # p(alarm, healthy)
answer = ill / (ill + healthy)
""",
        mistakes=(
            Mistake(
                0.9, "That is p(alarm | ill). The question is the other way round: p(ill | alarm)."
            ),
            Mistake(
                0.9 / 0.95,
                "That leaves the prior out, as if half of all people were ill.",
            ),
            Mistake(
                0.009, "That is the joint probability of both. Divide by the probability of alarm."
            ),
            Mistake(
                1 - 0.01 * 0.9 / (0.01 * 0.9 + 0.99 * 0.05),
                "That is the probability that someone with an alarm is healthy.",
            ),
        ),
    ),
    Exercise(
        name="generative-and-discriminative.2",
        title="The logit of two Gaussians",
        kind=Function(_logit, _classes),
        why="In one dimension the inverse covariance is one over the variance. With equal shares the "
        "logit is 0 half-way between the means.",
        hint="Put the 1 x 1 covariance sigma^2 into the theorem's formulas for w and b.",
        solution="""
import math

def answer(mu_0, mu_1, sigma, pi):
    slope = (mu_1 - mu_0) / sigma**2
    return slope, (mu_0**2 - mu_1**2) / (2 * sigma**2) + math.log(pi / (1 - pi))
""",
        mistakes=(
            Mistake(
                lambda mu_0, mu_1, sigma, pi: (
                    (mu_1 - mu_0) / sigma,
                    (mu_0**2 - mu_1**2) / (2 * sigma) + math.log(pi / (1 - pi)),
                ),
                "The covariance is the variance sigma^2, not sigma.",
            ),
            Mistake(
                lambda mu_0, mu_1, sigma, pi: (
                    (mu_1 - mu_0) / sigma**2,
                    (mu_0**2 - mu_1**2) / (2 * sigma**2),
                ),
                "The slope is right. The intercept lacks the log odds of the classes.",
            ),
            Mistake(
                lambda mu_0, mu_1, sigma, pi: (
                    (mu_1 - mu_0) / sigma**2,
                    (mu_1**2 - mu_0**2) / (2 * sigma**2) + math.log(pi / (1 - pi)),
                ),
                "The slope is right. Check the signs in the intercept: with equal shares the logit "
                "must vanish half-way between the means.",
            ),
            Mistake(
                lambda mu_0, mu_1, sigma, pi: (
                    (mu_1 - mu_0) / sigma**2,
                    (mu_0**2 - mu_1**2) / (2 * sigma**2) + math.log(pi),
                ),
                "The prior enters as odds, pi / (1 - pi): both classes have a share.",
            ),
        ),
    ),
    Exercise(
        name="generative-and-discriminative.3",
        title="The size of a naive model",
        kind=Value(10 * 64 * 2 + 9, tolerance=1e-6),
        why="Shares sum to 1, so nine of them say all. A covariance for each class would take "
        "64 * 65 / 2 numbers in place of 64.",
        hint="Count means and variances for every class and pixel, then the free shares.",
        solution="""
answer = 10 * 64 + 10 * 64 + 9
""",
        mistakes=(
            Mistake(1290, "The tenth share follows from the other nine."),
            Mistake(1280, "The shares of the classes are part of the model."),
            Mistake(649, "Each pixel has a mean and a variance in each class."),
            Mistake(
                713,
                "That is a model with shared variances; here each class has its own.",
            ),
        ),
    ),
    Exercise(
        name="generative-and-discriminative.4",
        title="The E step",
        kind=Function(_e_step, _points),
        why="It is Bayes' rule with the component in the place of the label.",
        hint="Multiply each component's density by its weight, then divide by the sum of both.",
        solution="""
import torch

def answer(x, pi, m_0, m_1):
    first = (1 - pi) * torch.exp(-((x - m_0) ** 2) / 2)
    second = pi * torch.exp(-((x - m_1) ** 2) / 2)
    return second / (first + second)
""",
        mistakes=(
            Mistake(
                _without_weights, "The weights are missing: they are the prior of Bayes' rule."
            ),
            Mistake(
                _unnormalised,
                "That is the joint density of point and component. Divide by the density of the "
                "point.",
            ),
            Mistake(
                lambda x, pi, m_0, m_1: 1 - _e_step(x, pi, m_0, m_1),
                "Those are the responsibilities of the first component.",
            ),
            Mistake(
                lambda x, pi, m_0, m_1: (_e_step(x, pi, m_0, m_1) > 0.5).double(),
                "That is a hard assignment, as in k-means. EM keeps the probabilities.",
            ),
        ),
    ),
    Exercise(
        name="generative-and-discriminative.5",
        title="What a posterior is good for",
        kind=Choice("classify", ("classify", "sample", "fill", "outliers")),
        why="The largest p(y | x) errs least, and needs no p(x). All the rest does.",
        hint="Two joint distributions with the same p(y | x) may differ in everything about x.",
        solution="""
answer = "classify"
""",
        mistakes=(
            Mistake("sample", "To draw an image one needs p(x) or p(x | y)."),
            Mistake("fill", "Missing pixels need the distribution of pixels given other pixels."),
            Mistake(
                "outliers",
                "p(y | x) can be certain about an x that never occurs: think of noise taken for "
                "a 4.",
            ),
        ),
    ),
)
