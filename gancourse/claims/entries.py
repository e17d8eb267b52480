"""What an entry of the ledger holds, and the file that the ledger is kept in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gancourse.errors import GancourseError
from gancourse.files import read_json

__all__ = ["FILE", "KINDS", "SOURCES", "VERDICTS", "Entry", "Part", "read"]

#: The project's copy of the claims, with the tests and the checks that settle them.
FILE = Path(__file__).resolve().parent.parent / "recorded" / "claims.json"

#: First letter of an id, and what kind of claim it stands for.
KINDS = {"T": "theory", "E": "experiment", "M": "method", "X": "erratum"}

#: Every verdict there is, in the order in which they are counted.
VERDICTS = ("reproduced", "partly", "not reproduced", "erratum", "not run yet")

#: Short name of a source, and its title.
SOURCES = {
    "paper": "Performance Evaluation of Generative Adversarial Networks for Computer Vision "
    "Applications, 2020",
    "report": "Using GANs to Generate New Images from Existing Datasets, 2022",
    "Tyagi": "Generative Adversarial Network (GAN) in Unsupervised Machine Learning, 2020",
    "Applications": "Applications of Generative Adversarial Networks (GANs)",
    "What is it": "Generative Adversarial Networks (GAN) - What is it?",
}

#: What can be claimed of a difference, and what the word needs: a number or a range.
FORMS = {"more": float, "not more": float, "within": float, "loses": float, "between": list}

#: Units that stand behind a figure: one decimal, as it is.
PLAIN = ("epochs", "seconds", "hours")

FIELDS = {"id", "source", "claim", "right", "claimed", "chapter", "holds", "fails", "checks"}
FIELDS |= {"other_data", "words"}
PARTS = {"says", "claimed", "measure", "record", "records", "against", "minus", "aside"}


@dataclass(frozen=True)
class Part:
    """One thing that a claim says, and what came out.

    Attributes:
        says: the part, in a few words.
        holds: whether it is so; None where nothing has been run.
        claimed: the figure in print, as text.
        measured: mean over seeds, a share of 1 (or a number, see ``unit``); None if not run, or
            if a test settles the part.
        sd: standard deviation over seeds (n - 1); None for fewer than two seeds.
        seeds: number of seeds behind the mean.
        unit: ``"share"``, ``"points"`` (a difference of shares), ``"classes"``
            (a difference of their number), ``"number"`` (a difference without spread), ``"FID"`` (a
            difference of FIDs), or one of :data:`PLAIN`.
        record: name of the record that was measured, or names, with commas.
        where: split and number of items that were measured.
        test: the test that settles the part, as pytest names it.
        note: what else a reader should know.
        aside: shown beside the claim for what it explains; it does not count in the verdict.
    """

    says: str
    holds: bool | None
    claimed: str = ""
    measured: float | None = None
    sd: float | None = None
    seeds: int = 0
    unit: str = "share"
    record: str = ""
    where: str = ""
    test: str = ""
    note: str = ""
    aside: bool = False

    @property
    def shown(self) -> str:
        """Mean and standard deviation as text: ``0.883 ± 0.002``."""
        if self.measured is None:
            return ""
        if self.unit == "number":
            return f"{self.measured:+,.0f}"
        if self.unit == "classes":
            spread = "" if self.sd is None else f" ± {self.sd:.1f}"
            return f"{round(self.measured, 1) + 0.0:+.1f}{spread} classes"
        if self.unit in PLAIN:
            spread = "" if self.sd is None else f" ± {self.sd:.1f}"
            return f"{self.measured:.1f}{spread} {self.unit}"
        if self.unit == "FID":
            spread = "" if self.sd is None else f" ± {self.sd:.2f}"
            return f"{round(self.measured, 2) + 0.0:+.2f}{spread} of FID"
        if self.unit == "points":
            spread = "" if self.sd is None else f" ± {100 * self.sd:.1f}"
            points = round(100 * self.measured, 1) + 0.0  # no minus sign before a zero
            return f"{points:+.1f}{spread} points"
        return f"{self.measured:.3f}" + ("" if self.sd is None else f" ± {self.sd:.3f}")


@dataclass(frozen=True)
class Entry:
    """A claim of the sources, its parts, and the verdict that follows from them.

    Attributes:
        id: ``T``, ``E``, ``M`` or ``X`` and a number.
        kind: ``theory``, ``experiment``, ``method`` or ``erratum``.
        source: where it stands in print: names of :data:`gancourse.claims.SOURCES`, with section or equation.
        claim: what is said, in our words.
        right: what is right instead; for errata only.
        claimed: figures in print that no check compares yet, as text.
        verdict: one of :data:`gancourse.claims.VERDICTS`.
        parts: what the verdict follows from.
        chapter: the page that settles it, or an empty text.
        notes: how data or settings differ from the source's.
    """

    id: str
    kind: str
    source: tuple[str, ...]
    claim: str
    right: str
    claimed: str
    verdict: str
    parts: tuple[Part, ...]
    chapter: str
    notes: tuple[str, ...]


def read(path: str | Path | None = None) -> list[dict[str, Any]]:
    """The entries of the file, checked for form.

    Args:
        path: another file; by default :data:`gancourse.claims.entries.FILE`.

    Raises:
        GancourseError: the file is missing, no JSON, or an entry lacks something or has a field
            too many; the message names the entry.
    """
    path = FILE if path is None else Path(path)
    entries = read_json(path)
    if not isinstance(entries, list):
        raise GancourseError(f"{path} does not hold a list of claims.")
    for entry in entries:
        name = str(entry.get("id", "")) if isinstance(entry, dict) else ""
        if name[:1] not in KINDS or not name[1:].isdigit():
            raise GancourseError(f"{path}: {name or repr(entry)} is not a claim's id, such as E1.")
        wrong = _fields(entry, {"source", "claim"}, FIELDS)
        if not wrong and not _texts(entry["source"]):
            wrong = f"has the source {entry['source']!r}, which is no list of texts"
        broken = next(filter(None, map(_wrong, entry.get("checks", []))), "")
        wrong = wrong or (broken and f"has a check that {broken}")
        if wrong:
            raise GancourseError(f"{path}: the claim {name} {wrong}.")
    return entries


def _fields(item: dict[str, Any], needed: set[str], known: set[str]) -> str:
    if needed - set(item):
        return f"lacks {sorted(needed - set(item))}"
    return f"has {sorted(set(item) - known)}" if set(item) - known else ""


def _wrong(check: Any) -> str:
    """What is wrong with the form of a check, or nothing."""
    if not isinstance(check, dict):
        return f"is {check!r}, which is no check"
    wrong = _fields(check, {"says", "claimed", "measure"}, PARTS)
    if wrong:
        return wrong
    if ("record" in check) == ("records" in check):
        return "needs one of record and records"
    if "aside" in check and not (isinstance(check["aside"], str) and check["aside"]):
        return "is aside without a reason in words"
    claimed = check["claimed"]
    if isinstance(claimed, dict):
        ((form, bound),) = claimed.items() if len(claimed) == 1 else (("", None),)
        right = form in FORMS and (_range if FORMS[form] is list else _number)(bound)
        if form == "loses" and "against" not in check:
            return "lacks ['against']"
    else:
        right = _number(claimed) or _range(claimed)
    return "" if right else f"claims {claimed!r}, which has no known form"


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _range(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_number, value))
