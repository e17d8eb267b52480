"""The public address stands in _config.yml; everything else carries the same."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

CARRIERS = ("README.md", "CITATION.cff", "pyproject.toml")
PACKAGE = "gancourse/metrics/diagnose.py"


def run(folder, *arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, str(folder / "tools/address.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_same_everywhere():
    result = run(ROOT, "--check")
    assert result.returncode == 0, result.stdout


@pytest.fixture
def copy(tmp_path):
    for name in ("_config.yml", "CONTRIBUTING.md", PACKAGE, *CARRIERS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("tools", "notebooks", "book"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    config = (tmp_path / "_config.yml").read_text()
    moved = re.sub(r"https://github\.com/\S+", "https://github.com/Some-One/gan.course", config)
    (tmp_path / "_config.yml").write_text(moved)
    return tmp_path


def test_check_finds_a_difference_and_changes_nothing(copy):
    before = (copy / "README.md").read_text()
    result = run(copy, "--check")
    assert result.returncode == 1 and "README.md" in result.stdout
    assert (copy / "README.md").read_text() == before


def test_one_command_sets_it_everywhere(copy):
    assert run(copy).returncode == 0
    assert run(copy, "--check").returncode == 0
    for name in CARRIERS:
        text = (copy / name).read_text()
        assert "github.com/Some-One/gan.course" in text and "gancourse/gancourse" not in text
    assert '"https://some-one.github.io/gan.course"' in (copy / PACKAGE).read_text()
    readme = (copy / "README.md").read_text()
    assert "https://some-one.github.io/gan.course/" in readme
    assert "git+https://github.com/Some-One/gan.course.git" in readme
    assert "colab.research.google.com/github/Some-One/gan.course/blob/main/" in readme
    for path in (copy / "notebooks").glob("*.ipynb"):
        assert "git+https://github.com/Some-One/gan.course" in path.read_text()


def test_a_link_to_another_repository_stays(copy):
    page = copy / "book/elsewhere.md"
    page.write_text("See https://github.com/pytorch/examples; git clone https://github.com/a/b\n")
    run(copy)
    assert page.read_text() == (
        "See https://github.com/pytorch/examples; git clone https://github.com/Some-One/gan.course\n"
    )
