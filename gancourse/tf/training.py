"""An experiment from its name to a trained model, through Keras' ``fit``; saving and loading."""

from __future__ import annotations

import inspect
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gancourse import data as datasets
from gancourse.data import ImageData
from gancourse.errors import GancourseError, unknown
from gancourse.files import write_bytes
from gancourse.tf import models, pipelines, segmentation, unet
from gancourse.tf.backend import keras, tf
from gancourse.tf.experiments import Experiment, get

__all__ = ["Fitted", "Splits", "build", "fit", "load", "load_data", "save"]

Pair = tuple[np.ndarray, np.ndarray]

#: split of an experiment -> the data set's parts for training, validation and test
SPLITS = {
    "test": ("train", "test", "test"),
    "table": ("train", "train", "test"),
    "validation": ("train", "validation", "validation"),
    "three": ("train", "val", "test"),
}
MODELS = {
    builder.__name__: builder
    for builder in (
        models.dense_classifier,
        models.table_classifier,
        models.cats_dogs_classifier,
        models.cifar10_classifier,
        unet.unet,
    )
}
OPTIMIZERS = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}


class Splits(NamedTuple):
    """The data of an experiment, each part as (inputs, targets).

    Inputs are uint8 images N x H x W x C, or float32 rows N x 784; targets are int64 classes N,
    one-hot rows N x 10, or uint8 masks N x H x W.
    """

    train: Pair
    #: watched after every epoch; nothing is chosen by it
    validation: Pair
    #: judged once, after training; the same as ``validation`` where the paper has no third part
    test: Pair


@dataclass(frozen=True)
class Fitted:
    """A trained model and how it came about.

    Attributes:
        model: the Keras model.
        history: one dict an epoch: ``epoch`` (from 1), ``loss`` and ``accuracy`` as ``fit`` prints
            them (the mean over the epoch, while the weights move and dropout and augmentation are
            on), ``val_loss`` and ``val_accuracy`` after it, ``seconds``. A loss that is no longer a
            finite number is None.
        scores: measured after training with everything random switched off: ``train_accuracy``
            and, as the experiment has them, ``validation_accuracy`` and ``test_accuracy`` (of
            pixels that are not void, for masks), ``mean_iou`` of the last part, for masks; and
            ``epoch_accuracy``, the last ``accuracy`` of the history.
        predictions: of the last part of the data: ``predicted`` (uint8 class, or mask) and
            ``confidence`` (float16, the predicted class' probability; not for masks).
        seconds: of training, by the clock.
        cpu_seconds: of training, of all processors together; other programs do not add to it.
    """

    model: Any
    history: list[dict[str, Any]]
    scores: dict[str, float]
    predictions: dict[str, np.ndarray]
    seconds: float
    cpu_seconds: float


def _pair(data: ImageData, of_pixels: bool) -> Pair:
    targets = pipelines.masks(data) if of_pixels else pipelines.labels(data)
    return pipelines.images(data), targets


def _check_settings(experiment: Experiment) -> None:
    """Refuse an experiment that names what there is not."""
    for kind, name, known in (
        ("split", experiment.split, SPLITS),
        ("model", experiment.model, MODELS),
        ("optimizer", experiment.optimizer, OPTIMIZERS),
    ):
        if name not in known:
            raise unknown(kind, name, known)
    if experiment.void is not None and set(experiment.augment) - {"flip"}:
        raise GancourseError(
            f"Images with masks are augmented by flip alone, not by "
            f"{', '.join(experiment.augment)}: augment=('flip',) or ()."
        )


def load_data(experiment: Experiment) -> Splits:
    """Read and split an experiment's data.

    Raises:
        GancourseError: the experiment names an unknown split, model or optimiser; or the data are
            not on this machine and cannot be had (see :func:`gancourse.data.load`).
    """
    _check_settings(experiment)

    def part(split: str) -> ImageData:
        loaded = datasets.load(experiment.data, split=split, size=experiment.size)
        assert isinstance(loaded, ImageData)
        return loaded

    if experiment.split == "table":
        table = pipelines.kaggle_table(part("train"))
        x, y, x_validation, y_validation = pipelines.split_table(table)
        held_out = pipelines.kaggle_table(part("test"))
        test = (pipelines.scaled(held_out[:, 1:]), np.eye(10, dtype=np.float32)[held_out[:, 0]])
        return Splits((x, y), (x_validation, y_validation), test)
    of_pixels = experiment.void is not None
    names = SPLITS[experiment.split]
    loaded = {split: _pair(part(split), of_pixels) for split in dict.fromkeys(names)}
    return Splits(*(loaded[split] for split in names))


def build(experiment: Experiment) -> Any:
    """The experiment's model, compiled; its weights from Keras' global generator.

    Raises:
        GancourseError: the experiment names an unknown model, optimiser or split, or options that
            the model does not have; or pretrained weights are needed and not found.
    """
    _check_settings(experiment)
    builder = MODELS[experiment.model]
    options = dict(experiment.options)
    if builder is unet.unet:
        options = {"size": experiment.size} | options
    signature = inspect.signature(builder)
    try:
        signature.bind(**options)
    except TypeError as error:
        raise GancourseError(
            f"{experiment.model} has the options ({', '.join(signature.parameters)}): {error}."
        ) from error
    model = builder(**options)
    optimizer = OPTIMIZERS[experiment.optimizer](learning_rate=experiment.learning_rate)
    if experiment.void is None:
        # On a CPU, XLA's convolutions are several times slower than those TensorFlow calls itself;
        # dense layers in small batches gain by it.
        convolves = any(isinstance(layer, keras.layers.Conv2D) for layer in model.layers)
        slow = convolves and not tf.config.list_physical_devices("GPU")
        model.compile(
            optimizer=optimizer,
            loss=experiment.loss,
            metrics=["accuracy"],
            jit_compile=False if slow else "auto",
        )
    else:
        segmentation.compile_segmentation(model, optimizer)
    return model


class _Rows(keras.callbacks.Callback):
    """Collects the history, and prints a line an epoch where somebody looks on."""

    def __init__(self, epochs: int, progress: bool) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self.epochs, self.progress = epochs, progress

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds = time.perf_counter() - self.start
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        values = {name: float((logs or {})[name]) for name in names}
        row = {n: round(v, 6) if math.isfinite(v) else None for n, v in values.items()}
        self.rows.append({"epoch": epoch + 1, **row, "seconds": round(seconds, 2)})
        if self.progress:
            print(
                f"epoch {epoch + 1}/{self.epochs}: {seconds:.0f} s, "
                + ", ".join(f"{name} {value:.4f}" for name, value in values.items()),
                file=sys.stderr,
            )


def _some(pair: Pair, items: int | None) -> Pair:
    """So many items at even distances: data that are stored class by class keep their classes."""
    count = len(pair[0])
    if items is None or items >= count:
        return pair
    chosen = np.linspace(0, count - 1, items).round().astype(int)
    return pair[0][chosen], pair[1][chosen]


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _check_data(experiment: Experiment, model: Any, data: Splits) -> None:
    """Refuse data that the model does not take, before Keras does so in its own words, or not."""
    name, of_pixels = experiment.model, experiment.void is not None
    takes, gives = model.input_shape[1:], model.output_shape[1:]
    if (len(gives) == 3) != of_pixels:
        raise GancourseError(
            f"{name} gives {'a class to every pixel' if len(gives) == 3 else 'an image one class'}, "
            f"and with void={experiment.void} the targets are {'masks' if of_pixels else 'classes'}. "
            "Choose another model, or give void the mask value that does not count (None: no masks)."
        )
    classes = max(2, gives[-1])  # a single sigmoid tells two apart
    for part, (x, y) in data._asdict().items():
        of = f"the {part} data of {experiment.name} ({experiment.data})"
        if x.shape[1:] != takes:
            raise GancourseError(
                f"{name} takes items of {_by(takes)}; {of} are of {_by(x.shape[1:])}. Choose "
                "another model or data set, or the size (size=...) that the model was made for."
            )
        if of_pixels:
            _batches(experiment, (x, y), None)  # which checks the masks' values
        elif y.ndim == 2 and y.shape[1] != gives[-1]:
            raise GancourseError(
                f"{name} has {gives[-1]} outputs; the classes of {of} are rows of {y.shape[1]}. "
                "Both must be the number of classes."
            )
        elif y.ndim == 1 and len(y) and not 0 <= y.min() <= y.max() < classes:
            raise GancourseError(
                f"{name} tells the classes 0 to {classes - 1} apart; those of {of} go from "
                f"{y.min()} to {y.max()}. Choose a model with more outputs, or number the classes "
                "from 0."
            )


def _batches(experiment: Experiment, pair: Pair, seed: int | None) -> Any:
    x, y = pair
    training = seed is not None
    if experiment.void is not None:
        return segmentation.segmentation_dataset(
            x,
            y,
            experiment.batch_size,
            classes=experiment.options["classes"],
            void=experiment.void,
            seed=seed,
            flip=training and "flip" in experiment.augment,
        )
    augment = None
    if training and experiment.augment:
        augment = pipelines.augmentation(*experiment.augment, seed=seed or 0)
    return pipelines.dataset(x, y, experiment.batch_size, seed=seed, augment=augment)


def _judge(experiment: Experiment, model: Any, pair: Pair) -> tuple[float, dict[str, np.ndarray]]:
    """Accuracy on one part of the data, and the predictions it comes from."""
    x, y = pair
    if experiment.void is not None:
        predicted = segmentation.predict_masks(model, x)
        counted = y != experiment.void
        return float((predicted == y)[counted].mean()), {"predicted": predicted}
    # Not through tf.data: a large batch without targets, as one predicts in practice.
    output = np.concatenate(
        [
            model.predict_on_batch(pipelines.scaled(part) if part.dtype == np.uint8 else part)
            for part in np.array_split(x, max(1, -(-len(x) // 500)))
        ]
    )
    if output.shape[1] == 1:
        output = np.concatenate([1 - output, output], axis=1)
    predicted = output.argmax(1).astype(np.uint8)
    right = predicted == (y.argmax(1) if y.ndim == 2 else y)
    confidence = output.max(1).astype(np.float16)
    return float(right.mean()), {"predicted": predicted, "confidence": confidence}


def fit(
    name: str | Experiment,
    seed: int = 0,
    *,
    epochs: int | None = None,
    items: int | None = None,
    data: Splits | None = None,
    callbacks: Sequence[Any] = (),
    progress: bool | None = None,
) -> Fitted:
    """Train one of the experiments as the paper describes it.

    Args:
        name: of the experiment (``gancourse.tf.EXPERIMENTS``), or one of your own.
        seed: of the initial weights, the order of the data, dropout and augmentation. It is set
            for the whole process (``keras.utils.set_random_seed``).
        epochs: passes through the training data; the paper's number by default.
        items: use only so many items of each part, evenly chosen; all by default.
        data: from :func:`load_data`, to spare loading it again.
        callbacks: more Keras callbacks.
        progress: a line an epoch on stderr; by default if that is a terminal.

    Returns:
        The :class:`Fitted` model.

    Raises:
        GancourseError: unknown name, or an experiment of your own with one (see :func:`build`); no
            epochs or items; data or weights that are not there; data whose shape or classes are
            not the model's.
    """
    experiment = get(name) if isinstance(name, str) else name
    epochs = experiment.epochs if epochs is None else epochs
    if epochs < 1 or (items is not None and items < 1):
        raise GancourseError(f"Cannot train for {epochs} epochs on {items} items; 1 is the least.")
    _check_settings(experiment)
    parts = load_data(experiment) if data is None else data
    parts = Splits(*(_some(pair, items) for pair in parts))
    keras.utils.set_random_seed(seed)
    model = build(experiment)
    _check_data(experiment, model, parts)
    steps = -(-len(parts.train[0]) // experiment.batch_size)
    # Several steps in one call of the graph: what Python costs is then no longer felt. The result
    # is the same.
    model.steps_per_execution = max(1, min(100, steps // 5))
    rows = _Rows(epochs, sys.stderr.isatty() if progress is None else progress)
    start, cpu_start = time.perf_counter(), time.process_time()
    model.fit(
        _batches(experiment, parts.train, seed),
        validation_data=_batches(experiment, parts.validation, None),
        epochs=epochs,
        shuffle=False,  # the data set shuffles
        verbose=0,
        callbacks=[rows, *callbacks],
    )
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    scores = {"train_accuracy": _judge(experiment, model, parts.train)[0]}
    if experiment.split != "test":
        scores["validation_accuracy"], predictions = _judge(experiment, model, parts.validation)
    if experiment.split != "validation":
        scores["test_accuracy"], predictions = _judge(experiment, model, parts.test)
    if experiment.void is not None:
        judged = segmentation.segmentation_scores(
            predictions["predicted"], parts.test[1], experiment.options["classes"], experiment.void
        )
        scores["mean_iou"] = judged["mean_iou"]
    scores["epoch_accuracy"] = rows.rows[-1]["accuracy"]
    return Fitted(model, rows.rows, scores, predictions, seconds, cpu_seconds)


def save(model: Any, path: str | Path) -> None:
    """Write a model as Keras' own format: architecture, weights, optimiser; whole or not at all.

    Args:
        model: a Keras model.
        path: ends with ``.keras``.

    Raises:
        GancourseError: another suffix, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise GancourseError(f"Name a .keras file to save the model in, not {path.name}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A folder of its own: another process may save to the same path at the same time.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}.") as folder:
            draft = Path(folder) / path.name
            model.save(draft)
            write_bytes(path, draft.read_bytes())
    except OSError as error:
        raise GancourseError(
            f"Cannot write {path}: {error.strerror or error}. What was there before is unharmed; "
            "free some space or choose another folder."
        ) from error


def load(path: str | Path) -> Any:
    """Open a model that :func:`save` wrote. Code inside the file is not run (``safe_mode``).

    Raises:
        GancourseError: no such file, or not a whole Keras model.
    """
    path = Path(path)
    if not path.is_file():
        raise GancourseError(f"There is no model {path}; save one by gancourse.tf.save.")
    try:
        return keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # Keras raises whatever its parts raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise GancourseError(
            f"{path} is not a Keras model that can be read ({reason}). It may be cut short or "
            "altered; save the model again."
        ) from error
