"""Batch normalisation by the statistics of a minibatch that lies in several processes.

PyTorch's ``SyncBatchNorm`` does the same on GPUs and refuses the CPU. These layers use no more than
its operations on tensors and two small messages, so the code that the tests run on a CPU is the
code that runs on GPUs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from gancourse.errors import GancourseError

__all__ = ["GlobalBatchNorm1d", "GlobalBatchNorm2d", "exchange"]


@contextmanager
def exchange() -> Iterator[None]:
    """For what processes send each other: a failure means that one of them is gone."""
    try:
        yield
    except RuntimeError as error:
        # Gloo puts the line of its source first, and may say more after the sentence that matters.
        reason = re.sub(r"^\[\S+\] ", "", str(error).splitlines()[0]).split(". ")[0][:100]
        raise GancourseError(
            f"Process {dist.get_rank() + 1} of {dist.get_world_size()} has lost another one, which "
            f"ended or did not answer ({reason}). What was saved stays; start all processes again "
            "with --resume (resume=True)."
        ) from error


class _Normalise(torch.autograd.Function):
    """x (N x C x ..., this process's slice) to (x - mean) / sqrt(variance + eps) * weight + bias.

    Also returns mean and variance (C, over all processes), for the running statistics. The gradient
    that reaches a slice is that of the sum of all processes' losses, since each of them depends on
    every slice by way of the statistics; those of weight and bias are of the own slice.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        dims, shape = [0, *range(2, x.ndim)], (-1, *[1] * (x.ndim - 2))
        precise = x.to(torch.promote_types(x.dtype, torch.float32))
        own = torch.stack(torch.var_mean(precise, dims, correction=0))
        every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        with exchange():
            dist.all_gather(every, own)
        variances, means = torch.stack(every).unbind(1)
        mean = means.mean(0)
        # Within the slices and between them; squares of differences keep their digits.
        variance = variances.mean(0) + (means - mean).square().mean(0)
        scale = (variance + eps).rsqrt()
        normal = (x - mean.view(shape)) * scale.view(shape)
        ctx.save_for_backward(normal, weight, scale)
        ctx.mark_non_differentiable(mean, variance)
        return (
            torch.addcmul(bias.view(shape), normal, weight.view(shape)).to(x.dtype),
            mean,
            variance,
        )

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient, (normal, weight, scale) = gradients[0], ctx.saved_tensors
        dims, shape = [0, *range(2, normal.ndim)], (-1, *[1] * (normal.ndim - 2))
        own = torch.stack([gradient.sum(dims), (gradient * normal).sum(dims)])
        total = own.clone()
        with exchange():
            dist.all_reduce(total)
        total *= len(own[0]) / (gradient.numel() * dist.get_world_size())
        along, across = (t.view(shape) for t in total)
        change = (gradient - along - normal * across) * (weight * scale).view(shape)
        return change.to(gradient.dtype), own[1], own[0], None


class _Global(nn.modules.batchnorm._BatchNorm):
    """In training, and with other processes there; else the layer that it is derived from."""

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and dist.is_initialized()):
            return super().forward(x)
        self._check_input_dim(x)
        assert self.momentum is not None and self.running_mean is not None
        assert self.running_var is not None and self.num_batches_tracked is not None
        y, mean, variance = _Normalise.apply(x, self.weight, self.bias, self.eps)
        count = x.numel() // x.shape[1] * dist.get_world_size()
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return y


class GlobalBatchNorm1d(_Global, nn.BatchNorm1d):
    """:class:`torch.nn.BatchNorm1d` over the slices of all processes."""


class GlobalBatchNorm2d(_Global, nn.BatchNorm2d):
    """:class:`torch.nn.BatchNorm2d` over the slices of all processes."""
