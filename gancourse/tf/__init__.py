"""Everything TensorFlow: the paper's six experiments in Keras, and a GAN in TensorFlow itself.

``import gancourse.tf`` is cheap; TensorFlow is imported with the first name that needs it, and only
then (:mod:`gancourse.tf.backend`). The experiments' settings and what was recorded of them can be
read without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Imported on first use: TensorFlow takes seconds, and may not be installed.
_LAZY = {
    "keras": "gancourse.tf.backend",
    "tf": "gancourse.tf.backend",
    "EXPERIMENTS": "gancourse.tf.experiments",
    "Experiment": "gancourse.tf.experiments",
    "fit": "gancourse.tf.training",
    "load": "gancourse.tf.training",
    "save": "gancourse.tf.training",
}
__all__ = ["EXPERIMENTS", "Experiment", "fit", "keras", "load", "save", "tf"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'gancourse.tf' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
