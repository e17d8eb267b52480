"""Run notebooks and store their outputs in the form that `make test` compares.

    python tools/notebooks.py [notebooks/first-gan.ipynb ...]      # without names: all of them

Each notebook runs from its own folder in a fresh kernel, short budget, one thread. A notebook that
fails or writes to stderr keeps the outputs it had, and the command ends with 1.
"""

from __future__ import annotations

import base64
import io
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode
from PIL import Image

from gancourse.files import write_text

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 120  # seconds for a cell, as in `make test`
SETTINGS = {
    "GANCOURSE_BUDGET": "short",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
KEPT_NOTEBOOK = ("kernelspec", "language_info", "gancourse")
KEPT_CELL = ("mystnb", "tags")
KEPT_OUTPUT = ("scrapbook",)  # the name under which a number is glued into the prose


def smaller(png: str) -> str:
    """The same picture, base64, with a palette where 256 colours hold it without loss."""
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    if image.getextrema()[3] == (255, 255):
        image = image.convert("RGB")
        if image.getcolors(256) is not None:
            image = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return min(base64.b64encode(out.getvalue()).decode(), "".join(png.split()), key=len)


def only(metadata: NotebookNode, keys: tuple[str, ...]) -> NotebookNode:
    """The named entries of the metadata."""
    return NotebookNode({key: value for key, value in metadata.items() if key in keys})


def clean(notebook: NotebookNode) -> None:
    """Leave in the notebook what a reader or a test uses, and nothing of this machine or hour."""
    notebook.metadata = only(notebook.metadata, KEPT_NOTEBOOK)
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata = only(cell.metadata, KEPT_CELL)
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = only(output.metadata, KEPT_OUTPUT)
            png = output.get("data", {}).get("image/png")
            if png:
                output.data["image/png"] = smaller(png)


def stderr_of(notebook: NotebookNode) -> list[str]:
    """What the cells wrote to stderr."""
    return [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    ]


def run(path: Path) -> str | None:
    """Run one notebook and store it; returns what went wrong, or None."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        coalesce_streams=True,
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError) as error:
        return str(error)
    if stderr_of(notebook):
        return "It writes to stderr, which differs from run to run:\n" + stderr_of(notebook)[0]
    clean(notebook)
    nbformat.validate(notebook)
    write_text(path, nbformat.writes(notebook) + "\n")
    return None


def main(names: list[str]) -> int:
    os.environ.update(SETTINGS)
    paths = [Path(name).resolve() for name in names] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    failed = 0
    for path in paths:
        start = time.monotonic()
        problem = run(path)
        seconds = time.monotonic() - start
        print(f"{path.name}: {'stored' if problem is None else 'FAILED'}, {seconds:.1f} s")
        if problem is not None:
            failed += 1
            print(problem)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
