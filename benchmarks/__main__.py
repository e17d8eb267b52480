"""Images a second of DCGAN training: gancourse against other loops, in turns, in one run.

    python -m benchmarks [--steps 20] [--rounds 7]

Every loop trains the same nets on the same images with the same batch. They take turns, a round at
a time, so that whatever else the machine does meets all of them; the median round counts. The
table is printed and stored in ``benchmarks/results.json``.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from pathlib import Path

import torch

from benchmarks import peers
from gancourse import data
from gancourse.errors import GancourseError
from gancourse.gans import DCGAN
from gancourse.training.devices import describe

#: pixels a side and width of the nets
NETS = ((28, 32), (32, 32))


def _images(size: int) -> tuple[torch.Tensor, str]:
    """Fashion-MNIST in full, padded to the size; random pixels where it is not to be had."""
    try:
        images = data.load("fashion-mnist", download=False).images
        name = "fashion-mnist, 60,000 images"
    except GancourseError:
        images = torch.randint(0, 256, (60_000, 1, 28, 28), dtype=torch.uint8)
        name = "60,000 images of random pixels (Fashion-MNIST is not on this machine)"
    edge = (size - 28) // 2
    return torch.nn.functional.pad(images, (edge,) * 4), name


def _time(steps: int, rounds: int, size: int, width: int) -> tuple[dict[str, list[float]], str]:
    images, source = _images(size)
    loops = {}
    for name, make in {
        "PyTorch example, DataLoader with 2 workers": lambda g: peers.plain(g, images, pil=True),
        "PyTorch example, tensors in memory": lambda g: peers.plain(g, images, pil=False),
        "torchgan 0.1.0": lambda g: peers.torchgan(g, images),
        "bare step": lambda g: peers.bare(g, images),
        "gancourse": lambda g: peers.ours(g, images),
    }.items():
        torch.manual_seed(0)
        try:
            loops[name] = make(DCGAN((1, size, size), latent_dim=100, width=width))
        except ImportError:
            print(f"{name} is not installed and left out; `make bench` installs it.")
    speeds: dict[str, list[float]] = {name: [] for name in loops}
    for loop in loops.values():
        loop(3)
    for number in range(rounds):
        for name, loop in loops.items():
            start = time.perf_counter()
            loop(steps)
            speeds[name].append(steps * peers.BATCH / (time.perf_counter() - start))
        print(f"{size} pixels: round {number + 1} of {rounds}", flush=True)
    return speeds, source


def main() -> None:
    """Run, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20, help="training steps a turn")
    parser.add_argument("--rounds", type=int, default=7, help="turns each")
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
        speeds, source = _time(options.steps, options.rounds, size, width)
        median = {name: statistics.median(values) for name, values in speeds.items()}
        rivals = [v for name, v in median.items() if name not in ("bare step", "gancourse")]
        ratio = [o / max(others) for o, *others in zip(
            speeds["gancourse"],
            *(v for n, v in speeds.items() if n not in ("bare step", "gancourse")), strict=True,
        )]  # fmt: skip
        overhead = [
            b / o - 1 for b, o in zip(speeds["bare step"], speeds["gancourse"], strict=True)
        ]
        row = {
            "pixels": size,
            "width": width,
            "data": source,
            "images_per_second": {name: round(value, 1) for name, value in median.items()},
            "gancourse_to_best_peer": round(median["gancourse"] / max(rivals), 3),
            "gancourse_to_best_peer_by_round": [round(r, 3) for r in ratio],
            "overhead_over_bare_step": round(statistics.median(overhead), 4),
        }
        results["nets"].append(row)
        print(f"\nDCGAN, {size} x {size}, width {width}, batch {peers.BATCH}; {source}")
        for name, value in median.items():
            print(f"  {name:<44}{value:8.0f} images/s")
        print(f"  gancourse / best peer: {row['gancourse_to_best_peer']:.2f}")
        print(f"  overhead over the bare step: {row['overhead_over_bare_step']:.1%}\n")
    path = Path(__file__).with_name("results.json")
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"stored in {path}")


if __name__ == "__main__":
    main()
