"""One loop in a process of its own, which waits for its turn."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import torch
from torch import Tensor

from benchmarks import peers
from gancourse import data
from gancourse.errors import GancourseError
from gancourse.gans import DCGAN

OURS, BARE = "gancourse", "bare step"
# In this order: the two that OURS is compared with stand beside it, and the one with worker
# processes comes last, before the rest.
LOOPS: dict[str, Callable[[DCGAN, Tensor], peers.Loop]] = {
    "torchgan 0.1.0": peers.torchgan,
    "PyTorch example, tensors in memory": lambda g, x: peers.plain(g, x, pil=False),
    OURS: peers.ours,
    BARE: peers.bare,
    "PyTorch example, DataLoader with 2 workers": lambda g, x: peers.plain(g, x, pil=True),
}


def _images(size: int) -> tuple[Tensor, str]:
    """Fashion-MNIST in full, padded to the size; random pixels where it is not to be had."""
    try:
        images = data.load("fashion-mnist", download=False).images
        name = "fashion-mnist, 60,000 images"
    except GancourseError:
        images = torch.randint(0, 256, (60_000, 1, 28, 28), dtype=torch.uint8)
        name = "60,000 images of random pixels (Fashion-MNIST is not on this machine)"
    edge = (size - 28) // 2
    return torch.nn.functional.pad(images, (edge,) * 4), name


def work(connection: Connection, name: str, size: int, width: int) -> None:
    """A process with one loop: for each number of steps received, send (seconds, peak MiB)."""
    images, source = _images(size)
    torch.manual_seed(0)
    try:
        loop = LOOPS[name](DCGAN((1, size, size), latent_dim=100, width=width), images)
    except ImportError:
        connection.send(None)
        return
    loop(3)
    connection.send(source)
    while steps := connection.recv():
        start = time.perf_counter()
        loop(steps)
        seconds = time.perf_counter() - start
        unit = 2**20 if sys.platform == "darwin" else 2**10
        connection.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit))
