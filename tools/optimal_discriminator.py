"""Train discriminators between known densities and store the tables of their chapter.

    python tools/optimal_discriminator.py       # a few minutes of one CPU core

Writes gancourse/recorded/optimal-discriminator/errors.json.
"""

from __future__ import annotations

import platform
import time
from typing import Any

import numpy as np
import torch

import gancourse
from gancourse.files import write_json
from gancourse.theory import (
    Density,
    Discrete,
    Gaussian,
    Laplace,
    Mixture,
    Uniform,
    optimal_value,
    ring,
    value,
)
from gancourse.theory.learned import fit_discriminator, mean_absolute_error
from gancourse.training.run import RECORDED

TWO_HUMPS = Mixture([Gaussian(-1.5, 0.6), Gaussian(1.5, 0.6)])
PAIRS: dict[str, tuple[Density, Density]] = {
    "two Gaussians": (Gaussian(1, 1), Gaussian(-1, 1)),
    "mixture, Gaussian": (TWO_HUMPS, Gaussian(0, 1.5)),
    "Laplace, Gaussian": (Laplace(0, 1), Gaussian(0, 1.5)),
    "two uniforms": (Uniform(0, 2), Uniform(1, 4)),
    "ring, Gaussian": (ring(8, 2.0, 0.35), Gaussian([0, 0], 1.5)),
}
STEPS, SEEDS, BATCH = (75, 300, 1200), range(5), 256
#: points of each kind in the finite training sets, and how long a network trains on them
COUNTS, LONG = (20, 60, 200, 600, 2000), 1000


def reached(pair: str, steps: int, seed: int) -> dict[str, Any]:
    """A discriminator that sees new points at every step: its error, and what V lacks."""
    p, q = PAIRS[pair]
    learned = fit_discriminator(p, q, steps=steps, batch_size=BATCH, seed=seed)
    gap = optimal_value(p, q) - value(p, q, learned.logit)
    return {
        "pair": pair,
        "steps": steps,
        "seed": seed,
        "error": round(mean_absolute_error(learned, p, q), 5),
        "gap": round(gap, 6),
    }


def memorised(count: int, seed: int) -> dict[str, Any]:
    """A discriminator that sees the same few points again and again: V there, and in truth."""
    p, q = PAIRS["mixture, Gaussian"]
    rng = np.random.default_rng(1000 + seed)
    real, fake = (Discrete(side.sample(count, rng)) for side in (p, q))
    learned = fit_discriminator(real, fake, steps=LONG, batch_size=BATCH, seed=seed)
    return {
        "points": count,
        "seed": seed,
        "error": round(mean_absolute_error(learned, p, q), 5),
        "value_on_its_points": round(value(real, fake, learned.logit), 5),
        "value": round(value(p, q, learned.logit), 5),
    }


def main() -> None:
    """Make the tables."""
    torch.set_num_threads(1)
    table = {
        "batch_size": BATCH,
        "long": LONG,
        "versions": {
            "gancourse": gancourse.__version__,
            "torch": torch.__version__.split("+")[0],
            "python": platform.python_version(),
            "device": "CPU, 1 thread",
        },
        "recorded": time.strftime("%Y-%m-%d"),
        "memorised": [memorised(count, seed) for count in COUNTS for seed in SEEDS],
        "reached": [
            reached(pair, steps, seed) for pair in PAIRS for steps in STEPS for seed in SEEDS
        ],
    }
    write_json(RECORDED / "optimal-discriminator" / "errors.json", table)


if __name__ == "__main__":
    main()
