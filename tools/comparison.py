"""Record the comparison of the vanilla GAN with DCGAN: same data, same budget, several seeds.

    python tools/comparison.py [--seeds 3]

Trains each recipe from each seed without choosing a best moment, scores the averaged generator
with 10,000 samples against the test split, and adds the floor: the scores of as many training
images. The result is ``gancourse/recorded/comparison/scores.json``, with a picture of 25
samples of seed 0 beside it for every recipe. Runs that are in the file already are not made again.
"""

from __future__ import annotations

import argparse
import io
import itertools

import gancourse
from gancourse import recipes
from gancourse.files import read_json, write_bytes, write_json
from gancourse.plots import tile
from gancourse.training.api import plan, run_plan
from gancourse.training.devices import choose
from gancourse.training.judging import evaluate, floor
from gancourse.training.run import RECORDED

#: recipe -> epochs; the same for both GANs on the same data
RECIPES = {
    "vanilla/digits": 30,
    "dcgan/digits": 30,
    "vanilla/mnist": 3,
    "dcgan/mnist": 3,
    "vanilla/fashion-mnist": 3,
    "dcgan/fashion-mnist": 3,
}
FOLDER = RECORDED / "comparison"
SAMPLES = 10_000


def main() -> None:
    """Make what is missing, saving after every run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    path = FOLDER / "scores.json"
    stored = read_json(path) if path.exists() else {"floor": {}, "runs": []}
    done = {(run["recipe"], run["seed"]) for run in stored["runs"]}
    for (name, epochs), seed in itertools.product(RECIPES.items(), range(options.seeds)):
        if (name, seed) in done:
            continue
        planned = plan(name, epochs=epochs, seed=seed, budget="short")
        run = run_plan(planned, choose(), out=None, resume=False, progress=None)
        scores = evaluate(run, n=SAMPLES)
        stored["runs"].append(
            {
                "recipe": name,
                "seed": seed,
                "epochs": epochs,
                "images": run.history[-1]["images"],
                "seconds": run.facts["seconds"],
                "versions": run.facts["versions"],
                "scores": scores.as_dict(),
            }
        )
        write_json(path, stored)
        if seed == 0:
            buffer = io.BytesIO()
            tile(run.sample(25, seed=0), columns=5).save(buffer, format="PNG", optimize=True)
            write_bytes(FOLDER / f"{name.replace('/', '-')}.png", buffer.getvalue())
        print(name, seed, f"FID {scores.fid:.2f}", flush=True)
    for name in sorted({recipes.get(name).data for name in RECIPES} - set(stored["floor"])):
        stored["floor"][name] = floor(name, n=SAMPLES).as_dict()
        write_json(path, stored)
    print(f"gancourse {gancourse.__version__}: {len(stored['runs'])} runs in {path}")


if __name__ == "__main__":
    main()
