"""What the loop does: counts, freezing, averages, clocks, divergence."""

import math

import pytest
import tiny
import torch

from gancourse.errors import GancourseError
from gancourse.gans.base import Batch
from gancourse.gans.vanilla import MinimaxGAN
from gancourse.training import Settings, fit
from gancourse.training.ema import EMA
from gancourse.training.folder import RunFolder, read_history
from gancourse.training.trainer import Trainer


def test_history_counts():
    _, _, history = tiny.train()
    assert [row["tick"] for row in history] == list(range(1, 11))
    assert [row["step"] for row in history] == list(range(4, 41, 4))
    assert history[-1]["images"] == 320
    assert history[-1]["epoch"] == pytest.approx(320 / 48, abs=1e-3)
    for row in history:
        assert 0 < row["d_real"] < 1 and 0 < row["d_fake"] < 1
        assert row["grad_d"] > 0 and row["grad_g"] > 0


def test_images_are_rounded_up_to_whole_steps():
    _, _, history = tiny.train(images=33)
    assert history[-1]["step"] == 5 and history[-1]["images"] == 40


@pytest.mark.parametrize("k", [1, 2, 3])
def test_k_discriminator_steps_a_generator_step(k, monkeypatch):
    calls = []
    d, g = MinimaxGAN.discriminator_loss, MinimaxGAN.generator_loss
    monkeypatch.setattr(MinimaxGAN, "discriminator_loss", lambda *a: calls.append("D") or d(*a))
    monkeypatch.setattr(MinimaxGAN, "generator_loss", lambda *a: calls.append("G") or g(*a))
    _, _, history = tiny.train(images=8 * k * 3, k=k, tick=8 * k)
    assert "".join(calls) == ("D" * k + "G") * 3
    assert history[-1]["images"] == 24 * k


def test_each_epoch_shows_every_image_once_in_a_new_order():
    numbered = torch.arange(48, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 8, 8)
    trainer = Trainer(tiny.gan(), numbered.contiguous(), tiny.settings())
    shown = [
        ((trainer._batch(trainer._chosen(i)).images[:, 0, 0, 0] + 1) * 127.5).round().int()
        for i in range(12)
    ]
    first, second = torch.cat(shown[:6]).tolist(), torch.cat(shown[6:]).tolist()
    assert sorted(first) == sorted(second) == list(range(48))
    assert first != second


def test_one_step_by_hand():
    """The loop's step against the same step written with plain autograd and plain Adam."""
    trainer = Trainer(tiny.gan(), tiny.images(), tiny.settings())
    reference = tiny.gan()
    torch.manual_seed(5)
    batch = trainer._batch(trainer._chosen(0))
    noise = torch.randn(8, 4)
    opt = {
        name: torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999))
        for name, net in (("d", reference.discriminator), ("g", reference.generator))
    }
    fake = reference.generator(noise)
    loss = -torch.log(torch.sigmoid(reference.discriminator(batch.images))).mean()
    loss = loss - torch.log(1 - torch.sigmoid(reference.discriminator(fake.detach()))).mean()
    loss.backward()
    opt["d"].step()
    opt["g"].zero_grad()
    (-torch.log(torch.sigmoid(reference.discriminator(fake))).mean()).backward()
    opt["g"].step()
    torch.manual_seed(5)
    trainer.step()
    ours, theirs = trainer.gan.state_dict(), reference.state_dict()
    for name in theirs:
        torch.testing.assert_close(ours[name], theirs[name], atol=2e-5, rtol=1e-4, msg=name)
    assert any(not torch.equal(tiny.gan().state_dict()[n], ours[n]) for n in ours)


def test_discriminator_gradients_are_only_its_own():
    trainer = Trainer(tiny.gan(), tiny.images(), tiny.settings())
    trainer.step()
    gan = trainer.gan
    grads = [p.grad.clone() for p in gan.discriminator.parameters()]
    gan.discriminator.requires_grad_(False)
    batch = Batch(torch.zeros(8, 1, 8, 8))
    gan.generator_loss(batch, gan.generate(batch)).loss.backward()
    assert all(map(torch.equal, grads, (p.grad for p in gan.discriminator.parameters())))


def test_learns_a_constant():
    """Data of one colour: the averaged generator must find it."""
    dark = torch.full((64, 1, 8, 8), 64, dtype=torch.uint8)
    torch.manual_seed(0)
    gan = tiny.gan()
    before = gan.sample(32).float().mean()
    ema, _ = fit(gan, dark, Settings(images=8000, batch_size=16, lr_d=2e-3, lr_g=2e-3, ema=0.9))
    after = gan.sample(32, net=ema).float().mean()
    assert abs(before - 64) > 40 and abs(after - 64) < 25


class TestEMA:
    def test_formula(self):
        net = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(net.weight)
        ema = EMA(net, 0.5)
        expected = 0.0
        for t, value in enumerate([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 1.0]):
            torch.nn.init.constant_(net.weight, value)
            ema.update()
            decay = min(0.5, (1 + t) / (10 + t))
            expected = decay * expected + (1 - decay) * value
        assert ema.net.weight.item() == pytest.approx(expected, rel=1e-5)

    def test_buffers(self):
        net = torch.nn.BatchNorm1d(2)
        ema = EMA(net, 0.0)
        net(torch.randn(8, 2) + 3)
        ema.update()
        torch.testing.assert_close(ema.net.running_mean, net.running_mean)
        assert ema.net.num_batches_tracked == 1 and not ema.net.training


class TestDivergence:
    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_stops_with_step_and_quantity(self, tmp_path, monkeypatch, bad):
        loss, calls = MinimaxGAN.generator_loss, []

        def break_at_seven(gan, batch, fake):
            calls.append(1)
            scored = loss(gan, batch, fake)
            return scored._replace(loss=scored.loss * bad) if len(calls) == 7 else scored

        monkeypatch.setattr(MinimaxGAN, "generator_loss", break_at_seven)
        with pytest.raises(GancourseError, match=r"step 7: loss_g = (nan|inf)"):
            tiny.train(tmp_path / "run")
        assert len(read_history(tmp_path / "run" / "history.jsonl")) == 1  # the tick before is safe
        monkeypatch.setattr(MinimaxGAN, "generator_loss", loss)
        tiny.train(tmp_path / "run", resume=True)
        assert len(read_history(tmp_path / "run" / "history.jsonl")) == 10

    def test_gradients_too(self, monkeypatch):
        trainer = Trainer(tiny.gan(), tiny.images(), tiny.settings())
        trainer.step()
        next(trainer.gan.generator.parameters()).grad[0] = math.nan
        with pytest.raises(GancourseError, match="step 1: grad_g = nan"):
            trainer.read_tick()

    def test_huge_learning_rate(self):
        with pytest.raises(GancourseError, match="diverged at step"):
            tiny.train(lr_d=1e30, lr_g=1e30, optimizer="sgd")


class TestScore:
    def test_best_is_kept_and_rows_hold_the_score(self, tmp_path):
        values = iter([5.0, 3.0, 4.0, 3.5])
        with RunFolder(tmp_path / "run", resume=False) as folder:
            folder.write_facts({})
            _, history = fit(
                tiny.gan(), tiny.images(), tiny.settings(images=128), folder=folder,
                score=lambda net: {"fid": next(values)},
            )  # fmt: skip
        from gancourse.training.checkpoint import read

        assert [row["fid"] for row in history] == [5.0, 3.0, 4.0, 3.5]
        assert read(tmp_path / "run" / "best.safetensors")[1]["step"] == 8
        assert read(tmp_path / "run" / "last.safetensors")[1]["step"] == 16


class TestBadInput:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"batch_size": 49}, "batch of 49 cannot be drawn from 48 images"),
            ({"batch_size": 1}, "2 images or more"),
            ({"batch_size": 0}, "batch_size is 0"),
            ({"images": 0}, "images is 0"),
            ({"lr_d": 0.0}, "lr_d is 0"),
            ({"lr_g": math.nan}, "lr_g is nan"),
            ({"k": 0}, "k is 0"),
            ({"ema": 1.0}, "ema is 1"),
            ({"tick": 0}, "tick is 0"),
            ({"optimizer": "adan"}, "Did you mean adam"),
            ({"flips": ("horizontl",)}, "Unknown flip .*Did you mean horizontal"),
            ({"diffaugment": ("colour",)}, "Unknown kind of DiffAugment .*Did you mean color"),
        ],
    )
    def test_settings(self, changes, message):
        with pytest.raises(GancourseError, match=message):
            tiny.train(**changes)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), "from 1 image\\."),
            (torch.zeros(9, 3, 8, 8, dtype=torch.uint8), "1 x 8 x 8 .* data are 3 x 8 x 8"),
            (torch.zeros(9, 1, 16, 16, dtype=torch.uint8), "data are 1 x 16 x 16"),
            (torch.zeros(9, 1, 8, 8), "uint8"),
            (torch.zeros(9, 8, 8, dtype=torch.uint8), "N x C x H x W"),
        ],
    )
    def test_data(self, data, message):
        with pytest.raises(GancourseError, match=message):
            tiny.train(data=data)

    def test_tensorboard_needs_a_folder(self):
        with pytest.raises(GancourseError, match="out"):
            fit(tiny.gan(), tiny.images(), tiny.settings(), tensorboard=True)


def test_tensorboard_has_every_row_of_a_resumed_run(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for images in (64, 128):
        with RunFolder(tmp_path / "run", resume=images > 64) as folder:
            folder.write_facts({})
            settings = tiny.settings(images=images)
            _, history = fit(tiny.gan(), tiny.images(), settings, folder=folder, tensorboard=True)
    seen = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    assert [event.step for event in seen.Scalars("loss_g")] == [row["step"] for row in history]
    assert len(history) > 2


def test_tensorboard_events(tmp_path):
    pytest.importorskip("tensorboard")
    with RunFolder(tmp_path / "run", resume=False) as folder:
        fit(tiny.gan(), tiny.images(), tiny.settings(images=64), folder=folder, tensorboard=True)
    events = list((tmp_path / "run" / "tensorboard").iterdir())
    assert events and b"loss_g" in events[0].read_bytes()
