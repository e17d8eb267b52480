"""The size and the shape of what the repository holds."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

CODE = sorted(
    path
    for folder in ("gancourse", "tests", "tools", "benchmarks", "book")
    for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 400


def test_records_are_small():
    size = sum(p.stat().st_size for p in (ROOT / "gancourse/recorded").rglob("*") if p.is_file())
    assert size < 40e6


def test_scripts_for_single_pages_are_modules():
    """Jupyter Book loads every .js below a static path on every page; a widget is an .mjs."""
    config = (ROOT / "_config.yml").read_text()
    loaded = re.search(r"html_js_files: \[(.*)\]", config)[1].split(", ")
    assert sorted(p.name for p in (ROOT / "book/_static").rglob("*.js")) == sorted(loaded)


def test_requirements_name_no_registry():
    for name in ("constraints.txt", "environment.yml", "pyproject.toml", "Makefile"):
        text = (ROOT / name).read_text()
        assert not re.search(r"index-url|find-links|\+cpu|\+cu\d", text), name
