"""The exercises of the chapter "TensorFlow's architecture"."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gancourse.exercises._kinds import Choice, Exercise, Function, Mistake, Value


def _point(generator: torch.Generator) -> tuple[float]:
    return (float(0.4 + torch.rand((), generator=generator)),)


def _second(x: float) -> float:
    return 2 * math.cos(x * x) - 4 * x * x * math.sin(x * x)


def _losses(generator: torch.Generator) -> tuple[Tensor, int]:
    here = int(torch.randint(8, 31, (), generator=generator))
    return torch.rand(here, generator=generator), 64


EXERCISES = (
    Exercise(
        name="tensorflow-architecture.1",
        title="A gradient of a gradient",
        kind=Function(_second, _point, tolerance=1e-3),
        why="The outer tape watches the inner one compute the derivative, so that it can be "
        "differentiated like anything else.",
        hint="Two tapes, one inside the other. The inner gradient is taken while the outer tape is "
        "open, and both must watch x.",
        solution="""
from gancourse.tf import tf


def answer(x):
    x = tf.Variable(x)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.sin(x * x)
        slope = inner.gradient(y, x)
    return float(outer.gradient(slope, x))
""",
        mistakes=(
            Mistake(
                lambda x: 2 * x * math.cos(x * x),
                "That is the first derivative. Differentiate it once more, by a second tape.",
            ),
            Mistake(
                lambda x: -math.sin(x * x),
                "That is the second derivative of the sine alone; the inner function x * x has one "
                "too. The tapes know the chain rule: let them differentiate the whole.",
            ),
            Mistake(
                lambda x: 4 * x * x * math.cos(x * x) ** 2,
                "That is the square of the first derivative, not its derivative.",
            ),
            Mistake(
                lambda x: -4 * x * x * math.sin(x * x),
                "The slope is a product, 2 x cos(x * x), and only one of its factors was "
                "differentiated. Was 2 x computed outside the outer tape?",
            ),
        ),
    ),
    Exercise(
        name="tensorflow-architecture.2",
        title="A gradient that is stopped",
        kind=Value(18.0),
        why="The stopped factor counts as the constant 3, so the derivative is 3 times 2 x.",
        hint="stop_gradient(x) has the value of x, and the tape treats it as a constant.",
        solution="""
from gancourse.tf import tf

x = tf.Variable(3.0)
with tf.GradientTape() as tape:
    y = x * x * tf.stop_gradient(x)
answer = float(tape.gradient(y, x))
""",
        mistakes=(
            Mistake(27.0, "That is the derivative of x * x * x, with nothing stopped."),
            Mistake(
                9.0,
                "That is the share of the stopped factor, the only one that does not count. The "
                "other two do.",
            ),
            Mistake(6.0, "That is the derivative of x * x; the third factor still multiplies it."),
            Mistake(0.0, "Only one factor is stopped. The gradient flows through the others."),
        ),
    ),
    Exercise(
        name="tensorflow-architecture.3",
        title="How many graphs",
        kind=Value(4.0),
        why="One graph for scalar tensors, one for tensors of shape (2,), and one for each of the "
        "Python numbers 1.0 and 2.0, of which the first comes twice.",
        hint="A tensor counts by its dtype and shape, a Python number by its value.",
        solution="""
from gancourse.tf import graphs, tf

arguments = (tf.constant(1.0), tf.constant(2.0), tf.constant([1.0, 2.0]),
             tf.constant([3.0, 4.0]), 1.0, 2.0, 1.0)
calls = [(argument,) for argument in arguments]
answer = graphs.trace_counts(lambda x: x * x, calls)[-1]
""",
        mistakes=(
            Mistake(7.0, "A graph is kept, and used again for arguments of the same kind."),
            Mistake(1.0, "One graph serves one kind of argument; there are several here."),
            Mistake(
                2.0,
                "Right for the four tensors. A Python number is no tensor: look at the last three.",
            ),
            Mistake(
                3.0,
                "Python numbers do not share a graph: their value becomes a constant in it.",
            ),
            Mistake(
                5.0, "The last call brings a number that was seen before; its graph is still there."
            ),
            Mistake(
                6.0, "Two tensors of the same dtype and shape share a graph, whatever their values."
            ),
        ),
    ),
    Exercise(
        name="tensorflow-architecture.4",
        title="What a traced function leaves behind",
        kind=Choice("one symbol", ("three values", "three symbols", "one value", "one symbol")),
        why="Python runs once, during tracing, and what it sees then is a tensor of the graph, with "
        "shape and dtype and no value.",
        hint="When does Python run, and what does x stand for at that moment?",
        solution="""
answer = "one symbol"
""",
        mistakes=(
            Mistake(
                "three values",
                "So it would be without tf.function. Traced, the body of the function runs in Python "
                "once, and the graph knows nothing of the list.",
            ),
            Mistake(
                "three symbols",
                "Symbols, yes. But the second and third call run the graph, not the Python.",
            ),
            Mistake(
                "one value",
                "Once, yes. But a graph is made for all values at once: during tracing x has none.",
            ),
        ),
    ),
    Exercise(
        name="tensorflow-architecture.5",
        title="One device's share of the loss",
        kind=Function(lambda losses, whole: losses.sum() / whole, _losses),
        why="The shares of all devices add up to the mean over the whole batch, and so do their "
        "gradients, however the batch was divided.",
        hint="The shares are added. What must the sum of all of them be?",
        solution="""
def answer(losses, whole):
    return losses.sum() / whole
""",
        mistakes=(
            Mistake(
                lambda losses, whole: losses.mean(),
                "Each device's own mean: their sum is the number of devices times too large.",
            ),
            Mistake(
                lambda losses, whole: losses.mean() / 2,
                "Right if two devices hold as many images each. If they do not, the images of the "
                "smaller part count for more.",
            ),
            Mistake(
                lambda losses, whole: losses.sum(),
                "The gradient would grow with the batch, and the learning rate mean something else.",
            ),
        ),
    ),
)
