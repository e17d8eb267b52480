"""Every command and every snippet of the README works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["repository"]["url"]


def test_only_blocks_that_a_test_runs():
    assert {kind for kind, _ in BLOCKS} == {"sh", "python"}


def test_python_runs_in_one_session(tmp_path):
    code = "\n".join(text for kind, text in BLOCKS if kind == "python")
    code += "\nassert images.shape == (16, 1, 8, 8) and images.equal(again)\n"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_gancourse_commands_run_in_order(tmp_path):
    commands = [shlex.split(line) for line in COMMANDS if line.startswith("gancourse ")]
    told = {"data", "recipes", "train", "sample", "evaluate", "diagnose", "claims"}
    assert {words[1] for words in commands} == told
    tool = str(Path(sys.executable).parent / "gancourse")
    for words in commands:
        result = subprocess.run(
            [tool, *words[1:]], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert result.returncode == 0, result.stderr
    assert (tmp_path / "samples.png").stat().st_size > 100


@pytest.mark.parametrize("command", [c for c in COMMANDS if not c.startswith("gancourse ")])
def test_other_commands(command):
    words = shlex.split(command)
    if words[0] == "make":
        assert make_knows(words[1])
    elif words[0] == "git":
        assert words == ["git", "clone", ADDRESS]
    elif words[0] == "pip":
        assert words == ["pip", "install", f"git+{ADDRESS}.git"]
    elif words[0] == "conda":
        assert (ROOT / words[-1]).name == "environment.yml" and (ROOT / words[-1]).exists()
    elif words[0] == "cd":
        assert words[1] == ADDRESS.rsplit("/", 1)[1]
    else:
        assert words[:3] == [".venv/bin/python", "-m", "http.server"]
        help_text = subprocess.run(
            [sys.executable, "-m", "http.server", "--help"], capture_output=True, text=True
        )
        assert "--directory" in help_text.stdout and "_build/html" in command


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make (\w+)`", README))))
def test_targets_in_the_text(target):
    assert make_knows(target)


def make_knows(target: str) -> bool:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    command = ["make", "-n", "-C", str(ROOT), target]
    return subprocess.run(command, capture_output=True, env=environment).returncode == 0


def test_links_inside_the_repository_and_the_picture():
    for alt, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", README):
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target
        assert alt.strip()
    assert re.search(r"^!\[[^\]]{20,}\]\(book/_static/readme\.png\)$", README, re.MULTILINE)


def test_ci_runs_the_readme_command():
    assert "make test" in COMMANDS
    assert re.search(r"^make test\b", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert os.access(ROOT / ".ci/run", os.X_OK)


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=str)
def test_workflows_call_make(path):
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    ours = [line for line in runs if not line.startswith("sudo apt-get ")]
    assert ours and all(line.startswith("make ") and make_knows(line.split()[1]) for line in ours)
