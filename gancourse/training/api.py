"""Train by recipe: what ``gancourse.train`` and the command line call."""

from __future__ import annotations

import hashlib
import json
import math
import platform
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import gancourse
from gancourse import data as datasets
from gancourse import recipes
from gancourse.data import ImageData
from gancourse.errors import GancourseError
from gancourse.gans.base import GAN
from gancourse.training.devices import describe
from gancourse.training.distribute import ALONE, World, join
from gancourse.training.fit import Score, fit
from gancourse.training.folder import RunFolder
from gancourse.training.judging import tick_score
from gancourse.training.run import Run
from gancourse.training.trainer import Settings, check_data

__all__ = ["Plan", "plan", "run_plan", "train"]


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
    lr_d: float | None = None,
    lr_g: float | None = None,
    beta1: float | None = None,
    ema: float | None = None,
    flips: Sequence[str] | None = None,
    diffaugment: Sequence[str] | None = None,
    fast: bool = False,
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
    if epochs is not None and not (epochs > 0 and math.isfinite(epochs)):
        raise GancourseError(f"epochs is {epochs}; it must be a number greater than 0.")
    if lr is not None and (lr_d, lr_g) != (None, None):
        raise GancourseError(
            "Give --lr (lr=) for both players, or --lr-d (lr_d=) and --lr-g (lr_g=)."
        )
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
        images = max(round(count * epoch), size)
    changes = {
        "lr_d": lr if lr_d is None else lr_d, "lr_g": lr if lr_g is None else lr_g, "beta1": beta1,
        "ema": ema, "flips": flips, "diffaugment": diffaugment,
    }  # fmt: skip
    given = {name: value for name, value in changes.items() if value is not None}
    full = budget == "full"
    settings = Settings(
        images=images,
        batch_size=size,
        seed=seed,
        fast=fast,
        tick=max(round(base.tick * epoch), 1) if full else max(images // 10, 1),
        **{**base.training, **given},
    )
    return Plan(base, loaded, settings, full)


def _versions(device: torch.device, world: World) -> dict[str, str]:
    several = f"{world.size} processes, each on " if world.size > 1 else ""
    return {
        "gancourse": gancourse.__version__,
        "torch": torch.__version__.split("+")[0],
        "python": platform.python_version(),
        "device": several + describe(device),
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
            "the same ones, delete the folder to begin anew, or start a new run with another "
            "--out (out=...)."
        )


def _check_alike(first: dict[str, Any], own: dict[str, Any]) -> None:
    """Refuse processes that were started with different settings, or found different data."""
    changes = _difference(first, own)
    if changes:
        raise GancourseError(
            f"The processes of this run differ from the first one ({'; '.join(changes)}). Start "
            "all with the same command, and the same data in reach."
        )


def train(
    recipe: str,
    *,
    data: str | Path | None = None,
    epochs: float | None = None,
    images: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    lr_d: float | None = None,
    lr_g: float | None = None,
    beta1: float | None = None,
    ema: float | None = None,
    flips: Sequence[str] | None = None,
    diffaugment: Sequence[str] | None = None,
    fast: bool = False,
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
        lr_d: of the discriminator alone.
        lr_g: of the generator alone.
        beta1: Adam's decay of the first moment, its momentum, in [0, 1), in place of the recipe's.
        ema: decay of the generator's moving average a step, in [0, 1), in place of the recipe's; 0
            for none: then the samples are those of the generator as the last step left it.
        flips: of ``"horizontal"`` and ``"vertical"``, in place of the recipe's: each real image is
            mirrored so with probability 0.5. ``()`` for none.
        diffaugment: of ``"color"``, ``"translation"`` and ``"cutout"``, in place of the recipe's:
            how real and fake images are changed before the discriminator sees them
            (:func:`gancourse.augment.diffaugment`). ``()`` for none.
        fast: take the fast path: first try out which memory layouts, and on a GPU whether
            compilation, are fastest here; a GPU then replays whole steps, in bfloat16 where it has
            that. The numbers differ by rounding (:mod:`gancourse.training.fast`).
        seed: of weights, noise, data order and augmentation.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        out: run folder; without one nothing is saved.
        resume: carry on with the run in ``out``; its settings must be the same, save, in the full
            budget, for a greater number of epochs or images.
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
    choices: dict[str, Any] = {
        "data": data, "epochs": epochs, "images": images, "batch_size": batch_size, "lr": lr,
        "lr_d": lr_d, "lr_g": lr_g, "beta1": beta1, "ema": ema, "flips": flips,
        "diffaugment": diffaugment, "fast": fast, "seed": seed, "budget": budget,
    }  # fmt: skip
    with join(device) as (world, where):
        return run_plan(
            world.everywhere(lambda: plan(recipe, **choices)),
            where,
            out=out,
            resume=resume,
            progress=progress,
            tensorboard=tensorboard,
            world=world,
        )


def run_plan(
    planned: Plan,
    device: torch.device,
    *,
    out: str | Path | None,
    resume: bool,
    progress: bool | None,
    tensorboard: bool = False,
    world: World = ALONE,
) -> Run:
    """Carry out a plan; arguments, result and errors as for :func:`train`."""
    gan = planned.build()
    world.everywhere(lambda: check_data(gan, planned.data.images, planned.settings, world))
    described = planned.describe()
    of_first = world.first(lambda: described)
    world.everywhere(lambda: _check_alike(of_first, described))

    def scoring() -> Score | None:
        name, size = planned.data.name, planned.recipe.size
        n, seed = planned.recipe.score_samples, planned.settings.seed + 2
        return tick_score(gan, name, size, n, seed) if planned.full else None

    score = world.first_only(scoring)
    facts: dict[str, Any] = {
        "recipe": planned.recipe.name,
        "settings": described,
        "status": "running",
        "versions": _versions(device, world),
    }
    with ExitStack() as stack:

        def begin() -> RunFolder | None:
            if out is None:
                return None
            folder = stack.enter_context(RunFolder(out, resume=resume))
            if resume:
                _check_same(folder.read_facts(), described, folder.path)
            folder.write_facts(facts)
            return folder

        folder = world.first_only(begin)
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
            world=world,
        )
        facts |= {"status": "finished", "seconds": history[-1]["seconds"] if history else 0.0}
        if folder is not None:
            facts = folder.read_facts() | facts
            folder.write_facts(facts)
    gan.eval()
    return Run(gan, generator, facts, history, None if out is None else Path(out))
