"""Train, evaluate and record by recipe: what ``gancourse.train`` and the command line call."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import gancourse
from gancourse import data as datasets
from gancourse import recipes
from gancourse.data import ImageData
from gancourse.errors import GancourseError
from gancourse.gans.base import GAN
from gancourse.training.devices import choose, describe
from gancourse.training.fit import Score, fit
from gancourse.training.folder import RunFolder
from gancourse.training.run import Run, load
from gancourse.training.trainer import Settings, check_data

if TYPE_CHECKING:
    from gancourse.metrics import Scores

__all__ = ["Plan", "evaluate", "plan", "run_plan", "train"]


@dataclass(frozen=True)
class Plan:
    """A run that has been checked but not begun.

    Attributes:
        recipe: where it came from.
        data: the images to train on, loaded.
        settings: the hyper-parameters after all overrides.
        full: whether this is the full budget, scored at every tick.
    """

    recipe: recipes.Recipe
    data: ImageData
    settings: Settings
    full: bool

    def build(self) -> GAN:
        """Make the GAN, its weights drawn from the run's seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.settings.seed)
            return self.recipe.build(self.data.shape[0])

    def describe(self) -> dict[str, Any]:
        """Everything that decides the run's numbers, as JSON holds it."""
        described = {
            "gan": {
                "name": self.recipe.gan,
                "shape": list(self.data.shape),
                "options": dict(self.recipe.options),
            },
            "data": {
                "name": self.data.name,
                "split": self.data.split,
                "items": len(self.data),
                "sha256": hashlib.sha256(self.data.images.numpy().tobytes()).hexdigest(),
            },
            "training": self.settings.facts(),
            "score_samples": self.recipe.score_samples if self.full else 0,
        }
        return json.loads(json.dumps(described))


def plan(
    recipe: str,
    *,
    data: str | Path | None = None,
    epochs: float | None = None,
    images: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    flips: Sequence[str] | None = None,
    diffaugment: Sequence[str] | None = None,
    seed: int = 0,
    budget: str = "full",
) -> Plan:
    """Load the data and settle the settings of a run; arguments as for :func:`train`.

    Raises:
        GancourseError: as :func:`train`, before any training.
    """
    base = recipes.get(recipe)
    if budget not in ("short", "full"):
        raise GancourseError(f"budget is {budget!r}; it must be short or full.")
    if epochs is not None and images is not None:
        raise GancourseError("Give epochs or images, not both: each says how long to train.")
    name = base.data if data is None else str(data)
    if name in datasets.names() and datasets.info(name).kind != "images":
        raise GancourseError(
            f"The recipe {recipe} makes images; {name} holds none. Name an image data set "
            "(gancourse data lists them) or a folder of images."
        )
    loaded = datasets.load(name, size=base.size)
    assert isinstance(loaded, ImageData)
    size = base.batch_size if batch_size is None else batch_size
    epoch = len(loaded) // max(size, 1) * size
    if images is None:
        count = epochs if epochs is not None else (base.full if budget == "full" else base.short)
        images = max(round(count * epoch), size) if count > 0 else 0
    changes = {"lr_d": lr, "lr_g": lr, "flips": flips, "diffaugment": diffaugment}
    given = {name: value for name, value in changes.items() if value is not None}
    full = budget == "full"
    settings = Settings(
        images=images,
        batch_size=size,
        seed=seed,
        tick=max(round(base.tick * epoch), 1) if full else max(images // 10, 1),
        **{**base.training, **given},
    )
    return Plan(base, loaded, settings, full)


def _fid_score(plan: Plan, gan: GAN) -> Score | None:
    """FID of the averaged generator against the data's test split, for choosing the best tick.

    None where the data have no test split or no extractor on this machine: then nothing is scored.
    """
    from gancourse import metrics

    name = plan.data.name
    if name not in datasets.names() or "test" not in datasets.info(name).splits:
        return None
    try:
        extractor = metrics.extractor(metrics.default_extractor(name))
    except GancourseError:
        return None
    real = metrics.statistics(extractor.features(_reference(name, plan.recipe.size).images))
    n = plan.recipe.score_samples

    def score(net: nn.Module) -> dict[str, float]:
        fake = gan.sample(n, seed=plan.settings.seed + 2, net=net).cpu()
        return {"fid": metrics.fid(real, metrics.statistics(extractor.features(fake)))}

    return score


def _reference(name: str, size: int) -> ImageData:
    """The test split of the data set that a run was trained on."""
    loaded = datasets.load(name, split="test", size=size)
    assert isinstance(loaded, ImageData)
    return loaded


def _versions(device: torch.device) -> dict[str, str]:
    return {
        "gancourse": gancourse.__version__,
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
        "device": describe(device),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _difference(before: Any, now: Any, path: str = "") -> list[str]:
    """Where two settings differ, one line each: ``name: before -> now``."""
    if isinstance(before, dict) and isinstance(now, dict):
        lines = []
        for key in sorted({*before, *now}):
            name = f"{path}.{key}" if path else key
            lines += _difference(before.get(key), now.get(key), name)
        return lines
    return [] if before == now else [f"{path}: {before} -> {now}"]


def _check_same(facts: dict[str, Any], described: dict[str, Any], path: Path) -> None:
    """Refuse to resume with other settings; more images than before are a longer run, and fine."""
    before = json.loads(json.dumps(facts.get("settings", {})))
    shown = before.get("training", {}).get("images", 0)
    if shown <= described["training"]["images"] and before.get("training"):
        before["training"]["images"] = described["training"]["images"]
    changes = _difference(before, described)
    if changes:
        raise GancourseError(
            f"The run in {path} was made with other settings ({'; '.join(changes)}). Resume with "
            "the same ones, or start a new run with another --out (out=...)."
        )


def train(
    recipe: str,
    *,
    data: str | Path | None = None,
    epochs: float | None = None,
    images: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    flips: Sequence[str] | None = None,
    diffaugment: Sequence[str] | None = None,
    seed: int = 0,
    device: str = "auto",
    out: str | Path | None = None,
    resume: bool = False,
    budget: str = "full",
    progress: bool | None = None,
    tensorboard: bool = False,
) -> Run:
    """Train a recipe.

    Args:
        recipe: its name (``gancourse recipes`` lists them).
        data: another image data set, or a folder of images, in place of the recipe's; the images
            are resized and cropped to the recipe's size, and keep their number of channels.
        epochs: passes through the data, in place of the recipe's.
        images: images to show in all, instead of epochs.
        batch_size: in place of the recipe's.
        lr: learning rate of both players, in place of the recipe's.
        flips: of ``"horizontal"`` and ``"vertical"``, in place of the recipe's: each real image is
            mirrored so with probability 0.5. ``()`` for none.
        diffaugment: of ``"color"``, ``"translation"`` and ``"cutout"``, in place of the recipe's:
            how real and fake images are changed before the discriminator sees them
            (:func:`gancourse.augment.diffaugment`). ``()`` for none.
        seed: of weights, noise, data order and augmentation.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        out: run folder; without one nothing is saved.
        resume: carry on with the run in ``out``; its settings must be the same, save for a
            greater number of epochs or images.
        budget: ``"full"``, or ``"short"`` for seconds on a CPU.
        progress: a progress bar; by default one if standard error is a terminal.
        tensorboard: write TensorBoard events into ``out`` too.

    Returns:
        The trained GAN with its history.

    Raises:
        GancourseError: unknown or unsuitable recipe, data, number, device or folder; divergence;
            a full disk. What had been saved stays.
        KeyboardInterrupt: Ctrl-C, after the running step has been saved to ``out``.
    """
    if resume and out is None:
        raise GancourseError("To resume, say which run: --out (out=...).")
    where = choose(device)
    planned = plan(
        recipe, data=data, epochs=epochs, images=images, batch_size=batch_size, lr=lr,
        flips=flips, diffaugment=diffaugment, seed=seed, budget=budget,
    )  # fmt: skip
    return run_plan(
        planned, where, out=out, resume=resume, progress=progress, tensorboard=tensorboard
    )


def run_plan(
    planned: Plan,
    device: torch.device,
    *,
    out: str | Path | None,
    resume: bool,
    progress: bool | None,
    tensorboard: bool = False,
) -> Run:
    """Carry out a plan; arguments, result and errors as for :func:`train`."""
    gan = planned.build()
    check_data(gan, planned.data.images, planned.settings)
    described = planned.describe()
    score = _fid_score(planned, gan) if planned.full else None
    facts: dict[str, Any] = {
        "recipe": planned.recipe.name,
        "settings": described,
        "status": "running",
        "versions": _versions(device),
    }
    folder = None if out is None else RunFolder(out, resume=resume)
    with folder or nullcontext():
        if folder is not None:
            if resume:
                _check_same(folder.read_facts(), described, folder.path)
            folder.write_facts(facts)
        generator, history = fit(
            gan,
            planned.data.images,
            planned.settings,
            labels=planned.data.labels,
            device=device,
            folder=folder,
            score=score,
            progress=progress,
            tensorboard=tensorboard,
        )
        facts |= {"status": "finished", "seconds": history[-1]["seconds"] if history else 0.0}
        if folder is not None:
            folder.write_facts(facts)
    gan.eval()
    return Run(gan, generator, facts, history, None if folder is None else folder.path)


def evaluate(run: Run | str | Path, *, n: int = 10_000, seed: int = 0) -> Scores:
    """Score a run against the test split of its data set.

    Args:
        run: a run, a run folder, or the name of a record.
        n: how many samples to draw; all test images are used.
        seed: of the samples.

    Returns:
        FID, KID, IS, precision, recall, density and coverage, with the extractor's name and hash
        and both sample counts.

    Raises:
        GancourseError: no such run; no extractor or test split for its data.
    """
    from gancourse import metrics

    opened = run if isinstance(run, Run) else load(run)
    trained_on = opened.settings["data"]["name"]
    size = opened.settings["gan"]["shape"][-1]
    name = metrics.default_extractor(trained_on)
    real = _reference(trained_on, size).images
    fake = opened.sample(n, seed=seed).cpu()
    return metrics.scores(real, fake, name, split=f"{trained_on}/test")
