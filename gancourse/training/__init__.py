"""The loop, devices, moving averages, checkpoints and resume, run folders."""

from gancourse.training.devices import choose
from gancourse.training.fit import Settings, fit
from gancourse.training.run import Run

__all__ = ["Run", "Settings", "choose", "fit"]
