"""One GAN in PyTorch and in TensorFlow: which programs are run on which data. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gancourse.errors import unknown
from gancourse.text import columns

__all__ = ["COMPARISONS", "MAIN", "PREFIX", "Comparison", "get", "table"]

#: What the names of all comparisons begin with.
PREFIX = "tf/frameworks/"
#: The programs that the claim is about; the others change one thing.
MAIN = ("pytorch", "tensorflow", "keras")


@dataclass(frozen=True)
class Comparison:
    """Programs on one data set.

    Attributes:
        name: ``tf/frameworks/...``.
        claims: the claims of the ledger that it serves.
        data: name of the data set, as :func:`gancourse.data.load` takes it.
        epochs: of every run.
        samples: how many each run is scored by, against the test split.
        seeds: how many runs of each of :data:`gancourse.tf.variants.VARIANTS`, from seed 0 on.
        options: changes to the recipe ``dcgan/DATA``.
        note: how data or settings differ from the report's.
    """

    name: str
    claims: tuple[str, ...]
    data: str
    epochs: float
    samples: int
    seeds: Mapping[str, int]
    options: Mapping[str, int] = field(default_factory=dict)
    note: str = ""


COMPARISONS = {
    comparison.name: comparison
    for comparison in (
        Comparison(
            f"{PREFIX}digits",
            ("E15",),
            "digits",
            30,
            5000,
            # At 8 x 8 pixels the discriminator has no batch normalisation to mix up or to freeze.
            dict.fromkeys(MAIN, 5)
            | dict.fromkeys(
                ("compiled", "adam-defaults", "pytorch-adam-defaults", "probabilities"), 3
            ),
            note="Digits of 8 x 8 pixels, 30 epochs, beside the report's clothes.",
        ),
        Comparison(
            f"{PREFIX}fashion-mnist",
            ("E15",),
            "fashion-mnist",
            1,
            10_000,
            dict.fromkeys(MAIN, 8)
            | dict.fromkeys(("keras-weights", "keras-norm", "compiled"), 3)
            | dict.fromkeys(
                ("adam-defaults", "pytorch-adam-defaults", "toggled", "concatenated"), 2
            ),
            {"width": 16},
            note="The clothes for one epoch with a net of width 16; the report trained 50 epochs, "
            "and neither of its programs is at hand.",
        ),
    )
}


def get(name: str) -> Comparison:
    """The comparison of that name.

    Raises:
        GancourseError: unknown name; the nearest ones are shown.
    """
    if name not in COMPARISONS:
        raise unknown("comparison", name, COMPARISONS)
    return COMPARISONS[name]


def table() -> str:
    """What ``gancourse recipes`` prints of them: name, data, runs, epochs, claims."""
    rows = [("comparison", "data", "runs", "epochs", "claims")]
    rows += [
        (name, c.data, str(sum(c.seeds.values())), f"{c.epochs:g}", ", ".join(c.claims))
        for name, c in COMPARISONS.items()
    ]
    return columns(rows)
