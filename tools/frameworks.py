"""Record DCGAN in PyTorch and TensorFlow: same weights, data order, noise and settings, several seeds.

    python tools/frameworks.py [--data digits fashion-mnist]

Every run is scored without choosing a best moment, the averaged generator and the last one, against
the test split. Variants of the TensorFlow program change one thing that a Keras program often has
otherwise. The result is one file a data set, ``digits.json`` and ``fashion-mnist.json`` in
``gancourse/recorded/tf/frameworks``, with a picture of 25 samples of seed 0 for every variant; runs
that are in the file already are not made again.
"""

from __future__ import annotations

import argparse
import io
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

import gancourse
from gancourse import data, metrics, training
from gancourse.files import read_json, write_bytes, write_json
from gancourse.metrics.neighbours import neighbour_scores
from gancourse.plots import tile
from gancourse.tf.backend import keras, tf
from gancourse.tf.gan import DCGAN, fit, signal
from gancourse.tf.nets import KERAS, PYTORCH, Choices
from gancourse.tf.porting import to_tensorflow
from gancourse.training.api import Plan, plan
from gancourse.training.devices import describe
from gancourse.training.run import RECORDED

FOLDER = RECORDED / "tf" / "frameworks"


class Concatenated(DCGAN):
    """The discriminator sees real and fake images as one batch, normalised together."""

    def discriminator_step(self, real: Any, fake: Any) -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            logits = self.discriminator(tf.concat([real, fake], 0), training=True)
            real_logits, fake_logits = tf.split(logits, 2)
            loss = tf.reduce_mean(tf.nn.softplus(-real_logits))
            loss += tf.reduce_mean(tf.nn.softplus(fake_logits))
        variables = self.discriminator.trainable_variables
        self.optimizer_d.apply(tape.gradient(loss, variables), variables)
        scores = [tf.reduce_mean(tf.sigmoid(logits)) for logits in (real_logits, fake_logits)]
        return loss, scores[0], scores[1]


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

        self.judge = keras.Sequential(
            [self.discriminator, keras.layers.Reshape((1,)), keras.layers.Activation("sigmoid")]
        )
        self.judge.compile(loss="binary_crossentropy", optimizer=adam(lr_d))
        self.judge.trainable = False
        self.both = keras.Sequential([self.generator, self.judge])
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
            self.judge.trainable = True
        loss_d = 0.0
        for images, labels in ((real, ones), (fake, zeros)):
            self.judge.reset_metrics()
            loss_d += float(self.judge.train_on_batch(images, labels))
        if self.toggled:
            self.judge.trainable = False
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


@dataclass(frozen=True)
class Task:
    """One data set: epochs, samples to score, changes to the recipe, seeds of each variant."""

    epochs: float
    samples: int
    options: dict[str, int]
    variants: dict[str, int]


MAIN = ("pytorch", "tensorflow", "keras")
TASKS = {
    "digits": Task(
        epochs=30,
        samples=5000,
        options={},
        # At 8 x 8 pixels the discriminator has no batch normalisation to mix up or to freeze.
        variants=dict.fromkeys(MAIN, 5)
        | dict.fromkeys(("compiled", "adam-defaults", "pytorch-adam-defaults"), 3)
        | {"probabilities": 3},
    ),
    "fashion-mnist": Task(
        epochs=1,
        samples=10_000,
        options={"width": 16},
        variants=dict.fromkeys((*MAIN, "keras-weights", "keras-norm", "compiled"), 3)
        | dict.fromkeys(("adam-defaults", "pytorch-adam-defaults"), 2)
        | dict.fromkeys(("toggled", "concatenated"), 2),
    ),
}


def planned(name: str, variant: Variant, seed: int) -> Plan:
    """The run that both frameworks make."""
    task = TASKS[name]
    base = plan(f"dcgan/{name}", epochs=task.epochs, seed=seed, budget="short")
    recipe = replace(base.recipe, options={**base.recipe.options, **task.options})
    return replace(base, recipe=recipe, settings=replace(base.settings, **dict(variant.settings)))


def build(job: Plan, variant: Variant) -> DCGAN:
    """The TensorFlow GAN of a plan, from PyTorch's first weights unless Keras is to draw them."""
    source = to_tensorflow(job.build())  # type: ignore[arg-type]
    assert variant.kind is not None
    gan = variant.kind(
        source.shape,
        source.latent_dim,
        source.width,
        source.loss,
        choices=variant.choices,
        seed=job.settings.seed,
    )
    if variant.choices.deviation is not None:
        gan.generator.set_weights(source.generator.get_weights())
        gan.discriminator.set_weights(source.discriminator.get_weights())
    return gan


def train(job: Plan, variant: Variant) -> tuple[dict[str, Callable[[int], Any]], list[Any]]:
    """Carry out a plan; samplers of the averaged and the last generator, and the history."""
    if variant.kind is None:
        torch_gan = job.build()
        net, history = training.fit(torch_gan, job.data.images, job.settings, progress=False)
        return {
            "average": lambda n: torch_gan.sample(n, net=net),
            "last": torch_gan.sample,
        }, history
    gan = build(job, variant)
    average, history = fit(gan, job.data.images, job.settings, progress=False)
    return {"average": lambda n: gan.sample(n, net=average), "last": gan.sample}, history


class Judge:
    """Scores of samples against a data set's test split, whose features are made once."""

    def __init__(self, name: str) -> None:
        self.measure = metrics.extractor(metrics.default_extractor(name))
        self.split = f"{name}/test"
        images = data.load(name, split="test").images
        self.real = self.measure.features(images)
        self.statistics = metrics.statistics(self.real)

    def __call__(self, fake: torch.Tensor) -> dict[str, Any]:
        features, probabilities = self.measure.features_and_probabilities(fake)
        close = neighbour_scores(self.real, features, k=3, density_k=5)
        names = ("precision", "recall", "density", "coverage")
        return {
            "fid": metrics.fid(self.statistics, metrics.statistics(features)),
            **{name: float(value) for name, value in zip(names, close, strict=True)},
            "classes": asdict(metrics.class_report(probabilities)),
            "n_real": len(self.real),
            "n_fake": len(fake),
            "split": self.split,
            "extractor": self.measure.name,
            "extractor_sha256": self.measure.sha256,
        }


def first_steps(name: str, seed: int, steps: int = 20) -> dict[str, Any]:
    """Losses of the first steps in both frameworks, and the largest difference up to a step."""
    job = planned(name, VARIANTS["pytorch"], seed)
    size = job.settings.batch_size
    job = replace(job, settings=replace(job.settings, images=steps * size, tick=size))
    rows = [train(job, VARIANTS[variant])[1] for variant in ("pytorch", "tensorflow")]
    gaps = [
        max(abs(mine[loss] - theirs[loss]) for loss in ("loss_d", "loss_g"))
        for mine, theirs in zip(*rows, strict=True)
    ]
    largest = {str(step): max(gaps[:step]) for step in (1, 5, steps)}
    return {"data": name, "seed": seed, "largest_difference": largest}


def facts() -> dict[str, Any]:
    """Versions and hardware."""
    return {
        "gancourse": gancourse.__version__,
        "torch": torch.__version__.split("+")[0],
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "python": platform.python_version(),
        "device": describe(torch.device("cpu")),
        "system": f"{platform.system()} {platform.machine()}",
    }


def main() -> None:
    """Make what is missing, saving after every run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", nargs="+", choices=TASKS, default=list(TASKS))
    options = parser.parse_args()
    for name in options.data:
        record(name)


def record(name: str) -> None:
    """Make what is missing of one data set, saving after every run."""
    path = FOLDER / f"{name}.json"
    stored = read_json(path) if path.exists() else {"floor": {}, "first_steps": [], "runs": []}
    task, judge = TASKS[name], Judge(name)
    stored["floor"] = read_json(RECORDED / "comparison" / "scores.json")["floor"][name]
    known = {row["seed"] for row in stored["first_steps"]}
    for seed in set(range(3)) - known:
        stored["first_steps"].append(first_steps(name, seed))
        write_json(path, stored)
    done = {(run["variant"], run["seed"]) for run in stored["runs"]}
    wanted = [(variant, seed) for variant, n in task.variants.items() for seed in range(n)]
    # The question first: the three programs of all seeds, then what one may do otherwise.
    order = {variant: place for place, variant in enumerate(VARIANTS)}
    wanted.sort(key=lambda run: (run[0] not in MAIN, run[1], order[run[0]]))
    for variant, seed in wanted:
        if (variant, seed) not in done:
            stored["runs"].append(one(name, variant, seed, judge))
            write_json(path, stored)
    print(f"gancourse {gancourse.__version__}: {len(stored['runs'])} runs in {path}")


def one(name: str, variant: str, seed: int, judge: Judge) -> dict[str, Any]:
    """Train, score and describe one run; seed 0 leaves a picture."""
    task, chosen = TASKS[name], VARIANTS[variant]
    job = planned(name, chosen, seed)
    begun = time.process_time()
    samplers, history = train(job, chosen)
    seconds = time.process_time() - begun
    scores = {which: judge(draw(task.samples)) for which, draw in samplers.items()}
    if seed == 0:
        buffer = io.BytesIO()
        tile(samplers["average"](25), columns=5).save(buffer, format="PNG", optimize=True)
        write_bytes(FOLDER / f"{name}-{variant}.png", buffer.getvalue())
    brief = {
        which: f"{s['fid']:.2f}/{s['classes']['classes_covered']}/{s['recall']:.2f}"
        for which, s in scores.items()
    }
    print(name, variant, seed, brief, f"{seconds:.0f} s", flush=True)
    kept = ("epoch", "loss_d", "loss_g", "d_real", "d_fake")
    return {
        "data": name,
        "variant": variant,
        "seed": seed,
        "epochs": task.epochs,
        "options": dict(job.recipe.options),
        "settings": asdict(job.settings),
        "choices": asdict(chosen.choices),
        "cpu_seconds": round(seconds, 3),
        "versions": facts(),
        "history": [{key: round(row[key], 5) for key in kept} for row in history],
        "scores": scores,
    }


if __name__ == "__main__":
    main()
