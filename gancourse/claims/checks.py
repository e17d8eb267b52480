"""How a figure in print is compared with a record: one rule for all claims.

A figure is reproduced if the mean over seeds lies within one point of it, after the rounding of a
figure of two digits is allowed for. A comparison of two settings counts from twice the standard
error of the difference of their means.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gancourse import records
from gancourse.claims import entries, frameworks, projects
from gancourse.claims.entries import Part
from gancourse.errors import GancourseError

__all__ = ["MEASURES", "ROUNDING", "TOLERANCE", "check", "find", "names", "path"]

#: How far a mean may lie from a figure in print: one point.
TOLERANCE = 0.01
#: What a figure of two digits may have lost by rounding: half a point.
ROUNDING = 0.005
#: Standard errors from which on a difference counts.
ERRORS = 2
# Differences of floating-point numbers that mean nothing.
_TINY = 1e-9

Values = list[float]
Record = records.ExperimentRecord | frameworks.Runs | projects.Runs


def multiplications(record: Record) -> Values:
    """Multiplications that a dense network makes for one item, for each run of the record."""
    settings = record.facts["settings"]
    sizes = [784, *settings["options"]["hidden"], 10]
    count = sum(a * b for a, b in zip(sizes, sizes[1:], strict=False))
    return [float(count)] * len(record.runs)


#: Measures that are not among a record's scores but follow from it.
MEASURES: dict[str, Callable[[Any], Values]] = {"multiplications": multiplications}
#: What is counted rather than a share of 1.
UNITS = {"multiplications": "number", "classes_covered": "classes"} | projects.UNITS
SPLITS = {"train": "training", "validation": "validation", "test": "test"}


def find(name: str) -> Record | None:
    """The record of that name, or None if there is none.

    Raises:
        GancourseError: it is there and broken.
    """
    if name.startswith(frameworks.PREFIX):
        return frameworks.find(name)
    if name in projects.RECORDS:
        return projects.find(name)
    return records.experiment(name) if path(name).exists() else None


def path(name: str) -> Path:
    """The file that holds the record of that name, whether or not it is there."""
    if name.startswith(frameworks.PREFIX):
        return frameworks.path(name)
    if name in projects.RECORDS:
        return projects.path(name)
    return records.ROOT / name / "record.json"


def names(what: Mapping[str, Any]) -> list[str]:
    """The records that a check reads."""
    return what.get("records") or [what["record"], *filter(None, [what.get("against")])]


def check(what: Mapping[str, Any]) -> Part:
    """Compare one part of a claim with the records it names.

    Args:
        what: ``says`` (words), ``claimed`` (see below), ``measure`` (a score), and ``record``.
            With ``minus``, another score of the same run is taken off; with ``against``, the mean
            of another record. ``records`` in place of ``record`` takes the largest mean less the
            smallest. With ``aside``, a text that gives the reason, the part does not count in
            the verdict.

            ``claimed`` is a figure, a range ``[low, high]``, or for a difference
            ``{"more": x}``, ``{"not more": x}``, ``{"within": x}`` or ``{"between": [low, high]}``;
            ``{"loses": s}`` says that ``against`` has lost the share ``s`` of what ``record`` has.

    Returns:
        The part; ``holds`` is None if a record is missing, or if a comparison has one seed only.

    Raises:
        GancourseError: a record is broken or lacks the measure.
    """
    claimed = what["claimed"]
    unit = UNITS.get(what["measure"], "points" if isinstance(claimed, dict) else "share")
    text = in_words(claimed, unit)
    found = {name: find(name) for name in names(what)}
    aside = bool(what.get("aside"))
    missing = [name for name, record in found.items() if record is None]
    if missing:
        note = f"No record of {', '.join(missing)} yet."
        of = ", ".join(found)
        return Part(what["says"], None, text, unit=unit, record=of, note=note, aside=aside)
    opened = [record for record in found.values() if record is not None]
    samples = [values(record, what) for record in opened]
    mean, sd, error = quantity(samples, spread="records" in what)
    if isinstance(claimed, dict) and "loses" in claimed:
        # What is left if that share is lost, less what the other has: more than nothing?
        left = [(1 - claimed["loses"]) * value for value in samples[0]]
        rest, _, error = quantity([left, samples[1]], spread=False)
        outcome = holds(rest, error, {"more": 0})
        one, other = map(statistics.fmean, samples)
        note = f"From {one:.3f} to {other:.3f}."
    else:
        outcome = holds(mean, error, claimed)
        note = last_epoch(opened[0], what)
    if outcome is None:
        note = "A comparison needs two seeds."
    return Part(
        what["says"],
        outcome,
        text,
        mean,
        sd,
        0 if unit == "number" else min(map(len, samples)),
        unit,
        ", ".join(found),
        where(opened[0], what),
        note=" ".join(filter(None, [note, what.get("aside")])),
        aside=aside,
    )


def values(record: Record, what: Mapping[str, Any]) -> Values:
    """The measure of each run of a record, less the measure named by ``minus``."""
    found = score(record, what["measure"])
    if "minus" in what:
        found = [a - b for a, b in zip(found, score(record, what["minus"]), strict=True)]
    return found


def score(record: Record, measure: str) -> Values:
    """One measure of each run of a record."""
    if measure in MEASURES:
        return MEASURES[measure](record)
    return [float(value) for value in record.scores(measure)]


def quantity(samples: Sequence[Values], spread: bool) -> tuple[float, float | None, float | None]:
    """Mean, standard deviation and standard error of one sample, or of what two differ by.

    Args:
        samples: values over seeds, for each record.
        spread: take the largest mean less the smallest; it has no standard deviation.

    Returns:
        Both spreads are None with fewer than two seeds. The deviation of a difference is that of
        the difference of two single runs.
    """
    means = [statistics.fmean(sample) for sample in samples]
    if spread:
        return max(means) - min(means), None, 0.0
    mean = means[0] - means[1] if len(means) == 2 else means[0]
    if min(map(len, samples)) < 2:
        return mean, None, None
    variances = [statistics.variance(sample) for sample in samples]
    error = math.sqrt(sum(v / len(s) for v, s in zip(variances, samples, strict=True)))
    return mean, math.sqrt(sum(variances)), error


def holds(mean: float, error: float | None, claimed: Any) -> bool | None:
    """Whether a mean is what was claimed; ``error`` is its standard error, None if unknown."""
    if isinstance(claimed, (int, float, list)):
        low, high = claimed if isinstance(claimed, list) else (claimed, claimed)
        margin = TOLERANCE + ROUNDING + _TINY
        return low - margin <= mean <= high + margin
    ((form, bound),) = claimed.items()
    if form == "within":
        return abs(mean) <= bound + _TINY
    if error is None:
        return None
    give = ERRORS * error
    if form == "between":
        return mean > give and mean + give >= bound[0] and mean - give <= bound[1]
    more = mean - bound > give
    return more if form == "more" else not more


def in_words(claimed: Any, unit: str = "share") -> str:
    """A claimed figure as a page prints it."""
    if isinstance(claimed, list) and unit in entries.PLAIN:
        return f"{claimed[0]:g} to {claimed[1]:g} {unit}"
    if isinstance(claimed, list):
        return f"{claimed[0]:.2f} to {claimed[1]:.2f}"
    if isinstance(claimed, (int, float)):
        return f"{claimed:g} {unit}" if unit in entries.PLAIN else f"{claimed:.2f}"
    ((form, bound),) = claimed.items()
    if form == "loses":
        return f"{100 * bound:g} % of it lost"
    if form == "within":
        return f"no difference (within {100 * bound:g} point)"
    if form == "between":
        return f"+{100 * bound[0]:g} to +{100 * bound[1]:g} points"
    return form if bound == 0 else f"{form} than {100 * bound:g} points"


def where(record: Record, what: Mapping[str, Any]) -> str:
    """The split that was measured, and how many items it has."""
    if isinstance(record, (frameworks.Runs, projects.Runs)):
        return record.where
    items = record.facts.get("data", {}).get("items", {})
    found = []
    for name in [what["measure"], *filter(None, [what.get("minus")])]:
        split = name.split("_")[0]
        if split in SPLITS:
            count = f", {items[split]:,} items" if split in items else ""
            found.append(f"{SPLITS[split]} split{count}")
    return " and ".join(found)


def last_epoch(record: Record, what: Mapping[str, Any]) -> str:
    """What Keras printed for the last epoch, where it differs from the accuracy after training."""
    claimed = what["claimed"]
    plain = isinstance(claimed, (int, float, list)) and what["measure"] == "train_accuracy"
    if not plain or "minus" in what:
        return ""
    try:
        printed = statistics.fmean(score(record, "epoch_accuracy"))
    except (GancourseError, KeyError):
        return ""
    after = statistics.fmean(score(record, "train_accuracy"))
    if abs(printed - after) < ROUNDING:
        return ""
    text = f"Keras' own figure of the last epoch, taken while the weights move, is {printed:.3f}"
    differs = holds(printed, None, claimed) != holds(after, None, claimed)
    other = "would" if holds(printed, None, claimed) else "would not"
    return f"{text}; by it the part {other} hold." if differs else f"{text}."
