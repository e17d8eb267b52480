"""Make runs fail in every way that `gancourse diagnose` names, and see what it names them.

    python tools/failures.py --seeds 10 15                          # seeds 10 to 14, minutes each
    python tools/failures.py --seeds 0 3 --kinds collapse oscillation --keep runs/failures
    python tools/failures.py --seeds 10 15 --record                 # the book's table
    python tools/failures.py --seeds 10 13 --remedies --record      # the book's remedies

Most runs are of scikit-learn's digits, some of MNIST; they take seconds on one thread. Prints what
each run was named, and then the table: of the runs made in a way, to how many was each name given
first, and to how many at all. The thresholds of gancourse/metrics/symptoms.py were chosen on seeds
0, 1 and 2; judge them on others. With --keep the runs stay, and are not made again; with --record
what came out of each goes to gancourse/recorded/failures, and what is there already is left out.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

import gancourse
from gancourse import data, metrics
from gancourse.files import read_json, write_json
from gancourse.metrics.diagnose import REMEDIES, examine, findings
from gancourse.training.api import Plan, plan, run_plan
from gancourse.training.fit import fit
from gancourse.training.folder import RunFolder
from gancourse.training.judging import tick_score
from gancourse.training.run import RECORDED

TICKS = 30
TUNING = (0, 1, 2)
FOLDER = RECORDED / "failures"
RECORDS = (
    "vanilla/mnist", "vanilla/fashion-mnist", "dcgan/fashion-mnist", "dcgan/cifar10",
    "dcgan/abstract-art",
)  # fmt: skip


def _plan(
    recipe: str,
    seed: int,
    epochs: float,
    *,
    options: dict[str, Any] | None = None,
    folder: Path | None = None,
    scored: bool = False,
    **training: Any,
) -> Plan:
    """A short run with other options of the GAN and other settings of the training."""
    size = training.pop("batch_size", None)
    planned = plan(recipe, data=folder, seed=seed, epochs=epochs, budget="short", batch_size=size)
    changes = {"options": {**planned.recipe.options, **(options or {})}, "score_samples": 1000}
    tick = max(planned.settings.images // TICKS, 1)
    return replace(
        planned,
        recipe=replace(planned.recipe, **changes),
        settings=replace(planned.settings, **{"tick": tick, **training}),
        full=scored,
    )


def _run(planned: Plan, out: Path) -> None:
    run_plan(planned, torch.device("cpu"), out=out, resume=False, progress=False)


def _own(split: str, count: int, seed: int, folder: Path) -> Path:
    """Digits as pictures in a folder, as a reader's own images come."""
    images = data.load("digits", split=split).images
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    if not folder.exists():
        folder.mkdir(parents=True)
        for index in order[:count].tolist():
            Image.fromarray(images[index, 0].numpy()).save(folder / f"{index:04d}.png")
    return folder


def healthy_mlp(seed: int, out: Path, **changes: Any) -> None:
    """The short budget of a recipe, as it stands."""
    _run(_plan("vanilla/digits", seed, 60, **changes), out)


def healthy_dcgan(seed: int, out: Path, **changes: Any) -> None:
    """The other recipe; half its short budget."""
    _run(_plan("dcgan/digits", seed, 30, **changes), out)


def healthy_own(seed: int, out: Path, **changes: Any) -> None:
    """The first recipe on a folder of images without a test folder."""
    folder = _own("train", 1437, seed, out.parent / f"{out.name}-images")
    _run(_plan("vanilla/digits", seed, 60, folder=folder, **changes), out)


def collapse(seed: int, out: Path, **changes: Any) -> None:
    """Adam with twenty times the rate and the momentum of a classifier."""
    _run(_plan("vanilla/digits", seed, 30, **{"lr_d": 1e-2, "lr_g": 1e-2, "beta1": 0.9} | changes),
         out)  # fmt: skip


def collapse_28(seed: int, out: Path, **changes: Any) -> None:
    """The same on MNIST, at fifty times its recipe's rate."""
    made = {"lr_d": 1e-2, "lr_g": 1e-2, "beta1": 0.9, "batch_size": 64}
    _run(_plan("vanilla/mnist", seed, 0.2, **made | changes), out)


def partial_collapse(seed: int, out: Path, **changes: Any) -> None:
    """A discriminator with a tenth of its rate: what it does not see, the generator leaves out."""
    _run(_plan("vanilla/digits", seed, 40, **{"lr_d": 5e-5} | changes), out)


def winning(seed: int, out: Path, **changes: Any) -> None:
    """A discriminator with two hundred times the generator's rate."""
    _run(_plan("vanilla/digits", seed, 40, **{"lr_d": 4e-3, "lr_g": 2e-5} | changes), out)


def winning_28(seed: int, out: Path, **changes: Any) -> None:
    """A narrow DCGAN on MNIST whose discriminator has forty times the generator's rate."""
    made = {"lr_d": 4e-3, "lr_g": 1e-4, "options": {"width": 8}, "batch_size": 64}
    _run(_plan("dcgan/mnist", seed, 0.2, **made | changes), out)


def vanishing(seed: int, out: Path, **changes: Any) -> None:
    """The saturating loss under plain descent, against a discriminator that has five steps."""
    made = {"options": {"loss": "saturating"}, "optimizer": "sgd", "beta1": 0.0, "lr_d": 0.1,
            "lr_g": 0.01, "k": 5}  # fmt: skip
    _run(_plan("vanilla/digits", seed, 50, **made | changes), out)


def oscillation(seed: int, out: Path, **changes: Any) -> None:
    """Descent with a momentum of 0.98, the generator at twenty times the discriminator's rate."""
    made = {"optimizer": "sgd", "beta1": 0.98, "lr_d": 3e-4, "lr_g": 6e-3}
    _run(_plan("vanilla/digits", seed, 25, **made | changes), out)


def memorisation(
    seed: int, out: Path, images: int = 20, test: bool = True, share: float = 1, **changes: Any
) -> None:
    """Twenty images, shown two thousand times each, from a folder with a test folder beside it."""
    folder = out.parent / f"{out.name}-images"
    train = _own("train", images, seed, folder / ("train" if test else "pictures"))
    if test:
        _own("test", 360, seed, folder / "test")
    planned = _plan("vanilla/digits", seed, share * 40_000 / images, folder=train, batch_size=20,
                    **changes)  # fmt: skip
    _run(planned, out)


def memorisation_alone(seed: int, out: Path) -> None:
    """The same twenty images, and no others to compare with."""
    memorisation(seed, out, test=False)


def late_divergence(seed: int, out: Path, scored: bool = False, **changes: Any) -> None:
    """A healthy run that is taken up again at a hundred times its rate."""
    planned = _plan("vanilla/digits", seed, 40, scored=scored)
    _run(planned, out)
    steps, gan = planned.settings, planned.build()
    made = {"images": steps.images * 3 // 2, "lr_d": 5e-2, "lr_g": 5e-2, "beta1": 0.9}
    score = tick_score(gan, "digits", 8, 1000, seed + 2) if scored else None
    with RunFolder(out, resume=True) as folder:
        fit(gan, planned.data.images, replace(steps, **made | changes), folder=folder, score=score,
            progress=False)  # fmt: skip


def late_divergence_scored(seed: int, out: Path, **changes: Any) -> None:
    """The same with the scores of every tick."""
    late_divergence(seed, out, scored=True, **changes)


def record(seed: int, out: Path) -> None:
    """A run that is recorded with the package: fifty epochs or more, grey or in colour."""
    shutil.copytree(RECORDED / RECORDS[seed % len(RECORDS)], out)


#: kind -> (the finding it should get, how to make it)
KINDS: dict[str, tuple[str, Callable[..., None]]] = {
    "healthy MLP": ("healthy", healthy_mlp),
    "healthy DCGAN": ("healthy", healthy_dcgan),
    "healthy, own images": ("healthy", healthy_own),
    "healthy, records": ("healthy", record),
    "collapse": ("collapse", collapse),
    "collapse, 28 px": ("collapse", collapse_28),
    "partial collapse": ("partial collapse", partial_collapse),
    "discriminator winning": ("discriminator winning", winning),
    "discriminator winning, 28 px": ("discriminator winning", winning_28),
    "vanishing gradients": ("vanishing gradients", vanishing),
    "oscillation": ("oscillation", oscillation),
    "memorisation": ("memorisation", memorisation),
    "memorisation, no test images": ("memorisation", memorisation_alone),
    "late divergence": ("late divergence", late_divergence),
    "late divergence, scored": ("late divergence", late_divergence_scored),
}

AUGMENT = {"diffaugment": ("color", "translation", "cutout")}
#: kind -> remedy -> what it changes in how the run is made
TRIED: dict[str, dict[str, dict[str, Any]]] = {
    "discriminator winning": {"DiffAugment": AUGMENT, "usual rates": {"lr_d": 5e-4, "lr_g": 5e-4}},
    "memorisation": {"a tenth as long": {"share": 0.1}, "DiffAugment": AUGMENT},
    "collapse": {"beta1 0.5": {"beta1": 0.5}},
    "vanishing gradients": {"non-saturating loss": {"options": {}}},
    "oscillation": {"momentum 0.5": {"beta1": 0.5}},
    "partial collapse": {"usual rate of D": {"lr_d": 5e-4}},
    "late divergence, scored": {"best checkpoint": {"checkpoint": "best"}},
}


def name(run: Path, make: Callable[[], None], checkpoint: str = "last") -> dict[str, Any]:
    """Make a run, unless it is there; what was found, and the numbers of every rule."""
    if not (run / "run.json").exists():
        make()
    opened = gancourse.load(run, checkpoint_name=checkpoint)
    judged = examine(opened)
    numbers = {
        finding: [
            None if isinstance(rule, str) else [float(f"{e.value:.4g}") for e in rule]
            for rule in rules
        ]
        for finding, rules in judged.items()
    }
    names = [finding.name for finding in findings(judged) if finding.name != "not judged"]
    return {"named": names, "numbers": numbers}


def remedy(kind: str, tried: str, seed: int, folder: Path) -> dict[str, Any]:
    """Make a failing run with one thing changed; besides, its FID by the digits' classifier."""
    changes = dict(TRIED[kind].get(tried, {}))
    checkpoint = changes.pop("checkpoint", "last")
    run = folder / f"{kind}{' ' + tried if changes else ''}-{seed}".replace(" ", "-")
    found = name(run, lambda: KINDS[kind][1](seed, run, **changes), checkpoint)
    samples = gancourse.load(run, checkpoint_name=checkpoint).sample(2000, seed=seed)
    real = data.load("digits", split="test").images
    scores = metrics.scores(real, samples, "digits-cnn", split="digits/test")
    return {**found, "fid": round(scores.fid, 2), "recall": round(scores.recall, 3)}


def table(named: dict[str, list[list[str]]]) -> str:
    """Kinds down, findings across: runs with the finding first / with it at all."""
    columns = ["healthy", *REMEDIES]
    lines = [f"{'made':30}" + "".join(f"{column.split()[0][:13]:>14}" for column in columns)]
    for kind, runs in named.items():
        cells = (
            f"{sum(names[0] == column for names in runs)}/{sum(column in names for names in runs)}"
            for column in columns
        )
        lines.append(f"{kind:30}" + "".join(f"{'.' if c == '0/0' else c:>14}" for c in cells))
    return "\n".join(lines)


def main() -> None:
    """Make the runs and print what they were named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=(10, 15), metavar=("FIRST", "END"))
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), help="by default all")
    parser.add_argument("--remedies", action="store_true", help="try the remedies instead")
    parser.add_argument("--keep", type=Path, help="where the runs are kept")
    parser.add_argument("--record", action="store_true", help="keep what comes out in the package")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    path = FOLDER / ("remedies.json" if asked.remedies else "runs.json")
    stored = read_json(path) if asked.record and path.exists() else {"tuning": TUNING, "runs": []}
    known = {(r["kind"], r.get("remedy"), r["seed"]): r for r in stored["runs"]}
    kinds = asked.kinds or (list(TRIED) if asked.remedies else list(KINDS))
    named: dict[str, list[list[str]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        for seed in range(*asked.seeds):
            for kind in kinds:
                if kind == "healthy, records" and seed - asked.seeds[0] >= len(RECORDS):
                    continue  # there are no more, and a copy would count twice
                for tried in ("none", *TRIED[kind]) if asked.remedies else (None,):
                    key = (kind, tried, seed)
                    if key not in known and tried is None:
                        run = folder / f"{kind}-{seed}".replace(" ", "-")
                        make = KINDS[kind][1]
                        known[key] = name(run, lambda make=make, s=seed, r=run: make(s, r))
                    elif key not in known:
                        known[key] = remedy(kind, tried, seed, folder)
                    known[key] |= {"kind": kind, "seed": seed}
                    known[key] |= {} if tried is None else {"remedy": tried}
                    names = known[key]["named"]
                    named.setdefault(f"{kind}: {tried}" if tried else kind, []).append(names)
                    right = "yes" if names[0] == KINDS[kind][0] else "NO"
                    note = f"FID {known[key]['fid']}" if tried else f"({right})"
                    print(f"{kind} {tried or ''} {seed}: {', '.join(names)} {note}", flush=True)
                    if asked.record:
                        write_json(path, {**stored, "runs": list(known.values())})
    print(f"\nruns named so first / named so at all\n{table(named)}")


if __name__ == "__main__":
    main()
