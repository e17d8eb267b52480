"""Train Algorithm 1 on the ring with five seeds, several k and rates; store what its chapter quotes.

    OMP_NUM_THREADS=1 python tools/algorithm_1_seeds.py       # about five minutes of one CPU core

Writes gancourse/recorded/algorithm-1/seeds.json.
"""

from __future__ import annotations

import platform
import time
from typing import Any

import numpy as np
import torch

import gancourse
from gancourse.files import write_json
from gancourse.metrics import mode_coverage
from gancourse.theory import ring
from gancourse.theory.algorithm_1 import Algorithm1
from gancourse.training.run import RECORDED

SEEDS, KS, RATES = range(5), (1, 2, 5), (1e-3, 5e-3)
RATE_G, MODES, STD, SAMPLES = 1e-3, 8, 0.05, 2500
#: updates of both players together between two looks, and how many looks
UPDATES, LOOKS = 600, 6
#: a mode counts as found if it gets this share of what an even split would give it
FOUND = 0.1


def look(run: Algorithm1) -> dict[str, Any]:
    """Modes found and share of the samples at a mode."""
    angles = 2 * np.pi * np.arange(MODES) / MODES
    centres = torch.from_numpy(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    seen = mode_coverage(torch.from_numpy(run.sample(SAMPLES)), centres, STD)
    return {
        "generator_steps": run.steps,
        "modes": sum(count >= FOUND * SAMPLES / MODES for count in seen.histogram),
        "at_modes": round(seen.high_quality, 4),
    }


def one(seed: int, k: int, rate_d: float, looks: int = LOOKS) -> dict[str, Any]:
    """One run: looked at each time the two players together have made ``UPDATES`` steps more."""
    torch.set_num_threads(1)
    run = Algorithm1(ring(MODES, 1.0, STD), k=k, lr=(RATE_G, rate_d), seed=seed)
    start, seen = time.process_time(), []
    for _ in range(looks):
        run.run(UPDATES // (k + 1))
        seen.append(look(run))
    return {
        "seed": seed,
        "k": k,
        "rate_d": rate_d,
        "looks": seen,
        "cpu_seconds": round(time.process_time() - start, 1),
    }


def main() -> None:
    """Make the table."""
    runs = [one(seed, k, rate) for rate in RATES for k in KS for seed in SEEDS]
    table = {
        "data": {"ring": MODES, "radius": 1.0, "std": STD},
        "settings": {
            "rate_g": RATE_G,
            "optimizer": "adam",
            "objective": "non-saturating",
            "updates_between_looks": UPDATES,
            "samples": SAMPLES,
            "found": FOUND,
        },
        "versions": {
            "gancourse": gancourse.__version__,
            "torch": torch.__version__.split("+")[0],
            "python": platform.python_version(),
        },
        "runs": runs,
    }
    write_json(RECORDED / "algorithm-1" / "seeds.json", table)


if __name__ == "__main__":
    main()
