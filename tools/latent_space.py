"""Record the experiments of the chapter on latent space, several seeds each, and its film.

    python tools/latent_space.py [--seeds 3]

All are of the recorded generator of dcgan/fashion-mnist, judged by fashion-mnist-cnn. The results
go to ``gancourse/recorded/latent-space/scores.json``, a row for each part and seed; what is in the
file already is not made again, unless the record's weights have changed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

import gancourse
from gancourse import data, latent, metrics
from gancourse.files import read_json, write_bytes, write_json
from gancourse.gans.base import to_pixels
from gancourse.metrics.neighbours import neighbour_scores
from gancourse.plots import film_strip, tile
from gancourse.training.run import RECORDED

RECORD, EXTRACTOR = "dcgan/fashion-mnist", "fashion-mnist-cnn"
FOLDER = RECORDED / "latent-space"
COUNT = 2000  # images of a set, and real test images it is compared with
THRESHOLDS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
EXEMPLARS, TRIALS = (1, 3, 10), 20
FILM_POINTS, FILM_STEPS, SIDE = 4, 12, 3


class Lab:
    """The generator, the judge, and the real images."""

    def __init__(self) -> None:
        self.generator = gancourse.load(RECORD).generator
        self.judge = metrics.extractor(EXTRACTOR)
        self.train = data.load("fashion-mnist").images
        self.test = data.load("fashion-mnist", split="test").images

    def images(self, z: Tensor) -> Tensor:
        """uint8 images of noise."""
        return torch.cat([to_pixels(self.generator(part)) for part in z.split(1000)])

    def scores(self, images: Tensor, real: Tensor) -> dict[str, float]:
        """Of a set of images against the features of real ones."""
        features, p = self.judge.features_and_probabilities(images)
        precision, recall, density, coverage = neighbour_scores(real, features, k=3, density_k=5)
        return {
            "fid": metrics.fid(metrics.statistics(real), metrics.statistics(features)),
            "precision": precision,
            "recall": recall,
            "density": density,
            "coverage": coverage,
            "certainty": float(p.amax(1).mean()),
            "contrast": float(images.float().std((1, 2, 3)).mean()),
        }


def _chosen(images: Tensor, count: int, rng: torch.Generator) -> Tensor:
    return images[torch.randperm(len(images), generator=rng)[:count]]


def ways(lab: Lab, rng: torch.Generator) -> dict[str, Any]:
    """Half-way between two samples: along the arc, straight, and with the images cross-faded."""
    a, b = torch.randn(2, COUNT, 100, generator=rng)
    faded = torch.cat([lab.generator(x) + lab.generator(y) for x, y in
                       zip(a.split(1000), b.split(1000), strict=True)]) / 2  # fmt: skip
    sets = {
        "samples": lab.images(a),
        "arc": lab.images(latent.slerp(a, b, 0.5)),
        "line": lab.images(latent.lerp(a, b, 0.5)),
        "fade": to_pixels(faded),
        "training": _chosen(lab.train, COUNT, rng),
    }
    real = lab.judge.features(_chosen(lab.test, COUNT, rng))
    return {name: lab.scores(images, real) for name, images in sets.items()}


def truncation(lab: Lab, rng: torch.Generator) -> dict[str, Any]:
    """The same noise truncated at several thresholds; and with only its length changed."""
    z = torch.randn(COUNT, 100, generator=rng)
    real = lab.judge.features(_chosen(lab.test, COUNT, rng))
    sets = {"none": z} | {f"{at:g}": latent.truncate(z, at) for at in THRESHOLDS}
    one = sets["1"]
    sets["1, as long as before"] = one * (z.norm(dim=1) / one.norm(dim=1))[:, None]
    sets["none, as short as 1"] = z * (one.norm(dim=1) / z.norm(dim=1))[:, None]
    return {
        name: {**lab.scores(lab.images(noise), real), "length": float(noise.norm(dim=1).mean())}
        for name, noise in sets.items()
    }


def brightness(images: Tensor) -> Tensor:
    """Mean grey level of the pixels that are not background (above 25)."""
    x = images.flatten(1).float()
    return (x * (x > 25)).sum(1) / (x > 25).sum(1).clamp_min(1)


def arithmetic(lab: Lab, rng: torch.Generator) -> dict[str, Any]:
    """Bright a - dark a + dark c, over all pairs of kinds: is it a bright c?"""
    z = torch.randn(12_000, 100, generator=rng)
    images = lab.images(z)
    certainty, kind = lab.judge.probabilities(images).max(1)
    light = brightness(images)
    middle = torch.stack([light[kind == k].median() for k in range(10)])
    quarters = [light[kind == k].quantile(torch.tensor([0.25, 0.75])) for k in range(10)]
    sure = certainty > 0.9
    dark = [z[(kind == k) & sure & (light < quarters[k][0])] for k in range(10)]
    bright = [z[(kind == k) & sure & (light > quarters[k][1])] for k in range(10)]
    chance = [float(((kind == k) & (light > middle[k])).float().mean()) for k in range(10)]

    def draw(pool: Tensor, n: int) -> Tensor:
        return pool[torch.randint(len(pool), (TRIALS, n), generator=rng)]

    def judged(noise: Tensor, c: int) -> tuple[int, int, int]:
        made = lab.images(noise)
        right = lab.judge.probabilities(made).argmax(1) == c
        lit = brightness(made) > middle[c]
        return int((right & lit).sum()), int(right.sum()), int(lit.sum())

    def mean(three: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return torch.stack([latent.arithmetic(*one) for one in zip(*three, strict=True)])

    rows: dict[str, Any] = {"chance": sum(chance) / 10, "trials": TRIALS, "sum": {}}
    for n in EXEMPLARS:
        table = torch.zeros(10, 10, dtype=torch.int64)
        totals = torch.zeros(3, 3)  # sum, no step, step without meaning; both, kind, brightness
        for a, c in itertools.permutations(range(10), 2):
            up, down, to = draw(bright[a], n), draw(dark[a], n), draw(dark[c], n)
            found = judged(mean((up, down, to)), c)
            table[a, c] = found[0]
            totals[0] += torch.tensor(found)
            totals[1] += torch.tensor(judged(to.mean(1), c))
            totals[2] += torch.tensor(judged(mean((up, draw(bright[a], n), to)), c))
        shares = (totals / (90 * TRIALS)).double().tolist()
        names = ("step", "no step", "step between equals")
        rows["sum"][str(n)] = {
            "successes": table.tolist(),
            **{
                name: dict(zip(("both", "kind", "brightness"), share, strict=True))
                for name, share in zip(names, shares, strict=True)
            },
        }
    return rows


def paths(lab: Lab, rng: torch.Generator) -> dict[str, Any]:
    """Path lengths of two generators and of a table of training images, with three steps."""
    a, b = torch.randn(2, 200, 100, generator=rng)
    codes = torch.randn(1000, 100, generator=rng)
    shown = _chosen(lab.train, 1000, rng).float() / 127.5 - 1

    def features(x: Tensor) -> Tensor:
        return lab.judge.network.features((x + 1) / 2)

    nets: dict[str, Callable[[Tensor], Tensor]] = {
        "dcgan": lab.generator,
        "vanilla": gancourse.load("vanilla/fashion-mnist").generator,
        "table": lambda z: shown[(z @ codes.T).argmax(1)],
    }
    rows: dict[str, Any] = {}
    for name, net in nets.items():
        rows[name] = {
            f"{step:g}": float(latent.path_length(net, features, a, b, step=step).mean())
            for step in (1e-1, 1e-2, 1e-3)
        }
        straight = latent.path_length(net, features, a, b, way=latent.lerp)
        rows[name]["straight"] = float(straight.mean())
    return rows


def inversion(lab: Lab, rng: torch.Generator) -> dict[str, Any]:
    """How near gradient descent comes to generated, real and turned images."""
    count, pool = 16, torch.randn(4000, 100, generator=rng)
    known = lab.images(pool)
    test = _chosen(lab.test, count, rng)
    sets = {
        "generated": lab.images(torch.randn(count, 100, generator=rng)),
        "training": _chosen(lab.train, count, rng),
        "test": test,
        "upside down": test.flip(2),
    }
    pixels = lab.train[:20_000].flatten(1).float()
    middle = pixels.mean(0)
    basis = torch.linalg.eigh((pixels - middle).T.cov()).eigenvectors[:, -100:]
    rows: dict[str, Any] = {}
    for name, images in sets.items():
        index, _ = latent.nearest_neighbours(images, known)
        z, error = latent.invert(lab.generator, images, pool[index[:, 0]])
        far = images.flatten(1).float() - middle
        linear = (far - far @ basis @ basis.T).square().mean(1).sqrt()
        rows[name] = {
            "error": float(error.mean()),
            "length": float(z.norm(dim=1).mean()),
            "linear": float(linear.mean()),
        }
        start = torch.randn(count, 100, generator=rng)
        _, error = latent.invert(lab.generator, images, start)
        rows[name]["random start"] = float(error.mean())
    return rows


def film(lab: Lab) -> bytes:
    """A closed walk of nine images at once, frames one below the other."""
    points = torch.randn(FILM_POINTS, SIDE**2, 100, generator=torch.Generator().manual_seed(3))
    walks = [latent.walk(points[:, i], FILM_STEPS) for i in range(SIDE**2)]
    frames = [
        tile(lab.images(torch.stack([way[k] for way in walks])), columns=SIDE, gap=0)
        for k in range(FILM_POINTS * FILM_STEPS)
    ]
    buffer = io.BytesIO()
    film_strip(frames).save(buffer, format="WEBP", quality=70, method=6)
    return buffer.getvalue()


PARTS = {
    "ways": ways,
    "truncation": truncation,
    "arithmetic": arithmetic,
    "inversion": inversion,
    "paths": paths,
}


def main() -> None:
    """Make what is missing, saving after every row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    path = FOLDER / "scores.json"
    weights = hashlib.sha256((RECORDED / RECORD / "weights.safetensors").read_bytes()).hexdigest()
    stored = read_json(path) if path.exists() else {}
    head = {
        "record": RECORD,
        "weights_sha256": weights,
        "extractor": EXTRACTOR,
        "extractor_sha256": metrics.extractor(EXTRACTOR).sha256,
        "split": "fashion-mnist/test",
        "count": COUNT,
    }
    if {name: stored.get(name) for name in head} != head:
        stored = {**head, "rows": []}
    lab = Lab()
    write_bytes(FOLDER / "walk.webp", film(lab))
    done = {(row["part"], row["seed"]) for row in stored["rows"]}
    for seed, (name, make) in itertools.product(range(options.seeds), PARTS.items()):
        if (name, seed) in done:
            continue
        found = make(lab, torch.Generator().manual_seed(seed))
        stored["rows"].append({"part": name, "seed": seed, "found": found})
        write_json(path, stored)
        print(name, seed, flush=True)
    print(f"{len(stored['rows'])} rows in {path}")


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
