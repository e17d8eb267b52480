"""A training run of a second: what the tests of the loop share."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from gancourse.gans import DCGAN
from gancourse.training import Settings, fit
from gancourse.training.checkpoint import read
from gancourse.training.folder import RunFolder

#: what differs between two runs of the same settings: the clock
TIMES = {"seconds", "images_per_second"}


def images(n: int = 48) -> torch.Tensor:
    """n random images, uint8 n x 1 x 8 x 8."""
    generator = torch.Generator().manual_seed(7)
    return torch.randint(0, 256, (n, 1, 8, 8), dtype=torch.uint8, generator=generator)


def gan() -> DCGAN:
    """A small DCGAN with the same weights at every call."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return DCGAN((1, 8, 8), latent_dim=4, width=4)


def settings(**changes) -> Settings:
    """40 steps of 8 images; a tick is 4 steps."""
    return Settings(**{"images": 320, "batch_size": 8, "tick": 32, "ema": 0.9, "seed": 5} | changes)


def train(path: str | Path | None = None, *, resume: bool = False, data=None, **changes):
    """Train the small DCGAN; returns (gan, averaged generator, history)."""
    players = gan()
    data = images() if data is None else data
    if path is None:
        return players, *fit(players, data, settings(**changes))
    with RunFolder(path, resume=resume) as folder:
        folder.write_facts({"recipe": "tiny"})
        return players, *fit(players, data, settings(**changes), folder=folder)


def without_times(rows: list[dict]) -> list[dict]:
    """History rows without the clock's columns."""
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def story(path: Path) -> tuple:
    """Everything a run folder holds but the clock: tensors, facts, history, pictures."""
    tensors, facts = read(path / "last.safetensors")
    rows = [json.loads(line) for line in (path / "history.jsonl").read_text().splitlines()]
    pictures = {p.name: p.read_bytes() for p in sorted((path / "samples").iterdir())}
    return (
        tensors,
        {k: v for k, v in facts.items() if k not in TIMES},
        without_times(rows),
        pictures,
    )


def differences(a: Path, b: Path) -> list[str]:
    """Where two run folders differ, bit for bit; empty if nowhere."""
    (ta, fa, ra, pa), (tb, fb, rb, pb) = story(a), story(b)
    found = [
        f"tensor {n}"
        for n in sorted({*ta, *tb})
        if n not in ta or n not in tb or not _same(ta[n], tb[n])
    ]
    found += [f"fact {n}" for n in sorted({*fa, *fb}) if fa.get(n) != fb.get(n)]
    found += ["history"] if ra != rb else []
    return found + [f"picture {n}" for n in sorted({*pa, *pb}) if pa.get(n) != pb.get(n)]


def _same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.dtype == b.dtype and torch.equal(a, b)
