"""One run by several processes: a process a device, each with its slice of every minibatch.

Started by ``torchrun`` or ``accelerate launch``, which tell each process its number. Every process
holds all data and both players, and draws the same order, noise and augmentation for the whole
minibatch from the same seed; of each it takes its slice. Three things are exchanged: the gradients
(their mean, one message a player and step), the statistics of batch normalisation (those of
the whole minibatch, :mod:`gancourse.training.normalise`), and the losses. So N processes compute what one
does, up to the rounding of sums taken in another order, and what is saved is the same too.

The gradients are averaged after ``backward`` by hand. ``DistributedDataParallel`` would do it while
``backward`` runs, and save time between machines; but it counts one forward pass a backward pass,
and the discriminator here makes two in its own step and lends itself, frozen, to the generator's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gancourse.errors import GancourseError
from gancourse.gans.base import GAN
from gancourse.training.devices import choose
from gancourse.training.normalise import GlobalBatchNorm1d, GlobalBatchNorm2d, exchange

__all__ = ["ALONE", "ToldError", "World", "join", "started_as"]

#: how long a process waits for another one in a training step
STEP = timedelta(minutes=10)
#: and while the first one loads, scores or saves, or each loads its data
PATIENCE = timedelta(hours=12)

T = TypeVar("T")


class ToldError(GancourseError):
    """An error that another process of the run reports; there is no need to print it twice."""

    told = True


@dataclass(frozen=True)
class World:
    """The processes that make a run together; every one of them calls each method.

    With a size of 1, the default, nothing is exchanged, and each method is what its argument does.

    Attributes:
        rank: number of this process, from 0.
        size: how many there are.
        local: number of this process on its machine, from 0.
        steps: their group for what a step sends from the host's memory.
        patient: their group for what may take long.
    """

    rank: int = 0
    size: int = 1
    local: int = 0
    steps: Any = None
    patient: Any = None

    def slice(self, whole: Tensor) -> Tensor:
        """Of a minibatch, N x ... with N a multiple of ``size``, what this process works on."""
        return whole.chunk(self.size)[self.rank]

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors of one dtype and device, in place, by their means over the processes."""
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with exchange():
            dist.all_reduce(flat)
        flat /= self.size
        parts = flat.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view(tensor.shape))

    def any(self, flag: bool) -> bool:
        """Whether the flag is up in any process."""
        if self.size == 1:
            return flag
        flags = torch.tensor(int(flag))
        with exchange():
            dist.all_reduce(flags, group=self.steps)
        return bool(flags)

    def first(self, function: Callable[[], T]) -> T:
        """Call a function in the first process alone, and give its result to all.

        Raises:
            GancourseError: the function raised one; in all processes.
        """
        if self.size == 1:
            return function()
        told: list[Any] = [None, None]
        if self.rank == 0:
            try:
                told = [function(), None]
            except GancourseError as error:
                self._broadcast([None, str(error)])
                raise
        result, message = self._broadcast(told)
        if message is not None:
            raise ToldError(message)
        return told[0] if self.rank == 0 else result

    def first_only(self, function: Callable[[], T]) -> T | None:
        """The same, but the other processes get None: for results that cannot be sent."""
        kept: list[T] = []
        self.first(lambda: kept.append(function()))
        return kept[0] if kept else None

    def everywhere(self, function: Callable[[], T]) -> T:
        """Call a function in every process, in the first one of each machine before the others.

        So what is downloaded is downloaded once. An error in one is an error in all.

        Raises:
            GancourseError: the function raised one somewhere.
        """
        if self.size == 1:
            return function()
        result: Any = None
        for first_of_machine in (True, False):
            own: GancourseError | None = None
            if (self.local == 0) == first_of_machine:
                try:
                    result = function()
                except GancourseError as error:
                    own = error
            messages: list[Any] = [None] * self.size
            with exchange():
                dist.all_gather_object(messages, own and str(own), group=self.patient)
            reported = next((rank for rank, text in enumerate(messages) if text is not None), None)
            if reported is not None:
                if own is not None and reported == self.rank:
                    raise own
                raise ToldError(messages[reported])
        return result

    def share(self, gan: GAN) -> None:
        """Have a GAN draw noise for the whole minibatch and normalise by its statistics."""
        if self.size > 1:
            gan.part = self.rank, self.size
            _exchange(gan, {nn.BatchNorm1d: GlobalBatchNorm1d, nn.BatchNorm2d: GlobalBatchNorm2d})

    def release(self, gan: GAN) -> None:
        """Take :meth:`share` back."""
        if self.size > 1:
            gan.part = 0, 1
            _exchange(gan, {GlobalBatchNorm1d: nn.BatchNorm1d, GlobalBatchNorm2d: nn.BatchNorm2d})

    def _broadcast(self, told: list[Any]) -> list[Any]:
        with exchange():
            dist.broadcast_object_list(told, group=self.patient)
        return told


def _exchange(gan: nn.Module, classes: dict[Any, Any]) -> None:
    # The layers stay the same objects, so that optimisers, averages and checkpoints know them.
    for layer in gan.modules():
        layer.__class__ = classes.get(type(layer), type(layer))


#: a run by one process
ALONE = World()


def started_as() -> tuple[int, int]:
    """Number of this process and how many there are, as the launcher says; (0, 1) without one."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return 0, 1
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


@contextmanager
def join(device: str) -> Iterator[tuple[World, torch.device]]:
    """Meet the other processes of the run, if it was started with several.

    Args:
        device: as for :func:`gancourse.training.choose`; of several GPUs each process takes the
            one of its number on the machine.

    Yields:
        The processes, and the device of this one.

    Raises:
        GancourseError: more processes than GPUs on this machine; a device that several processes
            cannot use; the others cannot be reached.
    """
    _, size = started_as()
    if size == 1:
        yield ALONE, choose(device)
        return
    local = int(os.environ.get("LOCAL_RANK", 0))
    where = _own_device(device, local)
    backend = "nccl" if where.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend, timeout=STEP)
        steps = dist.new_group(backend="gloo", timeout=STEP) if backend == "nccl" else None
        patient = dist.new_group(backend="gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise GancourseError(
            f"The {size} processes of this run did not find each other "
            f"({str(error).splitlines()[0]}). Start them by torchrun or accelerate launch, with the "
            "same --nnodes and --rdzv-endpoint on every machine."
        ) from error
    try:
        yield World(dist.get_rank(), size, local, steps, patient), where
    finally:
        dist.destroy_process_group()


def _own_device(name: str, local: int) -> torch.device:
    if name in ("auto", "cuda") and torch.cuda.is_available():
        count = torch.cuda.device_count()
        if local >= count:
            raise GancourseError(
                f"Process {local + 1} on this machine finds {count} GPU{'s' * (count != 1)}. Start "
                "as many processes as there are GPUs (--nproc-per-node), or use --device cpu."
            )
        torch.cuda.set_device(local)
    where = choose(name)
    if where.type not in ("cpu", "cuda") or where.index is not None:
        raise GancourseError(
            f"Several processes cannot share {where}. Use --device cuda, where each takes a GPU of "
            "its own, or --device cpu."
        )
    return where
