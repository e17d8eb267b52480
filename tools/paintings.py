"""What flips, DiffAugment and averaging do for 934 paintings.

    python tools/paintings.py [--seeds 3] [--work runs/paintings]

A fifth of the paintings is held out, the same fifth for every run. DCGAN is trained on the others
at 32 pixels: as they are, with flips, and with flips and DiffAugment, each from several seeds.
Every few epochs the discriminator is asked what it thinks of training images, of held-out ones and
of fakes. The weights of both generators, the last one and the averaged one, are kept at a few
moments of each run and scored against the held-out paintings and against the training images; at
the end the nearest painting to each sample is looked up. The result is
``gancourse/recorded/paintings/study.json``, a row a run, with 16 samples of seed 0 of each setting
beside it. What is there already is not made again; a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import copy
import io
import itertools
import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gancourse import augment, data, latent, metrics
from gancourse.files import read_json, write_bytes, write_json
from gancourse.gans import DCGAN
from gancourse.gans.base import to_signal
from gancourse.plots import tile
from gancourse.training import checkpoint
from gancourse.training.devices import describe
from gancourse.training.fit import Score, fit
from gancourse.training.folder import RunFolder, read_history
from gancourse.training.judging import KEPT
from gancourse.training.run import RECORDED
from gancourse.training.trainer import Settings

FOLDER = RECORDED / "paintings"
FLIPS = ("horizontal", "vertical")
#: name -> what differs in the settings of the training
CHANGES: dict[str, dict[str, tuple[str, ...]]] = {
    "none": {},
    "flips": {"flips": FLIPS},
    "flips + DiffAugment": {"flips": FLIPS, "diffaugment": ("color", "translation", "cutout")},
}
# Few images, small nets, small batches and a large rate, as in the recipe for the digits: what a
# discriminator learns by heart takes steps, and a CPU has not many to spend.
SIZE, WIDTH, BATCH, RATE, EPOCHS = 32, 24, 32, 5e-4, 45
#: epochs between two looks at the discriminator, and between two moments that are scored
TICK, MOMENT = 3, 15
#: both generators of a run: as the last step left it, and its moving average
GENERATORS = ("raw", "average")
SAMPLES, SPLIT_SEED = 1000, 0
QUANTILES = [i / 20 for i in range(21)]


def split(size: int = SIZE) -> tuple[Tensor, Tensor]:
    """Training and held-out paintings, uint8 N x 3 x size x size: four fifths and one."""
    images = data.load("abstract-art", size=size).images
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(SPLIT_SEED))
    held_out = len(images) // 5
    return images[order[held_out:]], images[order[:held_out]]


def build() -> DCGAN:
    """The GAN of every run."""
    return DCGAN((3, SIZE, SIZE), latent_dim=100, width=WIDTH)


def probe(gan: DCGAN, sets: dict[str, Tensor], settings: Settings, folder: Path) -> Score:
    """What `fit` calls at each tick: what the discriminator thinks, as it is trained.

    Its batch normalisation goes by the batch, and the images pass through the same changes as in
    training; a copy is asked, so that nothing of the run moves. At each moment that is to be
    scored, the weights of both generators go to the folder.
    """

    def shown(images: Tensor) -> Tensor:
        signal = to_signal(augment.random_flips(images, settings.flips))
        return augment.diffaugment(signal, settings.diffaugment)

    @torch.no_grad()
    def score(average: nn.Module) -> dict[str, float]:
        epoch = (len(read_history(folder / "history.jsonl")) + 1) * TICK
        if epoch % MOMENT == 0:
            for name, net in zip(GENERATORS, (gan.generator, average), strict=True):
                half = {
                    k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()
                }
                checkpoint.write(folder / f"{name}-{epoch:03d}.safetensors", half, {})
        judge = copy.deepcopy(gan.discriminator).train()
        draw = copy.deepcopy(gan.generator).train()
        logits: dict[str, Tensor] = {}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed + 2)
            for name, images in sets.items():
                parts = images.tensor_split(round(len(images) / BATCH))
                logits[name] = torch.cat([judge(shown(part)) for part in parts])
            fakes = [
                augment.diffaugment(draw(gan.noise(BATCH)), settings.diffaugment) for _ in range(6)
            ]
            logits["fake"] = torch.cat([judge(part) for part in fakes])
        means = {f"logit_{name}": float(values.mean()) for name, values in logits.items()}
        return means | {f"p_{name}": float(x.sigmoid().mean()) for name, x in logits.items()}

    return score


def train(name: str, seed: int, seen: Tensor, held_out: Tensor, out: Path) -> None:
    """Make a run, or go on with it; its folder then holds the history and the weights."""
    epoch = len(seen) // BATCH * BATCH
    settings = Settings(
        images=EPOCHS * epoch, tick=TICK * epoch, batch_size=BATCH, seed=seed,
        lr_d=RATE, lr_g=RATE, **CHANGES[name],
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        gan = build()
    facts: dict[str, Any] = {"setting": name, "status": "running"}
    with RunFolder(out, resume=(out / "run.json").exists()) as folder:
        folder.write_facts(facts)
        sets = {"train": seen[: len(held_out)], "held_out": held_out}
        fit(
            gan,
            seen,
            settings,
            folder=folder,
            score=probe(gan, sets, settings, out),
            progress=False,
        )
        versions = {"torch": torch.__version__, "device": describe(torch.device("cpu"))}
        folder.write_facts(facts | {"status": "finished", "versions": versions})


def samples(folder: Path, which: str, epoch: int) -> Tensor:
    """Images of a generator whose weights `probe` kept, uint8."""
    gan, path = build(), folder / f"{which}-{epoch:03d}.safetensors"
    checkpoint.load_weights(gan.generator, checkpoint.read(path)[0], path)
    return gan.sample(SAMPLES, seed=1)


def mirrored(images: Tensor) -> Tensor:
    """The images and their mirror images, 4 N in all: what flips make of a training set."""
    return torch.cat([images, images.flip(3), images.flip(2), images.flip((2, 3))])


def neighbours(near: Tensor, seen: Tensor, held_out: Tensor) -> dict[str, Any]:
    """Which painting is the nearest to each sample, in any of its four mirror images.

    A generator without a memory of which paintings it saw comes nearest to a held-out one as often
    as there are held-out ones.

    Args:
        near: features of the samples.
        seen: of the mirrored training images.
        held_out: of the mirrored held-out paintings.

    Returns:
        How many samples have each painting as their nearest (numbers in a text, the training
        images first), the share of held-out ones among them, how often a sample is nearer to the
        training images than a held-out painting (`gancourse.latent.copying`), and quantiles of
        the distances.
    """
    copies = latent.copying(near, seen, held_out)
    _, other = latent.nearest_neighbours(near, held_out)
    index = latent.nearest_neighbours(near, torch.cat([seen, held_out]))[0][:, 0]
    n, m = len(seen) // 4, len(held_out) // 4
    painting = torch.where(index < len(seen), index % n, n + (index - len(seen)) % m)

    def quantiles(distances: Tensor) -> list[float]:
        return [round(float(v), 3) for v in distances.quantile(torch.tensor(QUANTILES))]

    return {
        "nearest": " ".join(map(str, torch.bincount(painting, minlength=n + m).tolist())),
        "held_out_share": float((painting >= n).double().mean()),
        "nearer": copies.nearer,
        "to_train": quantiles(copies.distance),
        "to_held_out": quantiles(other[:, 0]),
        "held_out_to_train": quantiles(copies.reference),
    }


def _kept(scores: metrics.Scores) -> dict[str, float]:
    return {name: round(getattr(scores, name), 4) for name in KEPT}


def main() -> None:
    """Make what is missing, saving after every run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("runs/paintings"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    seen, held_out = split()
    path = FOLDER / "study.json"
    stored = read_json(path) if path.exists() else {"facts": {}, "floor": {}, "runs": []}
    done = {(run["setting"], run["seed"]) for run in stored["runs"]}
    name = metrics.default_extractor("abstract-art")
    judge = metrics.extractor(name)
    against = {
        "held_out": metrics.Reference(held_out, name, split="abstract-art, held out"),
        "train": metrics.Reference(seen, name, split="abstract-art, training images"),
    }
    features = [judge.features(mirrored(images)) for images in (seen, held_out)]
    facts = {
        "size": SIZE, "width": WIDTH, "batch_size": BATCH, "rate": RATE, "epochs": EPOCHS,
        "train": len(seen), "held_out": len(held_out), "samples": SAMPLES,
        "split_seed": SPLIT_SEED, "extractor": name, "extractor_sha256": judge.sha256,
        "quantiles": QUANTILES,
    }  # fmt: skip
    if stored["runs"] and stored["facts"] != facts:
        raise SystemExit(f"{path} was made with other settings; remove it to begin anew.")
    for seed, setting in itertools.product(range(options.seeds), CHANGES):
        if (setting, seed) in done:
            continue
        plain = re.sub("[^a-z]+", "-", setting.lower())
        out = options.work / f"{plain}-seed{seed}"
        train(setting, seed, seen, held_out, out)
        history = read_history(out / "history.jsonl")
        moments = []
        for epoch, which in itertools.product(range(MOMENT, EPOCHS + 1, MOMENT), GENERATORS):
            fakes = samples(out, which, epoch)
            scores = {key: _kept(reference.scores(fakes)) for key, reference in against.items()}
            moments.append({"epoch": epoch, "generator": which, **scores})
        ends = {which: samples(out, which, EPOCHS) for which in GENERATORS}
        kept = ("epoch", "step", "loss_d", "loss_g")
        stored["runs"].append(
            {
                "setting": setting,
                "seed": seed,
                "seconds": history[-1]["seconds"],
                "versions": read_json(out / "run.json")["versions"],
                "curve": [
                    {k: round(v, 4) for k, v in row.items() if k in kept or k[:2] in ("p_", "lo")}
                    for row in history
                ],
                "moments": moments,
                "neighbours": {
                    which: neighbours(judge.features(images), *features)
                    for which, images in ends.items()
                },
            }
        )
        stored["facts"] = facts
        stored["floor"] = _kept(against["held_out"].scores(seen))
        write_json(path, stored)
        if seed == 0:
            buffer = io.BytesIO()
            tile(ends["average"][:16], columns=4).save(buffer, format="PNG", optimize=True)
            write_bytes(FOLDER / f"{plain}.png", buffer.getvalue())
        print(
            setting, seed, {k: round(v, 3) for k, v in moments[-1]["held_out"].items()}, flush=True
        )
    print(f"{len(stored['runs'])} runs in {path}")


if __name__ == "__main__":
    main()
