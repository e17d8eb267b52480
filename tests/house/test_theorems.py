"""Every theorem of the book names the test that checks it, and that test is there."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from tests.conftest import ROOT

# A block ends at a fence as long as the one that opened it.
BLOCK = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{prf:(?:theorem|lemma|proposition|corollary)\}(?P<title>[^\n]*)\n"
    r"(?P<body>.*?)^(?P=fence)\s*$",
    re.DOTALL | re.MULTILINE,
)
CHECK = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
PAGES = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.md")])


def text(page: Path) -> str:
    if page.suffix == ".md":
        return page.read_text()
    cells = nbformat.read(page, as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def unchecked(text: str) -> list[str]:
    """The titles of the theorems that name no test, or one that does not exist."""
    found = []
    for block in BLOCK.finditer(text):
        checks = CHECK.findall(block["body"])
        there = all(
            (ROOT / path).exists() and f"def {name}(" in (ROOT / path).read_text()
            for path, name in checks
        )
        if not checks or not there:
            found.append(block["title"].strip())
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_theorems_are_checked(page):
    assert unchecked(text(page)) == []


def test_the_book_has_theorems():
    assert sum(len(BLOCK.findall(text(page))) for page in PAGES) >= 20


def test_a_theorem_without_a_test_is_seen():
    here = "`tests/house/test_theorems.py::test_theorems_are_checked`"
    good = f"```{{prf:theorem}} One\n:label: one\n\nTrue. Checked by {here}.\n```\n"
    gone = good.replace("One", "Two").replace("are_checked", "are_gone")
    none = "````{prf:lemma} Three\n\n```{math}\nx\n```\n````\n"
    assert unchecked(good + gone + none) == ["Two", "Three"]
