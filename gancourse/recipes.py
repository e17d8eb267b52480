"""Recipes: a name for data, GAN, hyper-parameters and two budgets.

The notebooks, the command line, the records and the tests all start from these, so that what a
page shows is what ``gancourse train`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gancourse.errors import unknown
from gancourse.gans import GANS
from gancourse.gans.base import GAN
from gancourse.text import columns

__all__ = ["Recipe", "get", "names", "table"]


@dataclass(frozen=True)
class Recipe:
    """A run that has a name.

    Attributes:
        name: ``gan/data``.
        data: name of the data set, as :func:`gancourse.data.load` takes it.
        size: pixels a side; other images are resized and cropped to it.
        gan: name in :data:`gancourse.gans.GANS`.
        options: keyword arguments of the GAN's class besides the shape.
        short: epochs of the short budget, seconds on a CPU.
        full: epochs of the full budget, as the records hold it.
        batch_size: images a minibatch.
        training: other fields of :class:`gancourse.training.Settings`.
        tick: epochs between two rows of the history in the full budget.
        score_samples: samples behind the scores of each tick in the full budget.
    """

    name: str
    data: str
    size: int
    gan: str
    options: Mapping[str, Any]
    short: float
    full: float
    batch_size: int = 128
    training: Mapping[str, Any] = field(default_factory=dict)
    tick: float = 1
    score_samples: int = 5000

    def build(self, channels: int) -> GAN:
        """Make the GAN for images of this many channels; weights from the global generator."""
        return GANS[self.gan](shape=(channels, self.size, self.size), **self.options)


def _vanilla(data: str, size: int, **changes: Any) -> Recipe:
    defaults: dict[str, Any] = {
        "options": {"latent_dim": 100, "hidden": (256, 512)},
        "short": 1,
        "full": 50,
    }
    return Recipe(f"vanilla/{data}", data, size, "vanilla", **(defaults | changes))


def _dcgan(data: str, size: int, **changes: Any) -> Recipe:
    defaults: dict[str, Any] = {
        "options": {"latent_dim": 100, "width": 32},
        "short": 0.25,
        "full": 50,
    }
    return Recipe(f"dcgan/{data}", data, size, "dcgan", **(defaults | changes))


# Digits are few and tiny: small nets, small batches and many epochs.
_DIGITS: dict[str, Any] = {
    "short": 60,
    "full": 300,
    "batch_size": 64,
    "tick": 10,
    "score_samples": 2000,
    "training": {"lr_d": 5e-4, "lr_g": 5e-4, "ema": 0.99},
}

_RECIPES = {
    recipe.name: recipe
    for recipe in (
        _vanilla("digits", 8, **_DIGITS | {"options": {"latent_dim": 32, "hidden": (128, 128)}}),
        _vanilla("mnist", 28),
        _vanilla("fashion-mnist", 28),
        _dcgan("digits", 8, **_DIGITS | {"options": {"latent_dim": 32, "width": 32}}),
        _dcgan("mnist", 28),
        _dcgan("fashion-mnist", 28),
        _dcgan("cifar10", 32),
        _dcgan("cats-dogs", 64, options={"latent_dim": 100, "width": 64}, short=1, full=200),
        # About as many samples as there are paintings to compare them with.
        _dcgan(
            "abstract-art",
            128,
            full=200,
            training={"flips": ("horizontal", "vertical")},
            score_samples=1000,
        ),
    )
}


def names() -> tuple[str, ...]:
    """Every recipe's name."""
    return tuple(_RECIPES)


def get(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        GancourseError: unknown name; the nearest ones are shown.
    """
    if name not in _RECIPES:
        raise unknown("recipe", name, _RECIPES)
    return _RECIPES[name]


def table() -> str:
    """What ``gancourse recipes`` prints: name, data, image size, epochs short and full."""
    header = ("recipe", "data", "pixels", "options", "epochs short / full")
    rows = [header] + [
        (
            recipe.name,
            recipe.data,
            f"{recipe.size} x {recipe.size}",
            ", ".join(f"{key} {value}" for key, value in recipe.options.items()),
            f"{recipe.short:g} / {recipe.full:g}",
        )
        for recipe in _RECIPES.values()
    ]
    return columns(rows)
