"""Train the first GAN with five seeds and store the table that its chapter shows.

    python tools/first_gan_seeds.py       # a minute or two on a CPU

Writes gancourse/recorded/first-gan/seeds.json.
"""

from __future__ import annotations

import platform
import time
from dataclasses import replace
from typing import Any

import torch
from torch import nn

import gancourse
from gancourse import data, metrics
from gancourse.files import write_json
from gancourse.training import fit
from gancourse.training.api import plan
from gancourse.training.run import RECORDED

RECIPE, SEEDS, SAMPLES = "vanilla/digits", range(5), 1000
#: what the chapter calls recognisable: mean confidence of the digit classifier, and all ten classes
CONFIDENCE, CLASSES = 0.8, 10


def one(seed: int, ticks: int = 10) -> dict[str, Any]:
    """Train with one seed on one thread: scores at the end, and time to recognisable digits.

    Time is that of one CPU core, which does not count what else the machine is doing. The run is
    looked at ten times; with fewer ``ticks`` it is the same run, stopped earlier.
    """
    torch.set_num_threads(1)
    planned = plan(RECIPE, seed=seed, budget="short")
    settings = replace(planned.settings, images=planned.settings.images * ticks // 10)
    gan = planned.build()
    classifier = metrics.extractor("digits-cnn")

    start = time.process_time()

    def score(net: nn.Module) -> dict[str, float]:
        report = metrics.class_report(
            classifier.probabilities(gan.sample(SAMPLES, seed=0, net=net))
        )
        return {
            "confidence": report.confidence,
            "classes": report.classes_covered,
            "cpu_seconds": round(time.process_time() - start, 2),
        }

    _, history = fit(gan, planned.data.images, settings, score=score, progress=False)
    enough = (
        row for row in history if row["confidence"] >= CONFIDENCE and row["classes"] == CLASSES
    )
    first = next(enough, None)
    last = history[-1]
    return {
        "seed": seed,
        "confidence": round(last["confidence"], 4),
        "classes": last["classes"],
        "cpu_seconds": last["cpu_seconds"],
        "cpu_seconds_to_recognisable": None if first is None else first["cpu_seconds"],
        "epochs_to_recognisable": None if first is None else first["epoch"],
    }


def main() -> None:
    """Make the table."""
    planned = plan(RECIPE, budget="short")
    classifier = metrics.extractor("digits-cnn")
    real = metrics.class_report(classifier.probabilities(data.load("digits", split="test").images))
    settings = planned.settings.facts()
    del settings["seed"]
    table = {
        "recipe": RECIPE,
        "settings": {"gan": dict(planned.recipe.options), "training": settings},
        "samples": SAMPLES,
        "extractor": {"name": classifier.name, "sha256": classifier.sha256},
        "recognisable": {"confidence": CONFIDENCE, "classes": CLASSES},
        "real_test": {"confidence": round(real.confidence, 4), "classes": real.classes_covered},
        "versions": {
            "gancourse": gancourse.__version__,
            "torch": torch.__version__.split("+")[0],
            "python": platform.python_version(),
            "device": "CPU, 1 thread",
        },
        "recorded": time.strftime("%Y-%m-%d"),
        "rows": [one(seed) for seed in SEEDS],
    }
    for row in table["rows"]:
        print(row)
    write_json(RECORDED / "first-gan" / "seeds.json", table)


if __name__ == "__main__":
    main()
