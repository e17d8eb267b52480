"""Downloads, through torchvision (its progress bar, its checksums): the whole thing or nothing."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from gancourse.errors import GancourseError

PROBE_SECONDS = 6.0
STALL_SECONDS = 30.0


def address(name: str) -> str:
    """Where torchvision downloads its class ``name`` from first."""
    kind = _torchvision(name)
    if hasattr(kind, "mirrors"):
        return kind.mirrors[0]
    return kind.url if hasattr(kind, "url") else kind._RESOURCES[0][0]


def reachable(url: str, seconds: float = PROBE_SECONDS) -> bool:
    """Whether a server answers at ``url``, found out in ``seconds`` at most.

    The request runs in a daemon thread because name resolution knows no time limit.
    """
    answered = threading.Event()

    def ask() -> None:
        request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "gancourse"})
        try:
            urllib.request.urlopen(request, timeout=seconds).close()
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                return
        except (OSError, ValueError):
            return
        answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def fetch(name: str, target: Path) -> None:
    """Let torchvision download its class ``name`` into a fresh folder, then call that ``target``.

    Two processes that want the same data set wait for each other; the second finds it there.

    Raises:
        GancourseError: the connection broke, a checksum failed, or the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if target.exists():
                return
            fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
            try:
                with _no_stalls():
                    _torchvision(name)(str(fresh), download=True)
                os.chmod(fresh, 0o755)
                os.replace(fresh, target)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except (OSError, RuntimeError, EOFError, http.client.HTTPException) as error:
        raise GancourseError(
            f"The download of {target.name} into {target.parent} failed: {error}. Nothing was "
            "kept; try again, or name another folder with root=."
        ) from error


def _torchvision(name: str) -> Any:
    import torchvision.datasets  # only here: nothing else in the package's loaders needs it

    return getattr(torchvision.datasets, name)


@contextmanager
def _no_stalls() -> Iterator[None]:
    # torchvision opens its connections without a time limit; a dead one would wait for ever.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALL_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
