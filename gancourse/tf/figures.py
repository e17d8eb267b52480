"""Pictures of what a network says and is shown, and curves of how it learned. No TensorFlow here.

Green is right and red is wrong; each is also said in words, for those who do not see the
difference. Blue is training, orange is data held out. Of masks each class has its colour, and void
is white.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gancourse.errors import GancourseError

__all__ = ["HELD_OUT", "MASK_COLOURS", "RIGHT", "TRAINING", "WRONG", "augmentation_rows"]
__all__ += ["confidence_bars", "history_curves", "labelled_grid", "mask_rows"]

RIGHT, WRONG = "#009e73", "#cc3311"
TRAINING, HELD_OUT = "#0072b2", "#d55e00"
#: of the classes 0 to 10 of a mask; named after CamVid's: sky, building, pole, road, pavement,
#: tree, sign symbol, fence, car, pedestrian, bicyclist
MASK_COLOURS = (
    "#88ccee", "#aa7744", "#ddcc00", "#555577", "#cc99bb", "#117733", "#ee8866", "#999933",
    "#cc3311", "#ee3377", "#0077bb",
)  # fmt: skip
_VOID = "#ffffff"
_OTHER = "#999999"
#: of words; the green of the bars would be too pale for them
_RIGHT_INK = "#00704f"

History = Sequence[dict[str, Any]]


def labelled_grid(
    images: Any,
    probabilities: Any = None,
    labels: Any = None,
    classes: Sequence[str] | None = None,
    columns: int = 5,
) -> Any:
    """Pictures with what a classifier says of each below it: green if right, red if wrong.

    A wrong answer is followed by the right class in brackets. Without probabilities the classes
    alone are written; without labels the answers are black, since nobody knows.

    Args:
        images: N x H x W, or N x H x W x C with C = 1 or 3; uint8 0..255, or floating point 0..1.
        probabilities: N x K, rows of a softmax; or N x 1, a sigmoid's (of class 1). Or None.
        labels: N whole numbers 0..K-1, or None.
        classes: the K names; by default the numbers themselves.
        columns: pictures in a row.

    Returns:
        The matplotlib figure.

    Raises:
        GancourseError: shapes that do not fit each other, or pixels that are no picture.
    """
    import matplotlib.pyplot as plt

    pictures = _pictures(images)
    shares = None if probabilities is None else _shares(probabilities, len(pictures), classes)
    right = None if labels is None else _labels(labels, len(pictures), shares, classes)
    written = [
        _caption(
            None if shares is None else shares[index],
            None if right is None else int(right[index]),
            classes,
        )
        for index in range(len(pictures))
    ]
    columns = max(1, min(columns, len(pictures)))
    rows = -(-len(pictures) // columns)
    # Small enough for the words to stay readable where the page is narrow.
    side = min(1.1, 7.6 / columns)
    lines = max(text.count("\n") + 1 for text, _ in written)
    size = (side * columns, (side + 0.16 * lines) * rows)
    figure, axes = plt.subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    for index, ax in enumerate(axes.flat):
        ax.set_axis_off()
        if index >= len(pictures):
            continue
        _show(ax, pictures[index])
        text, colour = written[index]
        ax.text(
            0.5, -0.04, text, transform=ax.transAxes, ha="center", va="top", color=colour,
            fontsize=9 if columns <= 5 else 7, linespacing=1.1,
        )  # fmt: skip
    return figure


def confidence_bars(
    image: Any, probabilities: Any, label: int | None, classes: Sequence[str]
) -> Any:
    """A picture, and a bar for the probability of each class beside it.

    The bar of the correct label is green; a wrong prediction's is red; all others are grey.

    Args:
        image: H x W, or H x W x C with C = 1 or 3; uint8 0..255, or floating point 0..1.
        probabilities: K, or 1 x K as ``predict`` returns it for a batch of one; or a single
            probability of class 1 of two.
        label: the right class, 0..K-1; None if nobody knows.
        classes: the K names.

    Returns:
        The matplotlib figure.

    Raises:
        GancourseError: shapes that do not fit each other, or pixels that are no picture.
    """
    import matplotlib.pyplot as plt

    pictures = _pictures(np.asarray(image)[None])
    shares = _shares(np.reshape(probabilities, (1, -1)), 1, classes)[0]
    right = None if label is None else int(_labels([label], 1, shares[None], classes)[0])
    said = int(shares.argmax())
    colours = [_OTHER] * len(shares)
    colours[said] = _OTHER if right is None else WRONG
    if right is not None:
        colours[right] = RIGHT
    figure, (left, ax) = plt.subplots(
        1, 2, figsize=(5.6, max(1.9, 0.24 * len(shares) + 0.6)), layout="constrained",
        width_ratios=(1, 1.25),
    )  # fmt: skip
    left.set_axis_off()
    _show(left, pictures[0])
    text, colour = _caption(shares, right, classes)
    left.set_title(text.replace("\n", ", ", 1), color=colour, fontsize=10)
    places = np.arange(len(shares))
    ax.barh(places, shares, color=colours)
    ax.set_yticks(places, [str(name) for name in classes])
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.set_xlabel("probability")
    if right is not None:
        ax.get_yticklabels()[right].set_fontweight("bold")
    return figure


def history_curves(
    history: History | Sequence[History], *, held_out: str = "validation", title: str | None = None
) -> Any:
    """Accuracy and loss, epoch by epoch: training blue, data held out orange and dashed.

    Of several runs the mean is drawn, with each run as a thin line behind it.

    Args:
        history: rows with ``epoch``, ``accuracy``, ``loss``, ``val_accuracy`` and ``val_loss``, as
            the history of :class:`gancourse.tf.training.Fitted`; or a list of such histories of
            equal length. A value of None leaves a gap.
        held_out: what to call the second curve, such as ``"test"``.
        title: what to write above.

    Returns:
        The matplotlib figure.

    Raises:
        GancourseError: no epochs, or runs of different length.
    """
    import matplotlib.pyplot as plt

    if not len(history):
        raise GancourseError("The history is empty: nothing has been trained yet.")
    first = history[0]
    runs: list[History] = [history] if isinstance(first, dict) else list(history)  # type: ignore
    if not runs[0] or len({len(run) for run in runs}) != 1:
        raise GancourseError("The histories must have epochs, and all the same number of them.")
    epochs = [row["epoch"] for row in runs[0]]
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 2.9), layout="constrained")
    for ax, measure in zip(axes, ("accuracy", "loss"), strict=True):
        for key, colour, line, name in (
            (measure, TRAINING, "-", "training"),
            (f"val_{measure}", HELD_OUT, "--", held_out),
        ):
            rows = [[row.get(key) for row in run] for run in runs]
            values = np.array(
                [[np.nan if value is None else value for value in row] for row in rows]
            )
            if np.isnan(values).all():
                continue
            if len(runs) > 1:
                ax.plot(epochs, values.T, line, color=colour, alpha=0.3, linewidth=0.8)
            marker = "." if len(epochs) < 30 else ""
            ax.plot(epochs, values.mean(0), line, color=colour, label=name, marker=marker)
        ax.set_xlabel("epoch")
        ax.set_ylabel(measure)
        ax.xaxis.get_major_locator().set_params(integer=True)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize="small")
    if title:
        figure.suptitle(title)
    return figure


def augmentation_rows(
    image: Any, augmentations: Mapping[str, Callable[..., Any]], columns: int = 5
) -> Any:
    """One picture under several augmentations: a row for each, several draws beside each other.

    Args:
        image: H x W, or H x W x C with C = 1 or 3; uint8 0..255, or floating point 0..1.
        augmentations: what to write at the row -> the augmentation, called with ``training=True``
            and float32 N x H x W x C in 0..1, N equal pictures; it returns as many, such as
            :func:`gancourse.tf.pipelines.augmentation` makes.
        columns: draws in a row.

    Returns:
        The matplotlib figure.

    Raises:
        GancourseError: pixels that are no picture, nothing to draw, or an augmentation that returns
            another shape.
    """
    import matplotlib.pyplot as plt

    if not augmentations or columns < 1:
        raise GancourseError(
            f"{len(augmentations)} augmentations and {columns} columns leave nothing to draw; give "
            "one or more of each."
        )
    pictures = _pictures(np.asarray(image)[None]).astype(np.float32)
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    batch = np.repeat(pictures, columns, axis=0)
    figure, axes = plt.subplots(
        len(augmentations), columns, figsize=(columns, 0.98 * len(augmentations)),
        layout="constrained", squeeze=False,
    )  # fmt: skip
    for row, (name, change) in zip(axes, augmentations.items(), strict=True):
        changed = np.asarray(change(batch, training=True))
        if changed.shape != batch.shape:
            raise GancourseError(
                f"The augmentation {name} makes {changed.shape} of {batch.shape}; it must keep "
                "number and shape of the pictures."
            )
        for ax, picture in zip(row, changed, strict=True):
            # Interpolation may leave the range by a rounding error.
            _show(ax, picture.clip(0, 1), "antialiased")
            ax.set_xticks([])  # not set_axis_off, which would hide the name of the row too
            ax.set_yticks([])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(name, fontsize=11)
    return figure


def mask_rows(
    rows: Sequence[Sequence[Any]],
    titles: Sequence[str] | None = None,
    *,
    void: int | None = None,
    classes: Sequence[str] | None = None,
    width: float = 6.4,
) -> Any:
    """Pictures and masks in rows, such as input, true mask, and predictions before and after.

    Class k has the colour ``MASK_COLOURS[k]`` in every figure; void is white.

    Args:
        rows: rows of equal length. H x W is a mask of whole numbers; H x W x C with C = 1 or 3 is a
            picture, uint8 0..255 or floating point 0..1.
        titles: what to write above the columns, or None.
        void: the mask value of pixels without a class, or None.
        classes: names of the classes without void; given, they make a legend below.
        width: of the figure, in inches.

    Returns:
        The matplotlib figure.

    Raises:
        GancourseError: no rows, rows or titles of different length, mask values or classes without
            a colour, or pixels that are no picture.
    """
    import matplotlib.pyplot as plt

    lengths = {len(row) for row in rows} | ({len(titles)} if titles is not None else set())
    if len(rows) == 0 or len(lengths) != 1 or 0 in lengths:
        raise GancourseError(
            f"{len(rows)} rows with lengths {sorted(lengths)}, titles counted as one, make no "
            "table; give rows of equal length and a title for each column."
        )
    if len(classes or ()) > len(MASK_COLOURS):
        raise GancourseError(f"There are colours for {len(MASK_COLOURS)} classes and void.")
    count = lengths.pop()
    drawn = [[_coloured(entry, void) for entry in row] for row in rows]
    size = (width, width * len(rows) / count + 0.3)
    figure, axes = plt.subplots(len(rows), count, figsize=size, layout="constrained", squeeze=False)
    for line, row in zip(axes, drawn, strict=True):
        for ax, picture in zip(line, row, strict=True):
            _show(ax, picture)
            ax.set_axis_off()
    for ax, title in zip(axes[0], titles or [], strict=False):
        ax.set_title(title, fontsize=10)
    if classes is not None:
        names = [*zip(MASK_COLOURS, classes, strict=False)]
        names += [] if void is None else [(_VOID, "void")]
        handles = [plt.Rectangle((0, 0), 1, 1, facecolor=c, edgecolor="black") for c, _ in names]
        figure.legend(
            handles, [name for _, name in names], ncol=4, fontsize=9, loc="outside lower center"
        )
    return figure


def _coloured(entry: Any, void: int | None) -> np.ndarray:
    """A picture as it is shown: float 0..1 H x W x 3, or H x W of a grey one. Masks get colours."""
    pixels = np.asarray(entry)
    if pixels.ndim != 2:
        return _pictures(pixels[None])[0]
    known = (pixels >= 0) & (pixels < len(MASK_COLOURS))
    if not np.issubdtype(pixels.dtype, np.integer) or not (known | (pixels == void)).all():
        raise GancourseError(
            f"A mask holds whole numbers, classes 0 to {len(MASK_COLOURS) - 1} or void ({void}), "
            f"not {pixels.dtype} from {pixels.min():g} to {pixels.max():g}; name the void, or pass "
            "a grey picture as H x W x 1."
        )
    codes = bytes.fromhex("".join(colour[1:] for colour in (*MASK_COLOURS, _VOID)))
    palette = np.frombuffer(codes, np.uint8).reshape(-1, 3)
    return palette[np.where(pixels == void, len(MASK_COLOURS), pixels)] / 255


def _show(ax: Any, picture: np.ndarray, interpolation: str = "nearest") -> None:
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation=interpolation)


def _pictures(images: Any) -> np.ndarray:
    """float N x H x W (grey) or N x H x W x 3, 0 to 1."""
    pixels = np.asarray(images)
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    whole = pixels.ndim == 3 or (pixels.ndim == 4 and pixels.shape[-1] == 3)
    if not whole or len(pixels) == 0:
        raise GancourseError(
            f"Pictures are N x H x W or N x H x W x 1 or 3, not {np.shape(images)}; put a single "
            "one into a batch by image[None]."
        )
    if pixels.dtype == np.uint8:
        return pixels / 255
    if not np.issubdtype(pixels.dtype, np.floating) or not (0 <= pixels.min() <= pixels.max() <= 1):
        raise GancourseError(
            f"Pixels must be uint8 0..255 or floating point 0..1, not {pixels.dtype} from "
            f"{pixels.min():g} to {pixels.max():g}."
        )
    return pixels


def _shares(probabilities: Any, count: int, classes: Sequence[str] | None) -> np.ndarray:
    """Probabilities N x K; of a sigmoid's single column the other class is added."""
    shares = np.asarray(probabilities, dtype=np.float64)
    if shares.ndim == 1 and len(shares) == count and (classes is None or len(classes) == 2):
        shares = shares[:, None]
    if shares.ndim == 2 and shares.shape[1] == 1:
        shares = np.concatenate([1 - shares, shares], axis=1)
    fits = shares.ndim == 2 and len(shares) == count
    if not fits or (classes is not None and shares.shape[1] != len(classes)):
        names = "" if classes is None else f" and {len(classes)} classes"
        raise GancourseError(
            f"Probabilities of shape {np.shape(probabilities)} do not fit {count} pictures{names}."
        )
    if np.any(shares < 0) or np.any(shares > 1 + 1e-6):
        raise GancourseError("Probabilities lie from 0 to 1; apply softmax or a sigmoid first.")
    return shares


def _labels(
    labels: Any, count: int, shares: np.ndarray | None, classes: Sequence[str] | None
) -> np.ndarray:
    right = np.asarray(labels).reshape(-1)
    kinds = shares.shape[1] if shares is not None else len(classes) if classes else None
    if len(right) != count or not np.issubdtype(right.dtype, np.integer):
        raise GancourseError(
            f"{count} pictures need {count} labels, whole numbers; not {right.dtype} of shape "
            f"{np.shape(labels)}."
        )
    if right.min() < 0 or (kinds is not None and right.max() >= kinds):
        raise GancourseError(
            f"Labels go from 0 to {kinds - 1 if kinds else 'the last class'}; these go from "
            f"{right.min()} to {right.max()}."
        )
    return right


def _caption(
    shares: np.ndarray | None, right: int | None, classes: Sequence[str] | None
) -> tuple[str, str]:
    """What stands below a picture, and in which colour."""

    def name(index: int) -> str:
        return str(index) if classes is None else str(classes[index])

    if shares is None:
        return ("" if right is None else name(right)), "black"
    said = int(shares.argmax())
    share = f"{100 * shares[said]:.0f}" if shares[said] < 0.995 else "over 99"
    text = f"{name(said)}\n{share} %"
    if right is None:
        return text, "black"
    return (text, _RIGHT_INK) if said == right else (f"{text}\n({name(right)})", WRONG)
