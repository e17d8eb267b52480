"""Images a second of DCGAN training: gancourse against other loops, in turns, in one run.

    python -m benchmarks [--steps 10] [--rounds 25]

Every loop trains the same nets on the same images with the same batch, each in a process of its
own, so that no loop's settings reach another. They take turns, a round at a time, so that whatever
else the machine does meets all of them; ratios are taken within a round, and the median round
counts. The table is printed and stored in ``benchmarks/results.json``.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import statistics
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from tqdm import tqdm

from benchmarks import peers
from benchmarks.turns import BARE, LOOPS, OURS, work
from gancourse.training.devices import describe

#: pixels a side and width of the nets
NETS = ((28, 32), (32, 32))
#: Seconds before each round, in which worker processes fill their queues and come to rest.
REST = 0.5


def _start(size: int, width: int) -> tuple[dict[str, Connection], str]:
    """A process for each loop: their connections by name, and what the images are."""
    context = multiprocessing.get_context("spawn")
    source, connections = "", {}
    for name in LOOPS:
        here, there = context.Pipe()
        context.Process(target=work, args=(there, name, size, width)).start()
        there.close()
        answer = here.recv()
        if answer is None:
            print(f"{name} is not installed and left out; `make bench` installs it.")
            continue
        source, connections[name] = answer, here
    return connections, source


def _turns(
    loops: dict[str, Connection], steps: int, rounds: int, what: str
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Let the loops take turns: (images a second of each round, peak MiB) by name."""
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    memory = dict.fromkeys(loops, 0.0)
    for _ in tqdm(range(rounds), desc=what, unit="round"):
        time.sleep(REST)
        for name, connection in loops.items():
            connection.send(steps)
            seconds, memory[name] = connection.recv()
            speeds[name].append(steps * peers.BATCH / seconds)
    return speeds, memory


def _by_round(above: list[float], below: list[float]) -> list[float]:
    return [round(a / b, 4) for a, b in zip(above, below, strict=True)]


def _measure(steps: int, rounds: int, size: int, width: int) -> dict[str, object]:
    """A row of the results: speeds, and the two ratios that matter."""
    loops, source = _start(size, width)
    speeds, memory = _turns(loops, steps, rounds, f"{size} pixels")
    # A difference of a few per cent needs the two alone, in short turns and many.
    pair, _ = _turns({n: loops[n] for n in (BARE, OURS)}, 3, 5 * rounds, "overhead")
    for connection in loops.values():
        connection.send(0)
    median = {name: statistics.median(values) for name, values in speeds.items()}
    best = max((n for n in median if n not in (BARE, OURS)), key=median.__getitem__)
    ratios = _by_round(speeds[OURS], speeds[best])
    costs = _by_round(pair[BARE], pair[OURS])
    return {
        "pixels": size,
        "width": width,
        "data": source,
        "images_per_second": {name: round(value, 1) for name, value in median.items()},
        "peak_mib": {name: round(value) for name, value in memory.items()},
        "best_peer": best,
        "gancourse_to_best_peer": round(statistics.median(ratios), 3),
        "gancourse_to_best_peer_by_round": ratios,
        "overhead_over_bare_step": round(statistics.median(costs) - 1, 4),
        "bare_step_to_gancourse_by_round": costs,
    }


def main() -> None:
    """Run, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10, help="training steps a turn")
    parser.add_argument("--rounds", type=int, default=25, help="turns each")
    options = parser.parse_args()
    results = {
        "machine": f"{platform.machine()}, {describe(torch.device('cpu'))}",
        "torch": torch.__version__.split("+")[0],
        "batch": peers.BATCH,
        "steps": options.steps,
        "rounds": options.rounds,
        "nets": [],
    }
    for size, width in NETS:
        row = _measure(options.steps, options.rounds, size, width)
        results["nets"].append(row)
        print(f"\nDCGAN, {size} x {size}, width {width}, batch {peers.BATCH}; {row['data']}")
        for name, speed in row["images_per_second"].items():
            print(f"  {name:<44}{speed:8.0f} images/s{row['peak_mib'][name]:8,d} MiB")
        print(f"  gancourse / best peer: {row['gancourse_to_best_peer']:.2f}")
        print(f"  overhead over the bare step: {row['overhead_over_bare_step']:.1%}\n")
    path = Path(__file__).with_name("results.json")
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"stored in {path}")


if __name__ == "__main__":
    main()
