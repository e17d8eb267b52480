"""Sphinx extension: pages that need no network, also when opened from ``file://``.

MathJax comes from the package sphinx-mathjax-offline. The SVG output carries its glyphs, so one
file is all a page loads; only the folder of TeX extensions that it may ask for goes beside it.
Thebe, which Jupyter Book puts on every page and which loads itself from the network, is taken off.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

NEEDED = ("tex-svg.js", "input/tex/extensions")


def copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Put MathJax beside the finished pages."""
    spec = find_spec("sphinx-mathjax-offline")
    if exception is not None or spec is None or spec.origin is None:
        return
    source = Path(spec.origin).parent / "static" / "mathjax"
    for name in NEEDED:
        target = Path(app.outdir) / "_static" / "mathjax" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / name, target)


def without_thebe(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Take Thebe's scripts and styles off the page."""
    for kind in ("script_files", "css_files"):
        context[kind] = [file for file in context.get(kind, []) if not is_thebe(file)]


def is_thebe(file: Any) -> bool:
    """Whether a script or a style sheet of a page belongs to Thebe."""
    name = str(getattr(file, "filename", file) or "")
    body = getattr(file, "attributes", {}).get("body", "")
    return "thebe" in name.lower() or "THEBE_JS_URL" in body


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.config.mathjax_path = "mathjax/tex-svg.js"
    app.connect("html-page-context", without_thebe, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
