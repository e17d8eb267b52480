"""TensorFlow's start: quiet, on the right Keras, and next to PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from gancourse.tf import backend


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("TF_CPP", "KERAS"))}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


def test_nothing_is_said_at_the_start_and_torch_still_works():
    done = python(
        """
        import sys
        from gancourse.tf import keras, tf
        print(keras.backend.backend(), int(tf.reduce_sum([1, 2])))
        print("PyTorch:", file=sys.stderr, flush=True)  # it may have something to say of its GPU
        import torch
        weight = torch.nn.Parameter(torch.ones(1))
        weight.grad = torch.ones(1)
        torch.optim.Adam([weight]).step()
        print(weight.item() < 1)
        """
    )
    assert (done.returncode, done.stdout) == (0, "tensorflow 3\nTrue\n"), done.stderr
    assert done.stderr.startswith("PyTorch:\n")


REFUSED = """
from gancourse.errors import GancourseError
try:
    from gancourse.tf import tf
except GancourseError as error:
    print(error)
print("tensorflow" in sys.modules)
"""


def test_another_backend_is_refused_before_tensorflow_is_imported():
    done = python("import sys" + REFUSED, KERAS_BACKEND="torch")
    assert done.returncode == 0, done.stderr
    said, loaded = done.stdout.splitlines()
    assert "Keras runs on torch here" in said and "Set KERAS_BACKEND=tensorflow" in said
    assert loaded == "False"


def test_so_is_a_keras_that_already_runs_on_another():
    made = """
    import sys
    from importlib.machinery import ModuleSpec
    from types import ModuleType, SimpleNamespace
    sys.modules["keras"] = keras = ModuleType("keras")
    keras.__spec__ = ModuleSpec("keras", None)
    keras.backend = SimpleNamespace(backend=lambda: "jax")
    """
    done = python(textwrap.dedent(made) + REFUSED)
    assert "Keras runs on jax here" in done.stdout and done.stdout.endswith("False\n"), done.stderr


def test_what_is_written_at_the_start_is_kept_back(capfd):
    with backend._quiet_start():
        os.write(2, b"computation placer already registered\n")
    assert capfd.readouterr().err == ""


def test_but_shown_where_the_start_fails(capfd):
    with pytest.raises(ImportError, match="no such symbol"), backend._quiet_start():
        os.write(2, b"a library is too old\n")
        raise ImportError("no such symbol")
    assert capfd.readouterr().err == "a library is too old\n"
    os.write(2, b"heard again\n")
    assert capfd.readouterr().err == "heard again\n"
