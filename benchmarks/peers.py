"""The same DCGAN trained by others' loops: what ``benchmarks/__main__.py`` compares with."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms

from gancourse.gans import DCGAN, Batch
from gancourse.gans.base import to_signal
from gancourse.gans.vanilla import MinimaxGAN
from gancourse.training import Settings
from gancourse.training.devices import keep_freed_memory
from gancourse.training.trainer import Trainer

BATCH = 128
ADAM = {"lr": 2e-4, "betas": (0.5, 0.999)}

#: Trains n steps.
Loop = Callable[[int], None]


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


def _forever(loader: DataLoader) -> Iterator[Tensor]:
    for _ in itertools.count():
        for images, _label in loader:
            yield images


def plain(gan: DCGAN, images: Tensor, pil: bool) -> Loop:
    """The loop of PyTorch's DCGAN example: BCE on labels, plain Adam, a DataLoader, three passes.

    Args:
        gan: whose nets to train.
        images: uint8 N x C x H x W.
        pil: load through PIL transforms in two worker processes, as the example does; otherwise
            from a tensor normalised beforehand, the DataLoader's best case.
    """
    if pil:
        loader = DataLoader(Pictures(images), BATCH, shuffle=True, num_workers=2, drop_last=True)
    else:
        data = TensorDataset(to_signal(images), torch.zeros(len(images)))
        loader = DataLoader(data, BATCH, shuffle=True, drop_last=True)
    batches = _forever(loader)
    generator, discriminator = gan.generator, gan.discriminator
    criterion = nn.BCEWithLogitsLoss()
    optimizer_d = torch.optim.Adam(discriminator.parameters(), **ADAM)
    optimizer_g = torch.optim.Adam(generator.parameters(), **ADAM)
    errors = []

    def loop(steps: int) -> None:
        for real in itertools.islice(batches, steps):
            discriminator.zero_grad()
            error_real = criterion(discriminator(real), torch.ones(len(real)))
            error_real.backward()
            fake = generator(torch.randn(len(real), gan.latent_dim))
            error_fake = criterion(discriminator(fake.detach()), torch.zeros(len(real)))
            error_fake.backward()
            optimizer_d.step()
            generator.zero_grad()
            error_g = criterion(discriminator(fake), torch.ones(len(real)))
            error_g.backward()
            optimizer_g.step()
            errors.append((error_real.item() + error_fake.item(), error_g.item()))

    return loop


def torchgan(gan: DCGAN, images: Tensor) -> Loop:
    """torchgan's own Trainer over the same nets and a DataLoader of normalised tensors.

    Its iterations are timed, without the pictures and files it writes at the end of an epoch.
    """
    os.environ["TENSORBOARD_LOGGING"] = os.environ["VISDOM_LOGGING"] = "0"
    os.environ["CONSOLE_LOGGING"] = "0"
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
    from torchgan.models import Discriminator, Generator
    from torchgan.trainer import Trainer as TheirTrainer

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
    trainer = TheirTrainer(
        {
            "generator": {"name": Theirs, "optimizer": adam},
            "discriminator": {"name": TheirCritic, "optimizer": adam},
        },
        [MinimaxGeneratorLoss(), MinimaxDiscriminatorLoss()],
        device=torch.device("cpu"),
        checkpoints=f"{folder}/model/gan",
        recon=f"{folder}/images",
        log_dir=folder,
        sample_size=BATCH,
    )
    data = TensorDataset(to_signal(images), torch.zeros(len(images)))
    batches = _forever(DataLoader(data, BATCH, shuffle=True, drop_last=True))
    trainer.batch_size = BATCH

    def loop(steps: int) -> None:
        for real in itertools.islice(batches, steps):
            trainer.real_inputs = real
            trainer.train_iter()

    return loop


def bare(gan: DCGAN, images: Tensor) -> Loop:
    """Nothing but the arithmetic: one fixed batch, fused Adam, frozen discriminator, channels_last.

    In the memory settings of our trainer, so that the difference is what the trainer does.
    """
    keep_freed_memory()
    gan.to(memory_format=gan.memory_format)
    optimizer_d = torch.optim.Adam(gan.discriminator.parameters(), **ADAM, fused=True)
    optimizer_g = torch.optim.Adam(gan.generator.parameters(), **ADAM, fused=True)
    batch = Batch(to_signal(images[:BATCH]).contiguous(memory_format=gan.memory_format))

    def loop(steps: int) -> None:
        for _ in range(steps):
            fake = gan.generate(batch)
            optimizer_d.zero_grad()
            MinimaxGAN.discriminator_loss(gan, batch, fake.detach()).loss.backward()
            optimizer_d.step()
            gan.discriminator.requires_grad_(False)
            optimizer_g.zero_grad()
            MinimaxGAN.generator_loss(gan, batch, fake).loss.backward()
            optimizer_g.step()
            gan.discriminator.requires_grad_(True)

    return loop


def ours(gan: DCGAN, images: Tensor) -> Loop:
    """gancourse's trainer: data in its order, moving average, figures of every step kept."""
    trainer = Trainer(gan, images, Settings(images=10**9, batch_size=BATCH))

    def loop(steps: int) -> None:
        for _ in range(steps):
            trainer.step()
        trainer.read_tick()

    return loop
