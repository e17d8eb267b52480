"""What a training step costs: floating-point operations by layer, and where the time goes.

An operation here is one multiplication or one addition of a matrix product or a convolution. What
the other layers do (normalisation, activations, the optimiser) is little arithmetic and much
reading and writing, and is not counted.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from gancourse.gans.base import GAN

__all__ = ["KINDS", "Layer", "Stopwatch", "layers", "step_flops"]

#: What :class:`Stopwatch` divides a step into.
KINDS = (
    "convolution, forward",
    "convolution, backward",
    "normalisation",
    "activation",
    "optimiser and average",
    "data",
    "rest",
)


class Layer(NamedTuple):
    """A layer with weights, and how often one training step goes through it."""

    #: ``"generator"`` or ``"discriminator"``
    player: str
    #: ``"linear"``, ``"down"`` (a convolution) or ``"up"`` (a transposed one)
    kind: str
    #: pixels a side that go in and come out; 1 for vectors
    sides: tuple[int, int]
    #: maps, or numbers, that go in and come out
    maps: tuple[int, int]
    #: operations of one forward pass of one image
    forward: int
    #: passes of that size in one step of :class:`~gancourse.training.trainer.Trainer`
    passes: int


def layers(gan: GAN) -> list[Layer]:
    """The layers of both players with what a step costs in them, in the order of a pass.

    A convolution multiplies each of its M x C kernels with k x k numbers at each of the places it
    stops at: the output's pixels for a strided convolution, the input's for a transposed one. One
    multiplication and one addition each make 2 k^2 C M places operations.

    A backward pass through a layer is two products of the same size: for the gradient of its
    weights, and for that of its input. The generator is gone through once a step and needs both,
    but nobody asks for the gradient of the noise: 3 passes, 2 in its first layer. The discriminator
    learns from real and from fake images, 3 passes each (2 in the first layer, as the pixels stay),
    and passes on the generator's gradient, frozen: 2. That is 8, and 6 in its first layer.

    Args:
        gan: whose players are chains of linear layers and convolutions.

    Returns:
        One :class:`Layer` each, the generator's first; the passes are those of a step with one
        turn of the discriminator and without augmentation.
    """
    found: list[Layer] = []
    noise = torch.zeros(2, gan.latent_dim)
    pixels = torch.zeros(2, *gan.shape)
    for player, net, seen, passes in (
        ("generator", gan.generator, noise, (2, 3)),
        ("discriminator", gan.discriminator, pixels, (6, 8)),
    ):
        shapes = _trace(net, seen)
        for number, (module, before, after) in enumerate(shapes):
            kind = "linear" if isinstance(module, nn.Linear) else "down"
            kind = "up" if isinstance(module, nn.ConvTranspose2d) else kind
            places = math.prod((before if kind == "up" else after)[2:])
            flops = 2 * module.get_parameter("weight").numel() * places
            sides, maps = (_side(before), _side(after)), (before[1], after[1])
            found.append(Layer(player, kind, sides, maps, flops, passes[number > 0]))
    return found


def _trace(net: nn.Module, seen: Tensor) -> list[tuple[nn.Module, torch.Size, torch.Size]]:
    """The linear layers and convolutions that a pass meets, with the shapes before and after."""
    met: list[tuple[nn.Module, torch.Size, torch.Size]] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> None:
        met.append((module, inputs[0].shape, out.shape))

    kinds = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
    hooks = [m.register_forward_hook(note) for m in net.modules() if isinstance(m, kinds)]
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(seen.to(next(net.parameters()).device))
    finally:
        net.train(training)
        for hook in hooks:
            hook.remove()
    return met


def _side(shape: torch.Size) -> int:
    return shape[2] if len(shape) > 2 else 1


def step_flops(gan: GAN, batch_size: int) -> int:
    """Operations of one training step, a discriminator step and a generator step on a minibatch.

    What ``torch.utils.flop_counter`` counts too, for nets that :func:`layers` knows.
    """
    return batch_size * sum(layer.forward * layer.passes for layer in layers(gan))


class Stopwatch(TorchDispatchMode):
    """Times every operator that PyTorch runs while this is active, forward and backward.

    ``with Stopwatch() as watch: trainer.step()``. Watching costs some microseconds an operator.
    Operators on a GPU are only started; for those use ``torch.profiler``.

    Linear layers are matrix products like convolutions and go with them; ``"data"`` is what reads
    pixels that are bytes.

    Attributes:
        spans: for each operator in turn its kind of :data:`KINDS`, and when it started and ended
            (``time.perf_counter``).
    """

    def __init__(self) -> None:
        super().__init__()
        self.spans: list[tuple[str, float, float]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        start = time.perf_counter()
        result = func(*args, **(kwargs or {}))
        self.spans.append((_kind(str(func), args), start, time.perf_counter()))
        return result

    def shares(self) -> dict[str, float]:
        """Which part of the operators' time each kind took, adding up to 1; all 0 if there was none."""
        seconds = dict.fromkeys(KINDS, 0.0)
        for kind, start, end in self.spans:
            seconds[kind] += end - start
        total = sum(seconds.values()) or 1.0
        return {kind: value / total for kind, value in seconds.items()}


def _kind(name: str, args: tuple[Any, ...]) -> str:
    def met(*parts: str) -> bool:
        return any(part in name for part in parts)

    if args and isinstance(args[0], Tensor) and args[0].dtype == torch.uint8:
        return "data"
    if met("adam", "sgd", "foreach"):
        return "optimiser and average"
    if met("batch_norm"):
        return "normalisation"
    if met("relu", "tanh", "threshold"):
        return "activation"
    if met("conv", "aten.mm", "aten.bmm", "addmm", "col2im"):
        backward = torch._C._current_graph_task_id() != -1
        return "convolution, backward" if backward else "convolution, forward"
    return "rest"
