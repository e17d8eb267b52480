"""The same results by other ways: two devices, a saved model, XLA, and PyTorch."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from gancourse.tf import keras, tf
from tests import needs
from tests.conftest import ROOT
from tools import tensorflow_steps

#: the chapter's own training, and Keras' fit, on two logical devices and on one
TWO_DEVICES = """
import json
import numpy as np
from tests.chapters.pages import what_it_needs
from gancourse.tf import keras, tf
from gancourse.tf.devices import logical_cpus

page = what_it_needs(
    "tensorflow-architecture",
    "logical_cpus, train_on_one, train_on_two, images, labels, pieces, in_two_places",
)
one, two = page["train_on_one"](20), page["train_on_two"](20, whole=64)

def fitted():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(32, "relu"), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss)
    history = model.fit(page["images"], page["labels"], batch_size=16, epochs=3, shuffle=False, verbose=0)
    return history.history["loss"], model.get_weights()

alone = fitted()
with page["strategy"].scope():
    mirrored = fitted()
gap = lambda a, b: max(float(np.abs(np.subtract(x, y)).max()) for x, y in zip(a, b, strict=True))
print(json.dumps({
    "devices": page["cpus"], "again": logical_cpus(2),
    "replicas": page["strategy"].num_replicas_in_sync,
    "loss": gap(one[0], two[0]), "weights": gap(one[1], two[1]),
    "pieces": page["pieces"](page["in_two_places"]),
    "keras_loss": gap(alone[0], mirrored[0]), "keras_weights": gap(alone[1], mirrored[1]),
}))
"""


@pytest.fixture(scope="module")
def two_devices():
    """What a fresh Python with two logical devices found; devices are fixed once one has started."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", TWO_DEVICES],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_two_logical_devices_train_as_one_does(two_devices):
    print(two_devices)
    assert two_devices["devices"] == two_devices["again"] == ["/device:CPU:0", "/device:CPU:1"]
    assert two_devices["replicas"] == 2
    assert max(two_devices["loss"], two_devices["weights"]) < 1e-5
    assert max(two_devices["keras_loss"], two_devices["keras_weights"]) < 1e-5


def test_a_graph_is_cut_where_it_crosses_devices(two_devices):
    first, second = two_devices["pieces"]["CPU:0"], two_devices["pieces"]["CPU:1"]
    assert "Sum" in first and "matmul" in second
    assert "matmul" not in first and "Sum" not in second
    for piece in (first, second):
        assert list(piece.values()).count("_Send") == list(piece.values()).count("_Recv") == 1


@pytest.mark.parametrize("pair", tensorflow_steps.pairs(), ids=lambda pair: pair.name)
def test_a_step_is_the_same_in_tensorflow_and_pytorch(pair):
    gaps = tensorflow_steps.differences(pair, steps=2)
    print(pair.name, gaps)
    assert gaps["loss"] < 1e-5 and gaps["gradient"] < 1e-5 and gaps["relative"] < 1e-4


class Scorer(tf.Module):
    """A small network with everything that a saved model keeps: variables, state, a signature."""

    def __init__(self) -> None:
        draw = np.random.default_rng(0)
        self.weights = tf.Variable(draw.standard_normal((6, 4)).astype("f4"))
        self.calls = tf.Variable(0, trainable=False)

    @tf.function(input_signature=[tf.TensorSpec([None, 6], name="x")])
    def __call__(self, x):
        self.calls.assign_add(1)
        return self.scores(x) | {"calls": self.calls.read_value()}

    @tf.function(input_signature=[tf.TensorSpec([None, 6], name="x")])
    def scores(self, x):
        return {"y": tf.nn.softmax(tf.tanh(x @ self.weights))}


def test_saved_model_round_trip_is_exact(tmp_path):
    scorer = Scorer()
    x = tf.constant(np.random.default_rng(1).standard_normal((32, 6)).astype("f4"))
    scorer(x)
    tf.saved_model.save(scorer, str(tmp_path / "scorer"), signatures=scorer.__call__)
    expected = scorer(x)
    loaded = tf.saved_model.load(str(tmp_path / "scorer"))
    assert np.array_equal(loaded.weights, scorer.weights)
    served = loaded.signatures["serving_default"](x=x)
    assert np.array_equal(served["y"], expected["y"])
    assert int(served["calls"]) == int(expected["calls"]) == 2  # the state was saved too
    assert int(loaded(x)["calls"]) == 3 and int(scorer.calls) == 2  # and each has its own
    with pytest.raises((TypeError, ValueError), match="5"):
        loaded(tf.ones((2, 5)))


@needs.gcc()
def test_a_saved_model_runs_in_c_without_python(tmp_path):
    scorer = Scorer()
    x = np.random.default_rng(1).standard_normal((32, 6)).astype("f4")
    folder, program = tmp_path / "scorer", tmp_path / "program"
    tf.saved_model.save(scorer, str(folder), signatures=scorer.scores)
    source, library = ROOT / "tests" / "tf" / "saved_model.c", "libtensorflow_cc.so.2"
    # Linking against the library itself takes a linker many seconds; its names are enough.
    names = sorted(set(re.findall(r"(TF_\w+)\(", source.read_text())))
    (tmp_path / "names.c").write_text("".join(f"void {name}(void) {{}}\n" for name in names))
    here, there = f"-I{tf.sysconfig.get_include()}", f"-Wl,-rpath,{tf.sysconfig.get_lib()}"
    shared = ["-shared", "-fPIC", f"-Wl,-soname,{library}", "-o", library]
    for command in (["gcc", "names.c", *shared],
                    ["gcc", str(source), library, here, there, "-o", str(program)]):  # fmt: skip
        subprocess.run(command, cwd=tmp_path, check=True)
    words = (str(folder), "serving_default_x", "StatefulPartitionedCall", "32", "6")
    done = subprocess.run([program, *words], input=x.tobytes(), capture_output=True)
    assert done.returncode == 0, done.stderr
    y = np.frombuffer(done.stdout, np.float32).reshape(32, 4)
    gap = np.abs(y - scorer.scores(x)["y"]).max()
    print("largest difference between C and Python:", gap)
    assert gap < 1e-6


def test_export_of_a_keras_model_is_exact(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3, activation="relu"),
         keras.layers.BatchNormalization(), keras.layers.Flatten(), keras.layers.Dense(3)]
    )  # fmt: skip
    model.export(str(tmp_path / "model"), verbose=False)
    x = np.random.default_rng(0).random((5, 8, 8, 1), dtype=np.float32)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    served = loaded.serve(x)
    traced = tf.function(lambda images: model(images, training=False))(x)
    assert np.array_equal(served, traced)
    np.testing.assert_allclose(served, model(x, training=False), rtol=0, atol=1e-6)


def test_gradients_agree_with_finite_differences_and_with_a_second_tape():
    x = tf.Variable(np.linspace(-2, 2, 7))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(tf.tanh(x) ** 3)
        first = inner.gradient(y, x)
    second = outer.gradient(first, x)
    t, h = np.tanh(x.numpy()), 1e-5
    f = lambda x: np.tanh(x) ** 3  # noqa: E731
    np.testing.assert_allclose(first, 3 * t**2 * (1 - t**2), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(first, (f(x + h) - f(x - h)) / (2 * h), atol=1e-9)
    np.testing.assert_allclose(second, (1 - t**2) * (6 * t - 12 * t**3), rtol=1e-11, atol=1e-13)
