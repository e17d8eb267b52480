"""TensorFlow and Keras, imported once: quietly, Keras on TensorFlow, and with a clear error.

Everything in :mod:`gancourse.tf` takes ``tf`` and ``keras`` from here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gancourse.errors import GancourseError

__all__ = ["keras", "tf"]


def _check() -> None:
    """Refuse where TensorFlow cannot be used, before the import that takes seconds."""
    missing = [name for name in ("tensorflow", "keras") if importlib.util.find_spec(name) is None]
    if missing:
        raise GancourseError(
            f"This needs {' and '.join(missing)}, which the rest of gancourse does not. "
            "Install TensorFlow by: pip install 'gancourse[tf]'. "
            "Records and the ledger of claims open without it."
        )
    loaded = sys.modules.get("keras")
    chosen = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if loaded is not None and hasattr(loaded, "backend"):
        chosen = loaded.backend.backend()
    if chosen != "tensorflow":
        raise GancourseError(
            f"Keras runs on {chosen} here, and gancourse.tf needs it on TensorFlow. Set "
            "KERAS_BACKEND=tensorflow before Keras is imported, and start Python anew."
        )


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Keep what TensorFlow's C++ code says of the machine as it starts away from stderr.

    It writes to the file descriptor before any of its own settings is read. If the import fails,
    what was written is shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    with tempfile.TemporaryFile() as heard:
        stderr = os.dup(2)
        os.dup2(heard.fileno(), 2)
        try:
            yield
        except BaseException:
            heard.seek(0)
            os.write(stderr, heard.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


_check()
if "tensorflow" not in sys.modules:
    # TensorFlow and Triton, which PyTorch's optimisers load, each bring an LLVM. With Triton first
    # they share a process; TensorFlow first, the second LLVM ends it.
    with suppress(ImportError):
        importlib.import_module("triton._C.libtriton")
with _quiet_start():
    import keras
    import tensorflow as tf

    # Asking for the devices starts them, and that is when the rest is said.
    tf.config.list_physical_devices()

# Keras traces a new graph for every model that is fitted, which TensorFlow takes for a mistake.
tf.get_logger().setLevel("ERROR")
