"""What a stranger installs: the wheel, in an environment of its own, used from an empty folder.

PyTorch and the other requirements are lent by the running environment, not installed again; that
the list of requirements is right is held by test_requirements.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile

import pytest

from tests.conftest import ROOT

RUN_NOTEBOOK = """
import sys, nbformat, gancourse
from nbclient import NotebookClient
assert gancourse.__file__.startswith(sys.prefix), gancourse.__file__
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
print("cells run:", sum(cell.cell_type == "code" for cell in notebook.cells))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(
        ROOT / "gancourse", tree / "gancourse", ignore=shutil.ignore_patterns("__pycache__")
    )
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(tree / "dist"), str(tree)], check=True)
    (path,) = (tree / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of an environment that has the wheel, and borrows everything else."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    own = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    interpreter = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "-q", "--python", str(interpreter), "install"]
    subprocess.run([*command, "--no-deps", "--no-index", str(wheel)], check=True)
    (own / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return interpreter


def test_wheel_holds_the_package_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"gancourse"}
    assert any(name.endswith("/LICENSE") for name in names)
    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "gancourse").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".tmp"
    }
    assert files <= set(names), f"not in the wheel: {sorted(files - set(names))}"


def test_command_from_an_empty_folder(python, tmp_path):
    result = subprocess.run(
        [python.parent / "gancourse", "recipes"], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0 and "vanilla/digits" in result.stdout


def test_first_notebook_from_an_empty_folder(python, tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    notebook = ROOT / "notebooks" / "first-gan.ipynb"
    result = subprocess.run(
        [python, "-c", RUN_NOTEBOOK, str(notebook)], cwd=folder, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert "cells run:" in result.stdout
