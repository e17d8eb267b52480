"""DCGAN in Keras as programs write it: one thing changed at a time against the one in PyTorch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gancourse.tf.backend import keras, tf
from gancourse.tf.gan import DCGAN, signal
from gancourse.tf.nets import KERAS, PYTORCH, Choices

__all__ = ["VARIANTS", "Compiled", "Concatenated", "Probabilities", "Toggled", "Variant"]


class Concatenated(DCGAN):
    """The discriminator sees real and fake images as one batch, normalised together."""

    def judge(self, real: Any, fake: Any) -> tuple[Any, Any]:
        real_logits, fake_logits = tf.split(
            self.discriminator(tf.concat([real, fake], 0), training=True), 2
        )
        return real_logits, fake_logits


class Probabilities(DCGAN):
    """The discriminator ends in a sigmoid, and the losses are binary cross-entropies of that."""

    def discriminator_step(self, real: Any, fake: Any) -> tuple[Any, Any, Any]:
        entropy = keras.losses.BinaryCrossentropy()
        with tf.GradientTape() as tape:
            p_real = tf.sigmoid(self.discriminator(real, training=True))
            p_fake = tf.sigmoid(self.discriminator(fake, training=True))
            loss = entropy(tf.ones_like(p_real), p_real) + entropy(tf.zeros_like(p_fake), p_fake)
        variables = self.discriminator.trainable_variables
        self.optimizer_d.apply(tape.gradient(loss, variables), variables)
        return loss, tf.reduce_mean(p_real), tf.reduce_mean(p_fake)

    def generator_loss(self, fake: Any) -> Any:
        p_fake = tf.sigmoid(self.discriminator(fake, training=True))
        return keras.losses.BinaryCrossentropy()(tf.ones_like(p_fake), p_fake)


class Compiled(DCGAN):
    """The program of many tutorials: compiled models, ``trainable = False``, ``train_on_batch``.

    The discriminator is compiled, made untrainable, and put behind the generator in a second
    compiled model; fakes for the discriminator are predicted, real and fake images are two updates.
    """

    toggled = False

    def begin(
        self, lr_d: float = 2e-4, lr_g: float = 2e-4, beta1: float = 0.5, beta2: float = 0.999
    ) -> None:
        super().begin(lr_d, lr_g, beta1, beta2)

        def adam(rate: float) -> Any:
            return keras.optimizers.Adam(rate, beta1, beta2)

        self.opponent = keras.Sequential(
            [self.discriminator, keras.layers.Reshape((1,)), keras.layers.Activation("sigmoid")]
        )
        self.opponent.compile(loss="binary_crossentropy", optimizer=adam(lr_d))
        self.opponent.trainable = False
        self.both = keras.Sequential([self.generator, self.opponent])
        self.imagine = tf.function(lambda z: self.generator(z, training=False))
        self.followed = tf.function(self.follow)
        self.both.compile(loss="binary_crossentropy", optimizer=adam(lr_g))

    def run(self, pixels: Any, chosen: Any, noise: Any, shares: Any) -> Any:
        """The loop in Python, because ``train_on_batch`` cannot be part of a graph."""
        rows = []
        for picked, z, share in zip(chosen, noise, shares, strict=True):
            rows.append(self.play(signal(pixels, picked), z))
            self.followed(tf.constant(share))
        return np.array(rows, np.float32)

    def play(self, real: Any, z: Any) -> tuple[float, float, float, float]:
        """One step; the probabilities, which ``train_on_batch`` does not tell, are left at 0."""
        ones, zeros = np.ones((len(z), 1), "float32"), np.zeros((len(z), 1), "float32")
        fake = self.imagine(z)  # what predict gives, without its overhead
        if self.toggled:
            self.opponent.trainable = True
        loss_d = 0.0
        for images, labels in ((real, ones), (fake, zeros)):
            self.opponent.reset_metrics()
            loss_d += float(self.opponent.train_on_batch(images, labels))
        if self.toggled:
            self.opponent.trainable = False
        self.both.reset_metrics()
        return loss_d, float(self.both.train_on_batch(z, ones)), 0.0, 0.0


class Toggled(Compiled):
    """The same, with ``trainable`` set before each player's updates."""

    toggled = True


@dataclass(frozen=True)
class Variant:
    """One program: the class, what the framework decides, and settings changed (None: PyTorch)."""

    kind: type[DCGAN] | None = DCGAN
    choices: Choices = PYTORCH
    settings: tuple[tuple[str, Any], ...] = ()


ADAM_DEFAULTS = (("lr_d", 1e-3), ("lr_g", 1e-3), ("beta1", 0.9))
VARIANTS = {
    "pytorch": Variant(None),
    "tensorflow": Variant(),
    "keras": Variant(choices=KERAS),
    "keras-weights": Variant(choices=replace(PYTORCH, deviation=None)),
    "keras-norm": Variant(choices=replace(KERAS, deviation=PYTORCH.deviation)),
    "compiled": Variant(Compiled, KERAS),
    "adam-defaults": Variant(settings=ADAM_DEFAULTS),
    "pytorch-adam-defaults": Variant(None, settings=ADAM_DEFAULTS),
    "probabilities": Variant(Probabilities),
    "concatenated": Variant(Concatenated),
    "toggled": Variant(Toggled, KERAS),
}
