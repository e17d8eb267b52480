"""The ``gancourse`` command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gancourse.errors import GancourseError

if TYPE_CHECKING:
    from gancourse.training.trainer import Trainer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Train, resume, sample and evaluate generative adversarial networks.",
)

Recipe = Annotated[str, typer.Argument(help="A recipe's name; `gancourse recipes` lists them.")]
RunName = Annotated[str, typer.Argument(help="A run folder, or the name of a record.")]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


@app.command()
def data() -> None:
    """List the data sets: items, shape, where they are or how to get them."""
    from gancourse import data as datasets

    typer.echo(datasets.table())


@app.command()
def recipes() -> None:
    """List the recipes, and what is recorded with TensorFlow (for `gancourse record`)."""
    from gancourse import recipes as known
    from gancourse.tf import comparisons, experiments

    typer.echo(f"{known.table()}\n\n{experiments.table()}\n\n{comparisons.table()}")


def _dry_run(recipe: str, out: Path, device: str, **overrides: Any) -> None:
    """Check everything, time a few steps, and say what training would do."""
    import time

    import torch

    from gancourse.training.api import plan
    from gancourse.training.devices import describe
    from gancourse.training.distribute import join
    from gancourse.training.replay import WARM_UP
    from gancourse.training.trainer import Trainer

    with join(device) as (world, where), torch.random.fork_rng(devices=[]):
        planned = world.everywhere(lambda: plan(recipe, **overrides))
        gan, settings = planned.build(), planned.settings
        trainer = Trainer(gan, planned.data.images, settings, device=where, world=world)
        graph = settings.fast and where.type == "cuda"
        for _ in range(WARM_UP + 1 if graph else 1):
            trainer.step()
        trainer.synchronize()
        start = time.perf_counter()
        for _ in range(3):
            trainer.step()
        trainer.synchronize()
        speed = 3 * settings.batch_size * settings.k / (time.perf_counter() - start)
    if world.rank:
        return
    g, d = (sum(p.numel() for p in net.parameters()) for net in (gan.generator, gan.discriminator))
    shape = " x ".join(map(str, planned.data.shape))
    several = f"{world.size} processes, each on " if world.size > 1 else ""
    typer.echo(
        f"recipe     {recipe}\n"
        f"data       {planned.data.name}, {len(planned.data):,} images of {shape}\n"
        f"generator  {g:,} parameters; discriminator {d:,}\n"
        f"training   {settings.images:,} images in batches of {settings.batch_size}, "
        f"learning rates {settings.lr_d:g} and {settings.lr_g:g}, seed {settings.seed}\n"
        f"path       {_path(trainer)}\n"
        f"augmented  flips: {', '.join(settings.flips) or 'none'}; "
        f"DiffAugment: {', '.join(settings.diffaugment) or 'none'}\n"
        f"device     {several}{describe(where)}: about {speed:,.0f} images/s, "
        f"{settings.images / speed / 60:,.1f} minutes\n"
        f"out        {out}\n"
        "Nothing was written; leave out --dry-run to train."
    )


def _path(trainer: Trainer) -> str:
    """How the steps are computed, in words."""
    path = trainer.path
    if path is None:
        return "as PyTorch does; --fast tries for a faster one"
    compiled = " and ".join(path.compiled) or "nothing"
    return (
        f"generator {path.generator}, discriminator {path.discriminator}, {compiled} compiled, "
        f"{'bfloat16' if path.bf16 else 'float32'}{', as a CUDA graph' if path.graph else ''}"
    )


def _several(text: str | None) -> tuple[str, ...] | None:
    """Names with commas between them; ``none`` for no name, None where the option was left out."""
    if text is None:
        return None
    return () if text == "none" else tuple(name.strip() for name in text.split(","))


@app.command()
def train(
    recipe: Recipe,
    data: Annotated[
        str | None, typer.Option(help="Another data set, or a folder of your own images.")
    ] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes through the data.")] = None,
    images: Annotated[int | None, typer.Option(help="Images to show, instead of epochs.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a minibatch.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate of both players.")] = None,
    lr_d: Annotated[float | None, typer.Option(help="That of the discriminator alone.")] = None,
    lr_g: Annotated[float | None, typer.Option(help="That of the generator alone.")] = None,
    beta1: Annotated[
        float | None, typer.Option(help="Adam's momentum, at least 0 and less than 1.")
    ] = None,
    ema: Annotated[
        float | None,
        typer.Option(help="Decay of the generator's moving average a step; 0 for no average."),
    ] = None,
    flips: Annotated[
        str | None,
        typer.Option(help="Mirror real images at random: horizontal,vertical (or one, or none)."),
    ] = None,
    diffaugment: Annotated[
        str | None,
        typer.Option(
            help="Change what the discriminator sees: color,translation,cutout (or some, or none)."
        ),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option(
            help="Compute the steps in the way that a short trial finds fastest on this machine."
        ),
    ] = False,
    seed: Seed = 0,
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Run folder; by default runs/RECIPE.", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, time a few steps, write nothing.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write TensorBoard events.")
    ] = False,
) -> None:
    """Train a recipe into a run folder."""
    overrides: dict[str, Any] = {
        "data": data, "epochs": epochs, "images": images, "batch_size": batch_size, "lr": lr,
        "lr_d": lr_d, "lr_g": lr_g, "beta1": beta1, "ema": ema,
        "flips": _several(flips), "diffaugment": _several(diffaugment), "fast": fast, "seed": seed,
    }  # fmt: skip
    out = Path("runs") / recipe.replace("/", "-") if out is None else out
    if dry_run:
        _dry_run(recipe, out, device, **overrides)
        return
    import gancourse
    from gancourse.training.distribute import started_as

    first_process = started_as()[0] == 0
    try:
        run = gancourse.train(
            recipe, **overrides, device=device, out=out, resume=resume, tensorboard=tensorboard
        )
    except KeyboardInterrupt:
        if first_process:
            saved = f"saved in {out}. Go on with the same command and --resume"
            begun = (out / "run.json").is_file()
            typer.echo(f"\nInterrupted; {saved if begun else 'nothing was begun'}.", err=True)
        raise typer.Exit(130) from None
    if not first_process:
        return
    row = run.history[-1]
    fid = f", FID {row['fid']:.1f}" if "fid" in row else ""
    typer.echo(
        f"{row['images']:,} images in {row['seconds']:.0f} s{fid}. Run folder: {out}\n"
        f"Next: gancourse sample {out}"
    )


@app.command()
def sample(
    run: RunName,
    n: Annotated[int, typer.Option("-n", "--n", help="How many images.")] = 64,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The picture to write.")] = Path("samples.png"),
) -> None:
    """Draw images from a trained generator into one picture."""
    import io

    import gancourse
    from gancourse.files import write_bytes
    from gancourse.plots import tile

    kinds = {".png": "PNG", ".webp": "WEBP", ".jpg": "JPEG", ".jpeg": "JPEG"}
    kind = kinds.get(out.suffix.lower())
    if kind is None:
        raise GancourseError(f"Cannot write {out}: name a .png, .webp or .jpg file by --out.")
    buffer = io.BytesIO()
    tile(gancourse.load(run).sample(n, seed=seed)).save(buffer, format=kind)
    write_bytes(out, buffer.getvalue())
    typer.echo(f"{n} samples in {out}")


@app.command()
def evaluate(
    run: RunName,
    n: Annotated[int, typer.Option("-n", "--n", help="How many samples to draw.")] = 10_000,
    seed: Seed = 0,
    extractor: Annotated[
        str | None,
        typer.Option(help="Feature extractor; by default the data set's.", show_default=False),
    ] = None,
) -> None:
    """Score a run against the test split of its data: FID, KID, IS, precision, recall, ..."""
    import gancourse

    typer.echo(str(gancourse.evaluate(run, n=n, seed=seed, extractor=extractor)))


@app.command()
def diagnose(
    run: RunName,
    n: Annotated[int, typer.Option("-n", "--n", help="How many samples to draw.")] = 1000,
    seed: Seed = 0,
) -> None:
    """Say what is wrong with a run, if anything, by which numbers, and what to try."""
    import gancourse
    from gancourse.metrics.diagnose import text

    typer.echo(text(gancourse.diagnose(run, n=n, seed=seed)))


@app.command()
def claims(
    claim: Annotated[
        str | None, typer.Argument(help="A claim's id, such as E1; all claims if left out.")
    ] = None,
) -> None:
    """Show what the sources claim, what came out, and the verdict that follows."""
    import shutil

    from gancourse import claims as ledger
    from gancourse.claims import text

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if claim is None:
        entries = ledger.ledger()
        typer.echo(text.table(entries, ledger.counts(entries), width))
    else:
        typer.echo(text.details(ledger.get(claim), min(width or 100, 100)))


@app.command()
def record(
    recipe: Annotated[
        str,
        typer.Argument(help="Name of a recipe, experiment or comparison (`gancourse recipes`)."),
    ],
    seeds: Annotated[
        int | None,
        typer.Option(help="Runs, from seed 0; by default 1 of a recipe, 3 of an experiment."),
    ] = None,
    device: Device = "auto",
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the record; by default in the package.", show_default=False),
    ] = None,
) -> None:
    """Make a full run and keep its record; the same command resumes it.

    The package has records of most. To make one anew, name another folder by --out.
    """
    of_tensorflow = recipe.startswith("tf/")
    compared = recipe.startswith("tf/frameworks/")
    if compared and seeds is not None:
        raise GancourseError(
            f"{recipe} takes no --seeds: a comparison (tf/frameworks/...) has seeds of its own."
        )
    if of_tensorflow and device != "auto":
        raise GancourseError(
            "TensorFlow takes a GPU where it finds one; leave out --device. To keep it on "
            "the CPU, set CUDA_VISIBLE_DEVICES=-1."
        )
    try:
        if compared:
            path = _record_comparison(recipe, out)
        elif of_tensorflow:
            path = _record_experiment(recipe, 3 if seeds is None else seeds, out)
        else:
            import gancourse

            path = gancourse.record(
                recipe, seeds=range(1 if seeds is None else seeds), device=device, out=out
            ).path
    except KeyboardInterrupt:
        saved = "The finished runs are saved" if of_tensorflow else "Interrupted and saved"
        typer.echo(f"\n{saved}. The same command goes on from here.", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"Record: {path}")


def _record_experiment(name: str, seeds: int, out: Path | None) -> Path:
    from gancourse.tf import experiments

    experiments.get(name)  # a name is refused before TensorFlow is imported
    from gancourse.tf.recording import record as record_experiment

    return record_experiment(name, seeds=seeds, out=out, progress=True).path


def _record_comparison(name: str, out: Path | None) -> Path:
    from gancourse.tf import comparisons

    comparisons.get(name)
    from gancourse.tf.frameworks import record as record_comparison

    return record_comparison(name, out=out, progress=True)


def main() -> None:
    """Run the command; an error the user can put right is printed alone, with exit code 2."""
    try:
        app()
    except GancourseError as error:
        if not getattr(error, "told", False):
            print(f"gancourse: {error}", file=sys.stderr)
        sys.exit(2)
