"""What was recorded of the experiments in TensorFlow, readable without it."""

from __future__ import annotations

import statistics
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from gancourse.errors import GancourseError, unknown
from gancourse.files import read_json

__all__ = ["ROOT", "ExperimentRecord", "experiment", "names"]

#: where the package keeps the records of full runs
ROOT = Path(__file__).resolve().parent / "recorded"


@dataclass(frozen=True)
class ExperimentRecord:
    """An experiment, run from several seeds.

    Attributes:
        name: of the experiment, whatever the folder is called.
        facts: ``record.json``: settings, data with their counts and a note, versions; ``hardware``
            and ``recorded`` (the day) of the first session.
        path: the record's folder.
    """

    name: str
    facts: dict[str, Any]
    path: Path

    @property
    def runs(self) -> list[dict[str, Any]]:
        """One dict a seed: ``seed``, ``seconds``, ``history`` and ``scores``.

        The newer ones also tell ``cpu_seconds``, and their own ``hardware`` and ``recorded``.
        """
        return self.facts["runs"]

    def scores(self, measure: str) -> list[float]:
        """One score of every run.

        Raises:
            GancourseError: the record has no such score.
        """
        known = self.runs[0]["scores"]
        if measure not in known:
            raise unknown(f"score of {self.name}", measure, known)
        return [run["scores"][measure] for run in self.runs]

    def mean_sd(self, measure: str) -> tuple[float, float]:
        """Mean and standard deviation (divisor n - 1; nan for one run) of a score over the seeds.

        Raises:
            GancourseError: the record has no such score.
        """
        values = self.scores(measure)
        spread = statistics.stdev(values) if len(values) > 1 else float("nan")
        return statistics.fmean(values), spread

    def history(self, run: int = 0) -> list[dict[str, Any]]:
        """The epochs of one run, as :class:`gancourse.tf.training.Fitted` describes them."""
        return self.runs[run]["history"]

    def predictions(self) -> dict[str, np.ndarray]:
        """What the model of the first seed says of the part of the data that it was judged on.

        Returns:
            ``predicted`` (uint8 N, or N x H x W) and, for classes, ``confidence`` (float16 N).

        Raises:
            GancourseError: the file is missing or damaged.
        """
        path = self.path / "predictions.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (OSError, ValueError, EOFError, KeyError, BadZipFile, zlib.error) as error:
            raise GancourseError(f"{path} is missing or damaged ({error}).") from error

    def weights(self) -> list[np.ndarray]:
        """The weights of the first seed in Keras' order, float32 (stored as float16).

        Raises:
            GancourseError: none were kept, because they are large, or the file is damaged.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self.path / "weights.safetensors"
        if not path.exists():
            raise GancourseError(f"The record of {self.name} has no weights; they are too large.")
        try:
            stored = load_file(path)
        except (OSError, SafetensorError) as error:
            raise GancourseError(f"{path} is damaged ({error}).") from error
        return [stored[name].astype(np.float32) for name in sorted(stored)]


def names() -> tuple[str, ...]:
    """Every experiment that has a record."""
    found = ROOT.glob("*/*/record.json")
    return tuple(sorted(path.parent.relative_to(ROOT).as_posix() for path in found))


def experiment(name: str, root: str | Path | None = None) -> ExperimentRecord:
    """Open the record of an experiment.

    Args:
        name: such as ``"tf/clothes"``; or what a folder of your own is called.
        root: the folder of records; by default the package's own.

    Raises:
        GancourseError: there is no such record, or it is not whole.
    """
    path = (ROOT if root is None else Path(root)) / name
    if not (path / "record.json").is_file():
        raise GancourseError(
            f"There is no record of {name} in {path.parent}. Make it by: gancourse record {name}"
        )
    facts = read_json(path / "record.json")
    runs = facts.get("runs") if isinstance(facts, dict) else None
    if not (isinstance(runs, list) and runs):
        raise GancourseError(
            f"{path / 'record.json'} holds no runs; delete it and make the record anew."
        )
    return ExperimentRecord(facts.get("experiment", name), facts, path)
