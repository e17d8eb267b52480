"""DCGAN in PyTorch and TensorFlow: same weights, data order, noise and settings, several seeds."""

from __future__ import annotations

import io
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import gancourse
from gancourse import data, metrics, records, training
from gancourse.errors import GancourseError
from gancourse.files import read_json, write_bytes, write_json
from gancourse.metrics.neighbours import neighbour_scores
from gancourse.plots import tile
from gancourse.tf.backend import keras, tf
from gancourse.tf.comparisons import MAIN, Comparison, get
from gancourse.tf.gan import DCGAN, fit
from gancourse.tf.porting import to_tensorflow
from gancourse.tf.variants import VARIANTS, Variant
from gancourse.training.api import Plan, plan
from gancourse.training.devices import describe

__all__ = ["record"]


def record(name: str, *, out: str | Path | None = None, progress: bool | None = None) -> Path:
    """Make the runs of a comparison that are missing, and keep what they score.

    Every run is scored without choosing a best moment, the averaged generator and the last one,
    against the test split. All of them are made on the CPU, on which both frameworks have the
    same order of the data and the same noise. What is finished is saved after every run; called
    again, it goes on with the first run that is missing.

    ====================  =======================================================================
    ``DATA.json``         ``data`` (name, note), ``floor`` (scores of the training images),
                          ``first_steps`` (largest difference of the losses of both frameworks),
                          ``runs`` (settings, versions, history, scores, CPU seconds)
    ``DATA-VARIANT.png``  25 samples of seed 0
    ====================  =======================================================================

    Args:
        name: one of :data:`gancourse.tf.comparisons.COMPARISONS`.
        out: folder of these files; by default their place in the package.
        progress: lines on standard error; by default if that is a terminal.

    Returns:
        The file of scores.

    Raises:
        GancourseError: unknown name; data that are missing; or the file holds runs with other
            settings, which are left as they are.
    """
    comparison = get(name)
    folder = (records.ROOT / name).parent if out is None else Path(out)
    progress = sys.stderr.isatty() if progress is None else progress
    path = folder / f"{comparison.data}.json"
    stored: dict[str, Any] = {"data": {}, "floor": {}, "first_steps": [], "runs": []}
    stored |= read_json(path) if path.exists() else {}
    stored["data"] = {"name": comparison.data, "note": comparison.note}
    _check(stored["runs"], comparison, path)
    floors = read_json(records.ROOT / "comparison" / "scores.json")["floor"]
    stored["floor"] = floors[comparison.data]
    write_json(path, stored)
    judge = _Judge(comparison.data)
    known = {row["seed"] for row in stored["first_steps"]}
    for seed in sorted(set(range(3)) - known):
        stored["first_steps"].append(_first_steps(comparison, seed))
        write_json(path, stored)
    done = {(run["variant"], run["seed"]) for run in stored["runs"]}
    wanted = [(variant, seed) for variant, n in comparison.seeds.items() for seed in range(n)]
    # The question first: the three programs of all seeds, then what one may do otherwise.
    order = {variant: place for place, variant in enumerate(VARIANTS)}
    wanted.sort(key=lambda run: (run[0] not in MAIN, run[1], order[run[0]]))
    for variant, seed in wanted:
        if (variant, seed) not in done:
            run, picture = _one(comparison, variant, seed, judge)
            if picture is not None:
                write_bytes(folder / f"{comparison.data}-{variant}.png", picture)
            stored["runs"].append(run)
            write_json(path, stored)
            if progress:
                print(_line(run, len(stored["runs"]), len(wanted)), file=sys.stderr)
    return path


def _check(runs: list[dict[str, Any]], comparison: Comparison, path: Path) -> None:
    """Refuse runs of other settings: they would be one mean with the new ones."""
    for run in runs:
        variant, seed = run["variant"], run["seed"]
        if variant not in comparison.seeds:
            continue
        wanted = _settings(comparison, variant, _planned(comparison, VARIANTS[variant], seed))
        changed = [key for key, value in wanted.items() if run[key] != value]
        if changed:
            raise GancourseError(
                f"{path} holds a run of {variant}, seed {seed}, with other {', '.join(changed)}. "
                "Move the file away to make it anew, or choose another folder by --out (out=...)."
            )


def _settings(comparison: Comparison, variant: str, job: Plan) -> dict[str, Any]:
    """What a run was told, as JSON holds it."""
    facts = {
        "epochs": comparison.epochs,
        "options": dict(job.recipe.options),
        "settings": job.settings.facts(),
        "choices": asdict(VARIANTS[variant].choices),
    }
    return json.loads(json.dumps(facts))


def _line(run: dict[str, Any], number: int, count: int) -> str:
    scores = run["scores"]["last"]
    return (
        f"{run['data']}, {run['variant']}, seed {run['seed']} ({number} of {count}): "
        f"FID {scores['fid']:.2f}, recall {scores['recall']:.3f}, "
        f"{scores['classes']['classes_covered']} classes, {run['cpu_seconds']:.0f} CPU s"
    )


def _planned(comparison: Comparison, variant: Variant, seed: int) -> Plan:
    """The run that both frameworks make."""
    base = plan(f"dcgan/{comparison.data}", epochs=comparison.epochs, seed=seed, budget="short")
    recipe = replace(base.recipe, options={**base.recipe.options, **comparison.options})
    return replace(base, recipe=recipe, settings=replace(base.settings, **dict(variant.settings)))


def _build(job: Plan, variant: Variant) -> DCGAN:
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


def _train(job: Plan, variant: Variant) -> tuple[dict[str, Callable[[int], Any]], list[Any]]:
    """Carry out a plan; samplers of the averaged and the last generator, and the history."""
    if variant.kind is None:
        torch_gan = job.build()
        net, history = training.fit(torch_gan, job.data.images, job.settings, progress=False)
        return {
            "average": lambda n: torch_gan.sample(n, net=net),
            "last": torch_gan.sample,
        }, history
    with tf.device("/CPU:0"):  # where PyTorch trains, too
        gan = _build(job, variant)
        average, history = fit(gan, job.data.images, job.settings, progress=False)
    return {"average": lambda n: gan.sample(n, net=average), "last": gan.sample}, history


class _Judge:
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


def _first_steps(comparison: Comparison, seed: int, steps: int = 20) -> dict[str, Any]:
    """Losses of the first steps in both frameworks, and the largest difference up to a step."""
    job = _planned(comparison, VARIANTS["pytorch"], seed)
    size = job.settings.batch_size
    job = replace(job, settings=replace(job.settings, images=steps * size, tick=size))
    rows = [_train(job, VARIANTS[variant])[1] for variant in ("pytorch", "tensorflow")]
    gaps = [
        max(abs(mine[loss] - theirs[loss]) for loss in ("loss_d", "loss_g"))
        for mine, theirs in zip(*rows, strict=True)
    ]
    largest = {str(step): max(gaps[:step]) for step in (1, 5, steps)}
    return {"data": comparison.data, "seed": seed, "largest_difference": largest}


def _facts() -> dict[str, Any]:
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


def _one(
    comparison: Comparison, variant: str, seed: int, judge: _Judge
) -> tuple[dict[str, Any], bytes | None]:
    """Train, score and describe one run; of seed 0 also a picture of samples, as PNG."""
    chosen = VARIANTS[variant]
    job = _planned(comparison, chosen, seed)
    begun = time.process_time()
    samplers, history = _train(job, chosen)
    seconds = time.process_time() - begun
    scores = {which: judge(draw(comparison.samples)) for which, draw in samplers.items()}
    picture = None
    if seed == 0:
        buffer = io.BytesIO()
        tile(samplers["average"](25), columns=5).save(buffer, format="PNG", optimize=True)
        picture = buffer.getvalue()
    kept = ("epoch", "loss_d", "loss_g", "d_real", "d_fake")
    run = {
        "data": comparison.data,
        "variant": variant,
        "seed": seed,
        **_settings(comparison, variant, job),
        "cpu_seconds": round(seconds, 3),
        "versions": _facts(),
        "history": [{key: round(row[key], 5) for key in kept} for row in history],
        "scores": scores,
    }
    return run, picture
