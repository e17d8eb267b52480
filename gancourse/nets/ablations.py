"""DCGAN with one rule of its paper broken: the nets as published, changed in one respect.

Radford, Metz & Chintala (2016) give their architecture as a list of rules (section 3) and add a few
settings (section 4). To see what a rule is worth one trains with and without it, everything
else being equal. Each function here takes the two nets as :mod:`gancourse.nets.dcgan` builds them
and breaks one rule; :func:`ablate` calls it and then draws the first weights.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gancourse.errors import unknown
from gancourse.nets.dcgan import DCGANDiscriminator, DCGANGenerator, initialise

__all__ = ["FORMS", "ablate"]

#: units of a fully connected hidden layer, where there is one
HIDDEN = 256


class _Affine(nn.Module):
    """scale * x + shift, for signals that are not in [-1, 1] inside a net."""

    def __init__(self, scale: float, shift: float) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale + self.shift


def _replace(net: nn.Sequential, kind: type[nn.Module], make: Callable[..., nn.Module]) -> None:
    """Put make(layer) in the place of every layer of a kind."""
    for index, layer in enumerate(net):
        if isinstance(layer, kind):
            net[index] = make(layer)


def _as_published(up: nn.Sequential, down: nn.Sequential) -> None:
    """Break nothing."""


def _pooling(up: nn.Sequential, down: nn.Sequential) -> None:
    """Nearest neighbours double and maxima halve; between them convolutions of stride 1.

    Their kernel is 3, because one of 4 cannot be centred.
    """

    def doubled(layer: nn.ConvTranspose2d) -> nn.Module:
        wide = nn.Upsample(scale_factor=2)
        return nn.Sequential(wide, _same_size(layer.in_channels, layer.out_channels, layer.bias))

    def halved(layer: nn.Conv2d) -> nn.Module:
        conv = _same_size(layer.in_channels, layer.out_channels, layer.bias)
        return nn.Sequential(conv, nn.MaxPool2d(2))

    _replace(up, nn.ConvTranspose2d, doubled)
    _replace(down, nn.Conv2d, halved)


def _same_size(maps: int, to: int, bias: Tensor | None) -> nn.Conv2d:
    return nn.Conv2d(maps, to, 3, padding=1, bias=bias is not None)


def _without_norm(net: nn.Sequential) -> None:
    """Take batch normalisation out and give the layers before it the biases they now need."""
    _replace(net, nn.BatchNorm2d, lambda layer: nn.Identity())
    for layer in net:
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d) and layer.bias is None:
            count = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
            layer.bias = nn.Parameter(torch.zeros(count))


def _no_norm_in_generator(up: nn.Sequential, down: nn.Sequential) -> None:
    _without_norm(up)


def _no_norm_in_discriminator(up: nn.Sequential, down: nn.Sequential) -> None:
    _without_norm(down)


def _no_norm(up: nn.Sequential, down: nn.Sequential) -> None:
    _without_norm(up)
    _without_norm(down)


def _norm_everywhere(up: nn.Sequential, down: nn.Sequential) -> None:
    """Batch normalisation also at the generator's output and in the discriminator's first layer."""
    _insert_norm(up, len(up) - 2)
    _insert_norm(down, 0)


def _insert_norm(net: nn.Sequential, index: int) -> None:
    """Put a batch normalisation behind the convolution at a place."""
    layer = net[index]
    assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    net.insert(index + 1, nn.BatchNorm2d(layer.out_channels))


def _relu(up: nn.Sequential, down: nn.Sequential) -> None:
    """ReLU in the discriminator, as in the generator."""
    _replace(down, nn.LeakyReLU, lambda layer: nn.ReLU(inplace=True))


def _sigmoid(up: nn.Sequential, down: nn.Sequential) -> None:
    """Pixels in [0, 1]: a sigmoid gives them, and the discriminator sees them so, real and fake.

    Outside the nets they are in [-1, 1], as everywhere in the package.
    """
    _replace(up, nn.Tanh, lambda layer: nn.Sequential(nn.Sigmoid(), _Affine(2, -1)))
    down.insert(0, _Affine(0.5, 0.5))


def _linear(up: nn.Sequential, down: nn.Sequential) -> None:
    """Nothing bounds the pixels; samples are clipped when they become images."""
    _replace(up, nn.Tanh, lambda layer: nn.Identity())


def _connected(up: nn.Sequential, down: nn.Sequential) -> None:
    """A fully connected hidden layer behind the noise, and one before the logit."""
    project, unit = up[0], down[-2]
    assert isinstance(project, nn.Linear) and isinstance(unit, nn.Linear)
    up[0] = nn.Sequential(
        nn.Linear(project.in_features, HIDDEN, bias=False),
        nn.BatchNorm1d(HIDDEN),
        nn.ReLU(inplace=True),
        nn.Linear(HIDDEN, project.out_features, bias=False),
    )
    down[-2] = nn.Sequential(
        nn.Linear(unit.in_features, HIDDEN, bias=False),
        nn.BatchNorm1d(HIDDEN),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(HIDDEN, 1),
    )


def _large_eps(up: nn.Sequential, down: nn.Sequential) -> None:
    """0.8 where 0.00001 belongs: Keras's momentum, written where PyTorch has its epsilon."""
    for net in (up, down):
        for layer in net.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eps = 0.8


def _default_weights(module: nn.Module) -> None:
    """Draw a layer's weights as PyTorch does when it makes one."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
        module.reset_parameters()


#: name -> (what it does to the layers up and down, how all weights are drawn then)
FORMS: dict[
    str, tuple[Callable[[nn.Sequential, nn.Sequential], None], Callable[[nn.Module], None]]
] = {
    "as published": (_as_published, initialise),
    "pooling, upsampling": (_pooling, initialise),
    "no norm in G": (_no_norm_in_generator, initialise),
    "no norm in D": (_no_norm_in_discriminator, initialise),
    "no norm": (_no_norm, initialise),
    "norm everywhere": (_norm_everywhere, initialise),
    "ReLU in D": (_relu, initialise),
    "sigmoid output": (_sigmoid, initialise),
    "linear output": (_linear, initialise),
    "default weights": (_as_published, _default_weights),
    "no norm, default weights": (_no_norm, _default_weights),
    "fully connected": (_connected, initialise),
    "eps 0.8": (_large_eps, initialise),
}


def ablate(form: str, generator: nn.Module, discriminator: nn.Module) -> None:
    """Break a rule in both nets, in place, and draw all their weights from the global generator.

    Args:
        form: one of :data:`FORMS`. ``"no norm, default weights"`` breaks two rules at once,
            because the first of them is said to make up for the second.
        generator: a :class:`~gancourse.nets.dcgan.DCGANGenerator`.
        discriminator: a :class:`~gancourse.nets.dcgan.DCGANDiscriminator` for the same images.

    Raises:
        GancourseError: an unknown form.
    """
    if form not in FORMS:
        raise unknown("form of DCGAN", form, FORMS)
    assert isinstance(generator, DCGANGenerator) and isinstance(discriminator, DCGANDiscriminator)
    change, draw = FORMS[form]
    change(generator.layers, discriminator.layers)
    generator.apply(draw)
    discriminator.apply(draw)
