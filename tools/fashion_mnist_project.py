"""Judge every epoch of the recorded Fashion-MNIST runs, several times and with both generators.

    python tools/fashion_mnist_project.py keep RUN ... &   # while gancourse record makes the runs
    python tools/fashion_mnist_project.py judge            # meanwhile or afterwards, again and again

RUN is a run folder, such as ``runs/record/dcgan/fashion-mnist-seed0``. A run folder holds the weights
of its last epoch and of its best; ``keep`` copies those of each epoch as it passes, and ends after
the last. ``judge`` scores what has been kept and is not in the file yet, and writes
``gancourse/recorded/fashion-mnist-project/epochs.json``. Its rows:

- the *plain* generator, as training leaves it, with the noise that the run's own scores used;
- the *averaged* generator of some epochs with other noise, the same for all: how far a score moves
  when nothing but the 5,000 samples change.

The scores of the averaged generator with the run's own noise are in the run's history. For the last
epoch of each seed there is also, under ``copying``, how near samples lie to the training images, and
how near test images do.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch

from gancourse import data, metrics
from gancourse.errors import GancourseError
from gancourse.files import read_json, write_json
from gancourse.gans.base import GAN
from gancourse.latent import copying
from gancourse.training import checkpoint
from gancourse.training.folder import read_history
from gancourse.training.judging import KEPT
from gancourse.training.run import RECORDED, build_gan

FILE = RECORDED / "fashion-mnist-project" / "epochs.json"
EPOCHS = 50
SAMPLES = 5_000
#: epochs whose averaged generator is judged again, and the seeds of the noise
AGAIN = (10, 20, 30, *range(40, 51))
NOISE = (101, 102, 103)
#: samples, and test images, whose nearest training images are looked for
COPIES = 2_000
#: what is kept of their distances: smallest, the tenth, the median, nine tenths
QUANTILES = torch.tensor([0.0, 0.1, 0.5, 0.9])
#: shortest time between two looks at the runs, seconds
PAUSE = 5
PLAYERS = ("generator", "ema")


def keep(runs: list[Path], kept: Path) -> None:
    """Copy both generators of every epoch as it passes; ends when all runs are at the last."""
    seen: dict[Path, int] = {}
    while min([seen.get(run, 0) for run in runs]) < EPOCHS:
        for run in runs:
            try:
                seen[run] = keep_one(run, kept, seen.get(run, 0))
            except GancourseError:
                pass  # the run has not begun, or a file was just being replaced; look again later
        time.sleep(PAUSE)


def keep_one(run: Path, kept: Path, before: int) -> int:
    """Copy the generators of a run's last finished epoch, unless it is that of before; which it is."""
    history = read_history(run / "history.jsonl")
    epoch = round(history[-1]["epoch"]) if history else 0
    if epoch == before:
        return epoch
    tensors, facts = checkpoint.read(run / "last.safetensors")
    if facts["step"] != history[-1]["step"]:
        return before  # the row is written before the weights
    nets = {k: v for k, v in tensors.items() if k.split(".")[0] in PLAYERS}
    seed = read_json(run / "run.json")["settings"]["training"]["seed"]
    file = kept / run.name / f"{epoch:03}.safetensors"
    checkpoint.write(file, nets, {"seed": seed, "step": facts["step"]})
    return epoch


def wanted(kept: Path) -> list[tuple[Path, int, str, int]]:
    """(file, epoch, net, seed of the noise) of all that is to be judged, the latest epochs last."""
    found = []
    for file in sorted(kept.glob("*/*.safetensors"), key=lambda file: (file.stem, file)):
        epoch = int(file.stem)
        _, facts = checkpoint.read(file)
        found.append((file, epoch, "plain", facts["seed"] + 2))
        if epoch in AGAIN:
            found += [(file, epoch, "averaged", noise) for noise in NOISE]
    return found


def judge(kept: Path, out: Path) -> None:
    """Score what has been kept, saving after every row."""
    stored = read_json(out) if out.exists() else {"rows": []}
    done = {(r["seed"], r["epoch"], r["net"], r["noise"]) for r in stored["rows"]}
    facts = read_json(RECORDED / "dcgan/fashion-mnist/run.json")
    gan = build_gan(facts, Path("record"))
    real = data.load("fashion-mnist", split="test").images
    reference = metrics.Reference(real, "fashion-mnist-cnn", split="fashion-mnist/test")
    for file, epoch, net, noise in wanted(kept):
        tensors, about = checkpoint.read(file)
        if (about["seed"], epoch, net, noise) in done:
            continue
        prefix = "generator" if net == "plain" else "ema"
        checkpoint.load_weights(gan.generator, checkpoint.unprefixed(prefix, tensors), file)
        scores = reference.scores(gan.sample(SAMPLES, seed=noise)).as_dict()
        row: dict[str, Any] = {"seed": about["seed"], "epoch": epoch, "net": net, "noise": noise}
        stored["rows"].append(row | {name: scores[name] for name in KEPT})
        names = ("n_real", "n_fake", "split", "extractor", "extractor_sha256")
        stored |= {name: scores[name] for name in names}
        stored["rows"].sort(key=lambda r: (r["net"], r["seed"], r["epoch"], r["noise"]))
        write_json(out, stored)
        print(*row.values(), f"FID {scores['fid']:.2f}", flush=True)
    copies(stored, gan, kept, out)
    print(f"{len(stored['rows'])} rows in {out}")


def copies(stored: dict[str, Any], gan: GAN, kept: Path, out: Path) -> None:
    """Nearest neighbours in the training set, of the last epoch's samples and of test images."""
    found = stored.setdefault("copying", [])
    done = {row["seed"] for row in found}
    ends = kept.glob(f"*/{EPOCHS:03}.safetensors")
    todo = {checkpoint.read(file)[1]["seed"]: file for file in ends}
    if not set(todo) - done:
        return
    judge = metrics.extractor("fashion-mnist-cnn")
    train = data.load("fashion-mnist").images
    test = data.load("fashion-mnist", split="test").images[:COPIES]
    seen, unseen = judge.features(train), judge.features(test)
    for seed in sorted(set(todo) - done):
        tensors, _ = checkpoint.read(todo[seed])
        weights = checkpoint.unprefixed("ema", tensors)
        checkpoint.load_weights(gan.generator, weights, todo[seed])
        images = gan.sample(COPIES, seed=seed + 2)
        pixels = copying(images, train, test)
        features = copying(judge.features(images), seen, unseen)
        row: dict[str, Any] = {"seed": seed, "epoch": EPOCHS, "n": COPIES}
        for by, result in (("pixels", pixels), ("features", features)):
            row[by] = {
                "nearer": result.nearer,
                "samples": [float(q) for q in result.distance.quantile(QUANTILES)],
                "test": [float(q) for q in result.reference.quantile(QUANTILES)],
            }
        found.append(row)
        write_json(out, stored)


def main() -> None:
    """Keep or judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("keep", "judge"))
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--kept", type=Path, default=Path("runs/epochs"))
    parser.add_argument("--out", type=Path, default=FILE)
    options = parser.parse_args()
    if options.what == "keep":
        keep(options.runs, options.kept)
    else:
        judge(options.kept, options.out)


if __name__ == "__main__":
    main()
