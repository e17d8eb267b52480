"""The stored notebooks keep to the rules, and each rule catches what it is for."""

from __future__ import annotations

import copy
import re

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.conftest import ROOT
from tests.house.notebook_rules import INSTALL, address, problems

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert problems(notebook) == []


def test_every_notebook_is_a_chapter():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = {c["file"] for part in toc["parts"] for c in part["chapters"]}
    assert {f"notebooks/{path.stem}" for path in NOTEBOOKS} == {
        name for name in listed if name.startswith("notebooks/")
    }


def good() -> nbformat.NotebookNode:
    cells = [
        new_markdown_cell("# A title"),
        new_code_cell(INSTALL.format(address()), execution_count=1),
        new_code_cell("print('claim:', True)", execution_count=2),
        new_code_cell("draw()", execution_count=3),
        new_code_cell("1 + 1", execution_count=4),
    ]
    cells[2].outputs = [new_output("stream", name="stdout", text="claim: True\n")]
    cells[3].outputs = [new_output("display_data", {"image/png": "aGk=", "text/plain": "<Figure>"})]
    cells[3].metadata["mystnb"] = {
        "figure": {"caption": "A grid.", "name": "grid"},
        "image": {"alt": "Sixteen digits in four rows, all readable"},
    }
    cells[4].outputs = [new_output("execute_result", {"text/plain": "2"}, execution_count=4)]
    return new_notebook(cells=cells)


def test_a_good_notebook_has_no_problem():
    assert problems(good()) == []


def stripped(nb):
    for cell in nb.cells[1:]:
        cell.outputs, cell.execution_count = [], None


def error(nb):
    nb.cells[2].outputs = [new_output("error", ename="ValueError", evalue="", traceback=[])]


BROKEN = {
    "execution counts": lambda nb: nb.cells[3].update(execution_count=7),
    "only 0 of": stripped,
    "stored error": error,
    "stored stderr": lambda nb: nb.cells[2].outputs[0].update(name="stderr"),
    "path of a machine": lambda nb: nb.cells[2].outputs[0].update(text="/home/me/x True"),
    "address in memory": lambda nb: nb.cells[2].outputs[0].update(text="<f at 0x7f00aa12> True"),
    "alternative text": lambda nb: nb.cells[3].metadata.mystnb.image.update(alt="digits"),
    "caption and name": lambda nb: nb.cells[3].metadata.mystnb.pop("figure"),
    "25 at most": lambda nb: nb.cells[4].update(source="\n".join(["x = 1"] * 26)),
    "78 at most": lambda nb: nb.cells[4].update(source="x" * 79),
    "installation for Colab": lambda nb: nb.cells[1].update(source="import gancourse"),
    "installation cell has": lambda nb: nb.cells[1].update(outputs=nb.cells[2].outputs),
    "left out of": lambda nb: nb.cells[4].update(source="# NBVAL_IGNORE_OUTPUT\n1"),
    "semicolon": lambda nb: nb.cells[3].update(source="draw();"),
    "no claim": lambda nb: nb.cells[2].outputs[0].update(text="some words"),
    "SVG": lambda nb: nb.cells[3].outputs[0].data.update({"image/svg+xml": "<svg/>"}),
    "title": lambda nb: nb.cells[0].update(source="words"),
    "ids": lambda nb: nb.cells[2].update(id=nb.cells[3].id),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_catches_its_fault(name):
    notebook = copy.deepcopy(good())
    BROKEN[name](notebook)
    assert any(re.search(name, problem) for problem in problems(notebook))
