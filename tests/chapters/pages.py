"""Chapters as programs: their code, exercises and solutions, read from the pages themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).resolve().parent.parent.parent


def notebook(chapter: str) -> nbformat.NotebookNode:
    """The stored notebook of a chapter."""
    return nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4)


def code_cells(chapter: str) -> list[str]:
    """The source of every code cell."""
    return [cell.source for cell in notebook(chapter).cells if cell.cell_type == "code"]


def markdown(chapter: str) -> str:
    """All prose of a notebook, cell after cell."""
    cells = notebook(chapter).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def titles(text: str) -> dict[str, str]:
    """Label -> title of the exercises on a page."""
    found = re.findall(r"```\{exercise-start\} (.+)\n:label: (\S+)\n```", text)
    return {label: title for title, label in found}


def solutions(text: str) -> dict[str, str]:
    """Label -> code of the folded solutions on a page."""
    pattern = (
        r"```\{solution-start\} (\S+)\n:class: dropdown\n```\n\n```python\n(.*?)```\n\n"
        r"```\{solution-end\}\n```"
    )
    return dict(re.findall(pattern, text, re.DOTALL))


def what_it_needs(chapter: str, code: str) -> dict[str, Any]:
    """The names that ``code`` uses and the chapter defines, made by just the statements it takes.

    A chapter trains for a while; a solution that calls one of its functions needs only that
    function and what this one calls.
    """
    sources = [source for source in code_cells(chapter) if "%pip" not in source]
    statements = ast.parse("import gancourse\n" + "\n".join(sources)).body
    wanted, chosen = _used(ast.parse(code)), set[int]()
    while True:
        more = {
            i
            for i, statement in enumerate(statements)
            if i not in chosen and _bound(statement) & wanted
        }
        if not more:
            break
        chosen |= more
        wanted |= set().union(*(_used(statements[i]) for i in more))
    namespace: dict[str, Any] = {}
    module = ast.Module([statements[i] for i in sorted(chosen)], type_ignores=[])
    exec(compile(module, chapter, "exec"), namespace)
    return namespace


def _used(node: ast.AST) -> set[str]:
    """The names that a piece of code reads and does not itself give a value to."""
    parts = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    read = {part.id for part in parts if isinstance(part.ctx, ast.Load)}
    return read - {part.id for part in parts if isinstance(part.ctx, ast.Store)}


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a definition, import or assignment at the top of a cell gives a value to."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    if isinstance(statement, ast.Assign):
        parts = [part for target in statement.targets for part in ast.walk(target)]
        return {part.id for part in parts if isinstance(part, ast.Name)}
    return set()


def python_blocks(page: Path) -> list[str]:
    """The Python blocks of a page of prose, in order."""
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """The `gancourse` commands in the shell blocks of a page of prose, in order."""
    blocks = re.findall(r"^```bash\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("gancourse ")]
