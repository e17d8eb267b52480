"""The two nets of DCGAN in Keras, layer for layer those of :mod:`gancourse.nets.dcgan`.

What the architecture leaves open, the two frameworks fill in differently; :class:`Choices` names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gancourse.nets.dcgan import resolution_steps
from gancourse.tf.backend import keras, tf

__all__ = ["KERAS", "PYTORCH", "Choices", "dcgan_discriminator", "dcgan_generator"]

# TensorFlow's graph optimiser fuses convolution, bias and activation where it can. On the gradient
# of LeakyReLU it gives up, changes nothing, and says so on standard error every time.
tf.config.optimizer.set_experimental_options({"remapping": False})


@dataclass(frozen=True)
class Choices:
    """What "the same program" says differently in two frameworks.

    Attributes:
        momentum: what a running statistic of batch normalisation keeps a step. PyTorch names the
            part that is new, 0.1, so its momentum of 0.1 is 0.9 here.
        norm_epsilon: added to the variance in batch normalisation.
        adam_epsilon: added to the root of the second moment in Adam.
        deviation: of the normal distribution that weights are drawn from, around 0 (batch
            normalisation's scales around 1), as the paper asks; None is Keras' own
            ``glorot_uniform``, with scales of 1.
    """

    momentum: float
    norm_epsilon: float
    adam_epsilon: float
    deviation: float | None


#: PyTorch's defaults, and the weights that gancourse's PyTorch DCGAN draws
PYTORCH = Choices(momentum=0.9, norm_epsilon=1e-5, adam_epsilon=1e-8, deviation=0.02)
#: Keras' defaults: what a program has whose author sets none of the four
KERAS = Choices(momentum=0.99, norm_epsilon=1e-3, adam_epsilon=1e-7, deviation=None)


class _Parts:
    """Layers with the choices made, weights drawn in the order in which the layers are asked for."""

    def __init__(self, choices: Choices, seed: int) -> None:
        self.choices = choices
        self.seeds = keras.random.SeedGenerator(seed)

    def _normal(self, mean: float) -> Any:
        deviation = self.choices.deviation
        assert deviation is not None
        return keras.initializers.RandomNormal(mean, deviation, seed=self.seeds)

    def _kernel(self) -> Any:
        if self.choices.deviation is None:
            return keras.initializers.GlorotUniform(seed=self.seeds)
        return self._normal(0.0)

    def dense(self, units: int, *, bias: bool) -> Any:
        return keras.layers.Dense(units, use_bias=bias, kernel_initializer=self._kernel())

    def down(self, maps: int, *, bias: bool) -> Any:
        # At kernel 4, stride 2 and an even size, "same" pads one pixel on every side, as
        # PyTorch's padding=1 does; in the transposed convolution it cuts one off.
        return keras.layers.Conv2D(
            maps, 4, strides=2, padding="same", use_bias=bias, kernel_initializer=self._kernel()
        )

    def up(self, maps: int, *, bias: bool) -> Any:
        return keras.layers.Conv2DTranspose(
            maps, 4, strides=2, padding="same", use_bias=bias, kernel_initializer=self._kernel()
        )

    def norm(self) -> Any:
        scales = "ones" if self.choices.deviation is None else self._normal(1.0)
        return keras.layers.BatchNormalization(
            momentum=self.choices.momentum,
            epsilon=self.choices.norm_epsilon,
            gamma_initializer=scales,
        )

    def leaky(self) -> Any:
        # Said in both frameworks, because their defaults (0.3 here, 0.01 in PyTorch) differ.
        return keras.layers.LeakyReLU(negative_slope=0.2)


def dcgan_generator(
    shape: tuple[int, int, int],
    latent_dim: int,
    width: int,
    choices: Choices = PYTORCH,
    seed: int = 0,
) -> Any:
    """Noise to image: project and reshape, then double the size with transposed convolutions.

    Args:
        shape: (C, H, W) of the images, as PyTorch has it.
        latent_dim: length of the noise vector.
        width: feature maps at half the output resolution.
        choices: what the framework decides.
        seed: of the weights.

    Returns:
        A Keras model, float32 N x latent_dim to N x H x W x C in [-1, 1].

    Raises:
        GancourseError: a size that cannot be reached by doubling.
    """
    base, steps = resolution_steps(shape)
    maps = width * 2 ** (steps - 1)
    make, layers = _Parts(choices, seed), keras.layers
    # No biases before batch normalisation: it subtracts the mean, and a bias with it.
    stack = [
        keras.Input((latent_dim,)),
        make.dense(base * base * maps, bias=False),
        layers.Reshape((base, base, maps)),
        make.norm(),
        layers.ReLU(),
    ]
    for _ in range(steps - 1):
        maps //= 2
        stack += [make.up(maps, bias=False), make.norm(), layers.ReLU()]
    stack += [make.up(shape[0], bias=True), layers.Activation("tanh")]
    return keras.Sequential(stack, name="generator")


def dcgan_discriminator(
    shape: tuple[int, int, int], width: int, choices: Choices = PYTORCH, seed: int = 0
) -> Any:
    """Image to one logit: strided convolutions halve the size, LeakyReLU(0.2) in between.

    Args:
        shape: (C, H, W) of the images, as PyTorch has it.
        width: feature maps after the first convolution; they double with each halving.
        choices: what the framework decides.
        seed: of the weights.

    Returns:
        A Keras model, float32 N x H x W x C to N logits.

    Raises:
        GancourseError: a size that cannot be reached by halving.
    """
    channels, height, wide = shape
    _, steps = resolution_steps(shape)
    make, layers = _Parts(choices, seed), keras.layers
    stack = [keras.Input((height, wide, channels)), make.down(width, bias=True), make.leaky()]
    for step in range(1, steps):
        stack += [make.down(width * 2**step, bias=False), make.norm(), make.leaky()]
    stack += [layers.Flatten(), make.dense(1, bias=True), layers.Reshape(())]
    return keras.Sequential(stack, name="discriminator")
