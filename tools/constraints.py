"""Write constraints.txt: the newest versions on which every extra of pyproject.toml agrees.

    python tools/constraints.py

pip resolves ``.[all]`` without installing it; the answer becomes the pins. What PyTorch brings for
the GPU follows PyTorch and is left out, and so are the build tools.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLLOWS_TORCH = ("nvidia-", "cuda-", "triton")
LEFT_OUT = {"gancourse", "pip", "setuptools"}
HEADER = """\
# The versions this repository was last verified with; `make constraints` writes this file.
# They hold for Python 3.11 and later. What PyTorch brings for the GPU follows PyTorch's version.
"""


def pins(report: dict) -> list[str]:
    """The ``name==version`` lines of a pip installation report, sorted by name."""
    found = {
        item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"]
        for item in report["install"]
    }
    return [
        f"{name}=={version.split('+')[0]}"
        for name, version in sorted(found.items())
        if name not in LEFT_OUT and not name.startswith(FOLLOWS_TORCH)
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(path), f"{ROOT}[all]"]
        subprocess.run(command, check=True)
        lines = pins(json.loads(path.read_text()))
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n")
    print(f"constraints.txt: {len(lines)} versions")


if __name__ == "__main__":
    main()
