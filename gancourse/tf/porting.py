"""Weights between PyTorch and Keras: the same numbers, laid out as each framework wants them."""

from __future__ import annotations

import copy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from gancourse import gans
from gancourse.errors import GancourseError
from gancourse.tf.gan import DCGAN
from gancourse.tf.nets import PYTORCH, Choices
from gancourse.training import checkpoint

__all__ = ["load", "read_weights", "save", "to_tensorflow", "to_torch", "write_weights"]


def _to_keras(weight: np.ndarray) -> np.ndarray:
    """A kernel as Keras has it.

    Convolution: out x in x height x width to height x width x in x out; transposed: in x out x
    height x width to height x width x out x in. One rule for both, since each framework turns the
    two channel axes around. Dense: out x in to in x out. Vectors stay.
    """
    return weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T


def _to_torch(weight: np.ndarray) -> np.ndarray:
    """The reverse of :func:`_to_keras`."""
    return weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight.T


def _tensors(net: nn.Module) -> list[torch.Tensor]:
    """Everything a net has learnt, layer by layer in Keras' order, statistics after the weights.

    PyTorch's count of batches is left out: Keras has none, and no result depends on it.
    """
    found: list[torch.Tensor] = []
    for layer in net.modules():
        found += layer.parameters(recurse=False)
        found += [b for b in layer.buffers(recurse=False) if b.is_floating_point()]
    return found


def read_weights(net: nn.Module) -> list[np.ndarray]:
    """What ``set_weights`` of the Keras net wants, from the PyTorch net.

    Args:
        net: a stack of linear, convolutional and batch-normalisation layers.

    Returns:
        Float32 arrays in Keras' layouts: kernel and bias, or scale, shift, running mean and
        running variance, layer by layer.
    """
    return [_to_keras(t.detach().cpu().numpy()).copy() for t in _tensors(net)]


def write_weights(net: nn.Module, weights: list[Any]) -> None:
    """Put what ``get_weights`` of the Keras net gave into the PyTorch net.

    Args:
        net: the PyTorch net of the same architecture; changed in place.
        weights: arrays in Keras' layouts.

    Raises:
        GancourseError: number or shapes of the arrays are not this net's; nothing is changed.
    """
    targets = _tensors(net)
    arrays = [_to_torch(np.asarray(weight)) for weight in weights]
    want, have = [tuple(t.shape) for t in targets], [a.shape for a in arrays]
    if want != have:
        raise GancourseError(
            f"These weights are of another net: its layers need {want}, the arrays (in PyTorch's "
            f"layout) are {have}. Build both nets with the same shape, latent_dim and width."
        )
    with torch.no_grad():
        for target, array in zip(targets, arrays, strict=True):
            target.copy_(torch.from_numpy(array.copy()))


def _norms(gan: gans.DCGAN) -> list[nn.BatchNorm2d]:
    return [layer for layer in gan.modules() if isinstance(layer, nn.BatchNorm2d)]


def to_tensorflow(gan: gans.DCGAN) -> DCGAN:
    """The TensorFlow GAN with the weights and running statistics of the PyTorch one.

    Same noise, same images, up to rounding. The optimisers start afresh.

    Args:
        gan: a PyTorch DCGAN; left alone.

    Returns:
        The TensorFlow GAN; its batch normalisation has the momentum and epsilon of ``gan``'s.

    Raises:
        GancourseError: ``gan`` is not a DCGAN of gancourse.
    """
    if not isinstance(gan, gans.DCGAN):
        raise GancourseError(
            f"to_tensorflow takes a gancourse.gans.DCGAN, not a {type(gan).__name__}."
        )
    norm = _norms(gan)[0]
    momentum = round(1 - cast(float, norm.momentum), 9)
    width = cast(Any, gan.discriminator).layers[0].out_channels
    ported = DCGAN(
        gan.shape,
        gan.latent_dim,
        width,
        gan.loss,
        choices=replace(PYTORCH, momentum=momentum, norm_epsilon=norm.eps),
    )
    ported.generator.set_weights(read_weights(gan.generator))
    ported.discriminator.set_weights(read_weights(gan.discriminator))
    ported.begin()
    return ported


def to_torch(gan: DCGAN) -> gans.DCGAN:
    """The PyTorch GAN with the weights and running statistics of the TensorFlow one.

    Args:
        gan: left alone, like PyTorch's global generator.

    Returns:
        The PyTorch GAN; its batch normalisation has the momentum and epsilon of ``gan``'s.
    """
    with torch.random.fork_rng(devices=[]):
        ported = gans.DCGAN(gan.shape, gan.latent_dim, gan.width, gan.loss)
    for norm in _norms(ported):
        norm.momentum, norm.eps = round(1 - gan.choices.momentum, 9), gan.choices.norm_epsilon
    write_weights(ported.generator, gan.generator.get_weights())
    write_weights(ported.discriminator, gan.discriminator.get_weights())
    return ported


def save(gan: DCGAN, path: str | Path) -> None:
    """Write generator, average and discriminator to one safetensors file, laid out as in PyTorch.

    The optimisers are not kept.

    Raises:
        GancourseError: the file cannot be written; an older one of that name is intact.
    """
    facts = {
        "shape": list(gan.shape),
        "latent_dim": gan.latent_dim,
        "width": gan.width,
        "loss": gan.loss,
        "choices": asdict(gan.choices),
    }
    held = to_torch(gan)
    tensors = dict(held.state_dict())
    average = copy.deepcopy(held.generator)
    write_weights(average, gan.average.get_weights())
    tensors |= checkpoint.prefixed("ema", average.state_dict())
    checkpoint.write(path, tensors, {"tensorflow_dcgan": facts})


def load(path: str | Path) -> DCGAN:
    """Read what :func:`save` wrote: the same images from the same noise, bit by bit.

    Raises:
        GancourseError: missing, altered, or not a file that :func:`save` wrote.
    """
    tensors, facts = checkpoint.read(path)
    if "tensorflow_dcgan" not in facts:
        raise GancourseError(
            f"{path} holds no TensorFlow DCGAN. Runs of PyTorch open with gancourse.load; "
            "to_tensorflow(run.gan) carries their weights over."
        )
    described = dict(facts["tensorflow_dcgan"])
    shape, choices = tuple(described.pop("shape")), Choices(**described.pop("choices"))
    gan = DCGAN(shape, **described, choices=choices)
    held = to_torch(gan)
    for part, net, target in (
        ("generator", held.generator, gan.generator),
        ("ema", held.generator, gan.average),
        ("discriminator", held.discriminator, gan.discriminator),
    ):
        checkpoint.load_weights(net, checkpoint.unprefixed(part, tensors), path)
        target.set_weights(read_weights(net))
    return gan
