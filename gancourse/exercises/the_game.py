"""The exercises of the chapter "The game"."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _labelled(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    logits = 3 * torch.randn(64, generator=generator)
    return logits, (torch.rand(64, generator=generator) < 0.3).float()


def _positive(generator: torch.Generator) -> tuple[float]:
    return (0.2 + 3 * float(torch.rand((), generator=generator)),)


def _normal(x: float) -> float:
    return math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return (targets * softplus(-logits) + (1 - targets) * softplus(logits)).mean()


EXERCISES = (
    Exercise(
        name="the-game.1",
        title="The value of a cautious player",
        kind=Value(math.log(0.9) + math.log(0.8)),
        why="log 0.9 for the real points and log(1 - 0.2) for the generated ones, each an average "
        "over its own distribution. It is above -log 4, the value of a player who always says 1/2.",
        hint="Each expectation is of a constant. Put 0.9 into the first and 0.2 into the second.",
        solution="""
import math

answer = math.log(0.9) + math.log(1 - 0.2)
""",
        mistakes=(
            Mistake(
                -(math.log(0.9) + math.log(0.8)),
                "That is the discriminator's loss, -V. The value is never above 0.",
            ),
            Mistake(
                math.log(0.9) + math.log(0.2),
                "The second term is the logarithm of 1 - D, the probability given to the right "
                "answer, 'generated'.",
            ),
            Mistake(
                (math.log(0.9) + math.log(0.8)) / 2,
                "That is minus the balanced cross-entropy. V adds two averages; it is twice that.",
            ),
            Mistake(
                0.9 + 0.8,
                "The logarithms are missing. Without them the best answers are different ones: see "
                "the section on where the sources slip.",
            ),
            Mistake(
                math.log10(0.9) + math.log10(0.8), "The logarithms of the course are natural ones."
            ),
        ),
    ),
    Exercise(
        name="the-game.2",
        title="Cross-entropy from logits",
        kind=Function(_cross_entropy, _labelled),
        why="softplus(-l) is -log D and softplus(l) is -log(1 - D). The target chooses between the "
        "two, and nothing overflows.",
        hint="Write -log D and -log(1 - D) with softplus, and weight them by y and 1 - y.",
        solution="""
from torch.nn.functional import softplus

def answer(logits, targets):
    return (targets * softplus(-logits) + (1 - targets) * softplus(logits)).mean()
""",
        mistakes=(
            Mistake(
                lambda logits, targets: (
                    targets * softplus(-logits) - (1 - targets) * softplus(logits)
                ).mean(),
                "The minus sign covers only the first term here. This loss has no minimum: it falls "
                "for ever as the logits of generated points grow.",
            ),
            Mistake(
                lambda logits, targets: (
                    targets * softplus(logits) + (1 - targets) * softplus(-logits)
                ).mean(),
                "The targets are turned round: this teaches the network to call real points "
                "generated.",
            ),
            Mistake(
                lambda logits, targets: (
                    targets * softplus(-logits) + (1 - targets) * softplus(logits)
                ).sum(),
                "That is the sum over the batch. The estimate of an expectation is a mean.",
            ),
            Mistake(
                lambda logits, targets: _cross_entropy(torch.sigmoid(logits), targets),
                "The sigmoid is applied twice, once by you and once inside softplus. D could then "
                "only take values from 0.5 to 0.73.",
            ),
            Mistake(
                lambda logits, targets: -_cross_entropy(logits, targets),
                "The sign is turned round: that is the log-likelihood, which is maximised.",
            ),
        ),
    ),
    Exercise(
        name="the-game.3",
        title="The density of what the generator makes",
        kind=Function(lambda x: _normal(math.log(x)) / x, _positive, trials=8),
        why="G is increasing, so the probability of a small interval is carried over, and its "
        "length is multiplied by the slope e^z = x.",
        hint="Which z gives x, and how much does G stretch an interval around that z?",
        solution="""
import math

def answer(x):
    z = math.log(x)
    return math.exp(-z**2 / 2) / math.sqrt(2 * math.pi) / x
""",
        mistakes=(
            Mistake(
                lambda x: _normal(math.log(x)),
                "Probability is carried over, density is not: divide by how much G stretches there.",
            ),
            Mistake(
                lambda x: _normal(math.log(x)) * x,
                "Where G stretches, the same probability is spread over a longer interval, so the "
                "density becomes smaller: divide by the slope.",
            ),
            Mistake(lambda x: _normal(x), "That is the density of the noise at x."),
            Mistake(
                lambda x: _normal(math.exp(x)),
                "Go back from x to the noise that made it: z = log x.",
            ),
        ),
    ),
    Exercise(
        name="the-game.4",
        title="How large must the batch be?",
        kind=Value(21_200, tolerance=1e-3),
        why="The two variances add and are divided by n. A batch of 64 has a standard error that "
        "is eighteen times as large: one loss of one minibatch says little.",
        hint="Set the standard error, the root of (v_real + v_fake) / n, to 0.005 and solve for n.",
        solution="""
v_real, v_fake, wanted = 0.21, 0.32, 0.005
answer = (v_real + v_fake) / wanted**2
""",
        mistakes=(
            Mistake(
                0.53 / 0.005,
                "The error falls with the square root of n: half the error takes four times as many.",
            ),
            Mistake(
                (math.sqrt(0.21) + math.sqrt(0.32)) ** 2 / 0.005**2,
                "Standard deviations of independent terms do not add; their variances do.",
            ),
            Mistake(
                0.265 / 0.005**2,
                "V is the sum of the two averages, not their mean, so both variances count in full.",
            ),
            Mistake(
                math.sqrt(0.53) / 0.005,
                "That is the square root of the answer: square both sides before you solve for n.",
            ),
        ),
    ),
    Exercise(
        name="the-game.5",
        title="Which game sums to zero?",
        kind=Choice("saturating", ("saturating", "non-saturating", "both", "neither")),
        why="With log(1 - D(G(z))) the two losses sum to something that the generator cannot "
        "change, so what one gains the other loses. With -log D(G(z)) there is no such balance.",
        hint="Add the discriminator's loss to each of the generator's, and look for what still "
        "depends on G.",
        solution="""
answer = "saturating"
""",
        mistakes=(
            Mistake(
                "non-saturating",
                "Add -log D(G(z)) to the discriminator's loss -log(1 - D(G(z))) at one sample: the "
                "sum depends on D(G(z)), and the generator can change it.",
            ),
            Mistake(
                "both",
                "They pull each sample in the same direction, but not with the same strength, and "
                "only one of them is the discriminator's loss with its sign turned round.",
            ),
            Mistake(
                "neither",
                "The term -log D(x) on real points is left over, but the generator cannot change "
                "it. Adding it to the generator's loss would change nothing in how it plays.",
            ),
        ),
    ),
)
