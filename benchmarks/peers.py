"""The same nets trained by others' loops: what ``python -m benchmarks`` compares with."""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms

from benchmarks.setup import ADAM, LATENT, Setup
from gancourse.gans.base import to_signal

#: Trains n steps.
Loop = Callable[[int], None]
#: Steps between two lines of what mimicry's trainer logs.
LOG = 50


class Pictures(Dataset):
    """Images one at a time through PIL and torchvision, as torchvision's own data sets give them."""

    def __init__(self, images: Tensor) -> None:
        self.images = images
        self.transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.Resize(images.shape[-1]),
                transforms.CenterCrop(images.shape[-1]),
                transforms.ToTensor(),
                transforms.Normalize((0.5,) * images.shape[1], (0.5,) * images.shape[1]),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(self.images[index]), 0


def _tensors(images: Tensor, setup: Setup) -> DataLoader:
    """Tensors in memory, normalised beforehand; as float32 they take four bytes a pixel of memory."""
    data = TensorDataset(to_signal(images), torch.zeros(len(images)))
    return DataLoader(data, setup.batch, shuffle=True, drop_last=True)


def _pictures(images: Tensor, setup: Setup) -> DataLoader:
    """As the example has it; its workers stay, so that small data sets are no drawback."""
    return DataLoader(
        Pictures(images), setup.batch, shuffle=True, num_workers=2, drop_last=True,
        persistent_workers=True, pin_memory=setup.device == "cuda",
    )  # fmt: skip


def batches(images: Tensor, setup: Setup, pil: bool = False) -> Iterator[Tensor]:
    """Minibatches without end from a DataLoader, on the device."""
    loader = (_pictures if pil else _tensors)(images, setup)

    def drawn() -> Iterator[Tensor]:
        while True:
            for real, _label in loader:
                yield real.to(setup.device)

    return drawn()


def example(setup: Setup, images: Tensor, pil: bool = False) -> Loop:
    """The loop of PyTorch's DCGAN example: BCE on labels, plain Adam, a DataLoader, three passes.

    Args:
        setup: the task.
        images: uint8 N x C x H x W.
        pil: load through PIL transforms in two worker processes, as the example does; otherwise
            from tensors normalised beforehand.
    """
    torch.backends.cudnn.benchmark = True  # as the example has it; nothing on a CPU
    gan, device = setup.gan(), setup.device
    drawn = batches(images, setup, pil)
    generator, discriminator = gan.generator, gan.discriminator
    criterion = nn.BCEWithLogitsLoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), **ADAM)
    optimizer_g = torch.optim.Adam(generator.parameters(), **ADAM)
    errors = []

    def loop(steps: int) -> None:
        for real in itertools.islice(drawn, steps):
            ones = torch.ones(len(real), device=device)
            discriminator.zero_grad()
            error_real = criterion(discriminator(real), ones)
            error_real.backward()
            fake = generator(torch.randn(len(real), LATENT, device=device))
            error_fake = criterion(discriminator(fake.detach()), torch.zeros_like(ones))
            error_fake.backward()
            optimizer_d.step()
            generator.zero_grad()
            error_g = criterion(discriminator(fake), ones)
            error_g.backward()
            optimizer_g.step()
            errors.append((error_real.item() + error_fake.item(), error_g.item()))

    return loop


def torchgan(setup: Setup, images: Tensor) -> Loop:
    """torchgan's own Trainer over the same nets and a DataLoader of normalised tensors.

    Its iterations are timed, without the pictures and files it writes at the end of an epoch.
    """
    os.environ["TENSORBOARD_LOGGING"] = os.environ["VISDOM_LOGGING"] = "0"
    os.environ["CONSOLE_LOGGING"] = "0"
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
    from torchgan.models import Discriminator, Generator
    from torchgan.trainer import Trainer

    gan = setup.gan()

    class Theirs(Generator):
        def __init__(self) -> None:
            super().__init__(gan.latent_dim, "none")
            self.net = gan.generator
            self.forward = self.net.forward

    class TheirCritic(Discriminator):
        def __init__(self) -> None:
            super().__init__(gan.shape[0], "none")
            self.net = gan.discriminator
            self.forward = self.net.forward

    folder = tempfile.mkdtemp()
    adam = {"name": torch.optim.Adam, "args": ADAM}
    trainer = Trainer(
        {
            "generator": {"name": Theirs, "optimizer": adam},
            "discriminator": {"name": TheirCritic, "optimizer": adam},
        },
        [MinimaxGeneratorLoss(), MinimaxDiscriminatorLoss()],
        device=torch.device(setup.device),
        checkpoints=f"{folder}/model/gan",
        recon=f"{folder}/images",
        log_dir=folder,
        sample_size=setup.batch,
    )
    drawn = batches(images, setup)
    trainer.batch_size = setup.batch

    def loop(steps: int) -> None:
        for real in itertools.islice(drawn, steps):
            trainer.real_inputs = real
            trainer.train_iter()

    return loop


def _import_mimicry() -> None:
    """Make its trainer and base classes importable under today's PyTorch.

    Its front page also imports metrics written for TensorFlow 1 and loaders of data sets that need
    ``torch._six``, which is gone; so the package is entered by a side door. TensorBoard is told to
    do without TensorFlow, by the switch that it has for that.
    """
    found = importlib.util.find_spec("torch_mimicry")
    if found is None:
        raise ImportError("torch_mimicry is not installed")
    package = types.ModuleType("torch_mimicry")
    package.__path__ = list(found.submodule_search_locations or ())
    sys.modules.setdefault("torch_mimicry", package)
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))


def mimicry(setup: Setup, images: Tensor) -> Loop:
    """mimicry's own Trainer and training steps over the same nets, given to its base classes.

    Its loop is run as it is, without the files it writes when it ends and with a line of its log
    every :data:`LOG` steps, where it would by default print each.
    """
    _import_mimicry()
    from torch_mimicry.nets.gan.gan import BaseDiscriminator, BaseGenerator
    from torch_mimicry.training import Trainer

    gan = setup.gan()

    class Theirs(BaseGenerator):
        def __init__(self) -> None:
            super().__init__(nz=gan.latent_dim, ngf=setup.width, bottom_width=4, loss_type="ns")
            self.net = gan.generator

        def forward(self, noise: Tensor) -> Tensor:
            return self.net(noise)

    class TheirCritic(BaseDiscriminator):
        def __init__(self) -> None:
            super().__init__(ndf=setup.width, loss_type="ns")
            self.net = gan.discriminator

        def forward(self, images: Tensor) -> Tensor:
            return self.net(images)[:, None]

    class InTurns(Trainer):
        """Goes on where the last turn stopped, from memory instead of from files."""

        step = 0

        def _restore_models_and_step(self) -> int:
            return self.step

        def _save_model_checkpoints(self, step: int) -> None:
            self.step = step

    generator, discriminator = Theirs(), TheirCritic()
    trainer = InTurns(
        netD=discriminator,
        netG=generator,
        optD=torch.optim.Adam(discriminator.parameters(), **ADAM),
        optG=torch.optim.Adam(generator.parameters(), **ADAM),
        dataloader=_tensors(images, setup),
        num_steps=1,
        log_dir=tempfile.mkdtemp(),
        device=torch.device(setup.device),
        print_steps=LOG,
        log_steps=LOG,
        vis_steps=10**9,
        save_steps=10**9,
    )

    def loop(steps: int) -> None:
        trainer.num_steps = trainer.step + steps
        trainer.train()

    return loop
