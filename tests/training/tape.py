"""A CUDA graph for machines without CUDA: operations on tensors, noted once and done again.

As in a graph, each operation is noted with the memory it read and wrote and with the host's numbers of
that moment, and nothing of the recording itself remains. Done again it reads and writes the same
memory. Python does not run again: what it decided stays decided.
"""

from __future__ import annotations

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Tape(TorchDispatchMode):
    """Does every operation, and notes it."""

    def __init__(self):
        super().__init__()
        self.notes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        self.notes.append((func, args, kwargs or {}, made))
        return made

    @torch.no_grad()
    def play(self):
        for func, args, kwargs, made in self.notes:
            aliases = [returned.alias_info for returned in func._schema.returns]
            if any(alias is not None and not alias.is_write for alias in aliases):
                continue  # a view of memory that is there already
            again = func(*args, **kwargs)
            several = isinstance(made, tuple)
            pairs = zip(made, again, strict=True) if several else [(made, again)]
            for alias, (before, now) in zip(aliases, pairs, strict=False):
                if alias is None and isinstance(before, torch.Tensor):
                    before.copy_(now)


class TapeRecorder:
    """Stands in for :class:`gancourse.training.replay.CudaRecorder`."""

    #: set by a test: whose tensors a recording must leave as they were
    trainer = None

    def __init__(self, device):
        self.recordings = 0

    def run(self, work):
        work()

    def record(self, work):
        trainer = type(self).trainer
        state = [*trainer.gan.state_dict().values()]
        for optimizer in (trainer.optimizer_d, trainer.optimizer_g):
            assert all(group["capturable"] for group in optimizer.param_groups)
            assert all(p.grad is None for group in optimizer.param_groups for p in group["params"])
            state += [t for entry in optimizer.state.values() for t in entry.values()]
        state = [tensor for tensor in state if tensor is not None]
        before, random = [tensor.clone() for tensor in state], torch.get_rng_state()
        tape = Tape()
        with tape:
            work()
        for tensor, value in zip(state, before, strict=True):
            tensor.detach().copy_(value)
        torch.set_rng_state(random)
        self.recordings += 1
        return tape.play
