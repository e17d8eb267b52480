"""The GAN in TensorFlow is the one in PyTorch: nets, losses, steps, average; weights go both ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gancourse import data, gans, training
from gancourse.errors import GancourseError
from gancourse.tf import keras, tf
from gancourse.tf.gan import DCGAN, fit
from gancourse.tf.nets import KERAS, PYTORCH
from gancourse.tf.porting import load, save, to_tensorflow, to_torch, write_weights
from gancourse.training import Settings

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64)]


def torch_gan(shape=(1, 8, 8), latent_dim=32, width=8, loss="non-saturating"):
    """A PyTorch DCGAN whose running statistics are no longer the initial ones."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        gan = gans.DCGAN(shape, latent_dim, width, loss)
        for _ in range(2):
            gan.discriminator(gan.generator(torch.randn(16, latent_dim)))
    return gan


def settings(steps, **changes):
    """A run of so many steps of 16 images, a row a step."""
    return Settings(**{"images": steps * 16, "batch_size": 16, "tick": 16, "seed": 4, **changes})


@pytest.fixture(scope="module")
def digits():
    return data.load("digits").images[:160]


@pytest.mark.parametrize("shape", SHAPES)
def test_same_weights_and_noise_give_the_same_images_and_logits(shape):
    mine = torch_gan(shape)
    ported = to_tensorflow(mine)
    noise = torch.randn(8, 32, generator=torch.Generator().manual_seed(1))
    for training_mode in (False, True):
        mine.train(training_mode)
        with torch.no_grad():
            images = mine.generator(noise)
            logits = mine.discriminator(images)
        theirs = ported.generator(noise.numpy(), training=training_mode)
        judged = ported.discriminator(theirs, training=training_mode)
        assert theirs.shape == (8, shape[1], shape[2], shape[0])
        assert judged.shape == (8,)
        assert np.abs(images.permute(0, 2, 3, 1).numpy() - theirs.numpy()).max() < 1e-5
        assert np.abs(logits.numpy() - judged.numpy()).max() < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
def test_weights_come_back_as_they_went(shape):
    mine = torch_gan(shape)
    back = to_torch(to_tensorflow(mine))
    for (name, before), after in zip(
        mine.state_dict().items(), back.state_dict().values(), strict=True
    ):
        assert name.endswith("num_batches_tracked") or torch.equal(before, after), name


def test_batch_normalisation_keeps_its_momentum_and_epsilon_on_the_way():
    gan = DCGAN((1, 8, 8), 4, 4, choices=KERAS)
    norm = next(m for m in to_torch(gan).modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert (norm.momentum, norm.eps) == (0.01, 1e-3)
    back = to_tensorflow(to_torch(gan)).choices
    assert (back.momentum, back.norm_epsilon) == (KERAS.momentum, KERAS.norm_epsilon)


def test_porting_leaves_pytorch_s_global_generator_alone():
    gan = DCGAN((1, 8, 8), 4, 4)
    before = torch.get_rng_state()
    to_torch(gan)
    assert torch.equal(before, torch.get_rng_state())


def test_saturating_loss_is_minus_what_the_discriminator_loses_on_fakes():
    gan = to_tensorflow(torch_gan(loss="saturating"))
    z, real = tf.random.normal((6, 32), seed=1), tf.zeros((6, 8, 8, 1))
    logits = gan.discriminator(gan.generator(z, training=True), training=True)
    loss = gan.generator_loss(gan.generator(z, training=True))
    np.testing.assert_allclose(loss, -np.log1p(np.exp(logits)).mean(), rtol=1e-5)
    assert gan.step(real, z)["loss_g"] < 0


def test_a_step_tells_the_losses_of_the_pytorch_gan():
    mine = torch_gan()
    ported = to_tensorflow(mine)
    real = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(2)) * 2 - 1
    noise = torch.randn(6, 32, generator=torch.Generator().manual_seed(3))
    told = ported.step(real.permute(0, 2, 3, 1).numpy(), noise.numpy())
    loss, scores = mine.discriminator_loss(gans.Batch(real), mine.generator(noise).detach())
    assert float(told["loss_d"]) == pytest.approx(loss.item(), abs=1e-5)
    assert float(told["d_real"]) == pytest.approx(float(scores["d_real"]), abs=1e-5)
    assert float(told["d_fake"]) == pytest.approx(float(scores["d_fake"]), abs=1e-5)


def test_a_step_moves_both_players_and_the_running_statistics():
    gan = DCGAN((1, 28, 28), 8, 4)
    before = [
        weight.numpy() for net in (gan.generator, gan.discriminator) for weight in net.weights
    ]
    gan.step(tf.random.normal((6, 28, 28, 1)), tf.random.normal((6, 8)))
    after = [weight.numpy() for net in (gan.generator, gan.discriminator) for weight in net.weights]
    assert all((b != a).any() for b, a in zip(before, after, strict=True))


def test_one_trace_serves_every_batch_size():
    gan = DCGAN((1, 8, 8), 8, 4)
    for n in (2, 3, 5):
        gan.step(tf.zeros((n, 8, 8, 1)), tf.zeros((n, 8)))
    assert gan._compiled.experimental_get_tracing_count() == 1


def test_same_settings_give_the_losses_and_the_average_of_pytorch(digits):
    mine = torch_gan()
    ported = to_tensorflow(mine)
    # Two epochs of 10 batches, so that the second order of the data counts too.
    wanted = settings(20, lr_d=5e-4, lr_g=5e-4, ema=0.9)
    net, torch_history = training.fit(mine, digits, wanted, progress=False)
    average, history = fit(ported, digits, wanted)
    assert [row["step"] for row in history] == list(range(1, 21))
    for step, (a, b) in enumerate(zip(torch_history, history, strict=True), 1):
        for name in ("loss_d", "loss_g", "d_real", "d_fake"):
            assert a[name] == pytest.approx(b[name], abs=1e-5 if step == 1 else 1e-3), (step, name)
    assert (a["images"], a["epoch"], a["tick"]) == (b["images"], b["epoch"], b["tick"])
    assert average is ported.average
    gap = (mine.sample(50, net=net).int() - ported.sample(50, net=average).int()).abs()
    assert gap.float().mean() < 1
    assert (ported.sample(50) != ported.sample(50, net=average)).any()


def test_ticks_are_means_over_their_steps_and_long_runs_are_cut_into_calls(digits):
    every, _ = fit(gan := DCGAN((1, 8, 8), 8, 4), digits, settings(60)), gan
    one = fit(DCGAN((1, 8, 8), 8, 4), digits, settings(60, tick=60 * 16))[1]
    assert len(every[1]) == 60 and len(one) == 1
    mean = np.mean([row["loss_d"] for row in every[1]])
    assert one[0]["loss_d"] == pytest.approx(mean, abs=2e-3)


def test_weights_follow_the_seed_and_the_paper_s_deviation():
    first, again, other = (DCGAN((1, 28, 28), 100, 16, seed=s).generator for s in (0, 0, 1))
    for a, b, c in zip(first.get_weights(), again.get_weights(), other.get_weights(), strict=True):
        assert (a == b).all()
        constant = len(np.unique(a)) == 1  # shifts, biases, running statistics
        assert constant or (a != c).any()
    kernel = first.get_weights()[0]
    assert kernel.std() == pytest.approx(0.02, rel=0.02) and abs(kernel.mean()) < 1e-3
    assert not (first.get_weights()[1] == 1).all()


def test_keras_own_choices_are_those_of_its_layers():
    norm, adam = keras.layers.BatchNormalization(), keras.optimizers.Adam()
    assert (KERAS.momentum, KERAS.norm_epsilon) == (norm.momentum, norm.epsilon)
    assert KERAS.adam_epsilon == adam.epsilon
    assert isinstance(keras.layers.Dense(1).kernel_initializer, keras.initializers.GlorotUniform)
    scales = DCGAN((1, 8, 8), 4, 4, choices=KERAS).generator.get_weights()[1]
    assert (scales == 1).all()


def test_pytorch_s_choices_are_those_of_its_layers():
    norm = torch.nn.BatchNorm2d(1)
    assert (1 - PYTORCH.momentum, PYTORCH.norm_epsilon) == (pytest.approx(norm.momentum), norm.eps)
    adam = torch.optim.Adam(norm.parameters())
    assert adam.defaults["eps"] == PYTORCH.adam_epsilon


def test_samples_take_the_same_noise_as_pytorch_s_and_fit_the_metrics():
    mine = torch_gan((3, 32, 32)).eval()
    images = to_tensorflow(mine).sample(300, seed=5)
    assert images.dtype == torch.uint8 and images.shape == (300, 3, 32, 32)
    assert images.is_contiguous()
    assert (images.int() - mine.sample(300, seed=5).int()).abs().max() <= 1


def test_a_saved_gan_comes_back_with_its_average(tmp_path, digits):
    gan = DCGAN((1, 8, 8), 8, 4, "saturating", choices=KERAS)
    fit(gan, digits, settings(2))
    save(gan, tmp_path / "gan.safetensors")
    back = load(tmp_path / "gan.safetensors")
    assert torch.equal(back.sample(20), gan.sample(20))
    assert torch.equal(back.sample(20, net=back.average), gan.sample(20, net=gan.average))
    assert (back.loss, back.choices, back.width) == ("saturating", KERAS, 4)
    z = tf.zeros((2, 8))
    assert (
        (back.discriminator(back.generator(z)) == gan.discriminator(gan.generator(z))).numpy().all()
    )


def test_wrong_uses_are_refused_with_the_way_out(tmp_path, digits):
    gan = DCGAN((1, 8, 8), 8, 4)
    with pytest.raises(GancourseError, match="needs square images of 4, 5, 6 or 7 times"):
        DCGAN((1, 30, 28))
    with pytest.raises(GancourseError, match="generator loss"):
        DCGAN((1, 8, 8), loss="hinge")
    with pytest.raises(GancourseError, match="ask for 1 or more"):
        gan.sample(0)
    with pytest.raises(GancourseError, match="the data are 1 x 8 x 8"):
        fit(DCGAN((1, 28, 28), 8, 4), digits, settings(1))
    with pytest.raises(GancourseError, match="k=1 and Adam, not k=2"):
        fit(gan, digits, settings(1, k=2))
    with pytest.raises(GancourseError, match="not k=1 and sgd"):
        fit(gan, digits, settings(1, optimizer="sgd"))
    with pytest.raises(GancourseError, match=r"takes a gancourse.gans.DCGAN, not a VanillaGAN"):
        to_tensorflow(gans.VanillaGAN((1, 8, 8)))
    with pytest.raises(GancourseError, match="weights are of another net"):
        write_weights(torch_gan().generator, gan.generator.get_weights())
    training.checkpoint.write(tmp_path / "other.safetensors", {"a": torch.ones(1)}, {})
    with pytest.raises(GancourseError, match="holds no TensorFlow DCGAN"):
        load(tmp_path / "other.safetensors")


def test_a_diverged_run_says_where(digits):
    gan = DCGAN((1, 8, 8), 8, 4)
    gan.generator.set_weights([weight * np.nan for weight in gan.generator.get_weights()])
    with pytest.raises(GancourseError, match="diverged between steps 1 and 1: loss_d"):
        fit(gan, digits, settings(3))


def test_the_default_settings_are_the_trainer_s():
    gan, default = DCGAN((1, 8, 8), 8, 4), replace(Settings(images=128))
    for optimizer, rate in ((gan.optimizer_d, default.lr_d), (gan.optimizer_g, default.lr_g)):
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert (optimizer.beta_1, optimizer.beta_2) == (default.beta1, default.beta2)
