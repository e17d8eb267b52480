"""An exponential moving average of a net's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn

__all__ = ["EMA"]


class EMA:
    """A second copy of a net that follows the first one slowly.

    After update number t the copy is ``d * copy + (1 - d) * net`` with
    ``d = min(decay, (1 + t) / (10 + t))``, so that early updates do not drag the initial weights
    along. Floating-point buffers (the running statistics of batch normalisation) are averaged in
    the same way, integer ones copied.

    Args:
        net: the net to follow; the copy lies on the same device.
        decay: in [0, 1); 0 makes the copy equal to the net.

    Attributes:
        net: the averaged copy, in evaluation mode, without gradients.
        updates: how many updates there have been.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.net = copy.deepcopy(net).eval().requires_grad_(False)
        self.decay = decay
        self.updates = 0
        pairs = list(zip(self._tensors(self.net), self._tensors(net), strict=True))
        floating = [pair for pair in pairs if pair[0].is_floating_point()]
        self._copy, self._source = ([pair[i] for pair in floating] for i in (0, 1))
        self._integers = [pair for pair in pairs if not pair[0].is_floating_point()]

    @staticmethod
    def _tensors(net: nn.Module) -> list[torch.Tensor]:
        return [*net.parameters(), *net.buffers()]

    @torch.no_grad()
    def update(self) -> None:
        """Take one step towards the net's present weights; no host synchronisation."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(self._copy, self._source, 1 - decay)
        for copied, source in self._integers:
            copied.copy_(source)
        self.updates += 1
