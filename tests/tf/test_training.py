"""An experiment's training: what it reads, learns and repeats; models saved and loaded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gancourse import files
from gancourse.errors import GancourseError
from gancourse.tf import training
from gancourse.tf.backend import keras
from gancourse.tf.experiments import get
from tests.tf import tiny


@pytest.fixture(scope="module")
def learned():
    """A run that has learned the bars."""
    return training.fit(tiny.experiment(epochs=6), data=tiny.pictures(), progress=False)


def test_fit_learns_and_says_what_happened(learned):
    assert [row["epoch"] for row in learned.history] == [1, 2, 3, 4, 5, 6]
    assert set(learned.history[0]) == {
        "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds",
    }  # fmt: skip
    assert learned.history[-1]["loss"] < 0.5 * learned.history[0]["loss"]
    assert learned.scores["test_accuracy"] > 0.9 and learned.scores["train_accuracy"] > 0.9
    assert learned.scores["epoch_accuracy"] == learned.history[-1]["accuracy"]
    assert learned.scores["test_accuracy"] == learned.history[-1]["val_accuracy"]
    assert "validation_accuracy" not in learned.scores
    assert learned.seconds > 0 and learned.cpu_seconds > 0


def test_predictions_give_the_score_again(learned):
    predicted, confidence = learned.predictions["predicted"], learned.predictions["confidence"]
    x, y = tiny.pictures().test
    assert predicted.dtype == np.uint8 and confidence.dtype == np.float16
    assert (predicted == y).mean() == learned.scores["test_accuracy"]
    output = learned.model.predict(x / np.float32(255), verbose=0)
    np.testing.assert_array_equal(output.argmax(1), predicted)
    np.testing.assert_allclose(output.max(1), confidence, atol=1e-3)


def losses(seed, **changes):
    small = {"hidden": [20], "dropout": 0.3}
    experiment = replace(get("tf/table-dropout"), batch_size=20, options=small, **changes)
    fitted = training.fit(experiment, seed, epochs=1, data=tiny.rows(), progress=False)
    history = [{k: v for k, v in row.items() if k != "seconds"} for row in fitted.history]
    return history, fitted.scores


def test_the_seed_decides_the_history_to_the_last_bit():
    first = losses(3)
    assert losses(3) == first
    assert losses(4) != first
    assert set(first[1]) == {
        "train_accuracy", "validation_accuracy", "test_accuracy", "epoch_accuracy",
    }  # fmt: skip


def test_a_run_that_diverges_has_no_loss_and_can_still_be_written(tmp_path):
    history, scores = losses(0, optimizer="sgd", learning_rate=1e30)
    assert history[0]["loss"] is None and history[0]["val_loss"] is None
    assert np.isfinite(list(scores.values())).all()
    files.write_json(tmp_path / "record.json", {"history": history, "scores": scores})


@pytest.mark.parametrize("items", [10, 13, 20, 99])
def test_some_items_of_ordered_data_have_every_class(items):
    x, y = tiny.bars(100, 0)
    few, labels = training._some((x, y), items)
    assert len(few) == len(labels) == items and set(labels) == set(range(10))
    assert np.ptp(np.bincount(labels)) <= 1
    assert np.array_equal(few[0], x[0]) and np.array_equal(few[-1], x[-1])


@pytest.mark.parametrize("items", [None, 100, 5000])
def test_no_number_or_a_larger_one_takes_all_items(items):
    pair = tiny.bars(100, 0)
    assert training._some(pair, items)[0] is pair[0]


def test_fit_on_some_items_with_progress_and_a_callback(capsys):
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    fitted = training.fit(
        tiny.experiment(), epochs=1, items=20, data=tiny.pictures(), callbacks=[watch],
        progress=True,
    )  # fmt: skip
    assert len(fitted.predictions["predicted"]) == 20 and seen == [0]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("epoch 1/1: ")
    assert all(name in lines[0] for name in ("loss", "accuracy", "val_loss", "val_accuracy"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "0 epochs"),
        ({"items": 0}, "0 items"),
        ({"name": "tf/cloths"}, "Did you mean tf/clothes"),
    ],
)
def test_fit_refuses_what_it_cannot_train(arguments, message):
    with pytest.raises(GancourseError, match=message):
        training.fit(**({"name": tiny.experiment(), "data": tiny.pictures()} | arguments))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "dense_clasifier"}, "Unknown model .*Did you mean dense_classifier"),
        ({"model": "keras"}, "Unknown model 'keras'. Known: .*unet"),
        ({"optimizer": "rmsprop"}, "Unknown optimizer 'rmsprop'. Known: adam, sgd"),
        ({"split": "thre"}, "Unknown split 'thre'. Did you mean three"),
    ],
)
def test_an_experiment_of_one_s_own_names_what_there_is(changes, message):
    own = tiny.experiment(**changes)
    for use in (training.load_data, training.build, training.fit):
        with pytest.raises(GancourseError, match=message):
            use(own)


def changed(inputs=lambda x: x, targets=lambda y: y):
    """The bars, with inputs or targets of the test part alone changed."""
    parts = tiny.pictures()
    return parts._replace(test=(inputs(parts.test[0]), targets(parts.test[1])))


SIGMOID = {"model": "cats_dogs_classifier", "loss": "binary_crossentropy"}


def colours(labels):
    """Photographs of the size that the network of cats and dogs takes, with these labels."""
    labels = np.array(labels)
    pair = np.zeros((len(labels), 150, 150, 3), np.uint8), labels
    return training.Splits(pair, pair, pair)


@pytest.mark.parametrize(
    ("changes", "data", "message"),
    [
        ({}, changed(lambda x: x[:, :14]), "28 x 28 x 1; the test .* are of 14 x 28 x 1. Choose"),
        ({}, changed(targets=lambda y: y + 1), "0 to 9 apart; .* test .* from 1 to 10. Choose"),
        ({}, changed(targets=lambda y: y - 1), "0 to 9 apart; .* from -1 to 8"),
        ({}, changed(targets=lambda y: np.eye(5)[y % 5]), "10 outputs; .* rows of 5"),
        (SIGMOID, colours([0, 1, 2]), "0 to 1 apart; .* train .* from 0 to 2"),
        (SIGMOID, tiny.pictures(), "150 x 150 x 3; .* are of 28 x 28 x 1"),
        ({"void": 11}, tiny.pictures(), "an image one class, and with void=11 the targets are mas"),
        (
            {"model": "unet", "size": 32, "options": {"classes": 2, "weights": None}},
            tiny.pictures(),
            "every pixel, and with void=None the targets are classes",
        ),
        ({"options": {"widht": 3}}, tiny.pictures(), r"dense_classifier has .*'widht'"),
        (
            {"model": "unet", "size": 32},
            tiny.pictures(),
            r"\(classes, size, weights\): .*'classes'",
        ),
    ],
)
def test_data_that_the_model_does_not_take_are_refused_before_training(changes, data, message):
    with pytest.raises(GancourseError, match=message):
        training.fit(tiny.experiment(**changes), data=data, callbacks=[Never()])


class Never(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        raise AssertionError("training began")


def test_classes_0_and_1_are_right_for_a_sigmoid_and_fewer_than_outputs_for_the_rest():
    model = training.build(tiny.experiment(**SIGMOID))
    training._check_data(tiny.experiment(**SIGMOID), model, colours([0, 1, 1]))
    few = changed(targets=lambda y: y % 3)
    training._check_data(tiny.experiment(), training.build(tiny.experiment()), few)


def test_the_u_net_is_built_for_the_size_of_the_experiment():
    options = {"classes": 2, "weights": None}
    own = replace(get("tf/segmentation"), size=64, options=options)
    model = training.build(own)
    assert model.input_shape == (None, 64, 64, 3)
    pair = np.zeros((2, 64, 64, 3), np.uint8), np.full((2, 64, 64), 1, np.uint8)
    training._check_data(own, model, training.Splits(pair, pair, pair))
    with pytest.raises(GancourseError, match="with 2 classes they may hold"):
        wrong = pair[0], pair[1] + 1
        training._check_data(own, model, training.Splits(pair, pair, wrong))
    with pytest.raises(GancourseError, match="multiple of 32"):
        training.build(replace(own, size=None))


def test_masks_are_flipped_where_the_experiment_says_so_and_augmented_in_no_other_way():
    own = replace(get("tf/segmentation"), batch_size=50, options={"classes": 2})
    images = np.zeros((50, 32, 32, 3), np.uint8)
    images[:, :, 16:] = 255  # dark at the left
    pair = images, (images[..., 0] > 0).astype(np.uint8)

    def flipped(experiment, seed):
        (x, y, _), *_ = training._batches(experiment, pair, seed)
        np.testing.assert_array_equal(x[..., 0], y)
        return int((x[:, 0, 0, 0] == 1).numpy().sum())

    assert 10 < flipped(own, 0) < 40
    assert flipped(own, None) == 0
    assert flipped(replace(own, augment=()), 0) == 0
    with pytest.raises(GancourseError, match="by flip alone, not by flip, zoom"):
        training.fit(replace(own, augment=("flip", "zoom")), data=tiny.pictures())


class Says:
    """A model that gives one answer after the other."""

    def __init__(self, *outputs):
        self.outputs = np.array(outputs, np.float32)

    def predict_on_batch(self, x):
        part, self.outputs = self.outputs[: len(x)], self.outputs[len(x) :]
        return part


def test_a_sigmoid_is_judged_at_one_half():
    model = Says([0.9], [0.2], [0.6], [0.4])
    pair = np.zeros((4, 2, 2, 3), np.uint8), np.array([1, 0, 0, 1])
    score, predictions = training._judge(get("tf/cats-dogs"), model, pair)
    assert score == 0.5
    assert predictions["predicted"].tolist() == [1, 0, 1, 0]
    np.testing.assert_allclose(predictions["confidence"], [0.9, 0.8, 0.6, 0.6], atol=1e-3)


def test_pixels_without_a_class_are_not_judged(monkeypatch):
    said = np.array([[[0, 1], [2, 3]]], np.uint8)
    monkeypatch.setattr(training.segmentation, "predict_masks", lambda model, x: said)
    mask = np.array([[[0, 1], [11, 11]]], np.uint8)
    score, predictions = training._judge(get("tf/segmentation"), None, (mask, mask))
    assert score == 1.0 and predictions["predicted"] is said
    score, _ = training._judge(get("tf/segmentation"), None, (mask, mask[:, ::-1, ::-1]))
    assert score == 0.0


def test_a_model_comes_back_as_it_was(learned, tmp_path):
    path = tmp_path / "new" / "bars.keras"
    training.save(learned.model, path)
    again = training.load(path)
    for mine, theirs in zip(learned.model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    x = tiny.pictures().test[0] / np.float32(255)
    np.testing.assert_array_equal(learned.model.predict(x, verbose=0), again.predict(x, verbose=0))
    steps = [int(model.optimizer.iterations.numpy()) for model in (learned.model, again)]
    assert steps[0] == steps[1] == 60
    assert [p.name for p in path.parent.iterdir()] == ["bars.keras"]


def test_save_names_the_suffix_it_wants(learned, tmp_path):
    with pytest.raises(GancourseError, match=r"Name a \.keras file"):
        training.save(learned.model, tmp_path / "model.h5")
    assert not list(tmp_path.iterdir())


class Full:
    """A model for which the disk has no room."""

    def save(self, path):
        path.write_bytes(b"half of a mod")
        raise OSError(28, "No space left on device")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"the old one")
    with pytest.raises(GancourseError, match="No space left on device") as refused:
        training.save(Full(), path)
    assert "unharmed" in str(refused.value)
    assert path.read_bytes() == b"the old one" and list(tmp_path.iterdir()) == [path]
    (tmp_path / "file").write_text("")
    with pytest.raises(GancourseError, match="Cannot write"):
        training.save(Full(), tmp_path / "file" / "model.keras")


class Interrupted:
    """A model during whose saving another process saves one to the same path."""

    def __init__(self, path, other):
        self.path, self.other = path, other

    def save(self, draft):
        draft.write_bytes(b"mine")
        training.save(self.other, self.path)


def test_two_that_save_to_one_path_do_not_disturb_each_other(learned, tmp_path):
    path = tmp_path / "model.keras"
    training.save(Interrupted(path, learned.model), path)
    assert path.read_bytes() == b"mine" and list(tmp_path.iterdir()) == [path]


def test_load_refuses_what_is_missing_cut_short_altered_or_a_program(learned, tmp_path):
    path = tmp_path / "bars.keras"
    with pytest.raises(GancourseError, match=r"no model .*bars\.keras"):
        training.load(path)
    training.save(learned.model, path)
    whole = path.read_bytes()
    middle = len(whole) // 2
    for spoilt in (whole[:middle], whole[:middle] + b"\xff\x00" * 50 + whole[middle + 100 :], b""):
        path.write_bytes(spoilt)
        with pytest.raises(GancourseError, match="cut short or altered"):
            training.load(path)
    layers = [keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)]
    keras.Sequential(layers).save(path)
    with pytest.raises(GancourseError, match="not a Keras model that can be read"):
        training.load(path)
