"""Record what several processes on one machine's CPU make of a run that one process makes too.

    python tools/processes.py [differences] [kills] [speed]
    python tools/processes.py page

``differences``: losses of 20 steps and the weights after them, by one process and by several with
the same global batch, from several seeds; and a run that begins in one process and ends in two, or
the other way round; called again, it goes on. ``kills``: one of two processes is killed at a random
moment, again and again, and the run resumed; it must end as an undisturbed run of two processes
does. ``speed``: images a second; measure it on a quiet machine. The results join
``gancourse/recorded/processes.json``, one part at a time; ``page`` puts them into the book.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # what the optimisers would import in every forked process anew
from torch import Tensor
from torch.multiprocessing import start_processes

from gancourse import plots  # noqa: F401 - for the same reason
from gancourse.errors import GancourseError
from gancourse.files import read_json, write_json, write_text
from gancourse.training import checkpoint, distribute
from gancourse.training.api import Plan, plan, run_plan
from gancourse.training.folder import read_history
from gancourse.training.run import RECORDED
from gancourse.training.trainer import Trainer

RECORD = RECORDED / "processes.json"
PAGE = Path(__file__).parents[1] / "book/many-machines.md"
STEPS = 20
#: name -> recipe, number of seeds, and what is changed in the recipe
CASES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "dcgan/digits": ("dcgan/digits", 5, {}),
    "dcgan/fashion-mnist": ("dcgan/fashion-mnist", 4, {}),
    "dcgan/digits, augmented": (
        "dcgan/digits",
        4,
        {"flips": ("horizontal",), "diffaugment": ("color", "translation", "cutout")},
    ),
}
#: way -> processes, and what is special: threads of each, float64, batch normalisation by slices
WAYS: dict[str, tuple[int, dict[str, Any]]] = {
    "2 processes": (2, {}),
    "4 processes": (4, {}),
    "1 process, 2 threads": (1, {"threads": 2}),
    "2 processes, statistics apart": (2, {"common": False}),
    "2 processes, float64": (2, {"double": True}),
}
KILLS = 20
#: of the measurement of speed
ROUNDS, SECONDS = 6, 2.0


def crew(size: int, work: Any, *args: Any, wait: bool = True) -> Any:
    """Fork so many processes that call ``work(rank, *args)`` in a world of that size."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(size)}
    os.environ.update(told)
    return start_processes(_member, (work, args), nprocs=size, join=wait, start_method="fork")


def _member(rank: int, work: Any, args: tuple[Any, ...]) -> None:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
    work(rank, *args)


def _steps(
    rank: int,
    planned: Plan,
    out: Path,
    end: int = STEPS,
    begin: Path | None = None,
    threads: int = 1,
    common: bool = True,
    double: bool = False,
) -> None:
    """Train up to a step, and keep the state, which holds the figures of every step."""
    torch.set_num_threads(threads)
    if not common:
        distribute._exchange = lambda gan, classes: None
    if double:
        torch.set_default_dtype(torch.float64)
        Tensor.float = Tensor.double  # type: ignore[method-assign]
    with distribute.join("cpu") as (world, _):
        trainer = Trainer(planned.build(), planned.data.images, planned.settings, world=world)
        if begin is not None:
            trainer.load_state(*checkpoint.read(begin), begin)
        while trainer.step_count < end:
            trainer.step()
        if world.rank == 0:
            checkpoint.write(out, *trainer.state())


def _apart(a: Path, b: Path) -> dict[str, float]:
    """Largest differences of two states: of losses in step 1 and in all, of weights at the end."""
    (one, facts), (other, _) = checkpoint.read(a), checkpoint.read(b)

    def largest(x: Tensor, y: Tensor) -> float:
        return float((x.double() - y.double()).abs().max())

    losses = [facts["names"].index(name) for name in ("loss_d", "loss_g")]
    learnt = [n for n in one if n.startswith(("generator.", "discriminator."))]
    return {
        "first": largest(one["figures"][0, losses], other["figures"][0, losses]),
        "losses": largest(one["figures"][:, losses], other["figures"][:, losses]),
        "weights": max(largest(one[n], other[n]) for n in learnt),
    }


def differences(folder: Path) -> dict[str, Any]:
    """Several processes against one, and states handed from one number of processes to another."""
    found = _stored().get("differences", {"steps": STEPS, "rows": []})
    done = {(row["case"], row["seed"]) for row in found["rows"]}
    for case, (recipe, seeds, changes) in CASES.items():
        for seed in range(seeds):
            if (case, seed) in done:
                continue
            rows = []
            planned = plan(recipe, seed=seed, images=10**6, **changes)
            whole, exact, half, end = (folder / name for name in ("whole", "exact", "half", "end"))
            crew(1, _steps, planned, whole)
            crew(1, partial(_steps, double=True), planned, exact)
            for way, (size, special) in WAYS.items():
                crew(size, partial(_steps, **special), planned, end)
                apart = _apart(exact if "double" in special else whole, end)
                rows.append({"case": case, "seed": seed, "way": way, **apart})
            for first, then in ((1, 2), (2, 1)):
                crew(first, _steps, planned, half, STEPS // 2)
                crew(then, _steps, planned, end, STEPS, half)
                way = f"{first} process{'es' * (first > 1)}, then {then}"
                rows.append({"case": case, "seed": seed, "way": way, **_apart(whole, end)})
            print(*rows, sep="\n", flush=True)
            found["rows"] += rows
            _store("differences", found)
    return found


def _stored() -> dict[str, Any]:
    return read_json(RECORD) if RECORD.exists() else {}


def _store(name: str, found: dict[str, Any]) -> None:
    write_json(RECORD, {**_stored(), "torch": torch.__version__.split("+")[0], name: found})


def _train(rank: int, planned: Plan, out: Path) -> None:
    torch.set_num_threads(1)
    with distribute.join("cpu") as (world, device):
        try:
            run_plan(
                planned, device, out=out, resume=(out / "run.json").exists(), progress=False,
                world=world,
            )  # fmt: skip
        except GancourseError as error:
            (out.parent / f"error-{rank}.txt").write_text(str(error))
            os._exit(2)


def _story(path: Path) -> tuple[Any, ...]:
    """What a run folder says, without the clock."""
    tensors, facts = checkpoint.read(path / "last.safetensors")
    drop = ("seconds", "images_per_second")
    rows = [
        {k: v for k, v in r.items() if k not in drop} for r in read_history(path / "history.jsonl")
    ]
    return tensors, {k: v for k, v in facts.items() if k not in drop}, rows


def _same(a: Path, b: Path) -> bool:
    (ta, *fa), (tb, *fb) = _story(a), _story(b)
    return fa == fb and ta.keys() == tb.keys() and all(torch.equal(ta[n], tb[n]) for n in ta)


def kills(folder: Path) -> dict[str, Any]:
    """Kill one of two processes at random moments; the run resumed must be the undisturbed one."""
    planned = plan("dcgan/digits", seed=0, images=60 * 64, budget="short")
    moments, calm = random.Random(0), folder / "calm"
    start = time.perf_counter()
    crew(2, _train, planned, calm)
    length = time.perf_counter() - start
    killed = runs = exact = reported = 0
    noticed: list[float] = []
    while killed < KILLS:
        path, hits = folder / f"run-{runs}" / "run", 0
        path.parent.mkdir()
        while True:
            context = crew(2, _train, planned, path, wait=False)
            if hits < 4 and killed < KILLS:  # the last try goes through, so that every run ends
                time.sleep(moments.uniform(0.1, 0.8) * length)
                victim = moments.randrange(2)
                process, other = context.processes[victim], context.processes[1 - victim]
                if process.is_alive():
                    process.kill()
                    at = time.perf_counter()
                    other.join(60)
                    hits, killed = hits + 1, killed + 1
                    # Killed after the last exchange, the other one has nothing to miss.
                    noticed.append(time.perf_counter() - at)
                    reported += other.exitcode == 2
                    assert other.exitcode is not None, "the other process hangs"
                    continue
            context.join()
            while not context.join():
                pass
            break
        runs += 1
        exact += _same(calm, path)
        print(killed, "kills", runs, "runs", exact, "exact", flush=True)
    assert exact == runs
    return {
        "kills": killed, "runs": runs, "exact": exact, "reported": reported,
        "noticed_s": round(max(noticed), 2),
    }  # fmt: skip


def _speed(rank: int, planned: Plan, seconds: float, out: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    with distribute.join("cpu") as (world, _):
        trainer = Trainer(planned.build(), planned.data.images, planned.settings, world=world)
        for _ in range(3):
            trainer.step()
        start, done = time.perf_counter(), trainer.step_count
        while not world.any(time.perf_counter() - start > seconds):
            trainer.step()
        if world.rank == 0:
            shown = (trainer.step_count - done) * planned.settings.batch_size
            write_json(out, {"speed": shown / (time.perf_counter() - start)})


def speed(folder: Path) -> dict[str, Any]:
    """Images a second of each way, taken in turns; the best of several, the least disturbed."""
    planned = plan("dcgan/fashion-mnist", images=10**7)
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for way, size, threads in (
            ("1 process", 1, 1), ("1 process, 2 threads", 1, 2), ("2 processes", 2, 1),
        ):  # fmt: skip
            crew(size, _speed, planned, SECONDS, folder / "speed.json", threads)
            found = read_json(folder / "speed.json")["speed"]
            best[way] = max(best.get(way, 0.0), found)
            print(way, round(found), flush=True)
    return {
        "batch": planned.settings.batch_size,
        "rounds": ROUNDS,
        "seconds": SECONDS,
        "images_per_second": {way: round(value) for way, value in best.items()},
    }


def _largest(rows: list[dict[str, Any]], case: str, way: str, name: str) -> str:
    values = [row[name] for row in rows if (row["case"], row["way"]) == (case, way)]
    number, power = f"{max(values):.0e}".split("e")
    return f"${number} \\cdot 10^{{{int(power)}}}$" if float(number) else "0"


def tables(stored: dict[str, Any]) -> dict[str, str]:
    """The parts of the record as book/many-machines.md shows them; a test holds the two equal."""
    rows, hits, fast = (stored[name] for name in ("differences", "kills", "speed"))
    rows, lines = rows["rows"], []
    for case in CASES:
        seeds = len({row["seed"] for row in rows if row["case"] == case})
        lines += [
            f"| {case}, {seeds} seeds | losses, step 1 | losses | weights |",
            "| --- | --- | --- | --- |",
        ]
        for way in dict.fromkeys(row["way"] for row in rows):
            cells = (_largest(rows, case, way, name) for name in ("first", "losses", "weights"))
            lines.append(f"| {way} | {' | '.join(cells)} |")
        lines.append("")
    speeds = ["| | images/s |", "| --- | --- |"]
    speeds += [f"| {way} | {value:,} |" for way, value in fast["images_per_second"].items()]
    sentence = (
        f"In {hits['runs']} runs one of two processes was killed (`kill -9`), at {hits['kills']} random "
        f"moments in all, and the run resumed each time: {hits['exact']} of them ended with the "
        "weights, moments, random numbers and history of an undisturbed run of two processes, to the "
        f"bit. The other process ended by itself within {hits['noticed_s']:g} seconds, every time, and "
        f"said why {hits['reported']} times; a process that is killed after the last exchange is not "
        "missed."
    )
    return {"differences": "\n".join(lines[:-1]), "kills": sentence, "speed": "\n".join(speeds)}


def page() -> None:
    """Put the tables into the page, each between its two comments."""
    text = PAGE.read_text()
    for name, table in tables(_stored()).items():
        start, end = f"% {name}: written by tools/processes.py page\n", f"% end of {name}\n"
        before, rest = text.split(start)
        text = f"{before}{start}\n{table}\n\n{end}{rest.split(end)[1]}"
    write_text(PAGE, text)


def main() -> None:
    """Make the parts that are asked for, all by default."""
    if sys.argv[1:] == ["page"]:
        return page()
    torch.set_num_threads(1)  # threads of the parent would be missing in the forked processes
    parts = {"differences": differences, "kills": kills, "speed": speed}
    if unknown := set(sys.argv[1:]) - set(parts):
        known = f"{', '.join(parts)}, or page"
        raise SystemExit(f"No such part: {', '.join(sorted(unknown))}. There are {known}.")
    for name in sys.argv[1:] or list(parts):
        folder = Path(tempfile.mkdtemp())
        try:
            found = parts[name](folder)
        finally:
            shutil.rmtree(folder)
        _store(name, found)


if __name__ == "__main__":
    main()
