"""Make runs fail in every way that `gancourse diagnose` names, and see what it names them.

    python tools/failures.py --seeds 10 15                 # seeds 10 to 14, some minutes
    python tools/failures.py --seeds 0 3 --kinds collapse oscillation --keep runs/failures

Every run is of scikit-learn's digits and takes seconds on one thread. Prints what each run was
named, and then the table: of the runs made in a way, to how many was each name given first, and to
how many at all. The thresholds of gancourse/metrics/symptoms.py were chosen on seeds 0, 1 and 2;
judge them on others. With --keep the runs stay, and are not made again.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from gancourse import data
from gancourse.metrics.diagnose import REMEDIES, diagnose
from gancourse.training.api import Plan, plan, run_plan
from gancourse.training.fit import fit
from gancourse.training.folder import RunFolder

TICKS = 30


def _plan(
    recipe: str, seed: int, epochs: float, options: dict[str, Any] | None = None, **training: Any
) -> Plan:
    """A run of the digits without FID: other options of the GAN, other settings of the training."""
    planned = plan(recipe, seed=seed, epochs=epochs, budget="short")
    changed = replace(planned.recipe, options={**planned.recipe.options, **(options or {})})
    tick = max(planned.settings.images // TICKS, 1)
    return replace(
        planned, recipe=changed, settings=replace(planned.settings, tick=tick, **training)
    )


def _run(planned: Plan, out: Path) -> None:
    run_plan(planned, torch.device("cpu"), out=out, resume=False, progress=False)


def healthy_mlp(seed: int, out: Path) -> None:
    """The short budget of a recipe, as it stands."""
    _run(_plan("vanilla/digits", seed, 60), out)


def healthy_dcgan(seed: int, out: Path) -> None:
    """The other recipe; half its short budget."""
    _run(_plan("dcgan/digits", seed, 30), out)


def collapse(seed: int, out: Path) -> None:
    """Adam with twenty times the rate and the momentum of a classifier."""
    _run(_plan("vanilla/digits", seed, 30, lr_d=1e-2, lr_g=1e-2, beta1=0.9), out)


def partial_collapse(seed: int, out: Path) -> None:
    """A discriminator with a tenth of its rate: what it does not see, the generator leaves out."""
    _run(_plan("vanilla/digits", seed, 40, lr_d=5e-5), out)


def winning(seed: int, out: Path) -> None:
    """A discriminator with twenty times the generator's rate."""
    _run(_plan("vanilla/digits", seed, 40, lr_d=4e-3, lr_g=2e-5), out)


def vanishing(seed: int, out: Path) -> None:
    """The saturating loss under plain descent, against a discriminator that has five steps."""
    changes = {"optimizer": "sgd", "beta1": 0.0, "lr_d": 0.1, "lr_g": 0.01, "k": 5}
    _run(_plan("vanilla/digits", seed, 50, {"loss": "saturating"}, **changes), out)


def oscillation(seed: int, out: Path) -> None:
    """Descent with a momentum of 0.98, the generator at twenty times the discriminator's rate."""
    changes = {"optimizer": "sgd", "beta1": 0.98, "lr_d": 3e-4, "lr_g": 6e-3}
    _run(_plan("vanilla/digits", seed, 25, **changes), out)


def memorisation(seed: int, out: Path) -> None:
    """Twenty images, shown two thousand times each, from a folder with a test folder beside it."""
    folder = out.parent / f"{out.name}-images"
    for split, count in (("train", 20), ("test", 360)):
        images = data.load("digits", split=split).images
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
        (folder / split).mkdir(parents=True)
        for index in order[:count].tolist():
            picture = Image.fromarray(images[index, 0].numpy())
            picture.save(folder / split / f"{index:04d}.png")
    planned = plan("vanilla/digits", data=folder, epochs=2000, seed=seed, batch_size=20,
                   budget="short")  # fmt: skip
    tick = planned.settings.images // TICKS
    _run(replace(planned, settings=replace(planned.settings, tick=tick)), out)


def late_divergence(seed: int, out: Path) -> None:
    """A healthy run that is taken up again at a hundred times its rate."""
    planned = _plan("vanilla/digits", seed, 40)
    _run(planned, out)
    steps = planned.settings
    more = replace(steps, images=steps.images * 3 // 2, lr_d=5e-2, lr_g=5e-2, beta1=0.9)
    with RunFolder(out, resume=True) as folder:
        fit(planned.build(), planned.data.images, more, folder=folder, progress=False)


#: kind -> (the finding it should get, how to make it)
KINDS: dict[str, tuple[str, Callable[[int, Path], None]]] = {
    "healthy MLP": ("healthy", healthy_mlp),
    "healthy DCGAN": ("healthy", healthy_dcgan),
    "collapse": ("collapse", collapse),
    "partial collapse": ("partial collapse", partial_collapse),
    "discriminator winning": ("discriminator winning", winning),
    "vanishing gradients": ("vanishing gradients", vanishing),
    "oscillation": ("oscillation", oscillation),
    "memorisation": ("memorisation", memorisation),
    "late divergence": ("late divergence", late_divergence),
}


def name(kind: str, seed: int, folder: Path) -> list[str]:
    """Make a run, unless it is there, and return the findings' names."""
    run = folder / f"{kind.replace(' ', '-')}-{seed}"
    if not (run / "run.json").exists():
        KINDS[kind][1](seed, run)
    return [f.name for f in diagnose(run) if f.name != "not judged"]


def table(named: dict[str, list[list[str]]]) -> str:
    """Kinds down, findings across: runs with the finding first / with it at all."""
    columns = ["healthy", *REMEDIES]
    lines = [f"{'made':24}" + "".join(f"{column.split()[0][:13]:>14}" for column in columns)]
    for kind, runs in named.items():
        cells = (
            f"{sum(names[0] == column for names in runs)}/{sum(column in names for names in runs)}"
            for column in columns
        )
        lines.append(f"{kind:24}" + "".join(f"{'.' if c == '0/0' else c:>14}" for c in cells))
    return "\n".join(lines)


def main() -> None:
    """Make the runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=(10, 15), metavar=("FIRST", "END"))
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--keep", type=Path, help="where the runs are kept")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    named: dict[str, list[list[str]]] = {kind: [] for kind in asked.kinds}
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        for seed in range(*asked.seeds):
            for kind in asked.kinds:
                named[kind].append(name(kind, seed, folder))
                right = "yes" if named[kind][-1][0] == KINDS[kind][0] else "NO"
                print(f"{kind} {seed}: {', '.join(named[kind][-1])} ({right})", flush=True)
    print(f"\nruns named so first / named so at all\n{table(named)}")


if __name__ == "__main__":
    main()
