"""The run folder: settings, history, samples and checkpoints of one run, owned by one process."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout
from torch import Tensor

from gancourse.errors import GancourseError
from gancourse.files import read_json, write_bytes, write_json, write_text

__all__ = ["RunFolder", "read_history"]


def read_history(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a ``history.jsonl``; a last line that a crash cut short is left out.

    Raises:
        GancourseError: a line before the last is not JSON, or the file cannot be read.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        lines = path.read_text().splitlines()
    except (OSError, ValueError) as error:
        raise GancourseError(f"Cannot read {path}: {error}.") from error
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError as error:
            if number == len(lines):
                break
            raise GancourseError(
                f"Line {number} of {path} is not JSON; the file was altered."
            ) from error
    return rows


class RunFolder:
    """A folder that one training process writes to; use it as a context manager.

    ======================  ======================================================
    ``run.json``            recipe, settings, seed, versions, device, scores
    ``history.jsonl``       one row a tick
    ``samples/NNNN.png``    the same noise vectors through the generator, tick by tick
    ``last.safetensors``    everything that an exact resume needs
    ``best.safetensors``    the same at the best score so far
    ======================  ======================================================

    Args:
        path: the folder; it is made if need be.
        resume: go on with the run that is there instead of starting one.

    Raises:
        GancourseError: another process trains there; there is a run and ``resume`` is off;
            there is none and ``resume`` is on; the folder cannot be written.
    """

    def __init__(self, path: str | Path, *, resume: bool) -> None:
        self.path = Path(path)
        if self.path.exists() and not self.path.is_dir():
            raise GancourseError(f"{self.path} is a file; a run needs a folder.")
        if not resume and (self.path / "run.json").exists():
            raise GancourseError(
                f"{self.path} already holds a run. Go on with it by --resume (resume=True), "
                "or choose another folder by --out (out=...)."
            )
        if resume and not (self.path / "run.json").exists():
            raise GancourseError(f"There is no run in {self.path} to resume; leave out --resume.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self.path / ".lock", timeout=0)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> GancourseError:
        return GancourseError(
            f"Cannot write to the run folder {self.path}: {error.strerror or error}. "
            "Free some space or choose another folder by --out (out=...)."
        )

    def __enter__(self) -> Self:
        try:
            # The operating system drops the lock with the process, also after kill -9.
            self._lock.acquire()
        except Timeout:
            raise GancourseError(
                f"Another process is training in {self.path}. Wait for it, or choose another "
                "folder by --out (out=...)."
            ) from None
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.release()

    @property
    def last(self) -> Path:
        """The checkpoint to resume from."""
        return self.path / "last.safetensors"

    @property
    def best(self) -> Path:
        """The checkpoint with the best score."""
        return self.path / "best.safetensors"

    def read_facts(self) -> dict[str, Any]:
        """The contents of ``run.json``."""
        return read_json(self.path / "run.json")

    def write_facts(self, facts: dict[str, Any]) -> None:
        """Replace ``run.json``."""
        write_json(self.path / "run.json", facts)

    def note(self, **facts: Any) -> None:
        """Add facts to those that ``run.json`` holds."""
        self.write_facts({**self.read_facts(), **facts})

    def append(self, row: dict[str, Any]) -> None:
        """Add a row to the history and see that it reaches the disk."""
        try:
            with open(self.path / "history.jsonl", "a", encoding="utf-8") as file:
                file.write(json.dumps(row, allow_nan=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def rewind(self, step: int) -> list[dict[str, Any]]:
        """Drop the rows after a step: those a crash separated from their checkpoint."""
        rows = [r for r in read_history(self.path / "history.jsonl") if r["step"] <= step]
        text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
        write_text(self.path / "history.jsonl", text)
        return rows

    def write_samples(self, tick: int, images: Tensor) -> None:
        """Save images (uint8 N x C x H x W) as one picture, eight to a row."""
        from gancourse.plots import tile

        buffer = io.BytesIO()
        tile(images, columns=8).save(buffer, format="PNG")
        write_bytes(self.path / "samples" / f"{tick:04d}.png", buffer.getvalue())
