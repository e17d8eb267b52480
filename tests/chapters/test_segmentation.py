"""The chapter's decoder, loss and scores are the package's, and its numbers those of the record."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse import records
from gancourse.tf import keras, unet
from gancourse.tf import segmentation as seg
from tests import needs
from tests.chapters import pages


@pytest.fixture(scope="module")
def chapter():
    """The functions that the page defines; nothing of it is loaded or trained."""
    wanted = ("double", "make_decoder", "masked_loss", "scores")
    sources = [
        cell
        for cell in pages.code_cells("segmentation")
        if any(f"def {name}(" in cell for name in wanted)
    ]
    namespace = {"keras": keras, "np": np}
    for name in wanted:
        source = next(cell for cell in sources if f"def {name}(" in cell)
        lines = source.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith(f"def {name}("))
        end = next(
            (i for i, line in enumerate(lines[start + 1 :], start + 1) if line[:1].strip()),
            len(lines),
        )
        exec("\n".join(lines[start:end]), namespace)
    return namespace


def test_decoder_written_out_is_the_package_s(chapter):
    sides = [(16, 96), (8, 144), (4, 192), (2, 576), (1, 320)]
    keras.utils.set_random_seed(0)
    theirs = unet.decoder(5, 32)
    keras.utils.set_random_seed(0)
    mine = chapter["make_decoder"](5, [keras.Input((side, side, maps)) for side, maps in sides])
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(2, side, side, maps)).astype(np.float32) for side, maps in sides]
    for training in (False, True):
        np.testing.assert_allclose(
            mine(x, training=training), theirs(x, training=training), rtol=0, atol=1e-6
        )


def test_loss_written_out_is_that_of_compile_segmentation(chapter):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)
    target, weights = rng.integers(0, 3, (2, 4, 4)), rng.integers(0, 2, (2, 4, 4)).astype("float32")
    model = seg.compile_segmentation(keras.Sequential([keras.Input((4, 4, 3))]))
    theirs = float(model.loss(target, logits, sample_weight=weights))
    assert chapter["masked_loss"](logits, target, weights) == pytest.approx(theirs, rel=1e-5)


def test_scores_written_out_are_the_package_s(chapter):
    rng = np.random.default_rng(0)
    masks, said = rng.integers(0, 6, (3, 8, 8)), rng.integers(0, 5, (3, 8, 8))
    accuracy, iou = chapter["scores"](said, masks, 5, 5)
    theirs = seg.segmentation_scores(said, masks, 5, void=5)
    assert accuracy == pytest.approx(theirs["pixel_accuracy"])
    assert list(iou) == pytest.approx(theirs["iou"])


@needs.data("camvid")
def test_scores_of_the_record_follow_from_its_masks():
    record = records.experiment("tf/segmentation")
    test = seg.segmentation_arrays("camvid", "test", size=128)
    judged = seg.segmentation_scores(record.predictions()["predicted"], test.masks, 11, test.void)
    mine = record.runs[0]["scores"]
    assert mine["test_accuracy"] == pytest.approx(judged["pixel_accuracy"], abs=2e-6)
    assert mine["mean_iou"] == pytest.approx(judged["mean_iou"], abs=2e-6)
    assert all(len(run["history"]) == 20 for run in record.runs)


def test_of_void_nothing_is_learned_by_the_record_s_settings():
    settings = records.experiment("tf/segmentation").facts["settings"]
    assert settings["void"] == 11 and settings["options"]["classes"] == 11
