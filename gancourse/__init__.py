"""A course on generative adversarial networks, as a package.

``gancourse.train`` trains a recipe, ``gancourse.load`` opens a run or a record, ``gancourse.check``
checks an exercise, ``gancourse.budget`` picks between the short and the full form of a notebook.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Imported on first use, so that `gancourse --help` and the data loaders do not wait for torch's parts.
_LAZY = {
    "train": "gancourse.training.api",
    "load": "gancourse.training.run",
    "evaluate": "gancourse.training.judging",
    "diagnose": "gancourse.metrics.diagnose",
    "record": "gancourse.training.record",
    "check": "gancourse.exercises",
    "budget": "gancourse.notebook",
}
__all__ = ["__version__", "budget", "check", "diagnose", "evaluate", "load", "record", "train"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'gancourse' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
