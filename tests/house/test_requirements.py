"""pyproject.toml is the one place of dependencies; everything that repeats it agrees with it.

And the Colab contract: nothing in it makes Colab change what it has.
"""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CORE = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(line) for line in lines]
    for name, lines in PROJECT["optional-dependencies"].items()
}
DIRECT = CORE + [r for name, lines in EXTRAS.items() if name != "all" for r in lines]
COLAB = json.loads((ROOT / "tests/house/colab.json").read_text())
UPPER = {"<", "<=", "==", "~=", "==="}
FOLLOWS_TORCH = ("nvidia-", "cuda-", "triton")
BUILD_TOOLS = {"pip", "setuptools"}


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = {}
    for line in lines:
        if not line.startswith("#"):
            match = re.fullmatch(r"([a-z0-9][a-z0-9.-]*)==([0-9][A-Za-z0-9.]*)", line)
            assert match, f"constraints.txt: {line!r} is not name==version"
            found[canonicalize_name(match[1])] = match[2]
    assert lines[2:] == sorted(lines[2:], key=lambda line: line.split("==")[0])
    return found


@pytest.mark.parametrize("requirement", CORE, ids=str)
def test_core_takes_what_colab_has(requirement):
    assert not {s.operator for s in requirement.specifier} & UPPER, "a core pin downgrades Colab"
    version = COLAB["versions"].get(canonicalize_name(requirement.name))
    assert version is None or requirement.specifier.contains(version)
    assert requirement.marker is None or requirement.marker.evaluate(
        {"python_version": COLAB["python"]}
    )


def test_colab_list_covers_the_large_packages():
    named = {canonicalize_name(r.name) for r in CORE}
    assert {"torch", "torchvision", "numpy", "scipy", "scikit-learn", "matplotlib"} <= named
    small = named - set(COLAB["versions"])
    assert small <= {"pillow", "typer", "tqdm", "filelock"}, "not on the list of Colab's versions"


@pytest.mark.parametrize("extra", ["tf", "notebooks"])
def test_extras_that_notebooks_use_take_what_colab_has(extra):
    for requirement in EXTRAS[extra]:
        version = COLAB["versions"].get(canonicalize_name(requirement.name))
        assert version is None or requirement.specifier.contains(version), requirement


def test_python_of_colab():
    assert Version(COLAB["python"]) in SpecifierSet(PROJECT["requires-python"])


def test_all_is_every_extra():
    (everything,) = EXTRAS["all"]
    assert everything.extras == set(EXTRAS) - {"all"}


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_pins_meet_requirements(requirement):
    name = canonicalize_name(requirement.name)
    if name not in BUILD_TOOLS:
        assert requirement.specifier.contains(pins()[name]), f"{requirement}, pinned {pins()[name]}"


def test_pins_cover_all_that_is_installed():
    pinned = pins()
    open_, seen = [r for r in DIRECT if installed(r.name)], set()
    for requirement in open_:
        version = installed(requirement.name)
        if version != pinned.get(canonicalize_name(requirement.name), version):
            pytest.skip("another set of versions is installed")
    while open_:
        name = canonicalize_name(open_.pop().name)
        if name in seen:
            continue
        seen.add(name)
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            applies = needed.marker is None or needed.marker.evaluate({"extra": ""})
            if applies and installed(needed.name):
                open_.append(needed)
    loose = seen - set(pinned) - BUILD_TOOLS
    assert not {name for name in loose if not name.startswith(FOLLOWS_TORCH)}


def installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def test_environment_is_that_of_make():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    extras = re.search(r"^EXTRAS \?= (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    assert python == "python" + PROJECT["requires-python"] and pip == "pip"
    assert packages == {"pip": ["-c constraints.txt", f"-e .[{extras}]"]}
    assert set(extras.split(",")) <= set(EXTRAS)


def test_one_version_of_the_package():
    import gancourse

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == gancourse.__version__ == citation["version"]
