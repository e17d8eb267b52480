"""The U-Net: what it is made of, that its encoder stays as it is, where its weights come from."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from gancourse import tf as gtf
from gancourse.data import search
from gancourse.errors import GancourseError
from gancourse.tf import keras, unet
from gancourse.tf.segmentation import compile_segmentation, segmentation_dataset
from tests import needs

OFFICIAL = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_128_no_top.h5"
DOGS = "mobilenet_v2_1.0_160_no_top_dogs19_finetuned.h5"


def count(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


@pytest.fixture(scope="module")
def small():
    """Three classes at 64 pixels, the encoder drawn at random."""
    keras.utils.set_random_seed(0)
    return unet.unet(3, size=64, weights=None)


def test_parameters_for_the_pets(small):
    assert small.count_params() == 6_504_227
    assert count(small.trainable_weights) == 4_660_323
    assert count(small.non_trainable_weights) == 1_841_984 + 1_920


def test_parts(small):
    encoder, decoder = small.get_layer("encoder"), small.get_layer("decoder")
    assert encoder.count_params() == 1_841_984 and not encoder.trainable_weights
    assert decoder.count_params() == 4_657_920 + 3 * 1_441 == 4_662_243
    assert unet.decoder(11).count_params() == 4_657_920 + 11 * 1_441
    assert len(encoder.layers) < 155  # what comes after the last bottleneck is left out
    sides = [(32, 96), (16, 144), (8, 192), (4, 576), (2, 320)]
    assert [tuple(x.shape[1:]) for x in encoder.outputs] == [(s, s, maps) for s, maps in sides]
    assert small.output_shape == (None, 64, 64, 3)


def test_pixels_from_0_to_1_reach_the_encoder_as_minus_1_to_1(small):
    scaled = small.get_layer("scale")(np.array([0.0, 0.5, 1.0], np.float32))
    assert np.allclose(scaled, [-1, 0, 1])


def test_training_moves_the_decoder_and_nothing_of_the_encoder():
    keras.utils.set_random_seed(0)
    model = compile_segmentation(unet.unet(2, size=32, weights=None))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    masks = rng.integers(0, 2, (4, 32, 32), dtype=np.uint8)
    model.run_eagerly = True  # to trace 155 layers takes longer than this one step
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    before = [weight.numpy().copy() for weight in encoder.weights]
    kernels = [decoder.get_layer(name).kernel for name in ("double_64", "logits")]
    drawn = [kernel.numpy().copy() for kernel in kernels]
    batches = segmentation_dataset(images, masks, 4, classes=2)
    model.fit(batches, epochs=1, verbose=0, shuffle=False)
    for weight, old in zip(encoder.weights, before, strict=True):
        assert np.array_equal(weight.numpy(), old), weight.path  # moving statistics too
    for kernel, old in zip(kernels, drawn, strict=True):
        assert not np.array_equal(kernel.numpy(), old), kernel.path


def test_saved_and_opened_again_it_is_the_same(small, tmp_path):
    gtf.save(small, tmp_path / "unet.keras")
    again = gtf.load(tmp_path / "unet.keras")
    images = np.random.default_rng(0).random((2, 64, 64, 3), dtype=np.float32)
    assert np.array_equal(small(images, training=False), again(images, training=False))
    assert not again.get_layer("encoder").trainable_weights


@pytest.mark.parametrize("size", [0, 16, 100, -32, 64.0, True])
def test_a_side_that_cannot_be_halved_five_times(size):
    with pytest.raises(GancourseError, match="multiple of 32"):
        unet.unet(3, size=size, weights=None)


def test_one_class_is_refused():
    with pytest.raises(GancourseError, match="2 classes or more"):
        unet.unet(1, weights=None)


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A machine without weights and without internet."""
    for name in ("GANCOURSE_DATA", "TORCH_HOME", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(search, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(unet, "reachable", lambda url: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no weights")
    return path


def test_order_of_the_search(alone, monkeypatch):
    monkeypatch.setenv("GANCOURSE_DATA", str(alone / "course"))
    last = put(alone / "data" / DOGS)
    assert unet.find_weights() == last
    course = put(alone / "course" / "weights" / DOGS)
    assert unet.find_weights() == course
    with pytest.raises(GancourseError, match="no weights of MobileNetV2"):
        unet.find_weights(official=True)
    beside = put(alone / "course" / "weights" / OFFICIAL)
    assert unet.find_weights() == unet.find_weights(official=True) == beside
    cached = put(alone / "home" / ".keras" / "models" / OFFICIAL)
    assert unet.find_weights() == cached
    monkeypatch.setenv("KERAS_HOME", str(alone / "elsewhere"))
    assert unet.find_weights() == beside
    other = put(alone / "elsewhere" / "models" / OFFICIAL.replace("_128_", "_224_"))
    assert unet.find_weights(64) == unet.find_weights(224) == other


def test_the_official_file_in_the_last_folder_comes_before_the_course_s_in_the_first(
    alone, monkeypatch
):
    monkeypatch.setenv("GANCOURSE_DATA", f"{alone / 'first'}:{alone / 'second'}")
    put(alone / "first" / "weights" / DOGS)
    put(alone / "first" / DOGS)
    official = put(alone / "second" / OFFICIAL)
    assert unet.find_weights() == unet.find_weights(official=True) == official
    official.unlink()
    assert unet.find_weights() == alone / "first" / "weights" / DOGS
    # A download is the last resort: the course's file spares it.
    monkeypatch.setattr(unet, "reachable", lambda url: pytest.fail("asked the internet"))
    assert unet.find_weights().name == DOGS


@pytest.mark.parametrize("weights", ["auto", "imagenet"])
def test_nowhere_to_be_had(alone, weights):
    with pytest.raises(GancourseError) as caught:
        unet.unet(3, weights=weights)
    message = str(caught.value)
    for part in (OFFICIAL, "GANCOURSE_DATA", "weights=PATH", "does not answer", str(alone)):
        assert part in message


def test_download(alone, monkeypatch):
    asked = []
    monkeypatch.setattr(unet, "reachable", lambda url: True)

    def get_file(name, url, cache_subdir):
        asked.append(url)
        return str(put(alone / cache_subdir / name))

    monkeypatch.setattr(unet.keras.utils, "get_file", get_file)
    assert unet.find_weights().name == OFFICIAL
    assert asked[0].startswith("https://storage.googleapis.com/") and asked[0].endswith(OFFICIAL)

    def broken(name, url, cache_subdir):
        raise Exception("URL fetch failure: timed out")

    monkeypatch.setattr(unet.keras.utils, "get_file", broken)
    with pytest.raises(GancourseError, match="timed out"):
        unet.find_weights()


def missing(folder):
    return folder / "missing.h5"


def text(folder):
    path = folder / "text.h5"
    path.write_text("these are no weights")
    return path


def other_network(folder):
    path = folder / "other.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(path)
    return path


def of_another_kind(folder):
    path = folder / "weights.md"
    path.write_text("# weights")
    return path


@pytest.mark.parametrize("spoil", [missing, text, other_network, of_another_kind])
def test_a_wrong_file_of_weights_is_refused_by_its_name(tmp_path, spoil):
    path = spoil(tmp_path)
    with pytest.raises(GancourseError, match=path.name):
        unet.unet(3, size=32, weights=path)


@pytest.fixture(scope="module")
def course_file():
    """The file of weights that lies beside the course's data."""
    found = search.candidates(None, [f"weights/{DOGS}"])
    if not found:
        pytest.skip(f"weights/{DOGS} is not on this machine")
    return found[0]


@needs.data("camvid")
def test_the_course_s_file_fills_the_encoder(course_file, tmp_path):
    import h5py

    encoder = unet.encoder(64, weights=course_file)
    with h5py.File(course_file) as file:
        stored = file["Conv1/Conv1/kernel:0"][:] if "Conv1" in file else None
    assert stored is not None
    assert np.array_equal(encoder.get_layer("Conv1").kernel.numpy(), stored)
    facts = unet.weights_facts(course_file)
    assert facts["file"] == DOGS and "not the official" in facts["about"]
    assert facts["sha256"] == hashlib.sha256(course_file.read_bytes()).hexdigest()
    cut = tmp_path / "cut.h5"
    cut.write_bytes(course_file.read_bytes()[:1_000_000])
    with pytest.raises(GancourseError, match="cut.h5 does not hold weights"):
        unet.encoder(64, weights=cut)


def test_facts_of_other_files(tmp_path):
    assert "official" in unet.weights_facts(put(tmp_path / OFFICIAL))["about"]
    assert "user's own" in unet.weights_facts(put(tmp_path / "mine.h5"))["about"]
    with pytest.raises(GancourseError, match="Cannot read"):
        unet.weights_facts(tmp_path / "none.h5")
