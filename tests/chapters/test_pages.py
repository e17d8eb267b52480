"""What a page shows is what the package holds: exercises, solutions, code, commands."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from gancourse import cli, exercises
from gancourse.tf import experiments
from tests import needs
from tests.chapters import pages

PROSE = sorted((pages.ROOT / "book").glob("*.md"))


@pytest.mark.parametrize("chapter", exercises.chapters())
def test_exercises_and_solutions_stand_on_the_page(chapter):
    text = pages.markdown(chapter)
    known = {name.replace(".", "-"): exercises.get(name) for name in exercises.names(chapter)}
    assert pages.titles(text) == {label: exercise.title for label, exercise in known.items()}
    assert pages.solutions(text) == {
        label: exercise.solution.strip() + "\n" for label, exercise in known.items()
    }
    cells = "\n".join(pages.code_cells(chapter))
    for name in exercises.names(chapter):
        assert f'gancourse.check("{name}", ' in cells


@pytest.mark.parametrize(
    "chapter", sorted(p.stem for p in (pages.ROOT / "notebooks").glob("*.ipynb"))
)
def test_every_number_quoted_in_the_prose_is_glued_on_the_page(chapter):
    quoted = set(re.findall(r"\{glue:text\}`([^`]+)`", pages.markdown(chapter)))
    glued = [
        output["metadata"]["scrapbook"]["name"]
        for cell in pages.notebook(chapter).cells
        for output in cell.get("outputs", [])
        if "scrapbook" in output.get("metadata", {})
    ]
    assert quoted == set(glued)
    assert len(glued) == len(set(glued))


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty folder to work in, with a folder of pictures in it."""
    from PIL import Image

    for number in range(40):
        colour = (6 * number, 255 - 6 * number, 128)
        folder = tmp_path / "my_photos" / ("boats" if number % 2 else "bridges")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (80, 60 + number), colour).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GANCOURSE_BUDGET", "short")
    return tmp_path


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.stem)
def test_python_on_a_page_of_prose_runs(page, elsewhere, capsys):
    namespace = {}
    for block in pages.python_blocks(page):
        exec(compile(block, page.name, "exec"), namespace)
    printed = capsys.readouterr().out
    if page.stem == "how-training-works":
        assert "discriminator has gradients: True\ngenerator has gradients: False" in printed
        assert "V grew: True" in printed
        assert "200." in printed


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.stem)
def test_commands_on_a_page_of_prose_are_understood(page, elsewhere):
    runner = CliRunner()
    for line in pages.commands(page):
        arguments = line.split()[1:]
        if "fashion-mnist" in line and needs.data("fashion-mnist").args[0]:
            continue
        if "my_photos" in line:
            arguments += ["--dry-run", "--batch-size", "8"]
        elif arguments[0] == "record":  # takes minutes; that the name is known can be seen at once
            experiments.get(arguments[1])
            arguments = ["record", "--help"]
        elif "runs/photos" in line:
            continue  # the run that the line before only tried
        result = runner.invoke(cli.app, arguments)
        assert result.exit_code == 0, f"{line}: {result.output} {result.exception}"
