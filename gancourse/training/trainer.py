"""One training run in memory: data on the device, two optimisers, the step, and its state."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gancourse import augment
from gancourse.errors import GancourseError, unknown
from gancourse.gans.base import GAN, Batch, frozen, to_signal
from gancourse.training import checkpoint, fast
from gancourse.training.devices import keep_freed_memory
from gancourse.training.distribute import ALONE, World
from gancourse.training.ema import EMA
from gancourse.training.replay import CudaRecorder, Replayed

__all__ = ["Settings", "Trainer"]


@dataclass(frozen=True)
class Settings:
    """What decides a run, besides the GAN and the data.

    Attributes:
        images: real images to show to the discriminator in all; rounded up to whole steps.
        batch_size: images a minibatch, for each player.
        lr_d: learning rate of the discriminator.
        lr_g: learning rate of the generator.
        optimizer: ``"adam"``, or ``"sgd"`` with momentum.
        beta1: Adam's decay of the first moment, or SGD's momentum.
        beta2: Adam's decay of the second moment.
        k: discriminator steps a generator step (Goodfellow et al. 2014, algorithm 1).
        ema: decay of the generator's moving average a step, in [0, 1).
        tick: images between two rows of the history; by default an epoch.
        seed: of weights, noise, data order and every augmentation.
        flips: ``"horizontal"``, ``"vertical"`` or both: each real image is mirrored with
            probability 0.5 (:func:`gancourse.augment.random_flips`).
        diffaugment: ``"color"``, ``"translation"``, ``"cutout"``: how real and fake images are
            changed before the discriminator sees them (:func:`gancourse.augment.diffaugment`).
        fast: try out at the start how this machine computes the steps fastest, and do that
            (:mod:`gancourse.training.fast`).
    """

    images: int
    batch_size: int = 128
    lr_d: float = 2e-4
    lr_g: float = 2e-4
    optimizer: str = "adam"
    beta1: float = 0.5
    beta2: float = 0.999
    k: int = 1
    ema: float = 0.999
    tick: int | None = None
    seed: int = 0
    flips: tuple[str, ...] = ()
    diffaugment: tuple[str, ...] = ()
    fast: bool = False

    def __post_init__(self) -> None:
        for name in ("batch_size", "k", "lr_d", "lr_g", "images"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise GancourseError(f"{name} is {value}; it must be a number greater than 0.")
        if self.batch_size < 2:
            raise GancourseError("batch_size is 1; batch normalisation needs 2 images or more.")
        for name in ("beta1", "beta2", "ema"):
            if not 0 <= getattr(self, name) < 1:
                raise GancourseError(
                    f"{name} is {getattr(self, name)}; it must be at least 0 and less than 1."
                )
        if self.tick is not None and self.tick < 1:
            raise GancourseError(f"tick is {self.tick}; it must be 1 or more.")
        if self.optimizer not in ("adam", "sgd"):
            raise unknown("optimizer", self.optimizer, ("adam", "sgd"))
        # In one order, whatever the caller's, so that the same choice is the same run.
        flips = augment.in_order("flip", self.flips, augment.FLIPS)
        changes = augment.in_order("kind of DiffAugment", self.diffaugment, augment.DIFFAUGMENT)
        object.__setattr__(self, "flips", flips)
        object.__setattr__(self, "diffaugment", changes)

    def facts(self) -> dict[str, Any]:
        """The fields as a run's files hold them; what is off is not mentioned.

        So the files of a run without augmentation and fast path are what they were before there
        was any.
        """
        return {k: v for k, v in asdict(self).items() if v != () and v is not False}


def check_data(gan: GAN, images: Tensor, settings: Settings, world: World = ALONE) -> None:
    """Refuse data that the GAN or the batch size cannot take, before any work is done.

    Raises:
        GancourseError: dtype, dimensions, channels, size or number of images do not fit; the
            batch cannot be divided among the processes.
    """
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise GancourseError(
            f"Training takes uint8 images N x C x H x W, not {images.dtype} {tuple(images.shape)}."
        )
    if tuple(images.shape[1:]) != tuple(gan.shape):
        want, have = (" x ".join(map(str, s)) for s in (gan.shape, images.shape[1:]))
        raise GancourseError(
            f"The GAN makes images of {want} (channels x height x width), the data are {have}. "
            "Load the data with size= and channels= that fit, or build the GAN for their shape."
        )
    if len(images) < settings.batch_size:
        raise GancourseError(
            f"A batch of {settings.batch_size} cannot be drawn from {len(images)} image"
            f"{'s' * (len(images) != 1)}. Give more images or a smaller --batch-size (batch_size=)."
        )
    if settings.batch_size % world.size:
        raise GancourseError(
            f"A batch of {settings.batch_size} cannot be divided among {world.size} processes. Give "
            f"a --batch-size (batch_size=) that is a multiple of {world.size}."
        )
    if settings.fast and world.size > 1:
        raise GancourseError(
            "The fast path is for one process. Leave out --fast (fast=True), or start the run "
            "without torchrun or accelerate launch."
        )


def _gradients(player: nn.Module) -> list[Tensor]:
    return [p.grad for p in player.parameters() if p.grad is not None]


class Trainer:
    """A GAN, its data and its optimisers on one device.

    Takes the GAN's weights as they are, and seeds the global generator, which it then uses for
    noise and augmentation. The caller forks that generator if it minds.

    Args:
        gan: the players, moved to ``device`` in place.
        images: uint8 N x C x H x W.
        settings: see :class:`Settings`.
        labels: int64 N or None.
        device: where to train.
        world: the processes that make this run together, one of which this is. All have the same
            GAN, images and settings; each works on its slice of every minibatch.

    Raises:
        GancourseError: the data do not fit (see :func:`check_data`).
    """

    def __init__(
        self,
        gan: GAN,
        images: Tensor,
        settings: Settings,
        *,
        labels: Tensor | None = None,
        device: torch.device | str = "cpu",
        world: World = ALONE,
    ) -> None:
        check_data(gan, images, settings, world)
        self.world = world
        self.device = torch.device(device)
        if self.device.type == "cpu":
            keep_freed_memory()
        self.settings = settings
        self.gan = gan.to(self.device, memory_format=gan.memory_format).train()  # type: ignore[call-overload]
        self.images = images.to(self.device)
        self.labels = None if labels is None else labels.to(self.device)
        self.optimizer_d = self._optimizer(gan.discriminator, settings.lr_d)
        self.optimizer_g = self._optimizer(gan.generator, settings.lr_g)
        self.ema = EMA(gan.generator, settings.ema)
        world.share(gan)
        self.batches_per_epoch = len(images) // settings.batch_size
        images_a_step = settings.batch_size * settings.k
        tick = settings.tick or self.batches_per_epoch * settings.batch_size
        self.steps_per_tick = max(1, round(tick / images_a_step))
        self.step_count = 0
        self._names: list[str] = []
        self._rows: list[Tensor] = []
        self._order: tuple[int, Tensor] | None = None
        self.path: fast.Path | None = None
        self._layout = gan.memory_format
        self._advance: Callable[[Sequence[Tensor]], Tensor] = self._play
        torch.manual_seed(settings.seed)

    def _optimizer(self, player: nn.Module, lr: float) -> torch.optim.Optimizer:
        s = self.settings
        if s.optimizer == "sgd":
            return torch.optim.SGD(player.parameters(), lr, momentum=s.beta1, fused=True)
        return torch.optim.Adam(player.parameters(), lr, (s.beta1, s.beta2), fused=True)

    @property
    def images_shown(self) -> int:
        """Real images the discriminator has seen."""
        return self.step_count * self.settings.k * self.settings.batch_size

    @property
    def epoch(self) -> float:
        """Passes through the data so far."""
        return self.step_count * self.settings.k / self.batches_per_epoch

    @property
    def tick(self) -> int:
        """Number of the tick that the last step belongs to, from 1."""
        return -(-self.step_count // self.steps_per_tick)

    @property
    def tick_is_full(self) -> bool:
        """Whether the last step was the last of its tick."""
        return self.step_count % self.steps_per_tick == 0

    def prepare(self, path: fast.Path | None = None) -> None:
        """Take the fast path if the settings ask for it: this one, or the winner of a trial."""
        if not self.settings.fast or self.path is not None:
            return
        if path is None or path.device != self.device.type:
            some = slice(self.settings.batch_size)
            labels = None if self.labels is None else self.labels[some]
            path = fast.choose(self.gan, Batch(to_signal(self.images[some]), labels))
        fast.take(path, self.gan, self.ema.net)
        self.path, self._layout = path, fast.LAYOUTS[path.discriminator]
        if path.graph:
            optimizers = self.optimizer_d, self.optimizer_g
            self._advance = Replayed(self._play, optimizers, CudaRecorder(self.device))

    def _chosen(self, number: int) -> Tensor:
        """A minibatch's images by number: each epoch in an order of its own, remainder left out."""
        epoch, place = divmod(number, self.batches_per_epoch)
        if self._order is None or self._order[0] != epoch:
            # From seed and epoch alone, so that a resumed run finds the order without replaying it.
            seed = (self.settings.seed * 1_000_003 + epoch) % 2**64
            generator = torch.Generator().manual_seed(seed)
            order = torch.randperm(len(self.images), generator=generator)
            self._order = epoch, order.to(self.device)
        size = self.settings.batch_size
        return self.world.slice(self._order[1][place * size : (place + 1) * size])

    def _batch(self, chosen: Tensor) -> Batch:
        """These images as the players get them, mirrored at random if so set."""
        part = self.world.rank, self.world.size
        pixels = augment.random_flips(self.images[chosen], self.settings.flips, part=part)
        images = to_signal(pixels).contiguous(memory_format=self._layout)
        return Batch(images, None if self.labels is None else self.labels[chosen])

    def _seen(self, images: Tensor) -> Tensor:
        """What the discriminator is shown of images, real or fake."""
        if not self.settings.diffaugment:
            return images
        part = self.world.rank, self.world.size
        changed = augment.diffaugment(images, self.settings.diffaugment, part)
        return changed.contiguous(memory_format=self._layout)

    def step(self) -> None:
        """k discriminator steps and one generator step; nothing here waits for the device."""
        self.prepare()
        k = self.settings.k
        self._rows.append(
            self._advance([self._chosen(self.step_count * k + turn) for turn in range(k)])
        )
        self.ema.update()
        self.step_count += 1

    def _play(self, chosen: Sequence[Tensor]) -> Tensor:
        """The step itself, on a minibatch of images a turn; its figures, in the order of names."""
        gan, k = self.gan, self.settings.k
        precision = nullcontext if self.path is None else self.path.precision
        for turn in range(k):
            batch = self._batch(chosen[turn])
            # The last fakes serve both players: the discriminator without their graph, the
            # generator with it. That saves a pass, as in the DCGAN authors' program.
            with torch.set_grad_enabled(turn == k - 1), precision():
                fake = gan.generate(batch).float()
            batch = batch._replace(images=self._seen(batch.images))
            seen = self._seen(fake.detach())
            self.optimizer_d.zero_grad()
            with precision():
                loss_d, scores_d = gan.discriminator_loss(batch, seen)
            loss_d.backward()
            self.world.average(_gradients(gan.discriminator))
            self.optimizer_d.step()
        self.optimizer_g.zero_grad()
        seen = self._seen(fake)
        with frozen(gan.discriminator):
            with precision():
                loss_g, scores_g = gan.generator_loss(batch, seen)
            loss_g.backward()
        self.world.average(_gradients(gan.generator))
        self.optimizer_g.step()
        figures = {"loss_d": loss_d.detach(), "loss_g": loss_g.detach(), **scores_d, **scores_g}
        self._names = list(figures)
        row = torch.stack([figure.float() for figure in figures.values()])
        self.world.average([row])
        return row

    def synchronize(self) -> None:
        """Wait for the device, so that a clock read next is right."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()

    def _figures(self) -> Tensor:
        """The tick's figures so far, steps x names, checked to be finite."""
        table = torch.stack(self._rows).cpu()
        wrong = (~table.isfinite()).nonzero()
        if len(wrong):
            row = int(wrong[0, 0])
            step = self.step_count - len(table) + row + 1
            names = [n for n, ok in zip(self._names, table[row].isfinite(), strict=True) if not ok]
            values = ", ".join(f"{n} = {table[row, self._names.index(n)]}" for n in names)
            raise GancourseError(
                f"Training diverged at step {step}: {values}. The last checkpoint is from before; "
                "try a smaller --lr (lr=), or another seed."
            )
        return table

    def check_finite(self) -> None:
        """Raise if a loss or score of this tick is not finite.

        Raises:
            GancourseError: with the step and the quantities.
        """
        if self._rows:
            self._figures()

    def read_tick(self) -> dict[str, float]:
        """Means over the tick, and the gradients' norms at its last step; begins a new tick.

        Raises:
            GancourseError: a loss, score or gradient is not finite; with step and quantities.
        """
        means = self._figures().double().mean(0)
        row = {name: float(value) for name, value in zip(self._names, means, strict=True)}
        for name, player in (("grad_d", self.gan.discriminator), ("grad_g", self.gan.generator)):
            row[name] = float(nn.utils.get_total_norm(_gradients(player)))
            if not math.isfinite(row[name]):
                raise GancourseError(
                    f"Training diverged at step {self.step_count}: {name} = {row[name]}. The last "
                    "checkpoint is from before; try a smaller --lr (lr=), or another seed."
                )
        self._rows.clear()
        return row

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Everything that an exact resume needs: (tensors, JSON-able facts)."""
        tensors = {
            **checkpoint.prefixed("generator", self.gan.generator.state_dict()),
            **checkpoint.prefixed("discriminator", self.gan.discriminator.state_dict()),
            **checkpoint.prefixed("ema", self.ema.net.state_dict()),
            **checkpoint.prefixed("optimizer_d", checkpoint.optimizer_tensors(self.optimizer_d)),
            **checkpoint.prefixed("optimizer_g", checkpoint.optimizer_tensors(self.optimizer_g)),
            "rng": torch.get_rng_state(),
        }
        if self.device.type == "cuda":
            tensors["rng_cuda"] = torch.cuda.get_rng_state(self.device)
        elif self.device.type == "mps":
            tensors["rng_mps"] = torch.mps.get_rng_state()
        if self._rows:
            tensors["figures"] = torch.stack(self._rows)
        facts: dict[str, Any] = {
            "step": self.step_count, "names": self._names, "ema_updates": self.ema.updates,
        }  # fmt: skip
        if self.path is not None:
            facts["fast"] = self.path.facts()
        return tensors, facts

    def load_state(self, tensors: dict[str, Tensor], facts: dict[str, Any], path: Path) -> None:
        """Put back what :meth:`state` gave.

        Args:
            tensors: as in the checkpoint.
            facts: as in the checkpoint.
            path: of the checkpoint, for the message.

        Raises:
            GancourseError: the checkpoint belongs to another GAN.
        """
        gan, part = self.gan, checkpoint.unprefixed
        self.prepare(fast.Path.from_facts(facts["fast"]) if "fast" in facts else None)
        checkpoint.load_weights(gan.generator, part("generator", tensors), path)
        checkpoint.load_weights(gan.discriminator, part("discriminator", tensors), path)
        checkpoint.load_weights(self.ema.net, part("ema", tensors), path)
        checkpoint.load_optimizer(self.optimizer_d, part("optimizer_d", tensors))
        checkpoint.load_optimizer(self.optimizer_g, part("optimizer_g", tensors))
        if isinstance(self._advance, Replayed):
            self._advance.forget()
        self.ema.updates = facts["ema_updates"]
        self.step_count = facts["step"]
        self._names = facts["names"]
        self._rows = [row.to(self.device) for row in tensors.get("figures", torch.empty(0, 0))]
        torch.set_rng_state(tensors["rng"])
        if self.device.type == "cuda" and "rng_cuda" in tensors:
            torch.cuda.set_rng_state(tensors["rng_cuda"], self.device)
        elif self.device.type == "mps" and "rng_mps" in tensors:
            torch.mps.set_rng_state(tensors["rng_mps"])
