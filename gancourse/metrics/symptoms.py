"""The rules of :mod:`gancourse.metrics.diagnose`: from numbers of a run to what they are a sign of.

A rule takes numbers, compares each with a threshold, and speaks only where all of them are beyond
theirs. The docstring of a rule argues its thresholds; ``tools/failures.py`` made the runs that they
were chosen on, and others that they were judged on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from gancourse.metrics.variety import Nearness, Variety

__all__ = [
    "Evidence",
    "collapse",
    "late_divergence",
    "low_recall",
    "memorisation",
    "missing_classes",
    "oscillation",
    "reversals",
    "unlike_the_data",
    "vanishing",
    "winning",
]

History = Sequence[dict[str, Any]]
#: Rows below which a history is too short for "at the end" and "before" to mean anything.
TICKS = 8
#: Ticks of the histories that the number of turns was chosen on.
OSCILLATION_TICKS = 30


@dataclass(frozen=True)
class Evidence:
    """One number against its threshold.

    Attributes:
        what: what was measured.
        value: what came out.
        threshold: what it is compared with.
        above: whether the number speaks from the threshold upwards, or downwards.
    """

    what: str
    value: float
    threshold: float
    above: bool

    @property
    def holds(self) -> bool:
        """Whether the number is at the threshold or beyond."""
        return self.value >= self.threshold if self.above else self.value <= self.threshold

    def __str__(self) -> str:
        side = "at least" if self.above else "at most"
        return f"{self.what}: {self.value:.3g} (threshold: {side} {self.threshold:.3g})"


def _last(history: History, name: str) -> list[float]:
    """A quantity over the last quarter of the ticks."""
    values = [row[name] for row in history]
    return values[-max(len(values) // 4, 3) :]


def _first(history: History, name: str) -> list[float]:
    """A quantity over the first half of the ticks."""
    return [row[name] for row in history[: len(history) // 2]]


def _missing(history: History, *names: str) -> str | None:
    """Why these quantities cannot be judged, or None."""
    if len(history) < TICKS:
        return f"too few ticks: {len(history)}, and {TICKS} are needed"
    absent = [name for name in names if any(name not in row for row in history)]
    return f"the history has no {', '.join(absent)}" if absent else None


def winning(history: History) -> list[Evidence] | str:
    """The discriminator is sure of both sides, and the generator is not catching up.

    Medians over the last quarter of the ticks, so that a dip does not count. At 0.95 and 0.05 the
    discriminator takes at most one image in ten of either kind for the other (Markov's inequality,
    cut at 1/2), one in twenty if it is calibrated; the records of 28 pixels end near 0.6 and 0.4,
    and a run that had a sure discriminator in its first ticks (DCGAN on Fashion-MNIST: 0.82 and
    0.18) has come down by then. The loss of a generator that catches up falls steadily: in the last
    quarter it must be at least half of what it was in the first half of the run, where runs that
    were lost gave 0.7 to 1.4. The saturating loss is at most 0 and says nothing here.
    """
    reason = _missing(history, "d_real", "d_fake", "loss_g")
    if reason:
        return reason
    evidence = [
        Evidence("D on real images, at the end", median(_last(history, "d_real")), 0.95, True),
        Evidence("D on samples, at the end", median(_last(history, "d_fake")), 0.05, False),
    ]
    early, late = median(_first(history, "loss_g")), median(_last(history, "loss_g"))
    if early > 0:
        what = f"generator's loss {late:.3g} at the end, as a multiple of {early:.3g} before"
        evidence.append(Evidence(what, late / early, 0.5, True))
    return evidence


def vanishing(history: History) -> list[Evidence] | str:
    """The generator's gradient is gone, and the discriminator is perfect.

    The norm of the gradient at the ends of the last quarter's ticks, its median, against the
    largest of the run, or against 1 where that is smaller: the norms of the records of 28
    pixels lie between 1 and 12. A fiftieth is far below what a record's norms vary by (a factor of
    5; of the paintings 8). A small gradient alone is no illness, it may be an equilibrium; so the
    discriminator must tell real from fake by 0.9 (medians).
    """
    reason = _missing(history, "d_real", "d_fake", "grad_g")
    if reason:
        return reason
    lead = median(_last(history, "d_real")) - median(_last(history, "d_fake"))
    largest = max(1.0, *(row["grad_g"] for row in history))
    gradient = median(_last(history, "grad_g"))
    return [
        Evidence("D on real images less D on samples, at the end", lead, 0.9, True),
        Evidence(
            f"generator's gradient {gradient:.2g}, as a share of {largest:.2g}",
            gradient / largest,
            0.02,
            False,
        ),
    ]


def reversals(values: Sequence[float], swing: float) -> int:
    """How often a series turns round, counting only turns after a way of at least ``swing``.

    A steady rise or fall has none, jitter smaller than ``swing`` has none, and a wave of amplitude
    a (peak to peak 2 a >= swing) has two a period.

    Args:
        values: the series.
        swing: least way between two turns.

    Returns:
        The number of turns.
    """
    turns, direction = 0, 0
    low = high = values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
        if direction >= 0 and high - value >= swing:
            turns += direction > 0
            direction, low = -1, value
        elif direction <= 0 and value - low >= swing:
            turns += direction < 0
            direction, high = 1, value
        if direction > 0:
            low = value
        elif direction < 0:
            high = value
    return turns


def oscillation(history: History) -> list[Evidence] | str:
    """The discriminator's lead swings to and fro.

    The lead is D on real images less D on samples, a tick's mean, between -1 and 1 whatever the
    loss. A mean over a tick of s steps of b images has noise below 1 / sqrt(s b), 0.02 for 40 steps
    of 64, and the records of 50 epochs make no turn after ways of even 0.05; so it counts from 0.1.
    Three turns are to, fro and to again, which neither a rise nor one bad moment shows; runs that
    fail otherwise make two at most. The first quarter of the ticks is left out: there the players
    find their places. A count grows with the number of ticks, and the shorter a tick, the more of
    the way of single steps is in it: the record of the paintings has 200 ticks of 7 steps, turns 62
    times, while its FID falls from 27 to 7. The count was chosen on histories of 30 ticks, so of twice
    as many and more the means of neighbours are taken, as many together as leave 30 to 59. A
    swing faster than that is averaged away, and so not seen; make ticks shorter. Dips from a lead
    that is otherwise above 0.9 are those of a won game.
    """
    reason = _missing(history, "d_real", "d_fake")
    if reason:
        return reason
    lead = [row["d_real"] - row["d_fake"] for row in history]
    together = max(len(lead) // OSCILLATION_TICKS, 1)
    lead = [fmean(lead[i : i + together]) for i in range(0, len(lead), together)]
    lead = lead[len(lead) // 4 :]
    return [
        Evidence("turns of D's lead after a way of 0.1", reversals(lead, 0.1), 3, True),
        Evidence("D's lead, its median", median(lead), 0.9, False),
    ]


def late_divergence(
    scores: Sequence[float], measure: str, good: float, noise: float = 0.0
) -> list[Evidence] | str:
    """The samples were good once, and are worse by a margin at the end.

    The end is the median over the last eighth of the ticks, so that one bad tick does not count;
    the best moment is the least median of three ticks in a row. Half as much again is more than
    the scores of a healthy run move by once they have settled (FID of 2,000 samples: a tenth). A
    run that wanders from bad to worse has no good moment to go back to.

    Args:
        scores: one a tick, smaller is better: the FID, or the energy distance of the ticks'
            pictures.
        measure: its name.
        good: what the best moment must reach. For the FID, whose size depends on the extractor,
            half of the first tick's. For the energy distance 0.15: healthy runs reach 0.03 to 0.1,
            collapsed ones never less than 0.16.
        noise: what the score is of a good generator, at most: a best moment below counts as this
            much. The 64 images of a picture give an energy distance of up to 0.1.
    """
    if len(scores) < TICKS:
        return f"too few ticks with a score: {len(scores)}, and {TICKS} are needed"
    end = median(scores[-max(len(scores) // 8, 3) :])
    smooth = [median(scores[i : i + 3]) for i in range(len(scores) - 2)]
    best = min(smooth)
    multiple = end / max(best, noise, 1e-12)
    when = f"best {measure} (tick {smooth.index(best) + 2} of {len(scores)})"
    return [
        Evidence(f"{measure} {end:.3g} at the end, as a multiple of the best", multiple, 1.5, True),
        Evidence(when, best, good, False),
    ]


def collapse(variety: Variety) -> list[Evidence]:
    """The samples are a few images over and over: each has a near-copy among the others.

    Exact draws from the data give 1. Bad or monotonous images are still as different from one
    another as 0.5 to 0.9: a discriminator that wins on digits leaves grey noise that gives 0.7 (the
    lost games of 28 pixels, which give 0.17 to 0.22, have collapsed as well). Copies of twenty
    training images give 0.2; where noise vectors end at a few images it is 0.05 to 0.15.
    """
    what = "distance of a sample to its nearest, of the same of real images"
    return [Evidence(what, variety.twins, 0.3, False)]


def missing_classes(variety: Variety) -> list[Evidence] | str:
    """Kinds of images are missing, and what is there is like the data.

    A class is covered from a tenth of an even share on
    (:func:`gancourse.metrics.class_report`), and the real images must cover more classes than the
    samples. Of images unlike the data (precision below 0.3 of that of real images) a classifier's
    answers mean nothing.
    """
    if variety.classes is None or variety.real_classes is None:
        return "there is no classifier for the data"
    missing = variety.real_classes - variety.classes
    what = f"classes missing of {variety.real_classes}"
    return [Evidence(what, missing, 1, True), _like_the_data(variety)]


def low_recall(variety: Variety) -> list[Evidence]:
    """Much of the data is out of the samples' reach, and what is there is like the data.

    Recall, divided by that of as many other real images. Of the records with a classifier the
    lowest is the perceptron's on Fashion-MNIST, 0.6; the paintings', by pixels, is 0.3; healthy runs
    on images of one's own give 0.4; runs made to lose kinds give 0.13.
    """
    what = "recall, of that of real images"
    return [Evidence(what, variety.recall, 0.2, False), _like_the_data(variety)]


def _like_the_data(variety: Variety) -> Evidence:
    return Evidence("precision, of that of real images", variety.precision, 0.3, True)


def unlike_the_data(variety: Variety) -> list[Evidence]:
    """Few samples lie among the data; no failure of the game, but no result either."""
    what = "precision, of that of real images"
    return [Evidence(what, variety.precision, 0.3, False)]


def memorisation(nearness: Nearness) -> list[Evidence]:
    """Samples are nearer to the training images than images that the generator has not seen.

    Nearer than what? A blurred sample is near to everything, and a large set has nearer neighbours
    than a small one. Both cancel: distance to the nearest training image over that to the nearest
    held-out one, and this ratio over that of unseen real images. Exact draws give 1, copies 0. The
    course's healthy runs on 1,437 to 60,000 images give 1.0 to 1.3, runs on twenty images below
    0.5; 0.7 leaves room for the noise of a small test set. It is the comparison of Meehan, Chaudhuri
    and Dasgupta, *A Non-Parametric Test to Detect Data-Copying in Generative Models*, 2020, as a
    ratio of distances, for the whole space at once.

    Without test images only the first distance is there, and what a sample gains by being smooth
    does not cancel. Healthy runs give 0.95 to 1.7 of that of the training images among themselves,
    runs on twenty images 0.27 to 0.77; the threshold is 0.6, so some of them pass.
    """
    share = nearness.samples / max(nearness.real, 1e-12)
    if nearness.held_out:
        what = "nearness to training images, of that of unseen images"
        return [Evidence(what, share, 0.7, False)]
    what = "distance to the nearest training image, of that among training images"
    return [Evidence(what, share, 0.6, False)]


#: what is judged by the history alone, in the order in which it is told
BY_HISTORY: dict[str, Callable[[History], list[Evidence] | str]] = {
    "vanishing gradients": vanishing,
    "oscillation": oscillation,
    "discriminator winning": winning,
}
