"""Full runs of the experiments, from several seeds, kept in the package."""

from __future__ import annotations

import io
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as to_safetensors

import gancourse
from gancourse import records
from gancourse.errors import GancourseError
from gancourse.files import read_json, write_bytes, write_json
from gancourse.tf import unet
from gancourse.tf.backend import keras, tf
from gancourse.tf.experiments import Experiment, get
from gancourse.tf.training import Fitted, Splits, fit, load_data

__all__ = ["record"]

#: weights are kept up to this size, in bytes
LARGEST = 3_000_000


def _facts(experiment: Experiment, data: Splits) -> dict[str, Any]:
    threads = tf.config.threading.get_intra_op_parallelism_threads() or int(
        os.environ.get("TF_NUM_INTRAOP_THREADS", os.cpu_count() or 1)
    )
    masks = experiment.void is not None
    devices = [device.name for device in tf.config.list_physical_devices("GPU")]
    return {
        "experiment": experiment.name,
        "claims": list(experiment.claims),
        "settings": experiment.describe(),
        "data": {
            "name": experiment.data,
            "items": {name: len(pair[0]) for name, pair in data._asdict().items()},
            "note": experiment.note,
            **({"weights": unet.weights_facts(unet.find_weights())} if masks else {}),
        },
        "versions": {
            "gancourse": gancourse.__version__,
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "python": platform.python_version(),
        },
        "hardware": ", ".join(devices) or f"CPU, {threads} thread{'s' * (threads != 1)}",
    }


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
    missing.

    ========================  =============================================================
    ``record.json``           settings, data, versions; history, scores, seconds of each seed
    ``predictions.npz``       what the model of seed 0 says of the data it was judged on
    ``weights.safetensors``   float16, of seed 0; where they are at most 3 MB
    ========================  =============================================================

    Args:
        name: of the experiment.
        seeds: how many runs, from seed 0 on.
        out: folder of the record; by default its place in the package.
        progress: lines on stderr; by default if that is a terminal.

    Returns:
        The record, opened.

    Raises:
        GancourseError: as :func:`gancourse.tf.fit`; fewer than 1 seed; or the folder holds a
            record of other settings, data or versions, which is left as it is.
    """
    experiment = get(name)
    if seeds < 1:
        raise GancourseError(f"Cannot record {seeds} seeds; 1 is the least.")
    folder = records.ROOT / name if out is None else Path(out)
    progress = sys.stderr.isatty() if progress is None else progress
    data = load_data(experiment)
    facts = _facts(experiment, data)
    runs: list[dict[str, Any]] = []
    if (folder / "record.json").exists():
        before = read_json(folder / "record.json")
        changed = [key for key in ("settings", "data", "versions") if before.get(key) != facts[key]]
        if changed and len(before.get("runs", ())) < seeds:
            raise GancourseError(
                f"{folder} holds a record with other {' and '.join(changed)}. Delete the folder to "
                "make it anew, or choose another by --out (out=...)."
            )
        runs = before["runs"]
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
                "history": fitted.history,
                "scores": scores,
            }
        )
        today = time.strftime("%Y-%m-%d")
        write_json(folder / "record.json", facts | {"recorded": today, "runs": runs})
    return records.experiment(folder.name, root=folder.parent) if out else records.experiment(name)
