"""Both GANs keep the contract of the training loop."""

import pytest
import torch

from gancourse.errors import GancourseError
from gancourse.gans import DCGAN, GANS, Batch, VanillaGAN
from gancourse.gans.base import to_pixels, to_signal

SMALL = {
    "vanilla": lambda **more: VanillaGAN((1, 8, 8), latent_dim=4, hidden=(8,), **more),
    "dcgan": lambda **more: DCGAN((1, 8, 8), latent_dim=4, width=4, **more),
}


def test_every_gan_is_tested():
    assert set(SMALL) == set(GANS)


@pytest.fixture(params=SMALL)
def gan(request):
    torch.manual_seed(0)
    return SMALL[request.param]()


@pytest.fixture
def batch():
    return Batch(to_signal(torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8)))


def test_losses_reach_their_own_player_only(gan, batch):
    fake = gan.generate(batch)
    assert fake.shape == batch.images.shape
    gan.discriminator_loss(batch, fake.detach()).loss.backward()
    assert all(p.grad is None for p in gan.generator.parameters())
    assert all(p.grad.isfinite().all() for p in gan.discriminator.parameters())
    gan.zero_grad()
    gan.discriminator.requires_grad_(False)
    gan.generator_loss(batch, fake).loss.backward()
    assert all(p.grad is None for p in gan.discriminator.parameters())
    assert any(p.grad.abs().max() > 0 for p in gan.generator.parameters())


def test_scores_are_probabilities_without_graph(gan, batch):
    scores = gan.discriminator_loss(batch, gan.generate(batch).detach()).scores
    assert set(scores) == {"d_real", "d_fake"}
    assert all(0 < float(s) < 1 and not s.requires_grad for s in scores.values())


@pytest.mark.parametrize("name", SMALL)
def test_saturating_and_not(name, batch):
    torch.manual_seed(0)
    gan = SMALL[name](loss="saturating")
    fake = gan.generate(batch)
    d = torch.sigmoid(gan.discriminator(fake))
    torch.testing.assert_close(gan.generator_loss(batch, fake).loss, torch.log(1 - d).mean())
    gan.loss = "non-saturating"
    torch.testing.assert_close(gan.generator_loss(batch, fake).loss, -torch.log(d).mean())
    with pytest.raises(GancourseError, match="saturating"):
        SMALL[name](loss="satuating")


def test_samples(gan):
    before = torch.get_rng_state()
    first, again, other = gan.sample(5, seed=1), gan.sample(5, seed=1), gan.sample(5, seed=2)
    assert first.dtype == torch.uint8 and first.shape == (5, 1, 8, 8)
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())
    assert gan.generator.training
    with pytest.raises(GancourseError, match="0 samples"):
        gan.sample(0)


def test_pixels_and_signal():
    pixels = torch.arange(256, dtype=torch.uint8)
    signal = to_signal(pixels)
    assert signal.min() == -1 and signal.max() == 1
    assert torch.equal(to_pixels(signal), pixels)
    assert to_pixels(torch.tensor([-3.0, 3.0])).tolist() == [0, 255]
