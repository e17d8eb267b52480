"""Training an extractor again: augmentation, folding, reproducibility, the file it writes."""

import dataclasses

import pytest
import torch

from gancourse import data, metrics
from gancourse.errors import GancourseError
from gancourse.metrics import retrain
from gancourse.metrics.classifiers import SmallCNN, folded_weights

QUICK = dataclasses.replace(
    retrain.RECIPES["digits"], layers=((8, 3, 1, 1), (16, 3, 2, 1)), epochs=6, lr=0.03
)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture(scope="module")
def trained(digits):
    lines = []
    return retrain.fit(digits.images, digits.labels, 10, QUICK, lines.append), lines


def test_every_recipe_belongs_to_a_shipped_extractor():
    assert {f"{name}-cnn" for name in retrain.RECIPES} == set(metrics.extractors.SHA256)


def test_no_augmentation_changes_nothing():
    images = torch.arange(2 * 16, dtype=torch.uint8).view(2, 1, 4, 4)
    assert torch.equal(retrain.augment(images, 0, False, torch.Generator()), images)


def test_augmentation_moves_and_mirrors():
    image = torch.zeros(1, 1, 5, 5, dtype=torch.uint8)
    image[0, 0, 2, 1] = 9
    rng = torch.Generator().manual_seed(0)
    moved = retrain.augment(image.repeat(500, 1, 1, 1), 1, True, rng)
    assert moved.dtype == torch.uint8 and (moved.flatten(1).sum(dim=1) == 9).all()
    places = {tuple(place[2:].tolist()) for place in moved.nonzero()}
    # Rows 1 to 3; columns 0 to 2, or, mirrored (column 1 becomes 3), 2 to 4.
    assert places == {(row, column) for row in (1, 2, 3) for column in range(5)}


def test_training_learns_reports_each_epoch_and_repeats(digits, trained):
    net, lines = trained
    assert len(lines) == QUICK.epochs and lines[0].startswith("epoch 1/6")
    with torch.no_grad():
        guesses = net(digits.images.float() / 255).argmax(dim=1)
    assert (guesses == digits.labels).float().mean() > 0.8
    torch.manual_seed(99)
    again = retrain.fit(digits.images, digits.labels, 10, QUICK, lines.append)
    assert torch.equal(again.head.weight, net.head.weight)


def test_training_leaves_the_global_random_state_alone(digits):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    recipe = dataclasses.replace(QUICK, epochs=1)
    retrain.fit(digits.images[:64], digits.labels[:64], 10, recipe, lambda line: None)
    assert torch.equal(torch.get_rng_state(), before)


def test_folding_batch_normalisation_keeps_the_function(digits, trained):
    net, _ = trained
    folded = SmallCNN(1, 10, QUICK.layers, normalise=False).eval()
    weights = folded_weights(net)
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}
    folded.load_state_dict({name: half.float() for name, half in weights.items()})
    images = digits.images[:100].float() / 255
    with torch.no_grad():
        torch.testing.assert_close(folded(images), net(images), rtol=0.01, atol=0.02)


def test_the_file_states_the_accuracy_of_the_rounded_weights(tmp_path, monkeypatch):
    monkeypatch.setitem(retrain.RECIPES, "digits", QUICK)
    lines = []
    path = tmp_path / "mine.safetensors"
    made = retrain.train_extractor("digits", path, lines.append)
    test = data.load("digits", split="test")
    assert made.test_accuracy == pytest.approx(
        retrain.accuracy(made, test.images, test.labels), abs=1e-6
    )
    assert made.features(test.images).shape == (360, 16)
    assert made.sha256 in lines[-1] and str(path) in lines[-1]


def test_the_command_names_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(retrain.RECIPES, "digits", dataclasses.replace(QUICK, epochs=1))
    path = tmp_path / "mine.safetensors"
    monkeypatch.setattr("sys.argv", ["retrain", "digits", "--out", str(path)])
    retrain.main()
    assert path.is_file() and "SHA-256" in capsys.readouterr().out


def test_an_unknown_data_set_is_refused():
    with pytest.raises(GancourseError, match="Did you mean mnist"):
        retrain.train_extractor("minst")
