"""Training from first step to last: ticks, scores, checkpoints, resume, interruption."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from gancourse.errors import GancourseError
from gancourse.gans.base import GAN
from gancourse.training import fast
from gancourse.training.checkpoint import read, write
from gancourse.training.distribute import ALONE, World
from gancourse.training.folder import RunFolder
from gancourse.training.trainer import Settings, Trainer

__all__ = ["Score", "Settings", "fit"]

#: From the averaged generator to named scores; the first one decides what is best, smaller is better.
Score = Callable[[nn.Module], dict[str, float]]


@contextmanager
def _interruptible(active: bool) -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and a polite kill into a flag, so that a step is never cut in two.

    Only the main thread may set signal handlers; elsewhere, or where nothing could be saved,
    signals keep their usual effect.
    """
    if not active or threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Recorder:
    """What happens at the end of a tick: a row, a picture, TensorBoard, checkpoints."""

    def __init__(
        self,
        trainer: Trainer,
        folder: RunFolder | None,
        score: Score | None,
        tensorboard: bool,
        world: World,
    ) -> None:
        self.trainer, self.folder, self.score, self.world = trainer, folder, score, world
        self.best: float | None = None
        self.seconds_before = 0.0
        saved = world.first(self._read)
        if saved is not None:
            path, tensors, facts = saved
            world.everywhere(lambda: trainer.load_state(tensors, facts, path))
            self.best, self.seconds_before = facts["best"], facts["seconds"]
        step = trainer.step_count
        self.history = world.first(lambda: [] if folder is None else folder.rewind(step))
        self.writer = world.first_only(self._tensorboard) if tensorboard else None
        self.started = time.perf_counter()
        self._begin_tick()

    def _read(self) -> tuple[Path, dict[str, Tensor], dict[str, Any]] | None:
        if self.folder is None or not self.folder.last.exists():
            return None
        return self.folder.last, *read(self.folder.last)

    def _tensorboard(self) -> Any:
        if self.folder is None:
            raise GancourseError("TensorBoard events need a run folder: give --out (out=...).")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise GancourseError(
                "TensorBoard is not installed: pip install tensorboard, or leave out --tensorboard."
            ) from None
        step = self.trainer.step_count + 1  # events from there on are purged, this row is not
        return SummaryWriter(self.folder.path / "tensorboard", purge_step=step)

    def _begin_tick(self) -> None:
        self.tick_started, self.tick_images = time.perf_counter(), self.trainer.images_shown

    def save(self, path: Path) -> None:
        """Write a checkpoint of this moment."""
        seconds = self.seconds_before + time.perf_counter() - self.started
        tensors, facts = self.trainer.state()
        write(path, tensors, {**facts, "best": self.best, "seconds": round(seconds, 3)})

    def tick(self) -> dict[str, Any]:
        """Close the tick: check and keep its figures; the first process scores and saves."""
        self.trainer.synchronize()
        figures = self.world.everywhere(self.trainer.read_tick)
        row = self.world.first(lambda: self._close(figures))
        self.history.append(row)
        self._begin_tick()
        return row

    def _close(self, figures: dict[str, float]) -> dict[str, Any]:
        trainer = self.trainer
        now = time.perf_counter()
        shown = trainer.images_shown - self.tick_images
        row: dict[str, Any] = {
            "tick": trainer.tick,
            "step": trainer.step_count,
            "images": trainer.images_shown,
            "epoch": round(trainer.epoch, 4),
            "seconds": round(self.seconds_before + now - self.started, 3),
            "images_per_second": round(shown / (now - self.tick_started), 1),
            **figures,
        }
        scores = self.score(trainer.ema.net) if self.score is not None else {}
        row |= scores
        if self.writer is not None:
            for name, value in row.items():
                self.writer.add_scalar(name, value, row["step"])
        if self.folder is not None:
            self.folder.append(row)
            seed = trainer.settings.seed + 1
            self.folder.write_samples(
                trainer.tick, trainer.gan.sample(64, seed=seed, net=trainer.ema.net)
            )
            value = next(iter(scores.values()), None)
            if value is not None and (self.best is None or value < self.best):
                self.best = value
                self.save(self.folder.best)
            self.save(self.folder.last)
        return row


def fit(
    gan: GAN,
    images: Tensor,
    settings: Settings,
    *,
    labels: Tensor | None = None,
    device: torch.device | str = "cpu",
    folder: RunFolder | None = None,
    score: Score | None = None,
    progress: bool | None = None,
    tensorboard: bool = False,
    world: World = ALONE,
) -> tuple[nn.Module, list[dict[str, Any]]]:
    """Train a GAN in place; carry on where ``folder.last`` stopped, if there is one.

    Everything random comes from PyTorch's global generator, seeded here and put back afterwards,
    and from a generator for the order of the data that depends on seed and epoch alone. On the CPU
    the same settings and thread count give the same bits, also across an interruption.

    Args:
        gan: the players; they are moved to ``device``.
        images: uint8 N x C x H x W, kept on the device as one tensor.
        settings: see :class:`Settings`.
        labels: int64 N, for GANs that use them.
        device: where to train.
        folder: an entered :class:`~gancourse.training.folder.RunFolder`; without one nothing is
            saved. Of several processes the first one has it.
        score: called at each tick with the averaged generator; its values join the row, and the
            checkpoint with the smallest first value is kept as ``best.safetensors``. It must
            leave the global generator alone.
        progress: a progress bar; by default one if standard error is a terminal.
        tensorboard: also write the rows as TensorBoard events into the folder.
        world: the processes that make this run together (:mod:`gancourse.training.distribute`).

    Returns:
        (averaged generator in evaluation mode, history: one dict a tick).

    Raises:
        GancourseError: data that do not fit the GAN or the batch size; a loss, score or gradient
            that is no longer finite (the last checkpoint stays as it was); a checkpoint that
            cannot be read or written; another process of the run is gone.
        KeyboardInterrupt: after Ctrl-C; with a folder, the step is finished and saved first.
    """
    with torch.random.fork_rng(devices=[device] if torch.device(device).type == "cuda" else []):
        trainer = Trainer(gan, images, settings, labels=labels, device=device, world=world)
        recorder = _Recorder(trainer, folder, score, tensorboard, world)
        try:
            trainer.prepare()
            if trainer.path is not None and folder is not None:
                folder.note(fast=trainer.path.facts())
            _run(trainer, recorder, progress)
        finally:
            if recorder.writer is not None:
                recorder.writer.close()
            world.release(gan)
            fast.release(gan)
        return trainer.ema.net, recorder.history


def _run(trainer: Trainer, recorder: _Recorder, progress: bool | None) -> None:
    """The steps and ticks that are left, with a progress bar."""
    settings, world, folder = trainer.settings, recorder.world, recorder.folder
    saving = world.first(lambda: folder is not None)
    bar = tqdm(
        total=settings.images,
        initial=min(trainer.images_shown, settings.images),
        unit="img",
        unit_scale=True,
        disable=True if world.rank else None if progress is None else not progress,
    )
    with _interruptible(saving) as interrupted, bar:
        while trainer.images_shown < settings.images:
            trainer.step()
            bar.update(settings.batch_size * settings.k)
            if trainer.tick_is_full or trainer.images_shown >= settings.images:
                row = recorder.tick()
                bar.set_postfix(D=f"{row['loss_d']:.3f}", G=f"{row['loss_g']:.3f}")
            if saving and world.any(interrupted()):
                world.everywhere(trainer.check_finite)
                world.first(lambda: recorder.save(folder.last) if folder else None)
                raise KeyboardInterrupt
