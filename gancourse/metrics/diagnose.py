"""What a run shows of the ways in which GANs fail, with the numbers and a remedy for each."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from gancourse import data as datasets
from gancourse.data import ImageData
from gancourse.errors import GancourseError
from gancourse.metrics import symptoms
from gancourse.metrics.extractors import Extractor, default_extractor
from gancourse.metrics.extractors import extractor as named_extractor
from gancourse.metrics.symptoms import Evidence
from gancourse.metrics.variety import energy_distance, features, halves, nearness, variety
from gancourse.training.run import Run, load

__all__ = ["Finding", "diagnose", "text"]

#: where the built book is to be read; ``tools/address.py`` carries the address here
BOOK = "https://gancourse.github.io/gancourse"
#: finding -> what to do first. What each of them did to runs that were made to fail stands on the
#: page of :func:`link` (``tools/failures.py --remedies`` measures it).
REMEDIES = {
    "memorisation": "more images; with the same ones DiffAugment (--diffaugment "
    "color,translation,cutout) or an earlier end help a little",
    "late divergence": "take the best checkpoint, as gancourse.load does where a run was scored at "
    "every tick; train that far, by --images, and no further",
    "oscillation": "less momentum (--beta1 0.5, or 0): the swing stops, and learning gets slower "
    "(that longer training then helps is expected, not measured in the course)",
    "collapse": "Adam's momentum at 0.5 or less (--beta1 0.5), then smaller learning rates (--lr)",
    "vanishing gradients": "take the non-saturating loss; if it is that already, lower the "
    "discriminator's learning rate, by --lr-d (expected, not measured in the course)",
    "discriminator winning": "bring the two learning rates together: a lower one for the "
    "discriminator (--lr-d), or a higher one for the generator (--lr-g)",
    "partial collapse": "give the discriminator its full learning rate (--lr-d), so that it sees "
    "what is missing",
    "unlike the data": "train longer; no failure was seen, but no result either",
}


def link(name: str) -> str:
    """Address of the section of the book on a finding."""
    return f"{BOOK}/notebooks/diagnosing-a-run.html#{name.replace(' ', '-')}"


@dataclass(frozen=True)
class Finding:
    """One thing that a run shows.

    Attributes:
        name: a key of ``REMEDIES``; or ``"healthy"``, where nothing else was found; or ``"not
            judged"``.
        evidence: the numbers, each with its threshold; those of ``"healthy"`` are all that were
            looked at.
        remedy: what to do first; of ``"not judged"``, what was not judged and why.
        link: address of the section of the book, or "".
    """

    name: str
    evidence: tuple[Evidence, ...] = ()
    remedy: str = ""
    link: str = ""

    def __str__(self) -> str:
        if self.name == "not judged":
            return f"not judged: {self.remedy}"
        lines = [self.name, *(f"  {evidence}" for evidence in self.evidence)]
        if self.remedy:
            lines.append(f"  try: {self.remedy}")
        return "\n".join([*lines, f"  see: {self.link}"] if self.link else lines)


def text(findings: list[Finding]) -> str:
    """What ``gancourse diagnose`` prints."""
    return "\n".join(map(str, findings))


def diagnose(run: Run | str | Path, *, n: int = 1000, seed: int = 0) -> list[Finding]:
    """Look at a run for seven ways to fail.

    From the history: a winning discriminator, vanishing gradients, oscillation; from the history's
    FID or, where it has none, the pictures of the ticks: late divergence; from samples of the
    averaged generator as it was last: collapse, partial collapse, memorisation. Distances between
    images are those of the features of the data's own classifier where there is one, else of
    pixels (of images pooled to at most 32 pixels a side); for memorisation always the latter.

    Args:
        run: a run, a run folder, or the name of a record.
        n: how many samples to draw.
        seed: of the samples and of the choice of real images.

    Returns:
        The findings, the most telling first; else one finding called ``"healthy"``. What could
        not be judged, or only in part, and why, comes last.

    Raises:
        GancourseError: there is no such run, it has no checkpoint yet, one of its files was
            altered, or n is less than 20.
    """
    return findings(examine(run, n=n, seed=seed))


def examine(
    run: Run | str | Path, *, n: int = 1000, seed: int = 0
) -> dict[str, list[list[Evidence] | str]]:
    """What :func:`diagnose` looks at, whether it speaks or not; arguments and errors as there.

    Returns:
        For each key of ``REMEDIES`` the rules that were asked: the evidence of a rule, of which
        all must hold for it to speak, or the reason why it could not be asked.
    """
    if n < 20:
        raise GancourseError(f"n is {n}; at least 20 samples are needed to see their variety.")
    opened = run if isinstance(run, Run) else load(run, checkpoint_name="last")
    described = opened.facts["settings"]
    if not {"name", "sha256"} <= set(described.get("data", {})) or "training" not in described:
        raise GancourseError(f"The run.json of {opened.path} does not say what data the run had.")
    history = _history(opened)
    judged: dict[str, list[list[Evidence] | str]] = {name: [] for name in REMEDIES}
    for name, rule in symptoms.BY_HISTORY.items():
        judged[name].append(rule(history))
    if scored := bool(history) and all("fid" in row for row in history):
        fids = [row["fid"] for row in history]
        judged["late divergence"].append(symptoms.late_divergence(fids, "FID", fids[0] / 2))
    samples = opened.sample(n, seed=seed).cpu()
    rng = torch.Generator().manual_seed(seed)
    try:
        train, test = _images(opened)
        classifier = _classifier(opened)
        reference = train if test is None else test
        measured = variety(samples, reference, classifier, rng)
        judged["collapse"].append(symptoms.collapse(measured))
        judged["partial collapse"].append(symptoms.missing_classes(measured))
        judged["partial collapse"].append(symptoms.low_recall(measured))
        judged["unlike the data"].append(symptoms.unlike_the_data(measured))
        flips = opened.settings["training"].get("flips", ())
        judged["memorisation"].append(
            symptoms.memorisation(nearness(samples, train, test, flips, rng))
        )
        if test is None:
            judged["memorisation"].append("there are no 40 held-out images to compare with")
        if not scored:
            judged["late divergence"].append(_worse(opened, reference, classifier, rng))
    except GancourseError as error:
        for name in ("collapse", "partial collapse", "memorisation", "late divergence"):
            if not judged[name]:
                judged[name].append(str(error))
    return judged


def findings(judged: dict[str, list[list[Evidence] | str]]) -> list[Finding]:
    """What holds of the result of :func:`examine`, in the order of ``REMEDIES``.

    Else healthy; then what was not judged. Partial collapse is not told beside collapse, of which
    it is a part; nor "unlike the data" beside anything, as it would have that as its cause. A run
    whose samples could not be compared with data is not called healthy.
    """
    found: dict[str, Finding] = {}
    seen: list[Evidence] = []
    skipped: list[Finding] = []
    for name, results in judged.items():
        rules = [rule for rule in results if not isinstance(rule, str)]
        seen += [evidence for rule in rules for evidence in rule]
        speaking = [rule for rule in rules if all(evidence.holds for evidence in rule)]
        told = {"partial collapse": "collapse" in found, "unlike the data": bool(found)}
        if speaking and not told.get(name):
            evidence = dict.fromkeys(evidence for rule in speaking for evidence in rule)
            found[name] = Finding(name, tuple(evidence), REMEDIES[name], link(name))
        reasons = "; ".join(rule for rule in results if isinstance(rule, str))
        if reasons:
            what = f"{name}, in part" if rules else name
            skipped.append(Finding("not judged", remedy=f"{what} ({reasons})"))
    if not found and not isinstance(judged["collapse"][0], str):
        found["healthy"] = Finding("healthy", tuple(dict.fromkeys(seen)))
    return [*found.values(), *skipped]


def _history(run: Run) -> list[dict[str, float]]:
    """The rows of a run, if what the rules read of them are finite numbers."""
    read = ("tick", "loss_g", "d_real", "d_fake", "grad_g", "fid")
    for number, row in enumerate(run.history, 1):
        values = [row[name] for name in read if name in row] if isinstance(row, dict) else [None]
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            raise GancourseError(
                f"Row {number} of the history of {run.path or 'the run'} holds something else than "
                "finite numbers; the file was altered."
            )
    return run.history


def _images(run: Run) -> tuple[Tensor, Tensor | None]:
    """Training images and, where there are forty or more, test images; uint8 N x C x H x W."""
    name, side = run.settings["data"]["name"], run.settings["gan"]["shape"][-1]
    source: str | Path = name if name in datasets.names() else Path(name)
    train = datasets.load(source, size=side)
    assert isinstance(train, ImageData)
    digest = hashlib.sha256(train.images.numpy().tobytes()).hexdigest()
    if digest != run.settings["data"]["sha256"]:
        raise GancourseError(f"the images of {name} are others than those of the run")
    if isinstance(source, Path):
        # a folder of one's own with the sub-folders train and test
        beside = source.parent / "test"
        has_test = source.name == "train" and beside.is_dir()
        test = datasets.load(beside, size=side) if has_test else None
    else:
        splits = [name for name in ("test", "validation") if name in datasets.info(source).splits]
        test = datasets.load(source, split=splits[0], size=side) if splits else None
    if test is None or len(test) < 40:
        return train.images, None
    assert isinstance(test, ImageData)
    return train.images, test.images


def _classifier(run: Run) -> Extractor | None:
    """The data's own classifier, if it has one and takes images of this shape.

    The classes of any other are not theirs.
    """
    data = run.settings["data"]["name"]
    name = default_extractor(data)
    found = named_extractor(name) if name == f"{data}-cnn" else None
    fits = found is not None and found.input_shape == tuple(run.settings["gan"]["shape"])
    return found if fits else None


def _worse(
    run: Run, reference: Tensor, classifier: Extractor | None, rng: torch.Generator
) -> list[Evidence] | str:
    """Late divergence, by the pictures of the ticks: 64 samples each, from the same noise."""
    folder = None if run.path is None else run.path / "samples"
    files = [] if folder is None else [folder / f"{row['tick']:04d}.png" for row in run.history]
    if not files or not all(file.exists() for file in files):
        return "the ticks have neither FID nor pictures"
    real, _ = halves(reference, 500, rng)
    x = features(real, classifier)
    scores = [
        energy_distance(x, features(_untile(file, run.settings["gan"]["shape"]), classifier))
        for file in files
    ]
    return symptoms.late_divergence(scores, "energy distance", good=0.15, noise=0.1)


def _untile(path: Path, shape: list[int]) -> Tensor:
    """The images in a picture of a tick (:func:`gancourse.plots.tile`), uint8 N x C x H x W."""
    channels, height, width = shape
    try:
        with Image.open(path) as picture:
            converted = np.array(picture.convert("L" if channels == 1 else "RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise GancourseError(f"{path} is no readable picture") from error
    pixels = torch.from_numpy(converted).reshape(*converted.shape[:2], channels)
    rows, columns = (pixels.shape[0] + 1) // (height + 1), (pixels.shape[1] + 1) // (width + 1)
    if rows * columns < 2:
        raise GancourseError(f"{path} is no picture of images of {width} x {height} pixels")
    images = [
        pixels[r * (height + 1) :, c * (width + 1) :][:height, :width]
        for r in range(rows)
        for c in range(columns)
    ]
    return torch.stack(images).permute(0, 3, 1, 2).contiguous()
