"""What is measured: each part is one session of turns and one entry of the results."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from benchmarks import steps
from benchmarks.setup import Setup
from benchmarks.turns import FEWEST, Worker, ratios, rounds, spread, start
from benchmarks.worker import BARE, EXAMPLE, FAST, OURS, PEERS, PRODUCT, WARM_UP
from gancourse import cost
from gancourse.training import Settings
from gancourse.training.trainer import Trainer

WIDTH = 32
#: pixels -> (channels, batch on a CPU): beyond 32 pixels a batch of 128 takes a CPU seconds a step.
NETS = {28: (1, 128), 32: (1, 128), 64: (3, 64), 128: (3, 16)}
BATCH_ON_A_GPU = 128
BATCHES = (4, 16, 64, 128, 256, 512)
SIDES = (28, 32, 64, 96, 128)
BATCH_OF_SIDES = 32
Row = dict[str, Any]


def _setup(loop: str, pixels: int, threads: int, device: str) -> Setup:
    channels, batch = NETS[pixels]
    batch = batch if device == "cpu" else BATCH_ON_A_GPU
    return Setup(loop, pixels, channels, WIDTH, batch, threads, device)


def _flops(setup: Setup) -> int:
    with torch.device("meta"):  # shapes without numbers
        gan = replace(setup, device="meta").gan()
    return cost.step_flops(gan, setup.batch)


def _steps(worker: Worker, seconds: float = 0.6) -> int:
    """How many steps fill a turn."""
    return max(1, round(2 * seconds / min(worker.turn(2) for _ in range(3))))


def _facts(worker: Worker) -> Row:
    assert worker.facts is not None
    return {
        "peak_mib": round(worker.peak_mib),
        "start_mib": round(worker.facts["start_mib"]),
        "first_step_seconds": round(worker.facts["first_step_seconds"], 2),
    }


def _task(worker: Worker) -> Row:
    setup = worker.setup
    assert worker.facts is not None
    return {
        "pixels": setup.pixels,
        "channels": setup.channels,
        "width": setup.width,
        "batch": setup.batch,
        "data": worker.facts["data"],
        "gflop_a_step": round(_flops(setup) / 1e9, 3),
    }


def net(pixels: int, threads: int, device: str, seconds: float) -> Row:
    """All loops on one net: speeds, memory, what matters between them, and the machine's limit."""
    # What is compared stands side by side: the best peer, ours, and the bare step.
    *early, late = PEERS
    names = [PRODUCT, *early, FAST, OURS, BARE, late]
    workers = start({name: _setup(name, pixels, threads, device) for name in names})
    many = dict.fromkeys(workers, _steps(workers[BARE]))
    many[PRODUCT] = _steps(workers[PRODUCT])
    speeds = rounds(workers, many, 0.75 * seconds, f"{pixels} pixels")
    # A difference of a few per cent needs the two alone, in short turns and many.
    pair = {name: workers[name] for name in (BARE, OURS)}
    few = dict.fromkeys(pair, max(1, many[BARE] // 3))
    close = rounds(pair, few, 0.25 * seconds, "overhead")
    for worker in workers.values():
        worker.end()
    task = _task(workers[OURS])
    batch, flops = task["batch"], 1e9 * task["gflop_a_step"]
    products = [2 * steps.SIDE**3 * speed for speed in speeds.pop(PRODUCT)]
    median = {name: statistics.median(values) for name, values in speeds.items()}
    best = max((name for name in median if name in PEERS), key=median.__getitem__)
    row = {**task, "steps": many[BARE], "rounds": len(products)}
    row["loops"] = {
        name: {
            "images_per_second": round(batch * median[name], 1),
            **_facts(workers[name]),
            "share_of_matrix_product": round(
                statistics.median(ratios([flops * s for s in speeds[name]], products)), 3
            ),
        }
        for name in speeds
    }
    row["matrix_product_gflops"] = spread([rate / 1e9 for rate in products], 1)
    row["best_peer"] = best
    row["to_best_peer"] = {n: spread(ratios(speeds[n], speeds[best])) for n in (OURS, FAST)}
    row["overhead_over_bare_step"] = [
        round(part - 1, 4) for part in spread(ratios(close[BARE], close[OURS]), 4)
    ]
    return row


def measures(threads: int, device: str, seconds: float) -> Row:
    """The bare step at 28 pixels, and what it loses without each of its measures."""
    names = [BARE, *(f"without {m}" for m in steps.MEASURES), "compiled"]
    setups = {name: _setup(name, 28, threads, device) for name in names}
    if device == "cpu" and threads > 1:
        setups["one thread"] = replace(setups[BARE], loop="one thread", threads=1)
    workers = start(setups)
    many = dict.fromkeys(workers, _steps(workers[BARE]))
    speeds = rounds(workers, many, seconds, "measures")
    for worker in workers.values():
        worker.end()
    row = {**_task(workers[BARE]), "steps": many[BARE], "rounds": len(speeds[BARE])}
    row["images_per_second"] = round(row["batch"] * statistics.median(speeds[BARE]), 1)
    row["speed_to_bare_step"] = {
        name: {**_facts(workers[name]), "ratio": spread(ratios(speeds[name], speeds[BARE]))}
        for name in workers
    }
    return row


def _sweep(setups: dict[str, Setup], seconds: float, what: str) -> list[Row]:
    workers = start(setups)
    many = {name: _steps(worker) for name, worker in workers.items()}
    speeds = rounds(workers, many, seconds, what)
    for worker in workers.values():
        worker.end()
    return [
        {
            "loop": worker.setup.loop,
            **_task(worker),
            "images_per_second": round(worker.setup.batch * statistics.median(speeds[name]), 1),
            "milliseconds_a_step": spread([1e3 / speed for speed in speeds[name]], 2),
            **_facts(worker),
        }
        for name, worker in workers.items()
    ]


def batch(threads: int, device: str, seconds: float) -> list[Row]:
    """Speed and memory against the batch size, at 28 pixels."""
    setups = {
        f"{loop}, batch {size}": replace(_setup(loop, 28, threads, device), batch=size)
        for size in BATCHES
        for loop in (OURS, EXAMPLE)
    }
    return _sweep(setups, seconds, "batch sizes")


def pixels(threads: int, device: str, seconds: float) -> list[Row]:
    """Speed and memory against the resolution, in colour, at one batch size."""
    setups = {
        f"{loop}, {side} pixels": Setup(loop, side, 3, WIDTH, BATCH_OF_SIDES, threads, device)
        for side in SIDES
        for loop in (OURS, EXAMPLE)
    }
    return _sweep(setups, seconds, "resolutions")


def profile(threads: int, device: str, seconds: float) -> list[Row]:
    """Where the time of the trainer's step goes, operator by operator, on a CPU.

    The nets take turns, and of each the quickest step counts: what disturbs a step adds to it.
    """
    torch.set_num_threads(threads)
    trainers, steps_seen = {}, {}
    for side in NETS:
        setup = _setup(OURS, side, threads, "cpu")
        settings = Settings(images=10**9, batch_size=setup.batch)
        trainers[side] = Trainer(setup.gan(), setup.images()[0], settings)
        steps_seen[side] = []
    end, count = time.monotonic() + seconds, 0
    while count < WARM_UP + FEWEST or time.monotonic() < end:
        for side, trainer in trainers.items():
            with cost.Stopwatch() as watch:
                trainer.step()
            if count >= WARM_UP:
                steps_seen[side].append(watch)
        count += 1
    rows = []
    for side, seen in steps_seen.items():
        quickest = min(seen, key=lambda w: sum(end - start for _, start, end in w.spans))
        rows.append(
            {
                "pixels": side,
                "batch": trainers[side].settings.batch_size,
                "steps": len(seen),
                "operators_a_step": len(quickest.spans),
                "shares": {kind: round(v, 4) for kind, v in quickest.shares().items()},
            }
        )
    return rows


#: name -> what it measures: (threads, device, seconds) -> an entry of the results
PARTS: dict[str, Callable[[int, str, float], Any]] = {
    **{f"net-{side}": functools.partial(net, side) for side in NETS},
    "measures": measures,
    "batch": batch,
    "pixels": pixels,
    "profile": profile,
}
