"""Kill a training run with SIGKILL at random moments, resume it, and compare with an undisturbed one.

``python kill.py FOLDER KILLS SEED`` prints ``KILLS kills, N resumed runs exact`` and what differs.
The killed processes are forked from this one, so that none of them spends its life importing.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

import tiny
import torch


def child(path: Path) -> int:
    """Fork a process that trains, or resumes, in ``path``; its number."""
    number = os.fork()
    if number == 0:
        try:
            tiny.train(path, resume=(path / "run.json").exists())
            os._exit(0)
        except Exception as error:  # noqa: BLE001 - a child that fails must say so and exit
            print(f"the resumed run failed: {error}", flush=True)
            os._exit(1)
    return number


def main(folder: Path, kills: int, seed: int) -> int:
    """Run the experiment; 0 if every finished run equals the undisturbed one."""
    torch.set_num_threads(1)
    moments = random.Random(seed)
    calm = folder / "calm"
    start = time.perf_counter()
    os.waitpid(child(calm), 0)
    length = time.perf_counter() - start
    killed = finished = exact = 0
    while killed < kills:
        path = folder / f"killed-{finished}"
        hits = 0
        while True:
            number = child(path)
            # The last try goes through, so that every run ends.
            if hits < 6 and killed < kills:
                time.sleep(moments.uniform(0, length * 0.6))
                os.kill(number, signal.SIGKILL)
            status = os.waitpid(number, 0)[1]
            if os.WIFSIGNALED(status):
                hits, killed = hits + 1, killed + 1
                continue
            if os.WEXITSTATUS(status):
                return 1
            break
        finished += 1
        wrong = tiny.differences(calm, path)
        exact += not wrong
        if wrong:
            print(f"run {finished} differs: {', '.join(wrong[:9])}")
    print(f"{killed} kills, {finished} runs, {exact} exact")
    return 0 if exact == finished else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
