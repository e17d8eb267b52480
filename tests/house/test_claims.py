"""What is said of the sources' claims: each verdict follows from tests, and stands on a page.

``holds`` names tests that show where a claim of the sources is true, ``fails`` those that show where
it is not. A verdict is not written down, it follows: reproduced, partly, or not reproduced.
"""

from __future__ import annotations

import ast
import json

import nbformat
import pytest
import yaml

from tests.conftest import ROOT

CLAIMS = json.loads((ROOT / "gancourse/recorded/claims.json").read_text())
EACH = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["id"])


@EACH
def test_the_tests_behind_a_verdict_are_there_and_can_fail(claim):
    checks = claim["holds"] + claim["fails"]
    assert checks
    for check in checks:
        path, name = check.split("::")
        functions = {
            node.name: node
            for node in ast.walk(ast.parse((ROOT / path).read_text()))
            if isinstance(node, ast.FunctionDef)
        }
        inside = ast.unparse(functions[name])
        assert "assert" in inside, f"{check} asserts nothing"


@EACH
def test_an_erratum_is_shown_by_numbers_on_its_page(claim):
    """The box, and after it a cell with an assertion before the next piece of prose but one."""
    cells = nbformat.read(ROOT / f"{claim['chapter']}.ipynb", as_version=4).cells
    if claim["id"][0] == "T":
        return
    mark = f"slip {claim['id'].lower()}\n"
    place = next(i for i, c in enumerate(cells) if c.cell_type == "markdown" and mark in c.source)
    shown = [cell.source for cell in cells[place + 1 : place + 4] if cell.cell_type == "code"]
    assert any("assert " in source for source in shown)


def test_chapters_are_in_the_book_and_claims_are_told_once():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    assert {claim["chapter"] for claim in CLAIMS} <= files
    names = [claim["id"] for claim in CLAIMS]
    assert len(names) == len(set(names))


def test_the_theory_is_settled():
    names = {claim["id"] for claim in CLAIMS}
    errata = {"X2", "X5", "X13"} | {f"X{n}" for n in range(7, 13)}
    assert names >= {f"T{n}" for n in range(1, 13)} | errata
    partly = {claim["id"] for claim in CLAIMS if claim["holds"] and claim["fails"]}
    assert partly == {"T9", "T10"}
    assert all(not claim["holds"] for claim in CLAIMS if claim["id"][0] == "X")
