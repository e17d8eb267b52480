"""Runs of the tiny GAN by several processes, forked from this one so that none spends time importing.

``python two.py FOLDER`` goes through the cases below and prints what came out as one line of JSON:
name -> result, or the traceback of a case that failed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sys
import time
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import tiny
import torch
import torch._dynamo  # what the optimisers would import in every forked process anew
from torch import nn
from torch.multiprocessing import start_processes

from gancourse import plots  # noqa: F401 - for the same reason
from gancourse.cli import main as main_of_command
from gancourse.errors import GancourseError
from gancourse.gans import VanillaGAN
from gancourse.training import checkpoint, distribute, fit
from gancourse.training.api import plan, run_plan
from gancourse.training.folder import RunFolder, read_history
from gancourse.training.trainer import Trainer

AUGMENTED = {"flips": ("horizontal",), "diffaugment": ("color", "translation", "cutout"), "k": 2}


def crew(size: int, work: Any, *args: Any, wait: bool = True) -> Any:
    """Fork so many processes that call ``work(rank, *args)`` as one world."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE=str(size))
    return start_processes(_member, (work, args), nprocs=size, join=wait, start_method="fork")


def _member(rank: int, work: Any, args: tuple[Any, ...]) -> None:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
    work(rank, *args)


def train(rank: int, path: Path, changes: dict[str, Any]) -> None:
    """Train or resume in a folder; how it ends is written beside it."""
    told = path.with_name(f"{path.name}-{rank}.txt")
    try:
        with distribute.join("cpu") as (world, _):
            kept = None if rank else RunFolder(path, resume=(path / "run.json").exists())
            if kept is not None:
                kept.__enter__()
                kept.write_facts({"recipe": "tiny"})
            fit(tiny.gan(), tiny.images(), tiny.settings(**changes), folder=kept, world=world)
    except GancourseError as error:
        told.write_text(f"{'told' if getattr(error, 'told', False) else 'error'}: {error}")
        os._exit(2)
    except KeyboardInterrupt:
        told.write_text("interrupted")
        os._exit(3)


def apart(a: Path, b: Path) -> dict[str, Any]:
    """Largest differences of two runs, and whether what is no result of arithmetic is the same."""
    (ta, fa, ra, _), (tb, fb, rb, _) = tiny.story(a), tiny.story(b)
    learnt = ("generator", "discriminator", "ema")
    nets = [n for n in ta if n.startswith(learnt) and ta[n].is_floating_point()]
    return {
        # Not the largest: where a gradient is rounding error alone, Adam may step either way.
        "weights": float(torch.cat([(ta[n] - tb[n]).abs().flatten() for n in nets]).quantile(0.98)),
        "history": max(abs(x[k] - y[k]) for x, y in zip(ra, rb, strict=True) for k in x),
        "same": fa == fb and list(ta) == list(tb) and torch.equal(ta["rng"], tb["rng"]),
    }


def against_one(folder: Path) -> dict[str, Any]:
    """One process, two, and four, on the same global minibatches."""
    found = {}
    for seed in range(2):
        for name, changes in (("plain", {}), ("augmented", AUGMENTED)):
            changes = {"seed": seed, "images": 160, **changes}
            for size in (1, 2, 4) if seed == 0 else (1, 2):
                crew(size, train, folder / f"{name}-{seed}-{size}", changes)
            for size in (2, 4) if seed == 0 else (2,):
                ends = (folder / f"{name}-{seed}-{n}" for n in (1, size))
                found[f"{name}, seed {seed}, {size}"] = apart(*ends)
    return found


def again(folder: Path) -> list[str]:
    """Two processes twice: where the results differ."""
    for name in "ab":
        crew(2, train, folder / name, {"images": 160, **AUGMENTED})
    return tiny.differences(folder / "a", folder / "b")


def handed_over(folder: Path) -> dict[str, Any]:
    """Begun by one process and ended by two, and the other way round."""
    crew(1, train, folder / "one", {"images": 160})
    for first, then in ((1, 2), (2, 1)):
        crew(first, train, folder / f"{first}{then}", {"images": 64})
        crew(then, train, folder / f"{first}{then}", {"images": 160})
    return {way: apart(folder / "one", folder / way) for way in ("12", "21")}


def killed(folder: Path) -> dict[str, Any]:
    """kill -9 of one of two processes at random moments; then the run is resumed."""
    moments, said, kills = random.Random(3), [], 0
    crew(2, train, folder / "calm", {})
    for hit in range(4):
        context = crew(2, train, folder / "run", {}, wait=False)
        while len(read_history(folder / "run/history.jsonl")) <= 2 * hit:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.05))
        context.processes[hit % 2].kill()
        for process in context.processes:
            process.join(30)
            assert process.exitcode is not None, "the other process hangs"
        kills += context.processes[hit % 2].exitcode == -signal.SIGKILL
        note = folder / f"run-{1 - hit % 2}.txt"
        said += [note.read_text()] if note.exists() else []
    crew(2, train, folder / "run", {})
    # A picture that was being written when its process was killed leaves a file of another name.
    differ = tiny.differences(folder / "calm", folder / "run")
    differ = [what for what in differ if not what.startswith("picture .")]
    return {"kills": kills, "said": said, "differ": differ}


def silent(folder: Path) -> dict[str, Any]:
    """One of two processes stands still: the other one gives up."""
    distribute.STEP = timedelta(seconds=2)
    try:
        context = crew(2, train, folder / "run", {"images": 10**7}, wait=False)
        while not (folder / "run/last.safetensors").exists():
            time.sleep(0.05)
        os.kill(context.processes[1].pid, signal.SIGSTOP)
        start = time.perf_counter()
        context.processes[0].join(240)  # a busy machine takes its time
        waited = time.perf_counter() - start
        context.processes[1].kill()
        return {"seconds": waited, "said": (folder / "run-0.txt").read_text()}
    finally:
        distribute.STEP = timedelta(minutes=10)


def interrupted(folder: Path) -> dict[str, Any]:
    """Ctrl-C reaches one process: both stop after the same step, and go on as if nothing was."""
    crew(2, train, folder / "calm", {"images": 640})
    context = crew(2, train, folder / "run", {"images": 640}, wait=False)
    while not (folder / "run/last.safetensors").exists():
        time.sleep(0.01)
    os.kill(context.processes[1].pid, signal.SIGINT)
    for process in context.processes:
        process.join(30)
    said = [(folder / f"run-{rank}.txt").read_text() for rank in range(2)]
    step = checkpoint.read(folder / "run/last.safetensors")[1]["step"]
    crew(2, train, folder / "run", {"images": 640})
    return {"said": said, "step": step, "differ": tiny.differences(folder / "calm", folder / "run")}


def _normalise(rank: int, path: Path) -> None:
    with distribute.join("cpu") as (world, _):
        found = {}
        for make, shape in ((nn.BatchNorm1d, (12, 5)), (nn.BatchNorm2d, (12, 5, 3, 4))):
            torch.manual_seed(1)
            whole = torch.randn(shape) * 3 + 7
            goal, layers = torch.randn(shape), []
            for _ in range(2):
                torch.manual_seed(2)
                layers.append(nn.Sequential(make(5), nn.Tanh(), make(5)))
                for layer in layers[-1][::2]:
                    nn.init.normal_(layer.weight, 1.0, 0.3)
                    nn.init.normal_(layer.bias)
            one, several = layers
            world.share(several)
            for _ in range(2):
                x, part = (t.clone().requires_grad_() for t in (whole, world.slice(whole)))
                y, mine = one(x), several(part)
                (y * goal).tanh().square().mean().backward()
                (mine * world.slice(goal)).tanh().square().mean().backward()
            world.average([p.grad for p in several.parameters()])
            pairs = [
                (world.slice(y), mine),
                (world.slice(x.grad), part.grad / world.size),
                *(
                    (p.grad, q.grad)
                    for p, q in zip(*map(nn.Module.parameters, layers), strict=True)
                ),
                *zip(*map(nn.Module.buffers, layers), strict=True),
            ]
            found[make.__name__] = max(
                float((a - b).detach().abs().max() / b.detach().abs().max()) for a, b in pairs
            )
            world.release(several)
            found[f"{make.__name__} back"] = type(several[0]) is make
        path.with_name(f"{rank}.json").write_text(json.dumps(found))


def normalised(folder: Path) -> dict[str, Any]:
    """Two layers of batch normalisation over three processes against the same over one."""
    crew(3, _normalise, folder / "x")
    return {str(rank): json.loads((folder / f"{rank}.json").read_text()) for rank in range(3)}


def _errors(rank: int, path: Path) -> None:
    def fails(wanted: Any) -> Any:
        def function() -> None:
            if wanted in (rank, "all"):
                raise GancourseError(f"said by {rank}")

        return function

    with distribute.join("cpu") as (world, _):
        found, calls = [], []
        batch = tiny.settings(batch_size=9)
        planned = plan("vanilla/digits", images=256, seed=rank, budget="short")
        for call in (
            lambda: world.first(fails(0)),
            lambda: world.everywhere(fails(1)),
            lambda: world.everywhere(fails("all")),
            lambda: Trainer(tiny.gan(), tiny.images(), batch, world=world),
            lambda: run_plan(planned, torch.device("cpu"), out=None, resume=False, progress=False,
                             world=world),
        ):  # fmt: skip
            try:
                call()
            except GancourseError as error:
                found.append(["told " * getattr(error, "told", False), str(error)])
        world.everywhere(lambda: calls.append(time.perf_counter()))
        values = [
            world.first(lambda: rank + 5),
            world.first_only(lambda: rank),
            world.any(rank == 1),
        ]
        path.with_name(f"{rank}.json").write_text(json.dumps([found, values, calls[0]]))


def errors(folder: Path) -> list[Any]:
    """Who says what when something is wrong in one process."""
    crew(2, _errors, folder / "x")
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def _weights(rank: int, path: Path) -> None:
    with distribute.join("cpu") as (world, _):
        torch.manual_seed(0)
        gan = VanillaGAN((1, 8, 8), latent_dim=4, hidden=(16, 16))
        trainer = Trainer(gan, tiny.images(), tiny.settings(tick=320), world=world)
        for _ in range(12):
            trainer.step()
        checkpoint.write(path.with_name(f"{world.size}-{rank}"), *trainer.state())


def vanilla(folder: Path) -> dict[str, Any]:
    """The perceptrons too; and all processes hold the same numbers, to the bit."""
    for size in (1, 2):
        crew(size, _weights, folder / "x")
    one, first, second = (checkpoint.read(folder / name)[0] for name in ("1-0", "2-0", "2-1"))
    return {
        "differ": [name for name in first if not torch.equal(first[name], second[name])],
        # Only the figures: a bias before batch normalisation has no gradient but rounding errors,
        # which Adam scales up to whole steps. They change no output.
        "apart": float((one["figures"] - first["figures"]).abs().max()),
    }


def _command(rank: int, path: Path, words: tuple[str, ...]) -> None:
    said = os.open(path.with_name(f"{rank}.txt"), os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["gancourse", *words]
    main_of_command()


def wrong_name(folder: Path) -> list[str]:
    """What each of two processes says to the name of a recipe that does not exist."""
    context = crew(2, _command, folder / "x", ("train", "vanilla/digit"), wait=False)
    for process in context.processes:
        process.join(60)
        assert process.exitcode == 2
    return [(folder / f"{rank}.txt").read_text() for rank in range(2)]


CASES = (
    against_one, again, handed_over, killed, silent, interrupted, normalised, errors, vanilla,
    wrong_name,
)  # fmt: skip


def main(folder: Path) -> None:
    """Go through the cases."""
    torch.set_num_threads(1)
    report: dict[str, Any] = {}
    wanted = os.environ.get("CASES", "").split(",")
    for case in CASES:
        if wanted != [""] and case.__name__ not in wanted:
            continue
        place = folder / case.__name__
        place.mkdir()
        start = time.perf_counter()
        try:
            report[case.__name__] = case(place)
        except Exception:  # noqa: BLE001 - handed to the test of that case
            report[case.__name__] = {"traceback": traceback.format_exc()}
        print(case.__name__, round(time.perf_counter() - start, 1), file=sys.stderr, flush=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
