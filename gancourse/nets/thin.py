"""The two layers that touch pixels: convolutions between one or three channels and many.

They compute what :class:`torch.nn.Conv2d` and :class:`torch.nn.ConvTranspose2d` compute with kernel
4, stride 2 and padding 1, from the same parameters under the same names. What differs is the way
from many channels to few on a CPU, where PyTorch's kernels are slow. Here it is one matrix product
(each pixel of the maps times the whole kernel), whose 4 x 4 patches are summed where they overlap.
That way is gone twice a step: forward in the generator's last layer, and backward through the
discriminator's first.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["FromImage", "ToImage"]


def _weight_gradient(images: Tensor, maps: Tensor, weight: Tensor) -> Tensor:
    """Gradient of the kernel that connects images N x C x 2H x 2W and maps N x M x H x W."""
    geometry = ([2, 2], [1, 1], [1, 1], False, [0, 0], 1)
    mask = [False, True, False]
    return torch.ops.aten.convolution_backward(maps, images, weight, None, *geometry, mask)[1]


# Each is the other's derivative in its input, so derivatives of every order go through them.
class _Down(torch.autograd.Function):
    """Images N x C x 2H x 2W to maps N x M x H x W; weight M x C x 4 x 4, bias M or None."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(images, weight)
        return functional.conv2d(images, weight, bias, stride=2, padding=1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (images, weight) = gradients, ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            _Up.apply(gradient, weight) if wanted[0] else None,
            _weight_gradient(images, gradient, weight) if wanted[1] else None,
            gradient.sum((0, 2, 3)) if wanted[2] else None,
        )


class _Up(torch.autograd.Function):
    """Maps N x M x H x W to images N x C x 2H x 2W; weight M x C x 4 x 4."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        patches = maps.permute(0, 2, 3, 1).flatten(1, 2) @ weight.flatten(1)
        size = (2 * maps.shape[2], 2 * maps.shape[3])
        return functional.fold(patches.transpose(1, 2), size, 4, padding=1, stride=2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (maps, weight) = gradients, ctx.saved_tensors
        wanted = ctx.needs_input_grad
        return (
            _Down.apply(gradient, weight, None) if wanted[0] else None,
            _weight_gradient(gradient, maps, weight) if wanted[1] else None,
        )


class FromImage(nn.Conv2d):
    """The first layer of a discriminator: halves the size; kernel 4, stride 2, padding 1.

    Args:
        channels: of the images.
        maps: how many feature maps to make.
    """

    def __init__(self, channels: int, maps: int) -> None:
        super().__init__(channels, maps, 4, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """Images N x C x 2H x 2W to maps N x M x H x W."""
        if images.device.type != "cpu":
            return super().forward(images)
        return _Down.apply(images, self.weight, self.bias)


class ToImage(nn.ConvTranspose2d):
    """The last layer of a generator: doubles the size; kernel 4, stride 2, padding 1.

    Args:
        maps: how many feature maps there are.
        channels: of the images.
    """

    def __init__(self, maps: int, channels: int) -> None:
        super().__init__(maps, channels, 4, stride=2, padding=1)

    def forward(self, maps: Tensor) -> Tensor:  # type: ignore[override]
        """Maps N x M x H x W to images N x C x 2H x 2W."""
        if maps.device.type != "cpu":
            return super().forward(maps)
        assert self.bias is not None
        return _Up.apply(maps, self.weight) + self.bias.view(-1, 1, 1)
