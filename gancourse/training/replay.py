"""A training step recorded once and replayed: CUDA graphs, and what a step must be to become one.

A small net's step is some hundred kernels, and the host takes longer to ask for them than the GPU
to run them. A graph is asked for once. It repeats what was recorded to the letter: the same
kernels on the same addresses, with the same host values. So a step reads its images' numbers from
buffers, counts on the device, draws from the device's generator, and never asks for a result.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from gancourse.errors import GancourseError

__all__ = ["WARM_UP", "CudaRecorder", "Recorder", "Replayed"]

#: real steps before the recording: libraries set themselves up in them, and compilation ends
WARM_UP = 3


class Recorder(Protocol):
    """What can run work where it will be recorded, and record it."""

    def run(self, work: Callable[[], object]) -> None:
        """Do the work."""

    def record(self, work: Callable[[], object]) -> Callable[[], None]:
        """Note what the work does without doing it; the result does it, each time anew."""


class CudaRecorder:
    """Records work as a CUDA graph, on a stream of its own.

    What the work draws comes from the device's default generator.

    Args:
        device: a CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)

    def run(self, work: Callable[[], object]) -> None:
        """Do the work on the stream of the recording, in turn with the current one."""
        current = torch.cuda.current_stream(self.device)
        self.stream.wait_stream(current)
        with torch.cuda.stream(self.stream):
            work()
        current.wait_stream(self.stream)

    def record(self, work: Callable[[], object]) -> Callable[[], None]:
        """Record the work as a CUDA graph.

        The default generator is registered with each graph by PyTorch: every replay goes on in its
        sequence, and its state can be saved and put back between replays.
        """
        gc.collect()  # else it might free older graphs in the middle of the recording
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.device(self.device), torch.cuda.graph(graph, stream=self.stream):
                work()
        except RuntimeError as error:
            raise GancourseError(
                f"This step cannot be recorded as a CUDA graph ({str(error).splitlines()[0]}). "
                "Train it without --fast (fast=False)."
            ) from error
        return graph.replay


class Replayed:
    """A step that is recorded after a few runs, and replayed from then on.

    The recording holds addresses, not tensors: it always reads the minibatch's numbers from the
    same buffers and leaves its figures in the same one. The runs before it are steps of the
    training like any other, so nothing has to be undone.

    Args:
        step: from the numbers of the images of each minibatch to the step's figures; no host
            value that changes from step to step may enter it.
        optimizers: what the step updates with.
        recorder: by what it is recorded.
    """

    def __init__(
        self,
        step: Callable[[Sequence[Tensor]], Tensor],
        optimizers: Sequence[torch.optim.Optimizer],
        recorder: Recorder,
    ) -> None:
        self.step, self.optimizers, self.recorder = step, optimizers, recorder
        self.runs = 0
        self.chosen: list[Tensor] = []
        self.replay: Callable[[], None] | None = None

    def forget(self) -> None:
        """Begin again: the step's tensors have been replaced by others."""
        self.runs, self.replay = 0, None

    def __call__(self, chosen: Sequence[Tensor]) -> Tensor:
        """One step on these images; the figures are the caller's own."""
        if not self.chosen:
            self.chosen = [torch.empty_like(numbers) for numbers in chosen]
        for buffer, numbers in zip(self.chosen, chosen, strict=True):
            buffer.copy_(numbers)
        if self.runs < WARM_UP:
            self.recorder.run(self._work)
        else:
            if self.replay is None:
                self.replay = self._record()
            self.replay()
        self.runs += 1
        return self.figures.clone()

    def _work(self) -> None:
        self.figures = self.step(self.chosen)

    def _record(self) -> Callable[[], None]:
        for optimizer in self.optimizers:
            # Gradients made during the recording lie in its own memory.
            optimizer.zero_grad(set_to_none=True)
            for group in optimizer.param_groups:
                # Fused optimisers count their steps on the device anyway; this says so.
                group["capturable"] = True
        return self.recorder.record(self._work)
