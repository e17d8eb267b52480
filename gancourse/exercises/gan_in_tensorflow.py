"""The exercises of the chapter "A GAN in TensorFlow, and is it the framework?"."""

from __future__ import annotations

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _kernel(generator: torch.Generator) -> tuple[Tensor]:
    # Square in both pairs of axes, so that a wrong order is wrong in its values, not in its shape.
    return (torch.randn(4, 4, 5, 5, generator=generator),)


def _adam(generator: torch.Generator) -> tuple[float, float, int]:
    drawn = torch.rand(3, generator=generator).tolist()
    return 1e-8 + 1e-7 * drawn[0], 0.9 + 0.09 * drawn[1], 1 + int(50 * drawn[2])


EXERCISES = (
    Exercise(
        name="gan-in-tensorflow.1",
        title="A kernel changes places",
        kind=Function(lambda w: w.permute(3, 2, 0, 1), _kernel),
        why="Output channels from last to first, input channels to second place; height and width "
        "stay in their order.",
        hint="Keras has height x width x in x out, PyTorch out x in x height x width: where does "
        "each of PyTorch's four axes come from?",
        solution="""
def answer(kernel):
    return kernel.permute(3, 2, 0, 1)
""",
        mistakes=(
            Mistake(
                lambda w: w.permute(2, 3, 1, 0),
                "That is the way from PyTorch to Keras. The question asks for the way back.",
            ),
            Mistake(
                lambda w: w.permute(3, 2, 1, 0),
                "That turns the kernel on its side too: height and width have changed places. With "
                "square kernels nothing would complain, and every image would be wrong.",
            ),
            Mistake(
                lambda w: w.permute(2, 3, 0, 1),
                "Output and input channels are exchanged. For a layer with as many of one as of "
                "the other nothing would complain.",
            ),
            Mistake(
                lambda w: w.reshape(5, 5, 4, 4),
                "reshape deals the same numbers out anew in the order in which they lie in memory; "
                "it moves no axis. That takes permute.",
            ),
        ),
    ),
    Exercise(
        name="gan-in-tensorflow.2",
        title="The epsilon that PyTorch would need",
        kind=Function(lambda e, b, t: e / (1 - b**t) ** 0.5, _adam, tolerance=1e-9),
        why="Keras adds epsilon before the correction of the second moment divides by "
        "sqrt(1 - beta2^t), so epsilon is divided too. After many steps the two agree.",
        hint="Divide numerator and denominator of Keras' step by sqrt(1 - beta2^t), until PyTorch's "
        "corrected root stands in the denominator. What stands beside it?",
        solution="""
def answer(epsilon, beta2, t):
    return epsilon / (1 - beta2**t) ** 0.5
""",
        mistakes=(
            Mistake(
                lambda e, b, t: e,
                "That would be so if both added epsilon at the same place.",
            ),
            Mistake(
                lambda e, b, t: e * (1 - b**t) ** 0.5,
                "The other way round: that is the epsilon with which Keras imitates PyTorch.",
            ),
            Mistake(
                lambda e, b, t: e / (1 - b**t),
                "Epsilon stands beside the root of the second moment, so the correction comes as a "
                "root too.",
            ),
        ),
    ),
    Exercise(
        name="gan-in-tensorflow.3",
        title="How long does a running statistic remember its beginning?",
        kind=Value((459, 44), tolerance=1e-6),
        why="0.99^459 and 0.9^44 are the first powers below a hundredth. A run of a few hundred "
        "steps on small data is over before Keras' statistics have forgotten where they began.",
        hint="After t batches a share of momentum^t of the first value is left. When is that below "
        "0.01?",
        solution="""
import math

answer = [math.ceil(math.log(0.01) / math.log(keeps)) for keeps in (0.99, 0.9)]
""",
        mistakes=(
            Mistake(
                (459, 2),
                "PyTorch's momentum of 0.1 is the share that is new. What it keeps is 0.9.",
            ),
            Mistake(
                (459, 3),
                "0.1 is what PyTorch calls momentum, but it is the share that is new. Take the "
                "power of what it keeps, 0.9.",
            ),
            Mistake((44, 459), "The right numbers in the wrong order: Keras comes first."),
            Mistake(
                (100, 10),
                "That is 1 / (1 - momentum), after which more than a third of the beginning is "
                "still there.",
            ),
            Mistake(
                (458, 43),
                "After so many batches slightly more than a hundredth is left. Round up.",
            ),
        ),
    ),
    Exercise(
        name="gan-in-tensorflow.4",
        title="A layer that is not trainable",
        kind=Choice("running", ("batch", "running", "none", "real")),
        why="In Keras an untrainable batch normalisation works as at inference, even when it is "
        "called with training=True. The generator is then judged by another discriminator than "
        "the one that was trained.",
        hint="Look at what the section on things that go wrong prints for an untrainable layer.",
        solution="""
answer = "running"
""",
        mistakes=(
            Mistake(
                "batch",
                "So it would be in PyTorch, where requires_grad = False stops gradients and nothing "
                "else.",
            ),
            Mistake("none", "It still normalises; only the source of mean and variance changes."),
            Mistake(
                "real",
                "No layer knows which images are real. It has the batch that it is given, and its "
                "running statistics.",
            ),
        ),
    ),
)
