"""Record what DCGAN's rules are worth: each broken in turn, everything else equal, several seeds.

    python tools/dcgan_rules.py

Trains a small DCGAN on Fashion-MNIST for a fixed number of images, in every form of
:mod:`gancourse.nets.ablations` and with other settings of Adam, and scores the generator as it stands
at the end (no best moment, no average) with 5,000 samples against the test split. The FID of the
averaged generator is kept beside it. A run that diverges is kept as one that diverged. The result is
``gancourse/recorded/dcgan-rules/runs.json`` with a picture of 16 samples of seed 0 for every form.
Runs that are in the file already are not made again; seeds go round, so that an unfinished file has
about as many runs of every form.
"""

from __future__ import annotations

import io
import math
import time
from typing import Any

import torch
from torch import nn

from gancourse import data, metrics
from gancourse.errors import GancourseError
from gancourse.files import read_json, write_bytes, write_json
from gancourse.gans import DCGAN
from gancourse.nets.ablations import FORMS, ablate
from gancourse.plots import tile
from gancourse.training.run import RECORDED
from gancourse.training.trainer import Settings, Trainer

FOLDER = RECORDED / "dcgan-rules"
IMAGES = 60_000
WIDTH = 16
SAMPLES = 5_000
SEEDS = 3
#: as published there are more runs: all others are compared with these
SEEDS_PUBLISHED = 5

#: name -> (form of the nets, settings other than the published ones)
RULES: dict[str, tuple[str, dict[str, float]]] = {
    **{form: (form, {}) for form in FORMS},
    "beta1 0.9": ("as published", {"beta1": 0.9}),
    "rate 0.001": ("as published", {"lr_d": 1e-3, "lr_g": 1e-3}),
    "Adam's defaults": ("as published", {"beta1": 0.9, "lr_d": 1e-3, "lr_g": 1e-3}),
}


def build(rule: str, seed: int) -> DCGAN:
    """The GAN of a rule, its weights drawn from the seed."""
    torch.manual_seed(seed)
    gan = DCGAN((1, 28, 28), width=WIDTH)
    ablate(RULES[rule][0], gan.generator, gan.discriminator)
    return gan


def train(
    rule: str, seed: int, images: torch.Tensor, reference: metrics.Reference
) -> dict[str, Any]:
    """One run: its figures and FID at half time, and at the end its scores."""
    gan = build(rule, seed)
    settings = Settings(images=IMAGES, tick=IMAGES // 2, seed=seed, **RULES[rule][1])
    trainer = Trainer(gan, images, settings)
    row: dict[str, Any] = {"rule": rule, "seed": seed, "curve": []}
    wall, cpu = time.perf_counter(), time.process_time()

    def fid(net: nn.Module) -> float:
        features = reference.extractor.features(gan.sample(SAMPLES, seed + 1, net))
        return metrics.fid(reference.statistics, metrics.statistics(features))

    try:
        while trainer.images_shown < IMAGES:
            trainer.step()
            if trainer.tick_is_full or trainer.images_shown >= IMAGES:
                figures = trainer.read_tick()
                shown = {"images": trainer.images_shown, **figures, "fid": fid(gan.generator)}
                row["curve"].append(shown)
        row["fid_average"] = fid(trainer.ema.net)
    except GancourseError as error:
        return row | {"diverged": str(error), "scores": None}
    scores = reference.scores(gan.sample(SAMPLES, seed=seed + 1)).as_dict()
    used = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    if seed == 0:
        buffer = io.BytesIO()
        tile(gan.sample(16, seed=0), columns=8).save(buffer, format="PNG", optimize=True)
        write_bytes(FOLDER / f"{slug(rule)}.png", buffer.getvalue())
    weights = [
        sum(p.numel() for p in net.parameters()) for net in (gan.generator, gan.discriminator)
    ]
    return row | used | {"weights": weights, "diverged": None, "scores": scores}


def slug(rule: str) -> str:
    """The name of a rule's picture."""
    return "".join(c if c.isalnum() else "-" for c in rule.lower())


def settings() -> dict[str, Any]:
    """What all runs share."""
    return {
        "data": "fashion-mnist",
        "images": IMAGES,
        "width": WIDTH,
        "samples": SAMPLES,
        "training": Settings(images=IMAGES).facts(),
        "torch": torch.__version__.split("+")[0],
    }


def main() -> None:
    """Make what is missing, saving after every run."""
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "runs.json"
    stored = read_json(path) if path.exists() else {"settings": settings(), "runs": []}
    if stored["settings"] != settings():
        raise SystemExit(f"{path} was made with other settings; remove it to begin anew.")
    done = {(run["rule"], run["seed"]) for run in stored["runs"]}
    images = data.load("fashion-mnist").images
    test = data.load("fashion-mnist", split="test").images
    reference = metrics.Reference(test, "fashion-mnist-cnn", split="fashion-mnist/test")
    if "floor" not in stored:
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
        stored["floor"] = reference.scores(images[order[:SAMPLES]]).as_dict()
    for seed in range(max(SEEDS, SEEDS_PUBLISHED)):
        for rule in RULES:
            last = SEEDS_PUBLISHED if rule == "as published" else SEEDS
            if (rule, seed) in done or seed >= last:
                continue
            stored["runs"].append(train(rule, seed, images, reference))
            write_json(path, stored)
            scores = stored["runs"][-1]["scores"]
            fid = math.nan if scores is None else scores["fid"]
            print(f"{rule:26} {seed}  FID {fid:.2f}", flush=True)


if __name__ == "__main__":
    main()
