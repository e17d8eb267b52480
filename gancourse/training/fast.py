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
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from gancourse.gans.base import GAN, Batch
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
    for name in PLAYERS:
        # What Module.compile sets; it has no inverse of its own.
        getattr(gan, name)._compiled_call_impl = None


def choose(gan: GAN, batch_size: int, device: torch.device) -> Path:
    """Try out, on copies of the players and on random pixels, which path is the fastest.

    Nothing of the GAN changes, and no random number is used up. The results of the paths differ by
    rounding alone.

    Args:
        gan: the players, on ``device``.
        batch_size: images a minibatch.
        device: where the run will be.

    Returns:
        On a CPU a layout for each player; on a GPU with CUDA also compilation where it is faster,
        bfloat16 where the GPU has it, and a graph.
    """
    cuda = device.type == "cuda"
    bf16 = cuda and torch.cuda.is_bf16_supported(including_emulation=False)
    own = layout_name(gan.memory_format)
    path = Path(device.type, own, own, bf16=bf16, graph=cuda)
    with torch.random.fork_rng(devices=[device] if cuda else []):
        images = torch.rand(batch_size, *gan.shape, device=device) * 2 - 1
        noise = gan.noise(batch_size, device)
        layouts = {
            name: _layout(getattr(gan, name), value, own, path)
            for name, value in (("generator", noise), ("discriminator", images))
        }
        path = Path(device.type, **layouts, bf16=bf16, graph=cuda)
        return _compilation(gan, images, path) if cuda else path


def _layout(player: nn.Module, value: Tensor, own: str, path: Path) -> str:
    """The layout in which a player goes forth and back fastest."""
    if all(parameter.ndim < 4 for parameter in player.parameters()):
        return own

    def pass_through(layout: str) -> Callable[[], None]:
        net = copy.deepcopy(player).to(memory_format=LAYOUTS[layout])
        x = value.clone(memory_format=LAYOUTS[layout]) if value.ndim == 4 else value.clone()
        x.requires_grad_(value.ndim == 4)

        def work() -> None:
            net.zero_grad()
            with path.precision():
                y = net(x)
            y.float().square().mean().backward()

        return work

    return fastest({name: pass_through(name) for name in LAYOUTS}, own, value.device)


def _compilation(gan: GAN, images: Tensor, path: Path) -> Path:
    """The path with those players compiled that can be, if that is faster.

    A loss with a gradient penalty differentiates its discriminator twice, which compiled nets
    refuse: then the generator alone is tried.
    """
    works: dict[tuple[str, ...], Callable[[], None]] = {}
    for players in ((), ("generator",), PLAYERS):
        rival, tried = copy.deepcopy(gan), Path(**{**asdict(path), "compiled": players})
        take(tried, rival, nn.Identity())
        work = _losses(rival, images, tried)
        if can_run(work):
            works[players] = work
    players = fastest(works, (), images.device)
    return Path(**{**asdict(path), "compiled": players})


def _losses(gan: GAN, images: Tensor, path: Path) -> Callable[[], None]:
    """Both players' losses and gradients, as in a step, without the updates."""
    batch = Batch(images.contiguous(memory_format=LAYOUTS[path.discriminator]))

    def work() -> None:
        gan.zero_grad()
        with path.precision():
            fake = gan.generate(batch).float()
            loss = gan.discriminator_loss(batch, fake.detach()).loss
        loss.backward()
        gan.discriminator.requires_grad_(False)
        with path.precision():
            loss = gan.generator_loss(batch, fake).loss
        loss.backward()
        gan.discriminator.requires_grad_(True)

    return work


def can_run(work: Callable[[], None]) -> bool:
    """Whether a trial goes through; if not, a warning says why the path is not taken."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - compilers fail in many ways; each means: not this path
        reason = " ".join(str(error).split())[:200]
        warnings.warn(f"Not compiled: {type(error).__name__}: {reason}", stacklevel=2)
        return False
    return True


def fastest(works: Mapping[K, Callable[[], None]], own: K, device: torch.device) -> K:
    """The name of the work that takes least time; ``own`` unless another one is clearly faster."""
    calls = {name: _on(device, work) for name, work in works.items()}
    seconds = dict.fromkeys(works, math.inf)
    for _ in range(ROUNDS):
        for name, call in calls.items():
            seconds[name] = min(seconds[name], call())
    seconds[own] /= MARGIN
    return min(seconds, key=seconds.__getitem__)


def _on(device: torch.device, work: Callable[[], None]) -> Callable[[], float]:
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
