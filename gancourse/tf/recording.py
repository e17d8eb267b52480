"""Full runs of the experiments, from several seeds, kept in the package."""

from __future__ import annotations

import io
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as to_safetensors

import gancourse
from gancourse import records
from gancourse.errors import GancourseError
from gancourse.files import write_bytes, write_json
from gancourse.tf import unet
from gancourse.tf.backend import keras, tf
from gancourse.tf.experiments import Experiment, get
from gancourse.tf.training import Fitted, Splits, fit, load_data

__all__ = ["record"]

#: weights are kept up to this size, in bytes
LARGEST = 3_000_000


def _hardware() -> str:
    """The GPUs by the names that are on the box, or how many threads the CPU computes with."""
    gpus = [
        tf.config.experimental.get_device_details(device).get("device_name", device.name)
        for device in tf.config.list_physical_devices("GPU")
    ]
    threads = tf.config.threading.get_intra_op_parallelism_threads() or int(
        os.environ.get("TF_NUM_INTRAOP_THREADS", os.cpu_count() or 1)
    )
    return ", ".join(gpus) or f"CPU, {threads} thread{'s' * (threads != 1)}"


def _facts(experiment: Experiment, data: Splits) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": experiment.data,
        "items": {name: len(pair[0]) for name, pair in data._asdict().items()},
        "note": experiment.note,
    }
    if experiment.model == "unet" and experiment.size:  # without a size there is no U-Net
        described["weights"] = unet.weights_facts(unet.find_weights(experiment.size))
    return {
        "experiment": experiment.name,
        "claims": list(experiment.claims),
        "settings": experiment.describe(),
        "data": described,
        "versions": {
            "gancourse": gancourse.__version__,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "python": platform.python_version(),
        },
        "hardware": _hardware(),
        "recorded": _today(),
    }


def _today() -> str:
    return time.strftime("%Y-%m-%d")


def _check_same(before: records.ExperimentRecord, facts: dict[str, Any], missing: bool) -> None:
    """Refuse to add to a record of something else, or to take it for this one."""
    ways = f"Delete the folder {before.path} to make it anew, or choose another by --out (out=...)."
    if before.name != facts["experiment"]:
        raise GancourseError(
            f"{before.path} holds the record of {before.name}, not of {facts['experiment']}. {ways}"
        )
    # What is complete stays what it is under newer versions.
    keys = ("settings", "data", "versions") if missing else ("settings", "data")
    changed = [key for key in keys if before.facts.get(key) != facts[key]]
    if changed:
        raise GancourseError(
            f"{before.path} holds a record with other {' and '.join(changed)}. {ways}"
        )


def _check_writable(folder: Path) -> None:
    """Find out before hours of training rather than after them."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise GancourseError(
            f"Cannot write a record into {folder}: {error.strerror or error}. Nothing was run; "
            "choose another folder by --out (out=...)."
        ) from error


def _keep(fitted: Fitted, folder: Path) -> None:
    """The predictions, and the weights where they are small, of one run."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **fitted.predictions)  # type: ignore[arg-type]
    write_bytes(folder / "predictions.npz", buffer.getvalue())
    weights = [value.astype(np.float16) for value in fitted.model.get_weights()]
    if sum(value.nbytes for value in weights) <= LARGEST:
        named = {f"{index:03d}": np.ascontiguousarray(v) for index, v in enumerate(weights)}
        write_bytes(folder / "weights.safetensors", to_safetensors(named))


def record(
    name: str, *, seeds: int = 3, out: str | Path | None = None, progress: bool | None = None
) -> records.ExperimentRecord:
    """Run an experiment at the paper's length from several seeds and keep the record.

    The record is saved after every seed; called again, it goes on with the first seed that is
    missing; where none is missing, nothing is run.

    ========================  =============================================================
    ``record.json``           settings, data, versions; history, scores, seconds, hardware and
                              day of each seed
    ``predictions.npz``       what the model of seed 0 says of the data it was judged on
    ``weights.safetensors``   float16, of seed 0; where they are at most 3 MB
    ========================  =============================================================

    Args:
        name: of the experiment.
        seeds: how many runs, from seed 0 on.
        out: folder of the record; by default its place in the package.
        progress: lines on stderr; by default if that is a terminal. That nothing was run is told
            there in any case, unless it is False.

    Returns:
        The record, opened.

    Raises:
        GancourseError: as :func:`gancourse.tf.fit`; fewer than 1 seed; a folder that cannot be
            written; or it holds a damaged record, or one of another experiment or of other
            settings or data, or of other versions while seeds are missing. Such a record is left
            as it is.
    """
    experiment = get(name)
    if seeds < 1:
        raise GancourseError(f"Cannot record {seeds} seeds; 1 is the least.")
    folder = records.ROOT / name if out is None else Path(out)
    before = None
    if (folder / "record.json").exists():
        before = records.experiment(folder.name, root=folder.parent)
    data = load_data(experiment)
    facts = _facts(experiment, data)
    runs: list[dict[str, Any]] = []
    hardware = facts["hardware"]
    if before is not None:
        runs = before.runs
        _check_same(before, facts, missing=len(runs) < seeds)
        # Of the first session, whatever the later ones run on.
        facts |= {key: before.facts[key] for key in ("hardware", "recorded") if key in before.facts}
        if len(runs) >= seeds:
            if progress is not False:
                print(
                    f"{name} has {len(runs)} seeds already; nothing was run. Another folder makes "
                    "it anew: --out FOLDER (out=...).",
                    file=sys.stderr,
                )
            return before
    _check_writable(folder)
    progress = sys.stderr.isatty() if progress is None else progress
    for seed in range(len(runs), seeds):
        if progress:
            print(f"{name}, seed {seed} ({seed + 1} of {seeds})", file=sys.stderr)
        fitted = fit(experiment, seed, data=data, progress=progress)
        if seed == 0:
            _keep(fitted, folder)
        scores = {key: round(value, 6) for key, value in fitted.scores.items()}
        runs.append(
            {
                "seed": seed,
                "seconds": round(fitted.seconds, 1),
                "cpu_seconds": round(fitted.cpu_seconds, 1),
                "hardware": hardware,
                "recorded": _today(),
                "history": fitted.history,
                "scores": scores,
            }
        )
        write_json(folder / "record.json", facts | {"runs": runs})
    return records.experiment(folder.name, root=folder.parent)
