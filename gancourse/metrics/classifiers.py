"""The small convolutional classifier whose penultimate layer serves as a feature extractor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

ARCHITECTURE = "small-cnn/1"
"""Name and version of the network below; weights state which one they belong to."""


Layer = tuple[int, int, int, int]
"""A convolution: output channels, kernel size, stride, padding."""


class SmallCNN(nn.Module):
    """A few convolutions, global average pooling and one linear layer.

    Every convolution is followed by a ReLU, and while training by batch normalisation before it.
    The features are the pooled activations of the last convolution: as many non-negative numbers
    an image as it has channels, from the place at which Inception's pool3 features are taken.

    Args:
        channels: channels of the input images.
        classes: number of classes K.
        layers: the convolutions. Strides make the maps smaller; a last kernel as large as the map
            makes it a fully connected layer, and then there is nothing left to pool.
        normalise: with batch normalisation (training) or with it folded into the convolutions.
    """

    def __init__(
        self, channels: int, classes: int, layers: Sequence[Layer], normalise: bool
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList()
        self.norms = nn.ModuleList()
        for outputs, kernel, stride, padding in layers:
            self.convolutions.append(
                nn.Conv2d(channels, outputs, kernel, stride, padding, bias=not normalise)
            )
            self.norms.append(nn.BatchNorm2d(outputs) if normalise else nn.Identity())
            channels = outputs
        self.head = nn.Linear(channels, classes)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Features of a batch.

        Args:
            images: float32 N x C x H x W in [0, 1].

        Returns:
            float32 N x F, non-negative; F is the number of channels of the last layer.
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
    weights = {"head.weight": net.head.weight, "head.bias": net.head.bias}
    for index, (convolution, norm) in enumerate(zip(net.convolutions, net.norms, strict=True)):
        assert isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
        fused = fuse_conv_bn_eval(convolution, norm)
        assert fused.bias is not None
        weights[f"convolutions.{index}.weight"] = fused.weight
        weights[f"convolutions.{index}.bias"] = fused.bias
    return {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in weights.items()
    }
