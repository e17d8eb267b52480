"""The exercises of the chapter "Equilibria and dynamics"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _linear_game(generator: torch.Generator) -> tuple[Tensor, float]:
    jacobian = torch.randn(3, 3, generator=generator, dtype=torch.float64)
    return jacobian, float(0.1 + 0.4 * torch.rand((), generator=generator))


def _eye(jacobian: Tensor) -> Tensor:
    return torch.eye(len(jacobian), dtype=jacobian.dtype)


EXERCISES = (
    Exercise(
        name="equilibria-and-dynamics.1",
        title="A game of two by two",
        kind=Value((0.6, 1.0)),
        why="With 3/5 on the first row player one gets 1 in both columns, so player two cannot do "
        "anything about it.",
        hint="In equilibrium the mixture of rows gets the same in both columns: 3 p - 2 (1 - p) = "
        "-p + 4 (1 - p).",
        solution="""
p = 6 / 10  # from 3 p - 2 (1 - p) = -p + 4 (1 - p)
answer = p, 3 * p - 2 * (1 - p)
""",
        mistakes=(
            Mistake(
                (0.5, 1.0),
                "The value is right. But an even mixture gets 1/2 in the first column and 3/2 in "
                "the second: player two would choose the first.",
            ),
            Mistake(
                (0.5, 0.5),
                "Even mixing makes sure of 1/2. Another mixture makes sure of more.",
            ),
            Mistake(
                (0.4, 1.0),
                "That is the probability of the second row.",
            ),
            Mistake(
                (1.0, -1.0),
                "That is the best single row. A mixture makes sure of more than -1.",
            ),
        ),
    ),
    Exercise(
        name="equilibria-and-dynamics.2",
        title="A discriminator that always says 3/4",
        kind=Choice("dominated", ("dominated", "best", "depends")),
        why="It gets log(3/4) + log(1/4) = log(3/16) against every generator, and 1/2 gets log(4/16).",
        hint="Put a constant D into the payoff: does it still depend on the generator?",
        solution="""
import math

always = math.log(3 / 4) + math.log(1 / 4)   # against every generator
half = math.log(1 / 2) + math.log(1 / 2)
answer = "dominated" if always < half else "depends"
""",
        mistakes=(
            Mistake(
                "best",
                "A best reply to g is pdata/(pdata + g). To be 3/4 everywhere, g would have to be "
                "pdata/3 at every point, which does not sum to 1.",
            ),
            Mistake(
                "depends",
                "Both p_data and g sum to 1, so a constant D gets log D + log(1 - D) against all.",
            ),
        ),
    ),
    Exercise(
        name="equilibria-and-dynamics.3",
        title="Twice as far away",
        kind=Value(140, tolerance=1e-6),
        why="Each step multiplies the distance by the root of 1.01, and 1.01 to the power 70 is just "
        "above 2.",
        hint="Solve (1 + h^2)^(n/2) = 2 for n and round up.",
        solution="""
import math

answer = math.ceil(math.log(2) / math.log(math.sqrt(1 + 0.1**2)))
""",
        mistakes=(
            Mistake(70, "The factor for a step is the square root of 1 + h^2."),
            Mistake(8, "The step is at a right angle to the position: it does not add h to 1."),
            Mistake(139, "After 139 steps the distance is still a little less than twice."),
        ),
    ),
    Exercise(
        name="equilibria-and-dynamics.4",
        title="The matrix of extragradient",
        kind=Function(lambda j, h: _eye(j) + h * j + h * h * j @ j, _linear_game),
        why="The field one plain step ahead is J (I + h J) w.",
        hint="On a linear game v(w) = J w. Put w + h J w into v, times h, and add w.",
        solution="""
import torch

def answer(J, h):
    one = torch.eye(len(J), dtype=J.dtype)
    return one + h * J @ (one + h * J)
""",
        mistakes=(
            Mistake(
                lambda j, h: _eye(j) + h * j,
                "That is simultaneous descent, which does not look ahead.",
            ),
            Mistake(
                lambda j, h: (_eye(j) + h * j) @ (_eye(j) + h * j),
                "That takes two plain steps. The look ahead only supplies the field; the step "
                "starts from w.",
            ),
            Mistake(
                lambda j, h: _eye(j) + h * j + h * j @ j,
                "The step size enters twice: once in looking ahead, once in stepping.",
            ),
        ),
    ),
    Exercise(
        name="equilibria-and-dynamics.5",
        title="The best penalty",
        kind=Value(2.0),
        why="At gamma = 2 f'(0) = 2 both eigenvalues are -1. Less damps less, more makes one of them "
        "slow.",
        hint="f'(0) is 1 here. For which gamma is the larger real part of the two eigenvalues least?",
        solution="""
slope = 1.0  # f(t) = t
answer = 2 * slope
""",
        mistakes=(
            Mistake(1.0, "That is 2 f'(0) for the minimax loss, whose f'(0) is 1/2."),
            Mistake(
                4.0,
                "There one eigenvalue is about -3.73 and the other about -0.27: the slow one decides.",
            ),
            Mistake(0.5, "The real parts are then -1/4. A larger gamma damps faster."),
        ),
    ),
    Exercise(
        name="equilibria-and-dynamics.6",
        title="The best step of extragradient",
        kind=Value(1 / math.sqrt(8), tolerance=0.02),
        why="1 - s^2 + s^4 is least at s^2 = 1/2, where it is 3/4; and s = 2 h.",
        hint="Minimise 1 - s^2 + s^4 over s = h a.",
        solution="""
import math

best_s = math.sqrt(1 / 2)   # the derivative -2 s + 4 s^3 is 0
answer = best_s / 2         # s = h a, and a = 2
""",
        mistakes=(
            Mistake(
                math.sqrt(0.5), "That is the best s = h a. The game has a = 2, so h is half of it."
            ),
            Mistake(0.5, "That is where convergence ends: each step leaves the distance as it is."),
            Mistake(0.25, "Close: half of the largest step, but not the minimum of 1 - s^2 + s^4."),
        ),
    ),
)
