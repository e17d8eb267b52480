"""Judging a run: its scores, and the scores of each tick while it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor, nn

from gancourse import data as datasets
from gancourse.data import ImageData
from gancourse.errors import GancourseError
from gancourse.gans.base import GAN
from gancourse.training.fit import Score
from gancourse.training.run import Run, load

if TYPE_CHECKING:
    from gancourse.metrics import Scores

__all__ = ["evaluate", "tick_score"]

#: what a row of the history holds of the scores; by the first one the best tick is chosen
KEPT = ("fid", "kid", "precision", "recall", "density", "coverage")


def _reference(name: str, size: int) -> tuple[Tensor, str]:
    """The real images that a run on this data is judged against, and what they are.

    The test split; where the data have none, the images that the run was trained on.
    """
    known = name in datasets.names()
    split = "test" if known and "test" in datasets.info(name).splits else "train"
    loaded = datasets.load(name, split=split, size=size)
    assert isinstance(loaded, ImageData)
    return loaded.images, f"{name}/{split}"


def tick_score(gan: GAN, data: str, size: int, n: int, seed: int) -> Score | None:
    """What :func:`gancourse.training.fit` calls at each tick.

    Args:
        gan: samples from the averaged generator.
        data: name of the data set.
        size: pixels a side.
        n: samples behind the scores.
        seed: of the samples, the same at each tick.

    Returns:
        From a generator to its FID, KID, precision, recall, density and coverage; None where there
        is no extractor for these data on this machine: then nothing is scored.
    """
    from gancourse import metrics

    try:
        extractor = metrics.extractor(metrics.default_extractor(data))
    except GancourseError:
        return None
    images, split = _reference(data, size)
    reference = metrics.Reference(images, extractor.name, split=split)

    def score(net: nn.Module) -> dict[str, float]:
        found = reference.scores(gan.sample(n, seed=seed, net=net).cpu())
        return {name: getattr(found, name) for name in KEPT}

    return score


def evaluate(
    run: Run | str | Path, *, n: int = 10_000, seed: int = 0, extractor: str | None = None
) -> Scores:
    """Score a run against the test split of its data set.

    Args:
        run: a run, a run folder, or the name of a record.
        n: how many samples to draw; all test images are used. Data without a test split are judged
            against the images that the run was trained on, and the scores say so.
        seed: of the samples.
        extractor: by which one, see :func:`gancourse.metrics.extractor`; by default the data set's.

    Returns:
        FID, KID, IS, precision, recall, density and coverage, with the extractor's name and hash
        and both sample counts.

    Raises:
        GancourseError: no such run; no extractor for its data.
    """
    from gancourse import metrics

    opened = run if isinstance(run, Run) else load(run)
    trained_on = opened.settings["data"]["name"]
    name = metrics.default_extractor(trained_on) if extractor is None else extractor
    metrics.extractor(name)  # before the data are loaded: an unknown name is told at once
    real, split = _reference(trained_on, opened.settings["gan"]["shape"][-1])
    fake = opened.sample(n, seed=seed).cpu()
    return metrics.scores(real, fake, name, split=split)
