"""Our own loops: the package's trainer, the bare arithmetic, and that without one measure."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from benchmarks.peers import Loop, batches
from benchmarks.setup import ADAM, Setup
from gancourse.gans import DCGAN, Batch
from gancourse.gans.base import to_signal
from gancourse.gans.vanilla import MinimaxGAN
from gancourse.nets.thin import FromImage, ToImage
from gancourse.training import Settings
from gancourse.training.devices import keep_freed_memory
from gancourse.training.trainer import Trainer

#: What the bare step does to be fast; each can be left out.
MEASURES = (
    "kernels of our own at the pixels",
    "channels_last",
    "one batch of fakes for both players",
    "frozen discriminator",
    "fused Adam",
    "freed memory kept",
    "batch from a tensor",
    "deferred reading of losses",
)
#: Side of the square matrices of :func:`product`.
SIDE = 2048


def _torchs_kernels(gan: DCGAN) -> None:
    for module in gan.modules():
        if isinstance(module, FromImage):
            module.forward = functools.partial(nn.Conv2d.forward, module)
        elif isinstance(module, ToImage):
            module.forward = functools.partial(nn.ConvTranspose2d.forward, module)


def _contiguous(gan: DCGAN) -> None:
    """Channel by channel: the maps that come out of the projection are channels_last."""
    gan.to(memory_format=torch.contiguous_format)
    gan.generator.layers[1].register_forward_hook(lambda module, inputs, maps: maps.contiguous())


def bare(setup: Setup, images: Tensor, without: str = "", compiled: bool = False) -> Loop:
    """Nothing but the arithmetic of a step, on one fixed batch, with all :data:`MEASURES` but one.

    In the memory settings of our trainer, so that the difference to it is what the trainer does.

    Args:
        setup: the task.
        images: uint8 N x C x H x W.
        without: the measure to leave out.
        compiled: whether ``torch.compile`` makes one program of each player.
    """
    gan, device = setup.gan(), setup.device
    if without != "freed memory kept" and device == "cpu":
        keep_freed_memory()
    layout = torch.contiguous_format if without == "channels_last" else gan.memory_format
    gan.to(memory_format=layout)
    if without == "channels_last":
        _contiguous(gan)
    if without == "kernels of our own at the pixels":
        _torchs_kernels(gan)
    if compiled:
        gan.generator.compile()
        gan.discriminator.compile()
    fused = {"fused": True} if without != "fused Adam" else {}
    optimizer_d = torch.optim.Adam(gan.discriminator.parameters(), **ADAM, **fused)
    optimizer_g = torch.optim.Adam(gan.generator.parameters(), **ADAM, **fused)
    if without == "batch from a tensor":
        drawn: Iterator[Tensor] = batches(images, setup)
    else:
        fixed = to_signal(images[: setup.batch]).to(device).contiguous(memory_format=layout)
        drawn = iter(lambda: fixed, None)
    freeze, once = without != "frozen discriminator", without != MEASURES[2]

    def step() -> None:
        batch = Batch(next(drawn).contiguous(memory_format=layout))
        fake = gan.generate(batch)
        optimizer_d.zero_grad()
        loss_d = MinimaxGAN.discriminator_loss(gan, batch, fake.detach()).loss
        loss_d.backward()
        optimizer_d.step()
        if freeze:
            gan.discriminator.requires_grad_(False)
        optimizer_g.zero_grad()
        fake = fake if once else gan.generate(batch)
        loss_g = MinimaxGAN.generator_loss(gan, batch, fake).loss
        loss_g.backward()
        optimizer_g.step()
        gan.discriminator.requires_grad_(True)
        if without == "deferred reading of losses":
            loss_d.item(), loss_g.item()

    def loop(steps: int) -> None:
        for _ in range(steps):
            step()

    return loop


def ours(setup: Setup, images: Tensor, **options: object) -> Loop:
    """gancourse's trainer: data in its order, moving average, figures of every step kept."""
    settings = Settings(images=10**9, batch_size=setup.batch, **options)  # type: ignore[arg-type]
    trainer = Trainer(setup.gan(), images, settings, device=setup.device)

    def loop(steps: int) -> None:
        for _ in range(steps):
            trainer.step()
        trainer.read_tick()

    return loop


def product(setup: Setup, images: Tensor) -> Loop:
    """The product of two square matrices of float32: what the machine can do at best.

    On a GPU with TF32 where the convolutions have it.
    """
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    a, b = (torch.randn(SIDE, SIDE, device=setup.device) for _ in range(2))
    out = torch.empty_like(a)

    def loop(steps: int) -> None:
        for _ in range(steps):
            torch.mm(a, b, out=out)

    return loop
