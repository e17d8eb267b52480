"""A trained generator as one file that a page can load: layers, float16 weights, a check.

The file is a plain script, since neither modules nor data load beside a page opened from a file.
Batch normalisation becomes a scale and a shift for each map, kept in float32 beside the float16
weights and multiplied in where they are unpacked: rounding the products once more would cost what
the record's weights, float16 themselves, have kept.
"""

from __future__ import annotations

import base64
import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from gancourse.errors import GancourseError
from gancourse.files import write_text
from gancourse.latent import principal_directions
from gancourse.nets.dcgan import DCGANGenerator
from gancourse.training.run import Run

__all__ = ["TOLERANCE", "Layer", "fold", "generate", "packed", "write_script"]

TOLERANCE = 1e-3
"""How far an image of the packed generator may be from the generator's, in [-1, 1]."""

CHECKED, SEED = 64, 0  # noise vectors for the tolerance, and their seed
DIRECTIONS = 5  # the strongest, before the weakest


@dataclass(frozen=True)
class Layer:
    """One layer with its normalisation and activation, maps last: y = f(scale * (W x) + shift).

    Attributes:
        kind: ``"linear"``, or ``"up"`` for a transposed convolution of kernel 4, stride 2 and
            padding 1, which doubles height and width.
        size: (H, W, C) of what comes out.
        activation: ``"relu"`` or ``"tanh"``.
        weight: float32; linear: inputs x (H * W * C); up: maps in x 4 x 4 x C.
        scale: float32 C.
        shift: float32 C.
    """

    kind: str
    size: tuple[int, int, int]
    activation: str
    weight: Tensor
    scale: Tensor
    shift: Tensor

    def folded(self) -> Tensor:
        """The weights with the scale multiplied in, in the shape of ``weight``."""
        maps = len(self.scale)
        return (self.weight.reshape(-1, maps) * self.scale).view_as(self.weight)


def _affine(norm: nn.Module | None, maps: int, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scale and shift that batch normalisation in evaluation mode applies, or a bias alone."""
    if norm is None:
        return torch.ones(maps), torch.zeros(maps) if bias is None else bias
    assert isinstance(norm, nn.BatchNorm2d)
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None and variance is not None
    scale = norm.weight / torch.sqrt(variance + norm.eps)
    return scale, norm.bias + scale * ((0 if bias is None else bias) - mean)


@torch.no_grad()
def fold(generator: nn.Module) -> list[Layer]:
    """A DCGAN generator as layers, each with its batch normalisation as scale and shift.

    Args:
        generator: its running statistics are used, as in evaluation mode; it is left as it is.

    Returns:
        One linear layer and the transposed convolutions, on the CPU.

    Raises:
        GancourseError: another kind of generator.
    """
    if not isinstance(generator, DCGANGenerator):
        raise GancourseError(
            f"Only DCGAN generators are exported, not {type(generator).__name__}. Take a run of a "
            "recipe dcgan/..., such as the record dcgan/fashion-mnist."
        )
    modules = list(generator.layers)
    weighted = [m for m in modules if isinstance(m, nn.Linear | nn.ConvTranspose2d)]
    norms: list[nn.Module | None] = [m for m in modules if isinstance(m, nn.BatchNorm2d)]
    norms += [None] * (len(weighted) - len(norms))  # none after the last
    layers: list[Layer] = []
    for module, norm in zip(weighted, norms, strict=True):
        if isinstance(module, nn.Linear):
            assert isinstance(norm, nn.BatchNorm2d)
            maps = norm.num_features
            side = round((module.out_features / maps) ** 0.5)
            weight = module.weight.T
        else:
            maps, side = module.out_channels, 2 * layers[-1].size[0]
            weight = module.weight.permute(0, 2, 3, 1)
        scale, shift = _affine(norm, maps, module.bias)
        kind = "linear" if isinstance(module, nn.Linear) else "up"
        activation = "tanh" if norm is None else "relu"
        tensors = (t.detach().cpu().float().contiguous() for t in (weight, scale, shift))
        layers.append(Layer(kind, (side, side, maps), activation, *tensors))
    return layers


def generate(layers: list[Layer], z: Tensor) -> Tensor:
    """What the layers make of noise: the arithmetic of the page, in torch.

    Args:
        layers: from :func:`fold`.
        z: float32 N x D.

    Returns:
        float32 N x C x H x W in [-1, 1].
    """
    x = z
    for layer in layers:
        height, width, maps = layer.size
        if layer.kind == "linear":
            x = (x @ layer.folded()).view(-1, height, width, maps).permute(0, 3, 1, 2)
        else:
            kernel = layer.folded().permute(0, 3, 1, 2)
            x = nn.functional.conv_transpose2d(x, kernel, stride=2, padding=1)
        x = x + layer.shift.view(-1, 1, 1)
        x = x.relu() if layer.activation == "relu" else x.tanh()
    return x


def _text(values: Tensor, dtype: torch.dtype = torch.float32) -> str:
    """Little-endian numbers in base64."""
    kind = {torch.float32: "<f4", torch.float16: "<f2"}[dtype]
    return base64.b64encode(values.to(dtype).numpy().astype(kind).tobytes()).decode()


@torch.no_grad()
def packed(run: Run) -> dict[str, object]:
    """A run's averaged generator as JSON can hold it.

    Args:
        run: of a recipe ``dcgan/...``.

    Returns:
        ``name`` of the recipe, ``latent`` size, ``layers`` (kind, size, activation; ``weight`` as
        float16, ``scale`` and ``shift`` as float32, in base64), ``directions`` (the strongest
        principal directions of the first layer's features, and the weakest; float32 vectors, one
        after the other), ``strengths``, and ``check``: noise and the generator's own images of
        it, maps last, float32.

    Raises:
        GancourseError: not a DCGAN, or the float16 weights make other images by more than
            :data:`TOLERANCE`.
    """
    layers = fold(run.generator)
    rounded = [replace(layer, weight=layer.weight.half().float()) for layer in layers]
    latent = layers[0].weight.shape[0]
    z = torch.randn(CHECKED, latent, generator=torch.Generator().manual_seed(SEED))
    images = copy.deepcopy(run.generator).cpu()(z)  # a GPU may round its factors
    far = float((generate(rounded, z) - images).abs().max())
    if not far <= TOLERANCE:
        raise GancourseError(
            f"In float16 this generator makes images that differ by up to {far:.2g}, and at most "
            f"{TOLERANCE:g} is allowed. Records have float16 weights: gancourse record {run.recipe}."
        )
    vectors, strengths = principal_directions(layers[0].folded(), latent)
    chosen = torch.cat([torch.arange(min(DIRECTIONS, latent - 1)), torch.tensor([latent - 1])])
    return {
        "name": run.recipe,
        "latent": latent,
        "layers": [
            {
                "kind": layer.kind,
                "size": layer.size,
                "activation": layer.activation,
                "weight": _text(layer.weight, torch.float16),
                "scale": _text(layer.scale),
                "shift": _text(layer.shift),
            }
            for layer in layers
        ],
        "directions": _text(vectors[chosen]),
        "strengths": [round(float(strengths[i]), 2) for i in chosen],
        "check": {"z": _text(z[:2]), "images": _text(images[:2].permute(0, 2, 3, 1))},
    }


def write_script(run: Run, path: str | Path) -> Path:
    """Write :func:`packed` as a script that sets the global ``LatentModel``; whole or not there.

    Raises:
        GancourseError: see :func:`packed`; or the file cannot be written.
    """
    lines = json.dumps(packed(run), indent=1)
    write_text(
        path,
        f"// The averaged generator of the record {run.recipe}, written by gancourse.export.\n"
        f"globalThis.LatentModel = {lines};\n",
    )
    return Path(path)
