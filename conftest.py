"""Notebooks under ``pytest --nbval``: the settings of their stored outputs, their data."""

from __future__ import annotations

import os

# One thread, because the order of sums decides the last digits; the short budget is the stored one.
for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("GANCOURSE_BUDGET", "short")


def pytest_collection_modifyitems(items):
    """Skip, and say so, the notebooks whose metadata name data that are not on this machine."""
    from tests import needs

    for item in items:
        notebook = getattr(item.parent, "nb", None)
        wanted = notebook.metadata.get("gancourse", {}).get("data", []) if notebook else []
        if wanted:
            item.add_marker(needs.data(*wanted))
