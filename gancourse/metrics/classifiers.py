"""The small convolutional classifier whose penultimate layer serves as a feature extractor."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

ARCHITECTURE = "small-cnn/1"
"""Name and version of the network below; weights state which one they belong to."""


class SmallCNN(nn.Module):
    """Four convolutions, global average pooling and one linear layer.

    Every convolution is followed by a ReLU, and while training by batch normalisation before it.
    The features are the pooled activations of the last convolution: ``widths[-1]`` non-negative
    numbers an image, the same place in the network at which Inception's pool3 features are taken.

    Args:
        channels: channels of the input images.
        classes: number of classes K.
        widths: channels after the first two, the third and the fourth convolution.
        stem_stride: stride of the first convolution; 2 for 28 x 28 images, 1 for 8 x 8.
        normalise: with batch normalisation (training) or with it folded into the convolutions.
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        widths: tuple[int, int, int],
        stem_stride: int,
        normalise: bool,
    ) -> None:
        super().__init__()
        first, second, third = widths
        kernel = 2 * stem_stride + 1
        shapes = (
            (channels, first, kernel, stem_stride),
            (first, first, 3, 1),
            (first, second, 3, 2),
            (second, third, 3, 1),
        )
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=not normalise)
            for inputs, outputs, size, stride in shapes
        )
        self.norms = nn.ModuleList(
            nn.BatchNorm2d(outputs) if normalise else nn.Identity() for _, outputs, _, _ in shapes
        )
        self.head = nn.Linear(third, classes)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Features of a batch.

        Args:
            images: float32 N x C x H x W in [0, 1].

        Returns:
            float32 N x ``widths[-1]``, non-negative.
        """
        # Channels last is the layout the CPU's convolution kernels work in.
        hidden = images.contiguous(memory_format=torch.channels_last)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            hidden = torch.relu(norm(convolution(hidden)))
        return hidden.mean(dim=(2, 3))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits N x K of images float32 N x C x H x W in [0, 1]."""
        return self.head(self.features(images))


def folded_weights(net: SmallCNN) -> dict[str, torch.Tensor]:
    """Weights of the same function without its batch normalisation, rounded to float16.

    In evaluation mode batch normalisation is an affine map per channel, so it can be multiplied
    into the convolution before it: fewer tensors, and no small running variance to round.

    Args:
        net: a trained network with ``normalise=True``, in evaluation mode.

    Returns:
        State dictionary, float16 on the CPU, for a :class:`SmallCNN` with ``normalise=False``.
    """
    weights: dict[str, torch.Tensor] = {}
    for index, (convolution, norm) in enumerate(zip(net.convolutions, net.norms, strict=True)):
        fused = fuse_conv_bn_eval(convolution, norm)
        weights[f"convolutions.{index}.weight"] = fused.weight
        weights[f"convolutions.{index}.bias"] = fused.bias
    weights["head.weight"] = net.head.weight
    weights["head.bias"] = net.head.bias
    return {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in weights.items()
    }
