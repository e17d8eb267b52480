"""The environment of the other programs: their packages are old, and stay out of ``.venv``."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "bench"
#: What mimicry imports, besides PyTorch; it asks for far more in its setup.py.
HELPERS = ("scikit-image", "tensorboard")
PEERS = {"torchgan": "0.1.0", "torch-mimicry": "0.1.16"}


def interpreter() -> Path | None:
    """The Python that has the peers, or None where ``python -m benchmarks`` has not made it yet."""
    path = FOLDER / "bin" / "python"
    return path if (FOLDER / "ready").exists() else None


def make() -> Path:
    """An environment with the peers, which borrows PyTorch and the rest from this one.

    So all programs run on the same PyTorch, and what the peers ask for changes nothing here.

    Raises:
        subprocess.CalledProcessError: a package could not be installed; pip has said why.
    """
    if (here := interpreter()) is not None:
        return here
    print(f"Installing {', '.join(PEERS)} into {FOLDER} (once) ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", FOLDER], check=True)
    python = FOLDER / "bin" / "python"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    borrowed = FOLDER / "lib" / version / "site-packages" / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q"]
    pinned = [f"{name}=={number}" for name, number in PEERS.items()]
    subprocess.run([*pip, *HELPERS], check=True)
    subprocess.run([*pip, "--no-deps", "--ignore-installed", *pinned], check=True)
    (FOLDER / "ready").touch()
    return python
