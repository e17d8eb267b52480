"""What the figures of the networks show: colours, words, curves; and what they refuse."""

from __future__ import annotations

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex

from gancourse.errors import GancourseError
from gancourse.tf import figures

matplotlib.use("Agg")

NAMES = ("coat", "shirt", "shoe")
SURE = np.array([[0.1, 0.8, 0.1], [0.7, 0.2, 0.1]])
GREY = np.zeros((2, 4, 4), np.uint8)


@pytest.fixture(autouse=True)
def _closed():
    yield
    matplotlib.pyplot.close("all")


def _written(figure):
    return [(text.get_text(), text.get_color()) for ax in figure.axes for text in ax.texts]


def test_a_right_answer_is_green_and_a_wrong_one_red_with_the_right_class():
    figure = figures.labelled_grid(GREY, SURE, [1, 2], NAMES)
    assert _written(figure) == [
        ("shirt\n80 %", figures._RIGHT_INK),
        ("coat\n70 %\n(shoe)", figures.WRONG),
    ]


def test_no_answer_is_called_certain():
    sure = [[0.001, 0.999, 0.0], [0.006, 0.994, 0.0]]
    written = [text for text, _ in _written(figures.labelled_grid(GREY, sure, [1, 1], NAMES))]
    assert written == ["shirt\nover 99 %", "shirt\n99 %"]


def test_without_labels_nothing_is_called_right():
    assert _written(figures.labelled_grid(GREY, SURE, None, NAMES))[1] == ("coat\n70 %", "black")


def test_without_probabilities_the_classes_are_written():
    written = _written(figures.labelled_grid(GREY, labels=[1, 2], classes=NAMES))
    assert written == [("shirt", "black"), ("shoe", "black")]


def test_a_sigmoid_s_column_is_the_probability_of_the_second_class():
    written = _written(figures.labelled_grid(GREY, [[0.9], [0.2]], [1, 1], ("cat", "dog")))
    assert written == [("dog\n90 %", figures._RIGHT_INK), ("cat\n80 %\n(dog)", figures.WRONG)]


@pytest.mark.parametrize(
    "images",
    [GREY, GREY[..., None], np.full((2, 4, 4, 1), 0.5, np.float32), np.ones((2, 4, 4, 3))],
)
def test_pictures_of_every_layout(images):
    figure = figures.labelled_grid(images, SURE, [1, 2], NAMES, columns=1)
    assert len([ax for ax in figure.axes if ax.images]) == 2
    assert figure.axes[0].images[0].get_clim() == (0, 1)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (1, {1: figures.RIGHT}),
        (2, {1: figures.WRONG, 2: figures.RIGHT}),
        (None, {}),
    ],
)
def test_bars_are_green_for_the_right_and_red_for_a_wrong_answer(label, expected):
    figure = figures.confidence_bars(GREY[0], SURE[:1], label, NAMES)
    bars = figure.axes[1].patches
    assert [bar.get_width() for bar in bars] == pytest.approx(SURE[0])
    found = {i: to_hex(bar.get_facecolor()) for i, bar in enumerate(bars)}
    assert {i: colour for i, colour in found.items() if colour != "#999999"} == expected


def test_bars_of_a_single_probability():
    figure = figures.confidence_bars(np.ones((4, 4, 3)), [0.3], 0, ("cat", "dog"))
    assert [bar.get_width() for bar in figure.axes[1].patches] == pytest.approx([0.7, 0.3])


def _history(shift=0.0):
    return [
        {"epoch": e, "accuracy": 0.5 + shift, "loss": 1.0, "val_accuracy": 0.4, "val_loss": None}
        for e in (1, 2, 3)
    ]


def test_curves_of_one_run():
    figure = figures.history_curves(_history(), held_out="test")
    accuracy, loss = figure.axes
    assert [line.get_label() for line in accuracy.lines] == ["training", "test"]
    assert [to_hex(line.get_color()) for line in accuracy.lines] == ["#0072b2", "#d55e00"]
    assert [line.get_label() for line in loss.lines] == ["training"]  # the other was never finite


def test_of_several_runs_the_mean_is_drawn_over_them():
    figure = figures.history_curves([_history(), _history(0.2)])
    named = [x for x in figure.axes[0].lines if not x.get_label().startswith("_")]
    assert list(named[0].get_ydata()) == pytest.approx([0.6] * 3)
    assert len(figure.axes[0].lines) == 6


def _mirrored(batch, training):
    assert training and batch.dtype == np.float32
    return batch[:, :, ::-1]


def _darker(batch, training):
    return batch - np.arange(len(batch))[:, None, None, None]


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_augmentations_are_rows_with_their_names(channels):
    picture = np.zeros((4, 6, *channels), np.uint8)
    picture[:, 0] = 255
    figure = figures.augmentation_rows(picture, {"flip": _mirrored, "dark": _darker}, columns=3)
    assert len(figure.axes) == 6
    assert [ax.get_ylabel() for ax in figure.axes] == ["flip", "", "", "dark", "", ""]
    drawn = [np.asarray(ax.images[0].get_array()) for ax in figure.axes]
    assert drawn[0][:, -1].min() == 1 and drawn[0][:, 0].max() == 0  # mirrored
    assert drawn[3].max() == 1 and drawn[4].max() == 0  # each draw its own; never below 0


MASK = np.array([[0, 1], [8, 11]])


def test_masks_have_a_colour_for_each_class_and_void_is_white():
    photo = np.full((2, 2, 3), 51, np.uint8)
    figure = figures.mask_rows([[photo, MASK], [photo, MASK.astype(np.uint8)]], ["input", "mask"],
                               void=11)  # fmt: skip
    assert [ax.get_title() for ax in figure.axes] == ["input", "mask", "", ""]
    assert not figure.legends
    for left, right in (figure.axes[:2], figure.axes[2:]):
        assert np.asarray(left.images[0].get_array()) == pytest.approx(0.2)
        colours = np.asarray(right.images[0].get_array())
        assert [to_hex(c) for c in colours.reshape(-1, 3)] == [
            *(figures.MASK_COLOURS[k] for k in (0, 1, 8)),
            "#ffffff",
        ]


@pytest.mark.parametrize("void, last", [(None, []), (255, ["void"])])
def test_the_legend_names_the_classes_in_their_colours(void, last):
    figure = figures.mask_rows([[MASK[:1]]], void=void, classes=NAMES)
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == [*NAMES, *last]
    faces = [to_hex(patch.get_facecolor()) for patch in legend.get_patches()]
    assert faces == [*figures.MASK_COLOURS[:3], *(["#ffffff"] if last else [])]


def test_every_class_has_a_colour_of_its_own():
    assert len({*figures.MASK_COLOURS, "#ffffff"}) == 12


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.augmentation_rows(GREY[0], {}), "0 augmentations"),
        (lambda: figures.augmentation_rows(GREY[0], {"a": _darker}, columns=0), "0 columns"),
        (lambda: figures.augmentation_rows(GREY, {"a": _darker}), "image.None."),
        (
            lambda: figures.augmentation_rows(GREY[0], {"cut": lambda x, training: x[:, 1:]}),
            "cut makes .5, 3, 4, 1. of .5, 4, 4, 1.",
        ),
        (lambda: figures.mask_rows([]), "0 rows"),
        (lambda: figures.mask_rows([[], []]), "2 rows with lengths .0."),
        (lambda: figures.mask_rows([[MASK], [MASK, MASK]]), "lengths .1, 2."),
        (lambda: figures.mask_rows([[MASK]], ["one", "two"], void=11), "lengths .1, 2."),
        (lambda: figures.mask_rows([[MASK]]), "void .None., not int64 from 0 to 11"),
        (lambda: figures.mask_rows([[MASK - 1]], void=10), "from -1 to 10"),
        (lambda: figures.mask_rows([[MASK / 11]]), "float64 from 0 to 1"),
        (lambda: figures.mask_rows([[MASK]], void=11, classes=["a"] * 12), "for 11 classes"),
        (lambda: figures.labelled_grid(GREY[0], SURE[:1], [1], NAMES), "image.None."),
        (lambda: figures.labelled_grid(GREY.astype(int), SURE, [1, 2], NAMES), "uint8"),
        (lambda: figures.labelled_grid(GREY + 2.0, SURE, [1, 2], NAMES), "from 2 to 2"),
        (lambda: figures.labelled_grid(GREY, SURE[:1], [1, 2], NAMES), "do not fit 2 pictures"),
        (lambda: figures.labelled_grid(GREY, SURE, [1, 2], NAMES[:2]), "2 classes"),
        (lambda: figures.labelled_grid(GREY, 3 * SURE, [1, 2], NAMES), "softmax"),
        (lambda: figures.labelled_grid(GREY, SURE, [1, 3], NAMES), "from 1 to 3"),
        (lambda: figures.labelled_grid(GREY, SURE, [1], NAMES), "2 labels"),
        (lambda: figures.confidence_bars(GREY[0], SURE, 1, NAMES), "do not fit"),
        (lambda: figures.history_curves([]), "empty"),
        (lambda: figures.history_curves([_history(), _history()[:2]]), "same number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, message):
    with pytest.raises(GancourseError, match=message):
        call()


def test_figures_need_no_tensorflow():
    code = "import sys, gancourse.tf.figures; print('tensorflow' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "False\n"
