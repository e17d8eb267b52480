"""What is said of the sources' claims: each verdict follows from tests or records, and has a page.

``holds`` names tests that show where a claim of the sources is true, ``fails`` those that show where
it is not, ``checks`` compares figures with records. A verdict is not written down, it follows.
"""

from __future__ import annotations

import ast

import nbformat
import pytest
import yaml

from gancourse import claims
from gancourse.claims import checks, projects
from gancourse.claims.entries import SOURCES, read
from gancourse.tf.comparisons import COMPARISONS
from gancourse.tf.experiments import EXPERIMENTS
from tests.conftest import ROOT

CLAIMS = read()
BY_NAME = {claim["id"]: claim for claim in CLAIMS}
SETTLED = [claim for claim in CLAIMS if claim.keys() & {"holds", "fails", "checks"}]
EACH = pytest.mark.parametrize("claim", SETTLED, ids=lambda claim: claim["id"])


@EACH
def test_the_tests_behind_a_verdict_are_there_and_can_fail(claim):
    for check in claim.get("holds", []) + claim.get("fails", []):
        path, name = check.split("::")
        functions = {
            node.name: node
            for node in ast.walk(ast.parse((ROOT / path).read_text()))
            if isinstance(node, ast.FunctionDef)
        }
        inside = ast.unparse(functions[name])
        assert "assert" in inside, f"{check} asserts nothing"
        # what is skipped settles nothing; tests.needs skips nothing in continuous integration
        for decorator in map(ast.unparse, functions[name].decorator_list):
            assert "skip" not in decorator and "xfail" not in decorator, f"{check}: {decorator}"
        assert "pytest.skip" not in inside, check
    tests = claim.get("holds", []) + claim.get("fails", [])
    assert set(claim.get("words", ())) <= {test.split("::")[1] for test in tests}


@EACH
def test_the_records_behind_a_verdict_are_those_of_experiments(claim):
    for check in claim.get("checks", []):
        for name in checks.names(check):
            known = name in EXPERIMENTS or name in projects.RECORDS
            assert known or name.rpartition("/")[0] in COMPARISONS, name


@EACH
def test_what_is_settled_has_a_chapter(claim):
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = {chapter["file"] for part in toc["parts"] for chapter in part["chapters"]}
    assert claim["chapter"] in files


@pytest.mark.parametrize("name", [c["id"] for c in SETTLED if c["id"][0] == "X"])
def test_an_erratum_is_shown_by_numbers_on_its_page(name):
    """The box, and after it a cell with an assertion before the next piece of prose but one."""
    claim = BY_NAME[name]
    cells = nbformat.read(ROOT / f"{claim['chapter']}.ipynb", as_version=4).cells
    mark = f"slip {name.lower()}\n"
    place = next(i for i, c in enumerate(cells) if c.cell_type == "markdown" and mark in c.source)
    shown = [cell.source for cell in cells[place + 1 : place + 4] if cell.cell_type == "code"]
    assert any("assert " in source for source in shown)


def test_every_claim_is_there_once_in_words_and_with_its_source():
    expected = {f"{kind}{n + 1}" for kind, count in zip("TEMX", (12, 20, 24, 15), strict=True)
                for n in range(count)}  # fmt: skip
    assert sorted(BY_NAME) == sorted(expected) and len(CLAIMS) == len(expected)
    for claim in CLAIMS:
        assert claim["claim"].strip() and claim["source"]
        for source in claim["source"]:
            assert any(source.startswith(name) for name in SOURCES), source
        assert ("right" in claim) is (claim["id"][0] == "X")


def test_the_theory_is_settled():
    errata = {"X2", "X5", "X13"} | {f"X{n}" for n in range(7, 13)}
    assert {c["id"] for c in SETTLED} >= {f"T{n}" for n in range(1, 13)} | errata
    verdicts = {entry.id: entry.verdict for entry in claims.ledger()}
    partly = {name for name, verdict in verdicts.items() if verdict == "partly" and name[0] == "T"}
    assert partly == {"T9", "T10"}
    assert all(not claim.get("holds") for claim in CLAIMS if claim["id"][0] == "X")


def test_the_tensorflow_part_is_settled():
    names = {f"E{n}" for n in range(1, 13)} | {"E15", "M22", "X1", "X13", "X14"}
    open_ = [name for name in sorted(names) if claims.get(name).verdict == "not run yet"]
    assert open_ == []
    for name in names:
        counted = [p for p in claims.get(name).parts if not (p.test or p.aside)]
        assert all(p.seeds >= 3 for p in counted if p.unit != "number"), name


def test_experiments_and_ledger_name_each_other():
    """An experiment's claims are those whose checks read its record, errata aside."""
    read_by = {name: set() for name in EXPERIMENTS}
    for claim in CLAIMS:
        for check in claim.get("checks", []):
            for name in checks.names(check):
                read_by.setdefault(name, set()).add(claim["id"])
    for name, experiment in EXPERIMENTS.items():
        assert {c for c in experiment.claims if c[0] == "E"} == read_by[name], name
    for name, comparison in COMPARISONS.items():
        found = [claims for key, claims in read_by.items() if key.rpartition("/")[0] == name]
        assert set(comparison.claims) == set().union(*found), name
