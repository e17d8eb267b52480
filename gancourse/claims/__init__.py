"""The ledger: what the sources claim, what came out, and a verdict that follows from it.

Nobody writes a verdict down. It follows from the tests that a claim names, which run with all
others, and from checks on the records of full runs (:mod:`gancourse.claims.checks`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gancourse.claims import checks
from gancourse.claims.entries import KINDS, SOURCES, VERDICTS, Entry, Part, read
from gancourse.errors import GancourseError, unknown

__all__ = ["KINDS", "SOURCES", "VERDICTS", "Entry", "Part", "counts", "get", "ledger", "verdict"]

#: Names and formulas, which the names of tests write in small letters.
NAMES = {name.lower(): name for name in ("JS", "KL", "GAN", "Nash", "Pearson", "Keras", "PyTorch")}


def ledger() -> list[Entry]:
    """Every claim of the sources: theory, experiments, methods, errata.

    Raises:
        GancourseError: the file of claims or a record is broken.
    """
    order = list(KINDS)
    found = [_entry(item) for item in read()]
    return sorted(found, key=lambda entry: (order.index(entry.id[0]), int(entry.id[1:])))


def get(name: str) -> Entry:
    """One claim.

    Args:
        name: its id, such as ``"E1"``; small letters do too.

    Raises:
        GancourseError: no claim has that id; the nearest ones are shown.
    """
    items = {item["id"]: item for item in read()}
    if str(name).upper() not in items:
        raise unknown("claim", name, items)
    return _entry(items[name.upper()])


def counts(entries: Iterable[Entry] | None = None) -> dict[str, int]:
    """How many claims have each verdict, in the order of :data:`gancourse.claims.VERDICTS`; zeros included.

    Args:
        entries: the ones to count; by default the whole ledger.
    """
    found = [entry.verdict for entry in (ledger() if entries is None else entries)]
    return {name: found.count(name) for name in VERDICTS}


def verdict(kind: str, parts: Iterable[Part], other_data: bool = False) -> str:
    """What follows from the parts of a claim.

    Args:
        kind: one of the values of :data:`gancourse.claims.KINDS`.
        parts: what was compared; none at all is a claim that nobody has run.
        other_data: the records are of data of another kind than the source's, on which its
            figures can be neither confirmed nor refuted.

    Returns:
        One of :data:`gancourse.claims.VERDICTS`.

    Raises:
        GancourseError: a test shows that what is listed as an erratum is true.
    """
    outcomes = [part.holds for part in parts if not part.aside]
    if not outcomes or None in outcomes:
        return "not run yet"
    if kind == "erratum":
        if any(outcomes):
            raise GancourseError("What an erratum's test shows to be true is no erratum.")
        return "erratum"
    if other_data:
        return "partly"
    if all(outcomes):
        return "reproduced"
    return "partly" if any(outcomes) else "not reproduced"


def _entry(item: Mapping[str, Any]) -> Entry:
    kind = KINDS[item["id"][0]]
    words = item.get("words", {})
    parts = [_tested(test, True, words) for test in item.get("holds", [])]
    parts += [_tested(test, False, words) for test in item.get("fails", [])]
    parts += [checks.check(what) for what in item.get("checks", [])]
    return Entry(
        item["id"],
        kind,
        tuple(item["source"]),
        item["claim"],
        item.get("right", ""),
        item.get("claimed", ""),
        verdict(kind, parts, bool(item.get("other_data"))),
        tuple(parts),
        item.get("chapter", ""),
        tuple(_notes(item)),
    )


def _tested(test: str, outcome: bool, said: Mapping[str, str]) -> Part:
    """What a test shows, for the claim or against it, in words or else by the test's name."""
    name = test.split("::")[-1]
    words = name.removeprefix("test_").split("_")
    if words[0][:1] in "temx" and words[0][1:].isdigit():  # the claim's id, as in test_t1_...
        words = words[1:]
    text = re.sub(r" s\b", "'s", " ".join(NAMES.get(word, word) for word in words))
    return Part(said.get(name, text), outcome, test=test)


def _notes(item: Mapping[str, Any]) -> list[str]:
    """How the data of the records differ from the source's, each said once."""
    found = []
    for what in item.get("checks", []):
        for name in checks.names(what):
            record = checks.find(name)
            note = "" if record is None else record.facts.get("data", {}).get("note", "")
            if note and note not in found:
                found.append(note)
    # A setting's note begins with what it shares with others, which need not be said twice.
    return [note for note in found if not any(n != note and n.startswith(note) for n in found)]
