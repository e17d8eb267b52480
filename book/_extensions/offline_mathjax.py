"""Sphinx extension: equations without a network, and in every browser also from ``file://``.

MathJax comes from the package sphinx-mathjax-offline. The SVG output carries its glyphs, so one
file is all a page loads; only the folder of TeX extensions that it may ask for goes beside it.
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


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.config.mathjax_path = "mathjax/tex-svg.js"
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
