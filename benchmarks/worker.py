"""One loop in a process of its own, which waits for its turn: ``python -m benchmarks.worker``.

It speaks one line of JSON at a time. First it says that it is ready, then for each number of steps
it reads it trains so many and answers with the seconds they took; an empty line ends it.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks import peers, steps
from benchmarks.setup import Setup

OURS, FAST, BARE, PRODUCT = "gancourse", "gancourse, fast path", "bare step", "matrix product"
EXAMPLE = "PyTorch example, tensors in memory"
Make = Callable[[Setup, Tensor], peers.Loop]
# The one with worker processes is last, so that what they do falls into the rest after a round.
PEERS: dict[str, Make] = {
    "torchgan 0.1.0": peers.torchgan,
    "mimicry 0.1.16": peers.mimicry,
    EXAMPLE: peers.example,
    "PyTorch example, DataLoader with 2 workers": functools.partial(peers.example, pil=True),
}
LOOPS: dict[str, Make] = {
    **PEERS,
    OURS: steps.ours,
    FAST: functools.partial(steps.ours, fast=True),
    BARE: steps.bare,
    PRODUCT: steps.product,
    "compiled": functools.partial(steps.bare, compiled=True),
    "one thread": steps.bare,
    **{f"without {m}": functools.partial(steps.bare, without=m) for m in steps.MEASURES},
}
#: Enough for a CUDA graph to be recorded too.
WARM_UP = 5


def peak_mib(device: str) -> float:
    """The most memory this process has held so far, in MiB; on a GPU what its tensors held."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 2**20
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def ready(setup: Setup) -> tuple[peers.Loop, dict[str, Any]]:
    """The loop, warmed up, and what is known of it before its first turn.

    Raises:
        ImportError: the program is not installed.
    """
    torch.set_num_threads(setup.threads)
    images, source = setup.images()
    loop = LOOPS[setup.loop](setup, images)
    start_mib = peak_mib(setup.device)
    start = time.perf_counter()
    loop(1)
    setup.wait()
    first = time.perf_counter() - start
    loop(WARM_UP)
    setup.wait()
    return loop, {"data": source, "start_mib": start_mib, "first_step_seconds": first}


def main() -> None:
    """Speak with the parent until it says no more."""
    # Whatever the peers print goes to stderr: the standard output is the line to the parent.
    line = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    setup = Setup(**json.loads(sys.argv[1]))
    try:
        loop, facts = ready(setup)
    except ImportError as error:
        line.write(json.dumps({"missing": str(error)}) + "\n")
        return
    line.write(json.dumps(facts) + "\n")
    while (wanted := sys.stdin.readline().strip()) != "":
        start = time.perf_counter()
        loop(int(wanted))
        setup.wait()
        seconds = time.perf_counter() - start
        answer = {"seconds": seconds, "peak_mib": peak_mib(setup.device)}
        line.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
