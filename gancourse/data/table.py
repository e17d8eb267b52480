"""The table that ``gancourse data`` prints."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from gancourse.data.registry import SOURCES
from gancourse.data.toys import TOYS
from gancourse.data.types import Info

WIDTH = 96
HEADER = ("name", "items", "shape", "found in, or how to get it")


def table() -> str:
    """Every data set: name, items in all splits, shape of one (C x H x W), where it is found or how
    to get it; then the toys. At most 96 columns wide."""
    starts = [(name, _items(s.info), _shape(s.info)) for name, s in SOURCES.items()]
    columns = [max(len(row[i]) for row in (HEADER, *starts)) for i in range(3)]
    room = WIDTH - sum(columns) - 2 * len(columns)
    places = [_place(source.find(), source.info, room) for source in SOURCES.values()]
    lines = [_row(HEADER, columns), _row(["-" * n for n in (*columns, len(HEADER[3]))], columns)]
    lines += [_row((*start, place), columns) for start, place in zip(starts, places, strict=True)]
    lines += [
        "",
        *textwrap.wrap(f"Points in the plane, computed on the spot: {', '.join(TOYS)}.", WIDTH),
        *textwrap.wrap(
            "Your own images: give the path of a folder, with one sub-folder a class if there are "
            "classes. GANCOURSE_DATA names folders to look in first.",
            WIDTH,
        ),
    ]
    return "\n".join(lines)


def _row(cells: Sequence[str], columns: Sequence[int]) -> str:
    name, items, shape, last = cells
    start = f"{name:<{columns[0]}}  {items:>{columns[1]}}  {shape:<{columns[2]}}  "
    return textwrap.fill(
        last,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _items(info: Info) -> str:
    return "?" if info.items is None else f"{info.items:,}"


def _shape(info: Info) -> str:
    return "x".join("?" if axis is None else str(axis) for axis in info.shape) or "series"


def _place(where: Path | None, info: Info, room: int) -> str:
    if where is None:
        return f"not here. {info.how_to_get}"
    home = Path.home()
    short = f"~/{where.relative_to(home)}" if where.is_relative_to(home) else str(where)
    parts = list(where.parts)
    while len(short) > room and len(parts) > 1:  # the end of a long path says most
        parts = parts[1:]
        short = "/".join(["...", *parts])
    return short
