"""The shipped extractors are the files they name, as accurate as they say; Inception if there."""

import hashlib
import json

import pytest
import torch
from safetensors import safe_open

from gancourse import data, metrics
from gancourse.errors import GancourseError
from gancourse.metrics import extractors
from gancourse.metrics.retrain import accuracy
from tests import needs

LEAST_ACCURACY = {"digits": 0.98, "mnist": 0.99, "fashion-mnist": 0.92, "cifar10": 0.84}


@pytest.mark.parametrize("name", LEAST_ACCURACY)
def test_the_shipped_file_is_the_named_one_and_says_what_it_is(name):
    path = extractors.FOLDER / f"{name}-cnn.safetensors"
    measure = metrics.extractor(f"{name}-cnn")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == measure.sha256
    assert measure.sha256 == extractors.SHA256[f"{name}-cnn"]
    assert path.stat().st_size < 1_500_000
    assert measure.test_accuracy >= LEAST_ACCURACY[name]
    assert measure.classes == data.info(name).classes
    assert measure.input_shape == data.info(name).shape
    with safe_open(path, "pt") as file:
        assert {file.get_tensor(key).dtype for key in file.keys()} == {torch.float16}
        header = file.metadata()
    assert header["data"] == name and header["data_licence"] == data.info(name).licence
    assert json.loads(header["recipe"])["epochs"] == int(header["epochs"])
    for key in ("architecture", "split", "seed", "torch", "seconds"):
        assert header[key]


@pytest.mark.parametrize(
    "name",
    [
        "digits",
        pytest.param("mnist", marks=needs.data("mnist")),
        pytest.param("fashion-mnist", marks=needs.data("fashion-mnist")),
        pytest.param("cifar10", marks=needs.data("cifar10")),
    ],
)
def test_the_stated_accuracy_is_what_the_test_images_give(name):
    measure = metrics.extractor(f"{name}-cnn")
    test = data.load(name, split="test")
    # Another processor may round a borderline image the other way.
    assert accuracy(measure, test.images, test.labels) == pytest.approx(
        measure.test_accuracy, abs=0.0005
    )


def test_features_logits_and_probabilities():
    measure = metrics.extractor("digits-cnn")
    images = data.load("digits", split="test").images[:300]
    features, probabilities = measure.features_and_probabilities(images)
    assert features.dtype == probabilities.dtype == torch.float32
    assert features.shape == (300, 64) and probabilities.shape == (300, 10)
    assert (features >= 0).all() and features.std(dim=0).min() > 0
    torch.testing.assert_close(features, measure.features(images))
    torch.testing.assert_close(probabilities, measure.probabilities(images))
    torch.testing.assert_close(probabilities, measure.logits(images).softmax(dim=1))
    # More than one batch gives what its parts give.
    torch.testing.assert_close(features[290:], measure.features(images[290:]))


def test_an_extractor_is_loaded_once():
    assert metrics.extractor("digits-cnn") is metrics.extractor("digits-cnn")


def test_a_corrupted_copy_is_refused(tmp_path):
    content = bytearray((extractors.FOLDER / "digits-cnn.safetensors").read_bytes())
    content[-1] ^= 1
    copy = tmp_path / "digits-cnn.safetensors"
    copy.write_bytes(content)
    with pytest.raises(GancourseError, match="not the file that digits-cnn names.*SHA-256"):
        extractors.open_extractor("digits-cnn", copy, extractors.SHA256["digits-cnn"])


def test_a_swapped_file_is_refused_by_name(tmp_path, monkeypatch):
    other = (extractors.FOLDER / "digits-cnn.safetensors").read_bytes()
    (tmp_path / "mnist-cnn.safetensors").write_bytes(other)
    monkeypatch.setattr(extractors, "FOLDER", tmp_path)
    with pytest.raises(GancourseError, match="not the file that mnist-cnn names"):
        extractors.extractor.__wrapped__("mnist-cnn")


@pytest.mark.parametrize("content", [b"", b"no safetensors at all", b"\x02" + bytes(7) + b"{}"])
def test_what_is_no_weights_file_is_refused(tmp_path, content):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(GancourseError, match="weights of mine cannot be read"):
        extractors.open_extractor("mine", path)


def test_weights_of_another_architecture_are_refused(monkeypatch):
    monkeypatch.setattr(extractors, "ARCHITECTURE", "small-cnn/9")
    with pytest.raises(GancourseError, match="for small-cnn/1; this version .* small-cnn/9"):
        extractors.open_extractor("digits-cnn", extractors.FOLDER / "digits-cnn.safetensors")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GancourseError, match="absent.safetensors"):
        extractors.open_extractor("mine", tmp_path / "absent.safetensors")


def test_an_unknown_name_shows_the_near_ones():
    with pytest.raises(GancourseError, match="Did you mean mnist-cnn"):
        metrics.extractor("mnist")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 1, 8, 8), "takes uint8 images .* not torch.float32"),
        (torch.zeros(2, 1, 9, 8, dtype=torch.uint8), "N x 1 x 8 x 8, not 2 x 1 x 9 x 8"),
        (torch.zeros(1, 8, 8, dtype=torch.uint8), "N x 1 x 8 x 8, not 1 x 8 x 8"),
        (torch.zeros(0, 1, 8, 8, dtype=torch.uint8), "not 0 x 1 x 8 x 8"),
        ([1, 2], "not list"),
    ],
)
def test_images_it_does_not_take_are_refused(images, message):
    with pytest.raises(GancourseError, match=message):
        metrics.extractor("digits-cnn").features(images)


def test_the_default_extractor():
    assert metrics.default_extractor("mnist") == "mnist-cnn"
    assert metrics.default_extractor("digits") == "digits-cnn"
    for name in ("cifar10", "cats-dogs", "abstract-art"):
        assert metrics.default_extractor(name) == "cifar10-cnn"
    assert metrics.default_extractor("my_photos") == "inception"


class TestInception:
    """Through torch-fidelity; the weights are not on every machine, so their place is faked."""

    @pytest.fixture
    def weights(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        (tmp_path / "checkpoints").mkdir()
        return tmp_path / "checkpoints" / extractors.INCEPTION_FILE

    def test_absent_weights_say_where_they_go_and_where_from(self, weights):
        with pytest.raises(GancourseError) as refused:
            extractors.extractor.__wrapped__("inception")
        assert str(weights) in str(refused.value)
        assert extractors.INCEPTION_URL in str(refused.value)

    def test_another_file_is_refused_unopened(self, weights):
        weights.write_bytes(b"not the weights")
        with pytest.raises(GancourseError, match="damaged or another file"):
            extractors.extractor.__wrapped__("inception")

    def test_features_of_a_network_with_random_weights(self, weights, monkeypatch):
        inception = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
        network = inception.FeatureExtractorInceptionV3
        with monkeypatch.context() as without_weights:
            without_weights.setattr(inception, "load_state_dict_from_url", lambda *a, **k: {})
            without_weights.setattr(network, "load_state_dict", lambda *a, **k: None)
            torch.save(network("random", ["2048"]).state_dict(), weights)
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        monkeypatch.setattr(extractors, "INCEPTION_SHA256", digest)
        measure = extractors.extractor.__wrapped__("inception")
        images = torch.randint(0, 256, (2, 3, 20, 30), dtype=torch.uint8)
        features, probabilities = measure.features_and_probabilities(images)
        assert features.shape == (2, 2048) and probabilities.shape == (2, 1008)
        assert measure.sha256 == digest and measure.test_accuracy is None
        with pytest.raises(GancourseError, match="N x 3 x any x any"):
            measure.features(images[:, :1])
