"""A trained GAN with its story: what training returns and what a run folder or record holds."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from gancourse.errors import GancourseError, unknown
from gancourse.files import read_json
from gancourse.gans import GANS
from gancourse.gans.base import GAN
from gancourse.records import ROOT as RECORDED
from gancourse.training import checkpoint
from gancourse.training.devices import choose
from gancourse.training.folder import read_history

__all__ = ["RECORDED", "Run", "build_gan", "load"]


@dataclass
class Run:
    """A trained GAN.

    Attributes:
        gan: both players as training left them, or as they were at the best score.
        generator: the generator's moving average, which :meth:`sample` uses.
        facts: what ``run.json`` holds: recipe, settings, seed, versions, device, scores.
        history: one dict a tick: step, images, epoch, seconds, losses, scores, gradient norms.
        path: the run folder or record, or None for a run that was not saved.
    """

    gan: GAN
    generator: nn.Module
    facts: dict[str, Any]
    history: list[dict[str, Any]] = field(default_factory=list)
    path: Path | None = None

    @property
    def recipe(self) -> str:
        """Name of the recipe."""
        return self.facts["recipe"]

    @property
    def settings(self) -> dict[str, Any]:
        """What decided the run: GAN, data, hyper-parameters, seed."""
        return self.facts["settings"]

    @property
    def scores(self) -> dict[str, Any]:
        """The scores that were measured and stored, or an empty dict."""
        return self.facts.get("scores", {})

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """Draw images from the averaged generator.

        Args:
            n: how many.
            seed: of the noise; the same seed gives the same images.

        Returns:
            uint8 n x C x H x W.

        Raises:
            GancourseError: n is less than 1.
        """
        return self.gan.sample(n, seed=seed, net=self.generator)


def build_gan(facts: dict[str, Any], source: Path) -> GAN:
    """The untrained GAN that a ``run.json`` describes.

    Raises:
        GancourseError: the file describes none.
    """
    try:
        described = facts["settings"]["gan"]
        kind, options = described["name"], dict(described["options"])
        shape = tuple(described["shape"])
        if kind not in GANS:
            raise unknown("GAN", kind, GANS)
        return GANS[kind](shape=shape, **options)
    except (KeyError, TypeError) as error:
        raise GancourseError(
            f"{source / 'run.json'} does not describe a run of gancourse ({error!r})."
        ) from error


def _records() -> list[str]:
    return sorted(str(p.parent.relative_to(RECORDED)) for p in RECORDED.glob("*/*/run.json"))


def load(name: str | Path, *, checkpoint_name: str = "best", device: str = "cpu") -> Run:
    """Open a run folder or a record.

    Args:
        name: a run folder, or the name of a record that comes with the package, such as
            ``"dcgan/fashion-mnist"``.
        checkpoint_name: in a run folder ``"best"`` (the last one where none was scored) or
            ``"last"``; a record has one set of weights.
        device: where the nets go (see :func:`gancourse.training.choose`).

    Returns:
        The run, ready to sample.

    Raises:
        GancourseError: there is no such run or record; a file of it is missing or corrupt.
    """
    path = Path(name)
    if not (path / "run.json").exists():
        record = RECORDED / str(name)
        if not (record / "run.json").exists():
            if (record / "record.json").exists():
                raise GancourseError(
                    f"{name} is an experiment of several seeds, not a GAN; open its record by "
                    "gancourse.records.experiment."
                )
            if path.is_dir():
                raise GancourseError(f"{path} holds no run: there is no run.json in it.")
            raise unknown("run folder or record", name, _records())
        path = record
    if checkpoint_name not in ("best", "last"):
        raise unknown("checkpoint", checkpoint_name, ("best", "last"))
    facts = read_json(path / "run.json")
    gan = build_gan(facts, path)
    candidates = [path / "weights.safetensors", path / f"{checkpoint_name}.safetensors"]
    if checkpoint_name == "best":
        candidates.append(path / "last.safetensors")
    weights = next((file for file in candidates if file.exists()), None)
    if weights is None:
        raise GancourseError(
            f"{path} holds no checkpoint yet: the run was stopped before its first."
        )
    tensors, _ = checkpoint.read(weights)
    generator = copy.deepcopy(gan.generator)
    checkpoint.load_weights(
        gan.discriminator, checkpoint.unprefixed("discriminator", tensors), weights
    )
    checkpoint.load_weights(generator, checkpoint.unprefixed("ema", tensors), weights)
    own = checkpoint.unprefixed("generator", tensors) or checkpoint.unprefixed("ema", tensors)
    checkpoint.load_weights(gan.generator, own, weights)
    where = choose(device)
    return Run(
        gan=gan.to(where).eval(),
        generator=generator.to(where).eval().requires_grad_(False),
        facts=facts,
        history=read_history(path / "history.jsonl"),
        path=path,
    )
