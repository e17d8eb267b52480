"""What every stored notebook keeps to, as a list of problems a notebook has."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent.parent
LINES, COLUMNS, ALT = 25, 78, 20
MACHINE = re.compile(r"/home/|/root/|/Users/|/tmp/|/work/|C:\\\\|site-packages")
INSTALL = """try:
    import gancourse
except ImportError:
    %pip install -q git+{}
    import gancourse"""


def address() -> str:
    """The repository's address in _config.yml."""
    return yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]


def problems(notebook: NotebookNode) -> list[str]:
    """Everything about the notebook that breaks a rule, empty if nothing does."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if not code:
        return ["no code"]
    return [
        *_order(notebook, code),
        *_install(code[0]),
        *[problem for cell in code for problem in _cell(cell)],
        *_hollow(code),
    ]


def _order(notebook: NotebookNode, code: list[NotebookNode]) -> list[str]:
    found = []
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append(f"execution counts are {counts}, not 1 to {len(code)}: run make notebooks")
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) != len(ids):
        found.append("cell ids are missing or repeated")
    if not notebook.cells[0].source.startswith("# "):
        found.append("does not begin with a title")
    return found


def _install(cell: NotebookNode) -> list[str]:
    right = INSTALL.format(address())
    if cell.source != right:
        return [f"the first code cell is not the installation for Colab:\n{right}"]
    return ["the installation cell has an output"] if cell.outputs else []


def _cell(cell: NotebookNode) -> list[str]:
    lines = cell.source.splitlines()
    name = f"cell [{cell.execution_count}]"
    found = []
    if len(lines) > LINES:
        found.append(f"{name} has {len(lines)} lines, {LINES} at most")
    if max(map(len, lines)) > COLUMNS:
        found.append(f"{name} has a line of {max(map(len, lines))} columns, {COLUMNS} at most")
    if re.search(r"NBVAL_(IGNORE_OUTPUT|SKIP)", cell.source) or {
        "nbval-ignore-output", "nbval-skip", "raises-exception"
    } & set(cell.metadata.get("tags", [])):  # fmt: skip
        found.append(f"{name} is left out of the comparison")
    if lines[-1].rstrip().endswith(";"):
        found.append(f"{name} ends with a semicolon, which hides an output")
    for output in cell.outputs:
        found += [f"{name}: {problem}" for problem in _output(cell, output)]
    return found


def _output(cell: NotebookNode, output: NotebookNode) -> list[str]:
    if output.output_type == "error":
        return [f"stored error {output.ename}"]
    found = []
    if output.output_type == "stream" and output.name == "stderr":
        found.append("stored stderr")
    data = output.get("data", {})
    text = output.get("text", "") + data.get("text/plain", "") + data.get("text/html", "")
    if MACHINE.search(text):
        found.append("the path of a machine in an output")
    if re.search(r"\bat 0x[0-9a-f]{6,}", text):
        found.append("an address in memory, which differs from run to run")
    if "image/svg+xml" in data:
        found.append("an SVG image, which differs from run to run; use PNG")
    if {"image/png", "image/jpeg", "image/gif"} & set(data):
        options = cell.metadata.get("mystnb", {})
        if len(options.get("image", {}).get("alt", "").strip()) < ALT:
            found.append(f"an image without an alternative text of {ALT} characters")
        if not options.get("figure", {}).get("caption") or not options["figure"].get("name"):
            found.append("an image without caption and name")
    return found


def _hollow(code: list[NotebookNode]) -> list[str]:
    """A notebook whose stored outputs compare nothing proves nothing."""
    compared = sum(bool(_text(cell)) for cell in code)
    claims = sum(bool(re.search(r"\bTrue\b", _text(cell))) for cell in code)
    found = []
    if compared < max(2, len(code) // 4):
        found.append(f"only {compared} of {len(code)} code cells have a text output to compare")
    if not claims and not any("assert " in cell.source for cell in code):
        found.append("no claim is checked: print one as True, or assert it")
    return found


def _text(cell: NotebookNode) -> str:
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        if "image/png" not in output.get("data", {}):
            parts.append(output.get("data", {}).get("text/plain", ""))
    return "".join(parts)
