"""Runs of one program in two frameworks, read like the record of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gancourse import records
from gancourse.errors import GancourseError, unknown
from gancourse.files import read_json
from gancourse.tf.comparisons import COMPARISONS, PREFIX

__all__ = ["PREFIX", "Runs", "find", "path"]


@dataclass(frozen=True)
class Runs:
    """The runs of one variant on one data set, over seeds.

    Attributes:
        name: of the comparison and the variant, ``tf/frameworks/digits/pytorch``.
        runs: as :mod:`gancourse.tf.frameworks` keeps them.
        facts: ``data``: its name, and how it differs from the source's.
    """

    name: str
    runs: list[dict[str, Any]]
    facts: dict[str, Any]

    @property
    def where(self) -> str:
        """What the samples were judged against, and how many there were."""
        scores = self.runs[0]["scores"]["last"]
        return f"{scores['n_fake']:,} samples of the last generator against {scores['split']}"

    def scores(self, measure: str) -> list[float]:
        """``recall``, ``fid``, ... or ``classes_covered`` of the last generator of every run.

        Raises:
            GancourseError: there is no such score.
        """
        found = [run["scores"]["last"] for run in self.runs]
        found = [{**scores, **scores["classes"]} for scores in found]
        if not isinstance(found[0].get(measure), (int, float)):
            raise unknown(f"score of {self.name}", measure, found[0])
        return [float(scores[measure]) for scores in found]


def path(name: str) -> Path:
    """The file of scores that holds the runs of that name.

    Args:
        name: of a comparison, with a variant behind it.

    Raises:
        GancourseError: it is no such name.
    """
    comparison, _, variant = name.rpartition("/")
    if comparison not in COMPARISONS or variant not in COMPARISONS[comparison].seeds:
        known = [f"{one}/{each}" for one in COMPARISONS for each in COMPARISONS[one].seeds]
        raise unknown("runs", name, known)
    return records.ROOT / f"{comparison}.json"


def find(name: str) -> Runs | None:
    """The runs of that name, or None if they have not been made.

    Raises:
        GancourseError: no such name, or the file of scores is broken.
    """
    file = path(name)
    if not file.is_file():
        return None
    stored = read_json(file)
    if not (isinstance(stored, dict) and isinstance(stored.get("runs"), list)):
        raise GancourseError(f"{file} holds no runs; make it anew.")
    runs = [run for run in stored["runs"] if run["variant"] == name.rpartition("/")[2]]
    return Runs(name, runs, {"data": stored.get("data", {})}) if runs else None
