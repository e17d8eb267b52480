"""Time one training step of the same networks in TensorFlow and in PyTorch, on one thread.

    python tools/tensorflow_steps.py       # about a minute on a CPU

Four ways take turns of a fraction of a second each: TensorFlow op by op (eager), as a
``tf.function``, compiled by XLA, and PyTorch op by op. All start from the same weights and see the
same batch. Writes gancourse/recorded/tf/steps/times.json: medians, and the largest differences of
losses and gradients. Times are of the processor, all threads together, so that what else runs on
the machine is not counted.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

import gancourse
from gancourse.files import write_json
from gancourse.tf import tf
from gancourse.training.run import RECORDED

RATE, TURNS, TURN_SECONDS = 1e-3, 15, 0.08
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Pair:
    """One network with its loss, written in both frameworks.

    Attributes:
        name: as the table shows it.
        weights: float32 arrays in TensorFlow's layout (kernels height x width x two channels).
        batch: inputs and targets, images with their channels last.
        tensorflow: weights, inputs, targets to the loss, a scalar tensor.
        pytorch: the same, of :func:`to_torch`'s tensors.
    """

    name: str
    weights: list[Array]
    batch: tuple[Array, Array]
    tensorflow: Callable[..., Any]
    pytorch: Callable[..., torch.Tensor]


def to_torch(array: Array) -> torch.Tensor:
    """An array of a :class:`Pair` in PyTorch's layout: channels before height and width.

    A kernel of four dimensions is told from a batch of images by its sides, which are 4 pixels.
    """
    if array.ndim == 4 and array.shape[:2] == (4, 4):
        return torch.from_numpy(array.transpose(3, 2, 0, 1).copy())
    if array.ndim == 4:
        return torch.from_numpy(array.transpose(0, 3, 1, 2).copy())
    return torch.from_numpy(array.copy())


def dense(sizes: Sequence[int], batch: int = 64) -> Pair:
    """A fully connected classifier with ReLU and softmax cross-entropy."""
    draw = np.random.default_rng(0)
    weights: list[Array] = []
    for before, after in zip(sizes, sizes[1:], strict=False):
        weights += [_normal(draw, before, after, scale=(2 / before) ** 0.5), np.zeros(after, "f4")]

    def in_tensorflow(weights: list[Any], x: Any, y: Any) -> Any:
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = tf.nn.relu(x @ w + b)
        logits = x @ weights[-2] + weights[-1]
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits))

    def in_pytorch(weights: list[Any], x: Any, y: Any) -> torch.Tensor:
        for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            x = functional.relu(x @ w + b)
        return functional.cross_entropy(x @ weights[-2] + weights[-1], y)

    images = draw.random((batch, sizes[0]), dtype=np.float32)
    labels = draw.integers(0, sizes[-1], batch)
    name = "dense " + "-".join(map(str, sizes))
    return Pair(name, weights, (images, labels), in_tensorflow, in_pytorch)


def discriminator(batch: int = 32) -> Pair:
    """DCGAN's discriminator at 28 pixels: strided convolutions, leaky ReLU, one logit."""
    draw = np.random.default_rng(1)
    weights = [_normal(draw, 4, 4, 1, 32), _normal(draw, 4, 4, 32, 64), _normal(draw, 3136, 1)]

    def in_tensorflow(weights: list[Any], x: Any, y: Any) -> Any:
        for kernel in weights[:2]:
            x = tf.nn.leaky_relu(tf.nn.conv2d(x, kernel, 2, "SAME"), 0.2)
        # PyTorch keeps the channels before the places, and so does the last layer's matrix.
        logits = tf.reshape(tf.transpose(x, (0, 3, 1, 2)), (-1, 3136)) @ weights[2]
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, logits))

    def in_pytorch(weights: list[Any], x: Any, y: Any) -> torch.Tensor:
        for kernel in weights[:2]:
            x = functional.leaky_relu(functional.conv2d(x, kernel, stride=2, padding=1), 0.2)
        return functional.binary_cross_entropy_with_logits(x.flatten(1) @ weights[2], y)

    images = 2 * draw.random((batch, 28, 28, 1), dtype=np.float32) - 1
    real = (draw.random((batch, 1)) < 0.5).astype("f4")
    return Pair("DCGAN's discriminator", weights, (images, real), in_tensorflow, in_pytorch)


def generator(batch: int = 32) -> Pair:
    """DCGAN's generator at 28 pixels, towards fixed images by squared error."""
    draw = np.random.default_rng(2)
    weights = [
        _normal(draw, 100, 3136), np.ones(64, "f4"), np.zeros(64, "f4"),
        _normal(draw, 4, 4, 32, 64), np.ones(32, "f4"), np.zeros(32, "f4"),
        _normal(draw, 4, 4, 1, 32),
    ]  # fmt: skip

    def in_tensorflow(weights: list[Any], z: Any, y: Any) -> Any:
        def normalised(x: Any, scale: Any, shift: Any) -> Any:
            return tf.nn.relu(tf.compat.v1.nn.fused_batch_norm(x, scale, shift, epsilon=1e-5)[0])

        first, scale, shift, middle, scale_2, shift_2, last = weights
        x = tf.transpose(tf.reshape(z @ first, (-1, 64, 7, 7)), (0, 2, 3, 1))
        x = normalised(x, scale, shift)
        x = normalised(tf.nn.conv2d_transpose(x, middle, (batch, 14, 14, 32), 2), scale_2, shift_2)
        x = tf.tanh(tf.nn.conv2d_transpose(x, last, (batch, 28, 28, 1), 2))
        return tf.reduce_mean((x - y) ** 2)

    def in_pytorch(weights: list[Any], z: Any, y: Any) -> torch.Tensor:
        def normalised(x: Any, scale: Any, shift: Any) -> Any:
            return functional.relu(functional.batch_norm(x, None, None, scale, shift, True))

        first, scale, shift, middle, scale_2, shift_2, last = weights
        x = normalised((z @ first).reshape(-1, 64, 7, 7), scale, shift)
        x = functional.conv_transpose2d(x, middle, stride=2, padding=1)
        x = functional.conv_transpose2d(normalised(x, scale_2, shift_2), last, stride=2, padding=1)
        return ((torch.tanh(x) - y) ** 2).mean()

    noise = draw.standard_normal((batch, 100), dtype=np.float32)
    images = 2 * draw.random((batch, 28, 28, 1), dtype=np.float32) - 1
    return Pair("DCGAN's generator", weights, (noise, images), in_tensorflow, in_pytorch)


def _normal(draw: np.random.Generator, *shape: int, scale: float = 0.02) -> Array:
    return scale * draw.standard_normal(shape, dtype=np.float32)


def pairs() -> tuple[Pair, ...]:
    """The networks of the table, small to large."""
    return (dense((64, 128, 10)), dense((784, 300, 100, 10)), discriminator(), generator())


def tensorflow_step(pair: Pair, **options: Any) -> Callable[[], tuple[Any, list[Any]]]:
    """One step of gradient descent on the pair's batch: loss and gradients.

    Args:
        pair: the network; every call of this function starts from its weights anew.
        options: for ``tf.function``; without any the step runs op by op.
    """
    weights = [tf.Variable(array) for array in pair.weights]
    x, y = map(tf.constant, pair.batch)

    def step() -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            loss = pair.tensorflow(weights, x, y)
        gradients = tape.gradient(loss, weights)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.assign_sub(RATE * gradient)
        return loss, gradients

    return tf.function(step, **options) if options else step


def pytorch_step(pair: Pair) -> Callable[[], tuple[torch.Tensor, list[torch.Tensor]]]:
    """The same step in PyTorch, op by op."""
    weights = [to_torch(array).requires_grad_() for array in pair.weights]
    x, y = map(to_torch, pair.batch)

    def step() -> tuple[torch.Tensor, list[torch.Tensor]]:
        loss = pair.pytorch(weights, x, y)
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.sub_(RATE * gradient)
        return loss.detach(), list(gradients)

    return step


def ways(pair: Pair) -> dict[str, Callable[[], tuple[Any, list[Any]]]]:
    """The four ways of computing a pair's step, each with weights of its own."""
    return {
        "TensorFlow, eager": tensorflow_step(pair),
        "tf.function": tensorflow_step(pair, autograph=False),
        "tf.function, XLA": tensorflow_step(pair, jit_compile=True),
        "PyTorch, eager": pytorch_step(pair),
    }


def differences(pair: Pair, steps: int = 3) -> dict[str, float]:
    """How far TensorFlow's three ways are from PyTorch, at most, over some steps.

    Returns:
        ``loss`` and ``gradient``: largest absolute differences; ``relative``: that of a gradient
        divided by the largest entry of the same gradient.
    """
    made, gaps = ways(pair), {"loss": 0.0, "gradient": 0.0, "relative": 0.0}
    theirs = made.pop("PyTorch, eager")
    for _ in range(steps):
        loss, gradients = theirs()
        for step in made.values():
            other, others = step()
            gaps["loss"] = max(gaps["loss"], abs(float(other) - float(loss)))
            for mine, right in zip(others, gradients, strict=True):
                gap = float((to_torch(mine.numpy()) - right).abs().max())
                gaps["gradient"] = max(gaps["gradient"], gap)
                gaps["relative"] = max(gaps["relative"], gap / float(right.abs().max()))
    return gaps


def times(pair: Pair, turns: int = TURNS) -> dict[str, dict[str, float]]:
    """Processor milliseconds of a step, by turns: the median over the turns, and the first call of all."""
    made, first, lengths = ways(pair), {}, {}
    for name, step in made.items():
        first[name] = _milliseconds(step, 1)
        _milliseconds(step, 3)
        lengths[name] = max(1, round(1000 * TURN_SECONDS / _milliseconds(step, 3)))
    seen: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(turns):
        for name, step in made.items():
            seen[name].append(_milliseconds(step, lengths[name]))
    return {
        name: {
            "milliseconds": round(statistics.median(seen[name]), 3),
            "first_call": round(first[name], 1),
        }
        for name in made
    }


def _milliseconds(step: Callable[[], tuple[Any, list[Any]]], repeats: int) -> float:
    start = time.process_time()
    for _ in range(repeats):
        loss, _ = step()
    float(loss)
    return 1000 * (time.process_time() - start) / repeats


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Make the table."""
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    rows = []
    for pair in pairs():
        gaps = {name: float(f"{gap:.1e}") for name, gap in differences(pair).items()}
        rows.append(
            {
                "network": pair.name,
                "weights": sum(array.size for array in pair.weights),
                "batch": len(pair.batch[0]),
                "largest_differences": gaps,
                "times": times(pair),
            }
        )
        print(rows[-1])
    table = {
        "what": "one step of gradient descent: loss, gradients, new weights",
        "turns": {
            "count": TURNS,
            "seconds": TURN_SECONDS,
            "statistic": "median over turns of CPU time per step, in milliseconds",
        },
        "versions": {
            "gancourse": gancourse.__version__,
            "tensorflow": tf.__version__,
            "torch": torch.__version__.split("+")[0],
            "python": platform.python_version(),
        },
        "hardware": f"CPU, 1 thread: {_processor()}",
        "recorded": time.strftime("%Y-%m-%d"),
        "rows": rows,
    }
    write_json(RECORDED / "tf" / "steps" / "times.json", table)


if __name__ == "__main__":
    main()
