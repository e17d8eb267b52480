"""Loops that take turns, each in a process of its own, so that no loop's settings reach another."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import environment
from benchmarks.setup import Setup

ROOT = Path(__file__).resolve().parent.parent
#: Seconds before each round, in which worker processes fill their queues and come to rest.
REST = 0.3
FEWEST = 5


class Worker:
    """A process with one loop.

    Attributes:
        setup: its task.
        facts: what it said when it was ready; ``None`` if its program is not installed.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._said = tempfile.TemporaryFile("w+")
        threads = str(setup.threads)
        self._process = subprocess.Popen(
            [environment.make(), "-m", "benchmarks.worker", json.dumps(asdict(setup))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        )
        answer = self._read()
        if "missing" in answer:
            print(f"{setup.loop} is left out: {answer['missing']}")
        self.facts: dict[str, Any] | None = None if "missing" in answer else answer
        self.peak_mib = 0.0

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._said.seek(0)
            raise RuntimeError(f"{self.setup} has ended:\n{self._said.read()[-2000:]}")
        return json.loads(line)

    def turn(self, steps: int) -> float:
        """Train so many steps and return the seconds they took."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{steps}\n")
        self._process.stdin.flush()
        answer = self._read()
        self.peak_mib = answer["peak_mib"]
        return answer["seconds"]

    def end(self) -> None:
        """Let the process go."""
        self._process.communicate("\n")


def start(setups: dict[str, Setup]) -> dict[str, Worker]:
    """Workers by name, those whose program is missing left out."""
    workers = {
        name: Worker(setup) for name, setup in tqdm(setups.items(), desc="start", unit="loop")
    }
    return {name: worker for name, worker in workers.items() if worker.facts is not None}


def rounds(
    workers: dict[str, Worker], steps: dict[str, int], seconds: float, what: str
) -> dict[str, list[float]]:
    """Steps a second of each worker, round by round, until the time is up.

    Whatever else the machine does meets all of them; so ratios are taken within a round.

    Args:
        workers: by name.
        steps: how many each trains in a turn, by name.
        seconds: for all rounds together; there are :data:`FEWEST` at least.
        what: to show.
    """
    speeds: dict[str, list[float]] = {name: [] for name in workers}
    end = time.monotonic() + seconds
    with tqdm(desc=what, unit="round") as bar:
        while time.monotonic() < end or bar.n < FEWEST:
            time.sleep(REST)
            for name, worker in workers.items():
                speeds[name].append(steps[name] / worker.turn(steps[name]))
            bar.update()
    return speeds


def ratios(above: list[float], below: list[float]) -> list[float]:
    """Round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]


def spread(values: list[float], digits: int = 3) -> list[float]:
    """Quartiles and median: [25 %, 50 %, 75 %], rounded."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return [round(value, digits) for value in (low, middle, high)]
