"""DCGAN in TensorFlow: the nets in Keras, the step with ``GradientTape``, compiled by ``tf.function``.

The same game as :class:`gancourse.gans.DCGAN`, step for step: one batch of fakes for both players,
the discriminator called on real and on fake images apart, the generator's loss through the
discriminator as just updated. :mod:`gancourse.tf.porting` carries weights over, both ways.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from tqdm import tqdm

from gancourse.errors import GancourseError, unknown
from gancourse.gans.base import to_pixels
from gancourse.tf.backend import keras, tf
from gancourse.tf.nets import PYTORCH, Choices, dcgan_discriminator, dcgan_generator
from gancourse.training.trainer import Settings, check_data

__all__ = ["DCGAN", "fit"]

LOSSES = ("non-saturating", "saturating")
FIGURES = ("loss_d", "loss_g", "d_real", "d_fake")
#: steps between two looks of Python: enough that a call costs nothing, few enough for Ctrl-C
STEPS_A_CALL = 50


def signal(pixels: Any, chosen: Any) -> Any:
    """The chosen ones of uint8 N x H x W x C images as float32 in [-1, 1]."""
    return tf.cast(tf.gather(pixels, chosen), tf.float32) / 127.5 - 1.0


class DCGAN:
    """The minimax game between a transposed-convolutional and a convolutional net.

    Args:
        shape: (C, H, W) of the images, as in PyTorch; H = W = 4, 5, 6 or 7 times a power of two.
        latent_dim: length of the noise vector.
        width: feature maps of the highest-resolution hidden layer in both nets.
        loss: the generator's, ``"non-saturating"`` or ``"saturating"``.
        choices: what the frameworks decide differently; by default as PyTorch does.
        seed: of the weights.

    Attributes:
        generator: Keras model, N x latent_dim to N x H x W x C in [-1, 1].
        discriminator: Keras model, N x H x W x C to N logits.
        average: moving average of the generator, which :func:`fit` keeps.

    Raises:
        GancourseError: a size that cannot be reached by doubling, or an unknown loss.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        latent_dim: int = 100,
        width: int = 64,
        loss: str = "non-saturating",
        *,
        choices: Choices = PYTORCH,
        seed: int = 0,
    ) -> None:
        if loss not in LOSSES:
            raise unknown("generator loss", loss, LOSSES)
        self.shape, self.latent_dim, self.width, self.loss = shape, latent_dim, width, loss
        self.choices = choices
        self.generator = dcgan_generator(shape, latent_dim, width, choices, seed)
        self.discriminator = dcgan_discriminator(shape, width, choices, seed + 1)
        self.average = dcgan_generator(shape, latent_dim, width, choices, seed)
        self.begin()

    def begin(
        self,
        lr_d: float = 2e-4,
        lr_g: float = 2e-4,
        beta1: float = 0.5,
        beta2: float = 0.999,
    ) -> None:
        """Give both players a fresh Adam, and the average the generator's weights as they are.

        Keras adds epsilon before it corrects the second moment for its start at 0, PyTorch
        afterwards, so that after t steps Keras' epsilon weighs 1 / sqrt(1 - beta2^t) times more:
        32 times at the first step, with beta2 = 0.999.
        """
        epsilon = self.choices.adam_epsilon
        self.optimizer_d = keras.optimizers.Adam(lr_d, beta1, beta2, epsilon=epsilon)
        self.optimizer_g = keras.optimizers.Adam(lr_g, beta1, beta2, epsilon=epsilon)
        # Their slots must exist before the step is traced: a compiled function makes no variables.
        self.optimizer_d.build(self.discriminator.trainable_variables)
        self.optimizer_g.build(self.generator.trainable_variables)
        self.average.set_weights(self.generator.get_weights())
        channels, height, width = self.shape
        # A signature leaves the number of images open, so that another one traces nothing new.
        real = tf.TensorSpec([None, height, width, channels], tf.float32)
        z = tf.TensorSpec([None, self.latent_dim], tf.float32)
        self._compiled = tf.function(self._step, [real, z])
        pixels = tf.TensorSpec([None, height, width, channels], tf.uint8)
        chosen = tf.TensorSpec([None, None], tf.int64)
        noise = tf.TensorSpec([None, None, self.latent_dim], tf.float32)
        shares = tf.TensorSpec([None], tf.float32)
        self._compiled_run = tf.function(self._run, [pixels, chosen, noise, shares])

    def step(self, real: Any, z: Any) -> dict[str, Any]:
        """One discriminator step and one generator step.

        Args:
            real: float32 N x H x W x C in [-1, 1].
            z: float32 N x latent_dim, standard normal.

        Returns:
            Scalars: ``loss_d`` before the discriminator's update, ``loss_g`` after it, and the mean
            probabilities of "real" before it for real and fake images, ``d_real`` and ``d_fake``.
        """
        return self._compiled(real, z)

    def _step(self, real: Any, z: Any) -> dict[str, Any]:
        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            # The discriminator's step is no part of what the generator differentiates.
            with tape.stop_recording():
                figures = self.discriminator_step(real, fake)
            loss_g = self.generator_loss(fake)
        variables = self.generator.trainable_variables
        self.optimizer_g.apply(tape.gradient(loss_g, variables), variables)
        return {"loss_d": figures[0], "loss_g": loss_g, "d_real": figures[1], "d_fake": figures[2]}

    def run(self, pixels: Any, chosen: Any, noise: Any, shares: Any) -> Any:
        """Many steps in one call, the loop in the graph too, so that Python is asked once.

        Args:
            pixels: uint8 N x H x W x C, all images.
            chosen: int64 steps x batch, which of them each step sees.
            noise: float32 steps x batch x latent_dim.
            shares: float32 steps, how far the average moves towards the generator after each.

        Returns:
            float32 steps x 4, what :meth:`step` returns, in the order of :data:`FIGURES`.
        """
        return self._compiled_run(pixels, chosen, noise, shares).numpy()

    def _run(self, pixels: Any, chosen: Any, noise: Any, shares: Any) -> Any:
        count = tf.shape(chosen)[0]
        rows = tf.TensorArray(tf.float32, size=count)
        for i in tf.range(count):
            figures = self._compiled(signal(pixels, chosen[i]), noise[i])
            rows = rows.write(i, tf.stack([figures[name] for name in FIGURES]))
            self.follow(shares[i])
        return rows.stack()

    def follow(self, share: Any) -> None:
        """Move the average towards the generator, running statistics included."""
        for copied, source in zip(self.average.weights, self.generator.weights, strict=True):
            copied.assign(copied + share * (source - copied))

    def judge(self, real: Any, fake: Any) -> tuple[Any, Any]:
        """The discriminator's logits of a batch of each, normalised apart."""
        return self.discriminator(real, training=True), self.discriminator(fake, training=True)

    def discriminator_step(self, real: Any, fake: Any) -> tuple[Any, Any, Any]:
        """Update the discriminator; returns loss, D(x) and D(G(z)) of before the update."""
        with tf.GradientTape() as tape:
            real_logits, fake_logits = self.judge(real, fake)
            loss = tf.reduce_mean(tf.nn.softplus(-real_logits))
            loss += tf.reduce_mean(tf.nn.softplus(fake_logits))
        variables = self.discriminator.trainable_variables
        self.optimizer_d.apply(tape.gradient(loss, variables), variables)
        scores = [tf.reduce_mean(tf.sigmoid(logits)) for logits in (real_logits, fake_logits)]
        return loss, scores[0], scores[1]

    def generator_loss(self, fake: Any) -> Any:
        """The chosen loss of a batch of fakes, a scalar (:mod:`gancourse.losses`)."""
        fake_logits = self.discriminator(fake, training=True)
        if self.loss == "saturating":
            return -tf.reduce_mean(tf.nn.softplus(fake_logits))
        return tf.reduce_mean(tf.nn.softplus(-fake_logits))

    def sample(self, n: int, seed: int = 0, net: Any = None) -> torch.Tensor:
        """Draw images from the same noise as :meth:`gancourse.gans.base.GAN.sample`.

        Args:
            n: how many.
            seed: of the noise.
            net: the generator to use, such as its moving average; by default ``generator``.

        Returns:
            PyTorch tensor uint8 n x C x H x W, as :mod:`gancourse.metrics` takes it.

        Raises:
            GancourseError: n is less than 1.
        """
        if n < 1:
            raise GancourseError(f"Cannot draw {n} samples; ask for 1 or more.")
        net = self.generator if net is None else net
        noise = torch.randn(n, self.latent_dim, generator=torch.Generator().manual_seed(seed))
        # training=False: batch normalisation by its running statistics, so that an image depends
        # on its own noise and not on its neighbours'.
        images = [net(z.numpy(), training=False).numpy() for z in noise.split(256)]
        return to_pixels(torch.from_numpy(np.concatenate(images)).permute(0, 3, 1, 2)).contiguous()


def _order(count: int, settings: Settings) -> Iterator[np.ndarray]:
    """int64 batches of indices without end, those of the PyTorch trainer."""
    size = settings.batch_size
    for epoch in itertools.count():
        seeds = torch.Generator().manual_seed(settings.seed * 1_000_003 + epoch)
        yield from torch.randperm(count, generator=seeds)[: count // size * size].view(-1, size)


def _means(rows: list[np.ndarray], step: int) -> dict[str, float]:
    """A tick's means, checked to be finite; ``step`` is its last."""
    means = dict(zip(FIGURES, np.stack(rows).mean(0, dtype=np.float64).tolist(), strict=True))
    wrong = [name for name, value in means.items() if not math.isfinite(value)]
    if wrong:
        raise GancourseError(
            f"Training diverged between steps {step - len(rows) + 1} and {step}: "
            f"{', '.join(wrong)} not finite. Try a smaller lr_d and lr_g, or another seed."
        )
    return means


def fit(
    gan: DCGAN, images: torch.Tensor, settings: Settings, *, progress: bool | None = None
) -> tuple[Any, list[dict[str, Any]]]:
    """Train a GAN in place, as :func:`gancourse.training.fit` trains the PyTorch one.

    The same settings mean the same run: order of the data and noise are those that PyTorch draws
    on a CPU from the seed, and the generator's moving average (running statistics included) is
    kept by the same rule, so both frameworks can be compared step by step.

    Args:
        gan: the players; their optimisers start afresh.
        images: uint8 N x C x H x W.
        settings: as for PyTorch; ``k`` must be 1 and ``optimizer`` ``"adam"``. For the losses of
            every single step set ``tick`` to the batch size.
        progress: a progress bar; by default one if standard error is a terminal.

    Returns:
        (averaged generator, history: one dict a tick with step, images, epoch, seconds, and the
        tick's means of ``loss_d``, ``loss_g``, ``d_real``, ``d_fake``).

    Raises:
        GancourseError: data or settings that do not fit; a loss that is no longer finite.
    """
    check_data(cast(Any, gan), images, settings)  # which reads the shape alone
    if settings.flips or settings.diffaugment:
        raise GancourseError(
            "The TensorFlow GAN trains without flips and DiffAugment. Leave them out, or train in "
            "PyTorch (gancourse.training.fit)."
        )
    if settings.k != 1 or settings.optimizer != "adam":
        raise GancourseError(
            f"The TensorFlow GAN trains with k=1 and Adam, not k={settings.k} and "
            f"{settings.optimizer}. Train in PyTorch for those (gancourse.training.fit)."
        )
    gan.begin(settings.lr_d, settings.lr_g, settings.beta1, settings.beta2)
    pixels = tf.constant(images.permute(0, 2, 3, 1).numpy())
    size, order = settings.batch_size, _order(len(images), settings)
    generator = torch.Generator().manual_seed(settings.seed)
    steps, per_epoch = -(-settings.images // size), len(images) // size
    per_tick = max(1, round((settings.tick or per_epoch * size) / size))
    history: list[dict[str, Any]] = []
    rows: list[np.ndarray] = []
    step, started = 0, time.perf_counter()
    bar = tqdm(
        total=steps * size,
        unit="img",
        unit_scale=True,
        disable=None if progress is None else not progress,
    )
    with bar:
        while step < steps:
            count = min(STEPS_A_CALL, steps - step)
            chosen = np.stack([next(order) for _ in range(count)])
            # Drawn batch by batch, as PyTorch's trainer does: one large draw has other numbers.
            noise = [torch.randn(size, gan.latent_dim, generator=generator) for _ in range(count)]
            # At first the average is short, so that the initial weights are soon forgotten.
            shares = [1 - min(settings.ema, (1 + t) / (10 + t)) for t in range(step, step + count)]
            told = gan.run(pixels, chosen, np.stack(noise), np.array(shares, np.float32))
            bar.update(count * size)
            for figures in told:
                step += 1
                rows.append(figures)
                if step % per_tick == 0 or step == steps:
                    history.append(
                        {
                            "tick": len(history) + 1,
                            "step": step,
                            "images": step * size,
                            "epoch": round(step / per_epoch, 4),
                            "seconds": round(time.perf_counter() - started, 3),
                            **_means(rows, step),
                        }
                    )
                    rows = []
            bar.set_postfix(D=f"{told[-1][0]:.3f}", G=f"{told[-1][1]:.3f}")
    return gan.average, history
