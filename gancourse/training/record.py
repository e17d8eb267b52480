"""Records: what a full run leaves behind in the package, small enough to ship."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from gancourse import data, metrics
from gancourse.data import ImageData
from gancourse.errors import GancourseError
from gancourse.files import write_bytes, write_json
from gancourse.latent import copying, nearest_neighbours
from gancourse.plots import film_strip, tile
from gancourse.training import checkpoint
from gancourse.training.api import plan, run_plan
from gancourse.training.devices import choose
from gancourse.training.distribute import started_as
from gancourse.training.judging import evaluate, floor, like_floor
from gancourse.training.run import RECORDED, Run, load

__all__ = ["record"]

#: what the folder of a record holds
FILES = (
    "run.json", "history.jsonl", "history-seed*.jsonl", "weights.safetensors", "samples.png",
    "film.webp",
)  # fmt: skip
#: at most so many pictures in a film strip, images a side in each, and pixels of height, which is
#: what WebP allows
FRAMES, SIDE, HEIGHT = 50, 5, 16383


def _half(prefix: str, net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A net's weights in float16, which halves the file."""
    tensors = checkpoint.prefixed(prefix, net.state_dict())
    return {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}


def _film(run_folder: Path, history: list[dict[str, Any]]) -> tuple[bytes, dict[str, Any]]:
    """The sample pictures of up to FRAMES ticks, evenly spread, as one WebP strip; and its facts.

    Of larger images fewer are shown.
    """
    ticks = [row["tick"] for row in history]
    with Image.open(run_folder / "samples" / f"{ticks[0]:04d}.png") as picture:
        cell = (picture.width + 1) // 8
    side = max(1, min(SIDE, HEIGHT // (FRAMES * cell)))
    count = min(FRAMES, len(ticks), HEIGHT // (side * cell))
    chosen = sorted({ticks[round(i * (len(ticks) - 1) / max(count - 1, 1))] for i in range(count)})
    frames = []
    for tick in chosen:
        with Image.open(run_folder / "samples" / f"{tick:04d}.png") as picture:
            frames.append(picture.crop((0, 0, side * cell - 1, side * cell - 1)))
    buffer = io.BytesIO()
    film_strip(frames).save(buffer, format="WEBP", quality=60, method=6)
    return buffer.getvalue(), {"ticks": chosen, "rows": side, "columns": side}


def record(
    recipe: str,
    *,
    seeds: Sequence[int] = (0,),
    device: str = "auto",
    out: str | Path | None = None,
    work: str | Path = "runs/record",
    n: int = 10_000,
    progress: bool | None = None,
) -> Run:
    """Make a recipe's full run and keep its record; called again, it goes on where it stopped.

    ==========================  ============================================================
    ``run.json``                settings, seed, versions, hardware, seconds, scores; the scores
                                of real images, and how near samples lie to the training images
                                (of data without test images instead of that: scores of as many
                                samples as the floor has images)
    ``history.jsonl``           one row a tick, with FID, KID, precision, recall, ...
    ``history-seedN.jsonl``     the same of each further seed; its scores are in ``run.json``
    ``weights.safetensors``     float16: averaged generator and discriminator at the best FID
    ``samples.png``             64 samples of those weights
    ``film.webp``               the same noise tick by tick, one picture below the other
    ==========================  ============================================================

    Args:
        recipe: its name.
        seeds: of the runs. The first one's weights and pictures are kept, of the others the
            figures.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        out: folder of the record; by default its place in the package.
        work: where the run folders lie while the runs are made.
        n: samples behind the final scores.
        progress: a progress bar; by default one if standard error is a terminal.

    Returns:
        The record, opened.

    Raises:
        GancourseError: no seeds, or one twice; no extractor for the recipe's data; ``out`` holds
            something else than a record, or the runs themselves; as :func:`gancourse.train` and
            :func:`gancourse.evaluate`. The older record stays.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise GancourseError(f"seeds is {tuple(seeds)}; give one or more, each once.")
    where = choose(device)
    target = RECORDED / recipe if out is None else Path(out)
    folders = [Path(work) / f"{recipe}-seed{seed}" for seed in seeds]
    if started_as()[1] > 1:
        raise GancourseError(
            "A record is made by one process; start it without torchrun or accelerate launch."
        )
    _check_target(target, folders)
    for seed, folder in zip(seeds, folders, strict=True):
        planned = plan(recipe, seed=seed)
        # Without scores there would be no best weights to keep: known before hours are spent.
        metrics.extractor(metrics.default_extractor(planned.data.name))
        resume = (folder / "run.json").exists()
        run_plan(planned, where, out=folder, resume=resume, progress=progress)
    first, *others = folders
    draft = first / "record"
    shutil.rmtree(draft, ignore_errors=True)
    facts = _pack(first, draft, str(where), n)
    if others:
        facts["seeds"] = {}
    for seed, folder in zip(seeds[1:], others, strict=True):
        facts["seeds"][str(seed)] = _summary(folder, str(where), n)
        shutil.copyfile(folder / "history.jsonl", draft / f"history-seed{seed}.jsonl")
    write_json(draft / "run.json", facts)
    fresh = target.absolute().with_name(f".{target.name}.new")
    try:
        _check_target(target, folders)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(draft, fresh)
        _replace(target, fresh)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise GancourseError(
            f"Cannot write the record to {target}: {error.strerror or error}. It lies complete in "
            f"{draft}; copy it from there, or name another folder by --out (out=...)."
        ) from error
    return load(target)


def _replace(target: Path, fresh: Path) -> None:
    """Put a folder in the place of another one, which stays if that fails."""
    older = target.absolute().with_name(f".{target.name}.old")
    if older.exists() and not target.exists():
        older.rename(target)  # an earlier call was killed in between
    shutil.rmtree(older, ignore_errors=True)
    if target.exists():
        target.rename(older)
    try:
        fresh.rename(target)
    except BaseException:
        if older.exists():
            older.rename(target)
        raise
    shutil.rmtree(older, ignore_errors=True)


def _check_target(target: Path, runs: Sequence[Path]) -> None:
    """Refuse a folder that the record must not replace, before hours are spent."""
    if any(run.resolve().is_relative_to(target.resolve()) for run in runs):
        raise GancourseError(
            f"The runs behind this record are made in {runs[0].parent}, which lies inside "
            f"{target}; name another folder by --out (out=...)."
        )
    inside = target.iterdir() if target.is_dir() else [target] if target.exists() else []
    if any(not any(file.match(name) for name in FILES) for file in inside):
        raise GancourseError(
            f"{target} holds something else than a record; name a new folder by --out (out=...)."
        )


def _best(run: Run) -> dict[str, Any]:
    """The tick whose FID is smallest."""
    row = min(run.history, key=lambda row: row["fid"])
    return {"tick": row["tick"], "epoch": row["epoch"], "by": "fid"}


def _summary(folder: Path, device: str, n: int) -> dict[str, Any]:
    """What a record says of a further seed."""
    best = load(folder, device=device)
    last = load(folder, checkpoint_name="last", device=device)
    return {
        "seconds": best.facts["seconds"],
        "versions": best.facts["versions"],
        "best": _best(best),
        "scores": evaluate(best, n=n).as_dict(),
        "scores_last": evaluate(last, n=n).as_dict(),
    }


def _pack(folder: Path, draft: Path, device: str, n: int) -> dict[str, Any]:
    """Write the record of one run into a draft; its facts, as ``run.json`` holds them."""
    made = load(folder, device=device)
    last = load(folder, checkpoint_name="last", device=device)
    best = _best(made)
    weights = _half("ema", made.generator) | _half("discriminator", made.gan.discriminator)
    where = draft / "weights.safetensors"
    checkpoint.write(where, weights, {"recipe": made.facts["recipe"], "tick": best["tick"]})
    shutil.copyfile(folder / "history.jsonl", draft / "history.jsonl")
    film, film_facts = _film(folder, made.history)
    write_bytes(draft / "film.webp", film)
    facts = made.facts | {
        "recorded": time.strftime("%Y-%m-%d"),
        "best": best,
        "film": film_facts,
        "scores_last": evaluate(last, n=n).as_dict(),
    }
    write_json(draft / "run.json", facts)
    # The scores are those of the float16 weights, which are what a reader loads.
    small = load(draft)
    buffer = io.BytesIO()
    tile(small.sample(64, seed=0)).save(buffer, format="PNG", optimize=True)
    write_bytes(draft / "samples.png", buffer.getvalue())
    return facts | {"scores": evaluate(small, n=n).as_dict()} | _beside(small, n)


def _beside(run: Run, n: int) -> dict[str, Any]:
    """What the scores of a record are read beside: those of real images, and whether it copies."""
    name, size = run.settings["data"]["name"], run.settings["gan"]["shape"][-1]
    facts: dict[str, Any] = {"floor": floor(name, n=n, size=size).as_dict()}
    if "test" in data.info(name).splits:
        facts["copying"] = _copying(run, name, n)
    else:
        facts["scores_like_floor"] = like_floor(run, n=n).as_dict()
    return facts


def _copying(run: Run, name: str, n: int) -> dict[str, Any]:
    """How near samples lie to the training images and to the test images, in features."""
    size = run.settings["gan"]["shape"][-1]
    measure = metrics.extractor(metrics.default_extractor(name))
    real = []
    for split in ("train", "test"):
        loaded = data.load(name, split=split, size=size)
        assert isinstance(loaded, ImageData)
        real.append(measure.features(loaded.images))
    train, test = real
    samples = measure.features(run.sample(n, seed=0))
    found = copying(samples, train, test)
    _, to_test = nearest_neighbours(samples, test)
    return {
        "nearer": found.nearer,
        "samples": float(found.distance.median()),
        "test": float(found.reference.median()),
        # Of samples that are plain and so near to everything, a fair share is nearest to test images.
        "nearest_is_test": float((to_test[:, 0] < found.distance).float().mean()),
        "expected": len(test) / (len(train) + len(test)),
        "n_fake": n,
        "n_train": len(train),
        "n_test": len(test),
        "extractor": measure.name,
    }
