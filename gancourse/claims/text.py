"""The ledger as the command line prints it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from gancourse.claims.entries import Entry, Part

__all__ = ["details", "table"]

OUTCOMES = {True: "yes", False: "no", None: "-"}


def table(entries: Sequence[Entry], counts: dict[str, int], width: int | None = None) -> str:
    """Counts by verdict, and a line for each claim.

    Args:
        entries: the claims.
        counts: how many have each verdict.
        width: columns of the terminal; a longer claim is shortened. None shortens nothing.
    """
    summary = ", ".join(f"{name} {number}" for name, number in counts.items())
    rows = [("id", "verdict", "claim")] + [(e.id, e.verdict, e.claim) for e in entries]
    left = [max(len(row[i]) for row in rows) for i in (0, 1)]
    lines = [f"{a.ljust(left[0])}  {b.ljust(left[1])}  {c}" for a, b, c in rows]
    if width is not None:
        lines = [e if len(e) <= width else e[: width - 3].rstrip() + "..." for e in lines]
    title = f"{len(entries)} claims: {summary}"
    head = [title] if width is None else textwrap.wrap(title, width)
    return "\n".join([*head, "", *lines])


def details(entry: Entry, width: int = 100) -> str:
    """One claim in full: what is said, what was measured where, and what follows."""
    fields = [
        ("printed" if entry.right else "claim", entry.claim),
        ("source", "; ".join(entry.source)),
        ("right", entry.right),
        ("claimed", entry.claimed),
        ("verdict", entry.verdict),
        ("chapter", entry.chapter),
        *[("note", note) for note in entry.notes],
    ]
    lines = [entry.id]
    for name, value in fields:
        if value:
            lines += _field(name, value, width)
    for part in entry.parts:
        lines += ["", *_part(part, width)]
    return "\n".join(lines)


def _field(name: str, value: str, width: int) -> list[str]:
    return textwrap.wrap(
        value,
        width,
        initial_indent=f"  {name.ljust(9)}",
        subsequent_indent=" " * 11,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _part(part: Part, width: int) -> list[str]:
    if part.test:
        fields = [("for" if part.holds else "against", part.says), ("test", part.test)]
    else:
        seeds = f" ({part.seeds} seed{'s' * (part.seeds != 1)})" if part.seeds else ""
        fields = [
            ("beside" if part.aside else "part", part.says),
            ("claimed", part.claimed),
            ("measured", part.shown + seeds),
            ("holds", OUTCOMES[part.holds]),
            ("record", ", ".join(filter(None, [part.record, part.where]))),
            ("note", part.note),
        ]
    return [line for name, value in fields if value for line in _field(name, value, width)]
