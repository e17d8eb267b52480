"""What a test needs beside the package: real data, Chromium, Node, a GPU.

Where it is missing the test is skipped, and the reason printed (pytest's ``-ra``). In continuous
integration (``CI`` is set) nothing but the tests on a GPU is skipped: the test runs, and fails on
what it does not find.
"""

from __future__ import annotations

import os
import shutil
import sys

import pytest
import torch

from benchmarks import environment
from gancourse import data as datasets


def data(*names: str) -> pytest.MarkDecorator:
    """The named data sets, found without a download; strict where ``GANCOURSE_DATA`` is set too."""
    missing = [name for name in names if not _here(name)]
    strict = bool(os.environ.get("CI")) and bool(os.environ.get("GANCOURSE_DATA"))
    return _unless(missing, strict, "data not on this machine; set GANCOURSE_DATA")


def chromium() -> pytest.MarkDecorator:
    """A Chromium or Chrome on the path; :func:`chromium_path` is where."""
    return _unless([] if chromium_path() else ["chromium"], _in_ci(), "browser not installed")


def chromium_path() -> str | None:
    """The browser's executable, or None."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for path in map(shutil.which, names) if path), None)


def node() -> pytest.MarkDecorator:
    """Node.js on the path."""
    here = shutil.which("node") or shutil.which("nodejs")
    return _unless([] if here else ["node"], _in_ci(), "not installed")


def gcc() -> pytest.MarkDecorator:
    """A C compiler, on Linux."""
    linux = sys.platform.startswith("linux")
    here = linux and shutil.which("gcc")
    return _unless([] if here else ["gcc"], _in_ci() and linux, "not installed, or not Linux")


def cuda() -> pytest.MarkDecorator:
    """A GPU with CUDA; in continuous integration too its absence is no failure."""
    return _unless([] if torch.cuda.is_available() else ["cuda"], False, "no such GPU")


def peers() -> pytest.MarkDecorator:
    """The other programs that ``make bench`` compares with; it alone installs them."""
    missing = [] if environment.interpreter() else list(environment.PEERS)
    return _unless(missing, False, "not installed; make bench does that")


def _here(name: str) -> bool:
    info = datasets.info(name)
    return info.kind == "points" or datasets.find(name) is not None


def _in_ci() -> bool:
    return bool(os.environ.get("CI"))


def _unless(missing: list[str], strict: bool, why: str) -> pytest.MarkDecorator:
    reason = f"{', '.join(missing)}: {why}"
    return pytest.mark.skipif(bool(missing) and not strict, reason=reason)
