"""Runs of one program in two frameworks, read like the record of an experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gancourse import records
from gancourse.errors import unknown
from gancourse.files import read_json

__all__ = ["PREFIX", "Runs", "find"]

#: A name is this, a data set and a variant: ``tf/frameworks/digits/pytorch``.
PREFIX = "tf/frameworks/"


@dataclass(frozen=True)
class Runs:
    """The runs of one variant on one data set, over seeds.

    Attributes:
        name: data set and variant after :data:`gancourse.claims.frameworks.PREFIX`.
        runs: as the file of the data set holds them.
    """

    name: str
    runs: list[dict[str, Any]]

    @property
    def facts(self) -> dict[str, Any]:
        """Nothing beyond the runs."""
        return {}

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


def find(name: str) -> Runs | None:
    """The runs of that name, or None if they have not been made.

    Raises:
        GancourseError: the file of scores is broken.
    """
    data, variant = name.removeprefix(PREFIX).split("/")
    path = records.ROOT / PREFIX / f"{data}.json"
    if not path.is_file():
        return None
    runs = [run for run in read_json(path)["runs"] if run["variant"] == variant]
    return Runs(name, runs) if runs else None
