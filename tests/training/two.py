"""One of several processes of a small run: what the tests and tools of several processes start.

``torchrun --nproc-per-node 2 two.py FOLDER`` trains the tiny GAN of ``tiny.py``, or resumes it.
Without ``torchrun`` the tests start it themselves by :func:`start`, which takes less time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__)


def start(folder: Path, processes: int = 2, **changes: Any) -> list[subprocess.Popen[str]]:
    """Begin a run of so many processes, told what ``torchrun`` would tell them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
        "WORLD_SIZE": str(processes), "GLOO_SOCKET_IFNAME": "lo",
    }  # fmt: skip
    return [
        subprocess.Popen(
            [sys.executable, str(HERE), str(folder), json.dumps(changes)],
            env={**os.environ, **told, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(processes)
    ]


def run(folder: Path, processes: int = 2, **changes: Any) -> None:
    """Make a run, or go on with it, and see it through."""
    started = start(folder, processes, **changes)
    said = [process.communicate()[0] for process in started]
    assert all(process.returncode == 0 for process in started), "\n".join(said)


def main(folder: Path, changes: dict[str, Any]) -> None:
    """Train as one of the processes."""
    import tiny
    import torch

    from gancourse.errors import GancourseError
    from gancourse.training import distribute, fit
    from gancourse.training.folder import RunFolder

    torch.set_num_threads(1)
    distribute.STEP = distribute.timedelta(seconds=changes.pop("step_seconds", 60))
    gan = tiny.gan()
    try:
        with distribute.join("cpu") as (world, device):
            resume = (folder / "run.json").exists()
            kept = None if world.rank else RunFolder(folder, resume=resume).__enter__()
            if kept is not None:
                kept.write_facts({"recipe": "tiny"})
            fit(gan, tiny.images(), tiny.settings(**changes), folder=kept, world=world)
    except GancourseError as error:
        print(f"{'told' if getattr(error, 'told', False) else 'error'}: {error}", flush=True)
        os._exit(2)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(130)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
