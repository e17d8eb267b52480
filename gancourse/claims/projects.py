"""The records of the report's two projects, read like the record of an experiment.

A project is a GAN that was trained in full from several seeds. What the report says of it is in
the curves: which epoch is best, what comes after it, whether the scores of real and of fake images
come together. So the measures here are taken from histories, one value a seed.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gancourse import records
from gancourse.errors import GancourseError, unknown
from gancourse.files import read_json

__all__ = ["MEASURES", "RECORDS", "UNITS", "History", "Runs", "find", "path"]

#: one dict an epoch, in order
History = Sequence[dict[str, Any]]
#: epochs on either side of one that a source names: "about 42" is 40 to 44 for a mean
ABOUT = 2
#: epochs at the beginning, and at the end, that a mean is taken over
ENDS = 5
#: the report's best epoch of its first project
NAMED = 42
#: record -> the file it is in, below :data:`gancourse.records.ROOT`
RECORDS = {
    "dcgan/fashion-mnist": "dcgan/fashion-mnist/run.json",
    "dcgan/fashion-mnist/plain": "fashion-mnist-project/epochs.json",
    "dcgan/abstract-art": "dcgan/abstract-art/run.json",
}


def _mean(rows: History, name: str) -> float:
    return statistics.fmean(row[name] for row in rows)


def _about(rows: History, epoch: int = NAMED) -> History:
    return [row for row in rows if abs(row["epoch"] - epoch) <= ABOUT]


def _best(name: str, sign: int) -> Callable[[History], float]:
    return lambda rows: float(min(rows, key=lambda row: sign * row[name])["epoch"])


def _later(name: str) -> Callable[[History], float]:
    return lambda rows: _mean(rows[-ENDS:], name) - _mean(_about(rows), name)


def _apart(rows: History) -> float:
    """How far D's mean on real images is above its mean on fakes, 1 where it is always right."""
    return _mean(rows, "d_real") - _mean(rows, "d_fake")


def _halfway(rows: History) -> History:
    return rows[len(rows) // 2 - ENDS : len(rows) // 2]


def _training(rows: History) -> float:
    """Seconds of the steps alone, without scores and saving."""
    before = [0, *(row["images"] for row in rows[:-1])]
    parts = zip(rows, before, strict=True)
    return sum((row["images"] - seen) / row["images_per_second"] for row, seen in parts)


#: what follows from a history; the epochs are those of the run
MEASURES: dict[str, Callable[[History], float]] = {
    "best_epoch_fid": _best("fid", 1),
    "best_epoch_kid": _best("kid", 1),
    "best_epoch_precision": _best("precision", -1),
    "best_epoch_recall": _best("recall", -1),
    "fid_after": _later("fid"),
    "precision_lost_after": lambda rows: -_later("precision")(rows),
    "scores_apart": lambda rows: _apart(rows[-ENDS:]),
    "scores_nearer": lambda rows: _apart(rows[:ENDS]) - _apart(rows[-ENDS:]),
    "scores_nearer_late": lambda rows: _apart(_halfway(rows)) - _apart(rows[-ENDS:]),
    "seconds_per_epoch": lambda rows: _training(rows) / rows[-1]["epoch"],
    "hours": lambda rows: _training(rows) / 3600,
}
#: what is not a share of 1 or a difference of such
UNITS = {
    **{name: "epochs" for name in MEASURES if name.startswith("best_epoch")},
    "fid_after": "FID",
    "seconds_per_epoch": "seconds",
    "hours": "hours",
}


#: how a run differs from the source's, with the number of its images
NOTES = {"dcgan/abstract-art": "{items:,} paintings; the report had 2,782."}


@dataclass(frozen=True)
class Runs:
    """The runs of a project, over seeds.

    Attributes:
        name: of the record.
        runs: their histories, the seed of the record's weights first.
        facts: ``data``: how the run differs from the source's.
        where: what the scores were measured with.
    """

    name: str
    runs: list[History]
    facts: dict[str, Any]
    where: str

    def scores(self, measure: str) -> list[float]:
        """One of :data:`MEASURES` of every run.

        Raises:
            GancourseError: there is no such measure, or the histories lack what it takes.
        """
        if measure not in MEASURES:
            raise unknown("measure of a project", measure, MEASURES)
        try:
            return [MEASURES[measure](history) for history in self.runs]
        except (KeyError, statistics.StatisticsError) as error:
            raise GancourseError(
                f"The histories of {self.name} do not hold what {measure} takes ({error})."
            ) from error


def path(name: str) -> Path:
    """The file that says whether there is a record of that name.

    Raises:
        GancourseError: no project is called so.
    """
    if name not in RECORDS:
        raise unknown("project", name, RECORDS)
    return records.ROOT / RECORDS[name]


def find(name: str) -> Runs | None:
    """The runs of a project, or None if they have not been recorded.

    ``.../plain`` are the same runs, judged without the averaging of the generator's weights.

    Raises:
        GancourseError: no such name, or the record is broken.
    """
    file = path(name)
    if not file.is_file():
        return None
    stored = read_json(file)
    try:
        if file.name == "run.json":
            found = [file.parent / "history.jsonl"]
            found += [file.parent / f"history-seed{s}.jsonl" for s in stored.get("seeds", {})]
            scores, runs = stored["scores"], [_history(each) for each in found]
        else:
            plain = sorted(
                (row for row in stored["rows"] if row["net"] == "plain"),
                key=lambda row: (row["seed"], row["epoch"]),
            )
            seeds = sorted({row["seed"] for row in plain})
            scores, runs = stored, [[r for r in plain if r["seed"] == s] for s in seeds]
        samples = stored.get("settings", {}).get("score_samples", scores["n_fake"])
        where = f"{samples:,} samples an epoch against {scores['split']}, {scores['extractor']}"
        note = NOTES[name].format(**stored["settings"]["data"]) if name in NOTES else ""
    except (KeyError, TypeError, AttributeError) as error:
        raise GancourseError(f"{file} is not the record of a project ({error!r}).") from error
    if not all(runs):
        raise GancourseError(f"{file} belongs to a record whose history is missing or empty.")
    facts = {"data": {"note": note}} if note else {}
    return Runs(name, list(runs), facts, where)


def _history(file: Path) -> History:
    """The rows of a history; read here, as whoever asks for a claim need not have PyTorch loaded."""
    try:
        return [json.loads(line) for line in file.read_text().splitlines()]
    except (OSError, ValueError) as error:
        raise GancourseError(f"{file} is not a readable history ({error}).") from error
