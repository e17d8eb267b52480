"""The fast path: how the same steps are computed, not which ones.

What a step computes stands in :class:`gancourse.training.trainer.Trainer`, and is the same on every
path. A :class:`Path` says in which memory layout each player's maps lie, whether a player is
compiled, whether its products are taken in bfloat16, and whether the whole step is replayed as one
CUDA graph. :func:`choose` tries out what the machine offers and keeps what wins: on a CPU layouts
alone, since there compiling cost more than it gave; on a GPU all of it.

A choice by the clock may come out differently the next time. So it is made once a run, at its first
step, and stands in every checkpoint and in ``run.json``; a resumed run takes it from there.
"""

from __future__ import annotations

import copy
import math
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import torch
from torch import nn

from gancourse.errors import GancourseError
from gancourse.gans.base import GAN, Batch, frozen
from gancourse.training.replay import WARM_UP, CudaRecorder

__all__ = ["LAYOUTS", "Path", "choose", "release", "take"]

#: name -> memory layout
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
PLAYERS = ("generator", "discriminator")
#: what torch.compile hands its graphs to
BACKEND = "inductor"
#: runs of each candidate that are timed; the fastest counts
ROUNDS = 3
#: A candidate must be this much faster than what is there without asking.
MARGIN = 1.03

K = TypeVar("K")


@dataclass(frozen=True)
class Path:
    """How a run's steps are computed.

    Attributes:
        device: type of the device that it was chosen on.
        generator: layout of the generator's weights and maps, by its name in :data:`LAYOUTS`.
        discriminator: the same of the discriminator's; the real images have it too.
        compiled: which players run compiled (``torch.compile``).
        bf16: whether convolutions and matrix products round their factors to bfloat16. Weights,
            gradients and moments stay in float32.
        graph: whether a step is recorded as a CUDA graph and replayed.
    """

    device: str
    generator: str
    discriminator: str
    compiled: tuple[str, ...] = ()
    bf16: bool = False
    graph: bool = False

    def facts(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return asdict(self) | {"compiled": list(self.compiled)}

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Path:
        """The path that :meth:`facts` describes."""
        return cls(**{**facts, "compiled": tuple(facts["compiled"])})

    def precision(self) -> AbstractContextManager[Any]:
        """For forward passes: the context in which they have this path's precision."""
        return torch.autocast(self.device, torch.bfloat16) if self.bf16 else nullcontext()


def layout_name(layout: torch.memory_format) -> str:
    """The name of a memory layout in :data:`LAYOUTS`."""
    return next(name for name, known in LAYOUTS.items() if known == layout)


def take(path: Path, gan: GAN, average: nn.Module) -> None:
    """Put a GAN, and the generator's average, on a path; in place.

    Optimisers keep their parameters. Moments that they already have must be laid out anew.
    """
    for name in PLAYERS:
        player, layout = getattr(gan, name), LAYOUTS[getattr(path, name)]
        player.to(memory_format=layout)
        if name in path.compiled:
            # A graph break would bring the host back into the step: rather no compilation.
            player.compile(backend=BACKEND, fullgraph=True, dynamic=False)
    average.to(memory_format=LAYOUTS[path.generator])


def release(gan: GAN) -> None:
    """Take the compilation back: what comes after training calls the nets in other ways."""
    players = [getattr(gan, name) for name in PLAYERS]
    if any(player._compiled_call_impl is not None for player in players):
        # Else the programs of the next runs in this process count with these, up to a limit.
        torch.compiler.reset()
    for player in players:
        # What Module.compile sets; it has no inverse of its own.
        player._compiled_call_impl = None


def choose(gan: GAN, batch: Batch) -> Path:
    """Try out on copies of the players which path is the fastest.

    Nothing of the GAN changes, and no random number is used up. The results of the paths differ by
    rounding alone.

    Args:
        gan: the players, on the device of the run.
        batch: some of the data, as many as a minibatch has, on that device.

    Returns:
        On a CPU a layout for each player; on a GPU with CUDA also compilation where it is faster,
        bfloat16 where the GPU has it, and a graph. Elsewhere the GAN's own layout, untried.
    """
    device, own = batch.images.device, layout_name(gan.memory_format)
    if device.type not in ("cpu", "cuda"):
        return Path(device.type, own, own)
    cuda = device.type == "cuda"
    bf16 = cuda and torch.cuda.is_bf16_supported(including_emulation=False)
    path = Path(device.type, own, own, bf16=bf16, graph=cuda)
    with torch.random.fork_rng(devices=[device] if cuda else []):
        layouts: dict[str, Any] = {name: _layout(gan, name, batch, path) for name in PLAYERS}
        path = replace(path, **layouts)
        return _compilation(gan, batch, path) if cuda else path


def _layout(gan: GAN, name: str, batch: Batch, path: Path) -> str:
    """The layout in which a player goes forth and back fastest."""
    own = getattr(path, name)
    if all(parameter.ndim < 4 for parameter in getattr(gan, name).parameters()):
        return own
    calls = {}
    for layout in LAYOUTS:
        choice: dict[str, Any] = {name: layout}
        rival, tried = copy.deepcopy(gan), replace(path, **choice)
        take(tried, rival, nn.Identity())
        half = _generation if name == "generator" else _judgement
        calls[layout] = _timed(half(rival, _laid_out(batch, tried), tried), batch.images.device)
    return fastest(calls, own)


def _compilation(gan: GAN, batch: Batch, path: Path) -> Path:
    """The path with those players compiled that can be, if that is faster.

    A loss with a gradient penalty differentiates its discriminator twice, which compiled nets
    refuse: then that choice drops out, with a warning.
    """
    every: tuple[tuple[str, ...], ...] = ((), ("generator",), PLAYERS)
    calls = {}
    for players in every:
        rival, tried = copy.deepcopy(gan), replace(path, compiled=players)
        take(tried, rival, nn.Identity())
        shown = _laid_out(batch, tried)
        work = _both(_generation(rival, shown, tried), _judgement(rival, shown, tried))
        try:
            calls[players] = _timed(work, batch.images.device)
        except GancourseError:
            raise  # a recording that failed, which leaves the device's generator unusable
        except Exception as error:
            if not players:
                raise
            # Compilers fail in many ways; each of them means: not this path.
            reason = " ".join(str(error).split())[:200]
            warnings.warn(f"Not compiled: {type(error).__name__}: {reason}", stacklevel=4)
    return replace(path, compiled=fastest(calls, ()))


def _laid_out(batch: Batch, path: Path) -> Batch:
    images = batch.images.contiguous(memory_format=LAYOUTS[path.discriminator])
    return batch._replace(images=images)


def _generation(gan: GAN, batch: Batch, path: Path) -> Callable[[], object]:
    """The generator's part of a step: fakes, and the way back."""

    def work() -> None:
        gan.zero_grad()
        with path.precision():
            fake = gan.generate(batch).float()
        fake.square().mean().backward()

    return work


def _judgement(gan: GAN, batch: Batch, path: Path) -> Callable[[], object]:
    """The discriminator's part of a step: both losses and their gradients."""
    fake = torch.rand_like(batch.images).requires_grad_()

    def work() -> None:
        gan.zero_grad()
        fake.grad = None
        with path.precision():
            loss = gan.discriminator_loss(batch, fake.detach()).loss
        loss.backward()
        with frozen(gan.discriminator):
            with path.precision():
                loss = gan.generator_loss(batch, fake).loss
            loss.backward()

    return work


def _both(first: Callable[[], object], second: Callable[[], object]) -> Callable[[], object]:
    return lambda: (first(), second())


def fastest(calls: Mapping[K, Callable[[], float]], own: K) -> K:
    """Of calls that tell their seconds, the fastest; ``own`` unless one is clearly faster."""
    seconds = dict.fromkeys(calls, math.inf)
    for _ in range(ROUNDS):
        for name, call in calls.items():
            seconds[name] = min(seconds[name], call())
    seconds[own] /= MARGIN
    return min(seconds, key=seconds.__getitem__)


def _timed(work: Callable[[], object], device: torch.device) -> Callable[[], float]:
    """The work as a call that tells its seconds; warmed up, and on a GPU as a graph.

    There the host takes longer to ask for a small net's kernels than they take to run, and
    would be all that is timed.
    """
    if device.type != "cuda":
        work()

        def call() -> float:
            start = time.perf_counter()
            work()
            return time.perf_counter() - start

        return call
    recorder = CudaRecorder(device)
    for _ in range(WARM_UP):
        recorder.run(work)
    replay = recorder.record(work)

    def replays() -> float:
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        for _ in range(10):
            replay()
        torch.cuda.synchronize(device)
        return time.perf_counter() - start

    return replays
