"""The benchmark of the project: gancourse against other programs, in turns, on one machine.

    python -m benchmarks [PART ...] [--seconds 200] [--threads N] [--device cpu|cuda]

Without a PART all are measured: the nets of 28, 32, 64 and 128 pixels (``net-28`` ...), what each
measure of the bare step gains (``measures``), speed and memory against batch size and resolution
(``batch``, ``pixels``), and where the time goes (``profile``). Each takes about so many seconds,
and replaces its own entry in ``gancourse/recorded/bench.json``, where the book reads it; so the
whole can be measured piece by piece.

Every loop trains the same nets on the same images with the same batch, in a process of its own,
so that no loop's settings reach another. They take turns, a round at a time, so that whatever
else the machine does meets all of them; ratios are taken within a round, and the median round
counts, with the quartiles beside it. Memory is the largest the process has held, program and data
included, without the worker processes of a DataLoader.
"""

from __future__ import annotations

import argparse
import os
import platform
from pathlib import Path
from typing import Any

import torch

from benchmarks import environment
from benchmarks.parts import PARTS
from benchmarks.report import report
from gancourse import records
from gancourse.files import read_json, write_json

RESULTS = records.ROOT / "bench.json"


def machine(device: str, threads: int) -> dict[str, Any]:
    """What the figures were measured on."""
    if device == "cuda":
        return {"processor": torch.cuda.get_device_name(), "threads": threads}
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return {"processor": name, "threads": threads, "cores": os.cpu_count()}


def versions() -> dict[str, str]:
    """Of the programs that were compared."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        **environment.PEERS,
    }


def main() -> None:
    """Measure, print and store, part by part."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=200, help="a part")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    environment.make()
    here = {"machine": machine(options.device, options.threads), "versions": versions()}
    # The profile is of the CPU's operators.
    parts = options.parts or [p for p in PARTS if options.device == "cpu" or p != "profile"]
    for part in parts:
        entry = PARTS[part](options.threads, options.device, options.seconds)
        store(options.device, here, part, entry)
        print(report(part, entry), flush=True)
    print(f"{here['machine']}; stored in {RESULTS}")


def store(device: str, here: dict[str, Any], part: str, entry: Any, path: Path = RESULTS) -> None:
    """Put a part's entry into the results, beside what the same machine has measured before.

    What another machine or other versions have left under this device goes: a table is of one.
    """
    results = read_json(path) if path.exists() else {}
    of_device = results.get(device, {})
    if {name: of_device.get(name) for name in here} != here:
        of_device = {**here, "parts": {}}
    of_device["parts"][part] = entry
    results[device] = of_device
    write_json(path, results)


if __name__ == "__main__":
    main()
