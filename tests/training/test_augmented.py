"""What the loop does with flips and DiffAugment, and that it does nothing without."""

import pytest
import tiny
import torch

from gancourse import augment
from gancourse.gans.base import Batch, to_signal
from gancourse.training.trainer import Trainer

ALL = tuple(augment.DIFFAUGMENT)


class Plain(Trainer):
    """The loop as it is without any augmentation, written out."""

    def _batch(self, number):
        epoch, place = divmod(number, self.batches_per_epoch)
        generator = torch.Generator().manual_seed(self.settings.seed * 1_000_003 + epoch)
        order = torch.randperm(len(self.images), generator=generator)
        size = self.settings.batch_size
        pixels = self.images[order[place * size : (place + 1) * size]]
        return Batch(to_signal(pixels).contiguous(memory_format=self.gan.memory_format))

    def step(self):
        gan, k = self.gan, self.settings.k
        for turn in range(k):
            batch = self._batch(self.step_count * k + turn)
            with torch.set_grad_enabled(turn == k - 1):
                fake = gan.generate(batch)
            self.optimizer_d.zero_grad()
            loss_d, scores_d = gan.discriminator_loss(batch, fake.detach())
            loss_d.backward()
            self.optimizer_d.step()
        gan.discriminator.requires_grad_(False)
        self.optimizer_g.zero_grad()
        loss_g, scores_g = gan.generator_loss(batch, fake)
        loss_g.backward()
        self.optimizer_g.step()
        gan.discriminator.requires_grad_(True)
        self.ema.update()
        figures = {"loss_d": loss_d.detach(), "loss_g": loss_g.detach(), **scores_d, **scores_g}
        self._names = list(figures)
        self._rows.append(torch.stack(list(figures.values())))
        self.step_count += 1


def trained(kind=Trainer, steps=8, **changes):
    """What a checkpoint holds after some steps: weights, Adam, the generator's state, losses."""
    with torch.random.fork_rng():
        trainer = kind(tiny.gan(), tiny.images(), tiny.settings(**changes))
        for _ in range(steps):
            trainer.step()
        return trainer.state()


def equal(a, b):
    """Whether two such states are the same to the bit."""
    (ours, facts), (theirs, others) = a, b
    return facts == others and all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("seed", [0, 5])
def test_without_augmentation_not_a_bit_changes(k, seed):
    plain = trained(Plain, k=k, seed=seed)
    assert equal(plain, trained(k=k, seed=seed))
    for changes in ({"flips": ("vertical",)}, {"diffaugment": ("cutout",)}):
        assert not equal(plain, trained(k=k, seed=seed, **changes))


def test_flipped_batches_keep_images_and_labels_together():
    """Each image is bright in one corner, whose number is in its grey level and in its label."""
    images = torch.zeros(64, 1, 8, 8, dtype=torch.uint8)
    images[:, :, 0, 0] = torch.arange(64, dtype=torch.uint8)[:, None] + 100
    settings = tiny.settings(batch_size=32, flips=("horizontal", "vertical"))
    with torch.random.fork_rng():
        trainer = Trainer(tiny.gan(), images, settings, labels=torch.arange(64))
        corners = []
        for number in range(4):
            shown, labels = trainer._batch(trainer._chosen(number))
            level = ((shown + 1) * 127.5).round().long()
            assert torch.equal(level.amax((1, 2, 3)), labels + 100)
            corners.append(level.flatten(1).argmax(1))
    count = torch.cat(corners).bincount(minlength=64)[[0, 7, 56, 63]]
    assert count.sum() == 128 and count.min() > 12


@pytest.mark.parametrize("k", [1, 2])
def test_the_discriminator_sees_changed_images_only(k, monkeypatch):
    """Every call of it, for both players; and each change is drawn anew."""
    made, seen = [], []

    def change(images, part):
        made.append(images * torch.rand(len(images), 1, 1, 1))
        return made[-1]

    monkeypatch.setitem(augment.DIFFAUGMENT, "color", change)
    with torch.random.fork_rng():
        trainer = Trainer(tiny.gan(), tiny.images(), tiny.settings(k=k, diffaugment=("color",)))
        trainer.gan.discriminator.register_forward_pre_hook(lambda net, x: seen.append(x[0]))
        trainer.step()
    assert len(seen) == len(made) == 2 * k + 1  # real and fake k times, fakes for the generator
    assert all(map(torch.equal, seen, made))
    assert [x.requires_grad for x in seen].count(True) == 1 and seen[-1].requires_grad


def test_the_generators_gradient_goes_through_the_change(monkeypatch):
    """A change by the factor 1 leaves a step as it is; one by 0 leaves the generator no gradient."""
    plain = trained(steps=1)
    monkeypatch.setitem(augment.DIFFAUGMENT, "color", lambda images, part: images * 1.0)
    assert equal(plain, trained(steps=1, diffaugment=("color",)))
    monkeypatch.setitem(augment.DIFFAUGMENT, "color", lambda images, part: images * 0.0)
    with torch.random.fork_rng():
        blind = Trainer(tiny.gan(), tiny.images(), tiny.settings(diffaugment=("color",)))
        blind.step()
    assert not any(p.grad.any() for p in blind.gan.generator.parameters())


@pytest.mark.parametrize("seed", range(3))
def test_all_of_it_trains(seed):
    _, _, history = tiny.train(seed=seed, flips=tuple(augment.FLIPS), diffaugment=ALL, images=96)
    assert all(row["grad_d"] > 0 and row["grad_g"] > 0 for row in history)


def test_one_order():
    """The same choice is the same run, in whatever order it is written."""
    one = tiny.settings(flips=["vertical", "horizontal"], diffaugment=["cutout", "color"])
    other = tiny.settings(flips=("horizontal", "vertical"), diffaugment=("color", "cutout"))
    assert one == other and one.diffaugment == ("color", "cutout")
