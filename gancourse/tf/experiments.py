"""The paper's experiments by name: data, network, loss, optimiser, epochs. No TensorFlow here.

Where the paper leaves a setting open it is one field of the table below, and the record says which
value was taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gancourse.errors import unknown
from gancourse.text import columns

__all__ = ["EXPERIMENTS", "Experiment", "get", "table"]


@dataclass(frozen=True)
class Experiment:
    """One setting that the paper trained.

    Attributes:
        name: ``tf/...``.
        claims: those of the ledger whose checks read its record, and errata on its page.
        data: name of the data set, as :func:`gancourse.data.load` takes it.
        split: which parts become training, validation and test data: ``"test"`` (the data set's
            own train and test), ``"table"`` (four fifths of the training rows train and one fifth
            validates; and the test split), ``"validation"`` (train and val or validation),
            ``"three"`` (train, val and test).
        size: pixels a side, of the data and of the U-Net; or None for what is stored.
        model: name of the builder in :mod:`gancourse.tf.models` or :mod:`gancourse.tf.unet`.
        options: its keyword arguments.
        loss: name of the Keras loss.
        optimizer: ``"adam"`` or ``"sgd"``.
        learning_rate: of the optimiser.
        epochs: as the paper trained.
        batch_size: items a batch.
        augment: kinds of :func:`gancourse.tf.pipelines.augmentation`, all together; with masks
            ``"flip"`` alone.
        void: mask value that neither loss nor accuracy counts, or None.
        note: how data or settings differ from the paper's.
    """

    name: str
    claims: tuple[str, ...]
    data: str
    split: str
    model: str
    epochs: int
    size: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    loss: str = "sparse_categorical_crossentropy"
    optimizer: str = "adam"
    learning_rate: float = 0.001
    batch_size: int = 32
    augment: tuple[str, ...] = ()
    void: int | None = None
    note: str = ""

    def describe(self) -> dict[str, Any]:
        """The settings as JSON holds them."""
        facts = asdict(self)
        for key in ("name", "claims", "data", "note"):
            del facts[key]
        return json.loads(json.dumps(facts))


_TABLE_NOTE = (
    "The paper's 42,000 labelled rows are Kaggle's selection of MNIST. Here the 60,000 training "
    "images of MNIST are laid out in the same way; one fifth of them validates."
)


def _table(name: str, *claims: str, **changes: Any) -> Experiment:
    settings: dict[str, Any] = {
        "data": "mnist",
        "split": "table",
        "model": "table_classifier",
        "options": {"hidden": [300, 100, 100, 200], "dropout": 0.0},
        "loss": "categorical_crossentropy",
        "epochs": 20,
        "batch_size": 20,
        "note": _TABLE_NOTE,
    }
    return Experiment(f"tf/table-{name}", claims, **(settings | changes))


_ADAM_NOTE = (
    "The paper names Adam, but neither its rate nor the batch size: 0.001 and 32 are Keras' usual "
    "choice."
)
_FIVE = {"hidden": [300, 100, 100, 100, 200], "dropout": 0.0}
_CATS_DOGS_NOTE = (
    "Other photographs than the paper's 3,000, from the same competition, in the same split of "
    "2,000 and 1,000. The paper does not say how many maps its convolutions have."
)

EXPERIMENTS: dict[str, Experiment] = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "tf/clothes", ("E1",), "fashion-mnist", "test", "dense_classifier", 10,
            note="The paper does not name the optimiser or the batch size: Adam and 32 are "
            "Keras' usual choice.",
        ),
        _table("sgd", "E2", "E3", optimizer="sgd", learning_rate=0.1),
        _table("adam", "E3", "E4", "E5"),
        _table("adam-0.01", "E4", "E7", learning_rate=0.01),
        _table("adam-0.1", "E4", learning_rate=0.1),
        _table("adam-0.5", "E4", "E7", learning_rate=0.5),
        _table("five", "E5", options=_FIVE, batch_size=100),
        _table("five-0.01", "E7", options=_FIVE, batch_size=100, learning_rate=0.01),
        _table(
            "four-100", "E5", batch_size=100,
            note=_TABLE_NOTE + " A control that the paper lacks: its networks of four and of five "
            "layers differ in the batch size too.",
        ),
        _table(
            "dropout", "E6", options={"hidden": [300, 100, 100, 200], "dropout": 0.3},
            note=_TABLE_NOTE + " Dropout follows every hidden layer: the paper does not say which.",
        ),
        Experiment(
            "tf/cats-dogs", ("E8", "E9"), "cats-dogs", "validation", "cats_dogs_classifier", 15,
            size=150, loss="binary_crossentropy", batch_size=128, note=_CATS_DOGS_NOTE,
        ),
        Experiment(
            "tf/cats-dogs-augmented", ("E9",), "cats-dogs", "validation", "cats_dogs_classifier",
            15, size=150, options={"dropout": 0.2}, loss="binary_crossentropy", batch_size=128,
            augment=("flip", "rotation", "zoom", "shift"),
            note=_CATS_DOGS_NOTE + " It gives no figure for its shifts: 15 per cent here.",
        ),
        Experiment(
            "tf/cifar10", ("E10", "X1"), "cifar10", "test", "cifar10_classifier", 10,
            note=_ADAM_NOTE,
        ),
        Experiment(
            "tf/segmentation", ("E11",), "camvid", "three", "unet", 20, size=128,
            options={"classes": 11}, augment=("flip",), void=11,
            note="CamVid, eleven classes of street scenes with void left out, in place of the "
            "paper's Oxford-IIIT Pet with three. The encoder's weights are MobileNetV2's, the last "
            "blocks fine-tuned on dogs.",
        ),
        Experiment(
            "tf/digits", ("E12", "X13"), "mnist", "test", "dense_classifier", 5,
            note=_ADAM_NOTE,
        ),
    )
}  # fmt: skip


def get(name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        GancourseError: unknown name; the nearest ones are shown.
    """
    if name not in EXPERIMENTS:
        raise unknown("experiment", name, EXPERIMENTS)
    return EXPERIMENTS[name]


def table() -> str:
    """What ``gancourse recipes`` prints of them: name, data, what is set, epochs, claims."""
    rows = [("experiment", "data", "settings", "epochs", "claims")]
    for name, e in EXPERIMENTS.items():
        settings = f"{e.optimizer} {e.learning_rate:g}, batches of {e.batch_size}"
        rows.append((name, e.data, settings, str(e.epochs), ", ".join(e.claims)))
    return columns(rows)
