"""Where data sets are looked for, in order, and where the package keeps its own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from os.path import exists
from pathlib import Path

DEBIAN = Path("/usr/share/datasets")


def cache_folder() -> Path:
    """The folder of downloads and unpacked copies: ``$XDG_CACHE_HOME/gancourse`` or
    ``~/.cache/gancourse``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gancourse"


def places(root: str | Path | None = None) -> tuple[Path, ...]:
    """Every folder that is searched, in order, whether or not it is there.

    ``root``; the folders of ``GANCOURSE_DATA`` (separated by ``os.pathsep``, relative ones resolved
    against the current folder); ``./data`` and torch's cache, where users of torchvision keep
    theirs; Keras's ``~/.keras/datasets``; the package's own cache; Debian's
    ``/usr/share/datasets``.
    """
    home = Path.home()
    torch_home = Path(os.environ.get("TORCH_HOME", home / ".cache" / "torch"))
    keras_home = Path(os.environ.get("KERAS_HOME", home / ".keras"))
    named = [Path(part) for part in os.environ.get("GANCOURSE_DATA", "").split(os.pathsep) if part]
    folders = [
        *([] if root is None else [Path(root)]),
        *named,
        Path("data"),
        torch_home,
        torch_home / "datasets",
        keras_home / "datasets",
        cache_folder() / "data",
        DEBIAN,
    ]
    return tuple(dict.fromkeys(Path(os.path.abspath(folder.expanduser())) for folder in folders))


def candidates(root: str | Path | None, below: Iterable[str]) -> list[Path]:
    """The existing files and folders among ``place/name``, place by place, names in order."""
    names = tuple(below)
    # os.path.exists: a folder that may not be looked into counts as absent, without an exception.
    return [place / name for place in places(root) for name in names if exists(place / name)]
