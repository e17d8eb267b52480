"""Files that are either whole or not there: every write goes through a temporary name."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from gancourse.errors import GancourseError


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a crash leaves the old file or the new one, whole.

    The content goes to a temporary file beside ``path``, reaches the disk (fsync), and takes the
    name in one step (``os.replace``).

    Raises:
        GancourseError: the folder cannot be written or the disk is full; the old file is intact.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"
        )
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise GancourseError(
            f"Cannot write {path}: {error.strerror or error}. What was there before is unharmed; "
            "free some space or choose another folder, then run the command again."
        ) from error
    finally:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all (see :func:`write_bytes`)."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all (see :func:`write_bytes`)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        GancourseError: the file is missing, or is not JSON; the message names it.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise GancourseError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise GancourseError(f"{path} is not a readable JSON file ({error}).") from error
