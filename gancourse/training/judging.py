"""Judging a run: its scores, and the scores of each tick while it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gancourse import data as datasets
from gancourse.data import ImageData
from gancourse.errors import GancourseError
from gancourse.gans.base import GAN
from gancourse.training.fit import Score
from gancourse.training.run import Run, load

if TYPE_CHECKING:
    from gancourse.metrics import Scores

__all__ = ["evaluate", "floor", "like_floor", "tick_score"]

#: what a row of the history holds of the scores; by the first one the best tick is chosen
KEPT = ("fid", "kid", "precision", "recall", "density", "coverage")


def _reference(name: str, size: int | None) -> tuple[Tensor, str]:
    """The real images that a run on this data is judged against, and what they are.

    The test split; where the data have none, the images that the run was trained on.
    """
    known = name in datasets.names()
    split = "test" if known and "test" in datasets.info(name).splits else "train"
    loaded = datasets.load(name, split=split, size=size)
    assert isinstance(loaded, ImageData)
    return loaded.images, f"{name}/{split}"


def _in_place_of_samples(name: str, size: int | None) -> tuple[Tensor, Tensor, str]:
    """Real images to judge by, others that stand in for samples, shuffled; and what the first are.

    Training images in the place of samples; of data without a test split one half is judged by the
    other.
    """
    real, split = _reference(name, size)
    halved = split.endswith("/train")
    if halved:
        seen = real
    else:
        loaded = datasets.load(name, size=size)
        assert isinstance(loaded, ImageData)
        seen = loaded.images
    others = seen[torch.randperm(len(seen), generator=torch.Generator().manual_seed(0))]
    if halved:
        real, others = others.chunk(2)
        split += ", one half"
    return real, others, split


def floor(
    name: str, *, n: int | None = None, size: int | None = None, extractor: str | None = None
) -> Scores:
    """Score real images in the place of samples, to read the scores of a generator beside.

    Training images are scored against the test split, as :func:`evaluate` scores samples; of data
    without a test split, one half of the images against the other, drawn from seed 0. The floor is
    no limit: a generator that draws what is typical can pass it in precision or density.

    Args:
        name: of the data set.
        n: score so many training images, drawn from seed 0; by default, and where there are fewer,
            all of them.
        size: pixels a side; by default as the images are.
        extractor: by which one, see :func:`gancourse.metrics.extractor`; by default the data set's.

    Returns:
        The scores; ``n_fake`` is the number of images in the place of samples.

    Raises:
        GancourseError: no such data set, no extractor for it, or fewer than 10 images a side.
    """
    from gancourse import metrics

    measure = metrics.extractor(metrics.default_extractor(name) if extractor is None else extractor)
    real, others, split = _in_place_of_samples(name, size)
    return metrics.scores(real, others[:n], measure.name, split=split)


def like_floor(run: Run, *, n: int = 10_000, seed: int = 0) -> Scores:
    """Score a run as :func:`floor` scores real images: against the same ones, with as many samples.

    Where the data have a test split and n training images or more, this is :func:`evaluate`. Where
    they have none, samples are scored against one half of the images, as many as the other half
    holds; the generator was trained on both. Scores depend on the counts, so only these may be
    compared with the floor.

    Args:
        run: trained on a data set of the package.
        n: as for :func:`floor`.
        seed: of the samples.

    Returns:
        The scores.

    Raises:
        GancourseError: as :func:`floor`.
    """
    from gancourse import metrics

    name, size = run.settings["data"]["name"], run.settings["gan"]["shape"][-1]
    measure = metrics.extractor(metrics.default_extractor(name))
    real, others, split = _in_place_of_samples(name, size)
    fake = run.sample(len(others[:n]), seed=seed).cpu()
    return metrics.scores(real, fake, measure.name, split=split)


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
