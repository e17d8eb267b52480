"""Claim M3, DCGAN at four sizes, layer by layer; and what the chapter on its rules proves and records."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gancourse import data, metrics
from gancourse import notebook as shared
from gancourse.gans import DCGAN
from gancourse.nets.ablations import FORMS, ablate
from gancourse.training.run import RECORDED
from gancourse.training.trainer import Settings, Trainer
from tests import needs
from tests.chapters.pages import what_it_needs

CHAPTER = "dcgan-rules"
SEEDS = range(3)
SIDES = {28: (7, 2), 32: (4, 3), 64: (4, 4), 128: (4, 5)}  # first maps' side, doublings
WEIGHTY = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
POOLING = ("Pool", "Upsample", "PixelShuffle")
STRIDED = {"kernel_size": (4, 4), "stride": (2, 2), "padding": (1, 1)}


def build(side, channels=1, width=4, seed=0):
    torch.manual_seed(seed)
    return DCGAN((channels, side, side), width=width)


def walk(net, x):
    """(layer, what it gives) for every layer of a net, in order."""
    for layer in net.layers:
        x = layer(x)
        yield layer, x


def is_strided(layer):
    return all(getattr(layer, name) == value for name, value in STRIDED.items())


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", SIDES)
def test_m3_the_generator_has_the_promised_layers_and_shapes(side, channels):
    base, doublings = SIDES[side]
    net = build(side, channels).generator
    kinds, sides, maps = [], [], []
    for layer, out in walk(net, torch.randn(3, 100)):
        kinds.append(type(layer))
        assert not any(word in type(layer).__name__ for word in POOLING)
        if isinstance(layer, nn.ConvTranspose2d):
            assert is_strided(layer) and layer.groups == 1
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.eps == 1e-5
        if out.ndim == 4 and isinstance(layer, (nn.ConvTranspose2d, nn.BatchNorm2d)):
            sides.append(out.shape[-1])
            maps.append(out.shape[1])
    # linear, to maps, norm, ReLU; then up, norm, ReLU; and up, tanh at last
    assert kinds[0] is nn.Linear and kinds[2:4] == [nn.BatchNorm2d, nn.ReLU]
    assert kinds[4:-2] == [nn.ConvTranspose2d, nn.BatchNorm2d, nn.ReLU] * (doublings - 1)
    assert issubclass(kinds[-2], nn.ConvTranspose2d) and kinds[-1] is nn.Tanh
    assert sorted(set(sides)) == [base * 2**i for i in range(doublings + 1)]
    assert sorted(set(maps[:-1]), reverse=True) == [4 * 2**i for i in range(doublings)][::-1]
    assert out.shape == (3, channels, side, side) and out.abs().max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", SIDES)
def test_m3_the_discriminator_has_the_promised_layers_and_shapes(side, channels):
    base, doublings = SIDES[side]
    net = build(side, channels).discriminator
    kinds, sides = [], []
    for layer, out in walk(net, torch.randn(3, channels, side, side)):
        kinds.append(type(layer))
        assert not any(word in type(layer).__name__ for word in POOLING)
        if isinstance(layer, nn.Conv2d):
            assert is_strided(layer)
            sides.append(out.shape[-1])
        if isinstance(layer, nn.LeakyReLU):
            assert layer.negative_slope == 0.2
    assert issubclass(kinds[0], nn.Conv2d) and kinds[1] is nn.LeakyReLU  # no norm in the first
    assert kinds[2:-3] == [nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU] * (doublings - 1)
    assert kinds[-2:] == [nn.Linear, nn.Flatten]
    assert sides == [side // 2 ** (i + 1) for i in range(doublings)] and sides[-1] == base
    assert out.shape == (3,)


@pytest.mark.parametrize("width", [16, 64])
@pytest.mark.parametrize("side", SIDES)
def test_m3_the_numbers_of_weights_are_those_of_the_algebra(side, width):
    foretold = what_it_needs(CHAPTER, "foretold")["foretold"]
    with torch.device("meta"):
        gan = DCGAN((3, side, side), width=width)
    players = gan.generator, gan.discriminator
    found = tuple(sum(p.numel() for p in net.parameters()) for net in players)
    assert found == foretold(side, width, 3)
    for net in players:
        assert sum(isinstance(m, WEIGHTY) for m in net.modules()) == SIDES[side][1] + 1


@pytest.mark.parametrize("side", SIDES)
def test_m3_each_size_trains_a_step_that_moves_every_weight(side):
    images = torch.randint(0, 256, (8, 1, side, side), dtype=torch.uint8)
    gan = build(side, width=4)
    before = {name: p.detach().clone() for name, p in gan.named_parameters()}
    trainer = Trainer(gan, images, Settings(images=8, batch_size=8))
    trainer.step()
    row = trainer.read_tick()
    assert math.isfinite(row["loss_d"]) and math.isfinite(row["loss_g"])
    for name, parameter in gan.named_parameters():
        moved = (parameter.detach() - before[name]).abs().max()
        assert 0 < moved < 1e-3, name


@pytest.mark.parametrize("seed", SEEDS)
def test_m3_first_weights_have_deviation_0_02_and_adam_the_paper_s_settings(seed):
    gan = build(64, width=16, seed=seed)
    for layer in gan.modules():
        if isinstance(layer, WEIGHTY) and layer.weight.numel() > 1000:
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
    settings = Settings(images=1)
    assert (settings.batch_size, settings.lr_d, settings.lr_g) == (128, 2e-4, 2e-4)
    assert (settings.optimizer, settings.beta1) == ("adam", 0.5)


@needs.data("fashion-mnist")
@pytest.mark.parametrize("seed", SEEDS)
def test_m3_a_short_training_at_28_pixels_beats_none_by_fid(seed, reference):
    """40 steps of a small DCGAN; FID of 500 samples against 2,000 test images."""
    images = data.load("fashion-mnist").images[:10_000]
    gan = build(28, width=8, seed=seed)

    def fid():
        features = reference.extractor.features(gan.sample(500, seed=seed))
        return metrics.fid(reference.statistics, metrics.statistics(features))

    untrained = fid()
    trainer = Trainer(
        gan, images, Settings(images=1, batch_size=64, lr_d=1e-3, lr_g=1e-3, seed=seed)
    )
    for _ in range(40):
        trainer.step()
    assert fid() < 0.8 * untrained


@pytest.fixture(scope="module")
def reference():
    real = data.load("fashion-mnist", split="test").images[:2000]
    return metrics.Reference(real, "fashion-mnist-cnn", split="fashion-mnist/test, first 2,000")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bias_before_batch_normalisation_does_nothing(seed):
    torch.manual_seed(seed)
    layer = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1).double()
    rest = nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 3), nn.Tanh()).double()
    x = torch.randn(5, 6, 8, 8, dtype=torch.float64)
    out = rest(layer(x))
    out.pow(3).mean().backward()
    assert layer.bias.grad.abs().max() < 1e-14 < layer.weight.grad.abs().max()
    with torch.no_grad():
        layer.bias += 10 * torch.randn(4, dtype=torch.float64)
    torch.testing.assert_close(rest(layer(x)), out)
    # one number for each place is more than a bias: its pattern gets through
    with torch.no_grad():
        pattern = torch.randn(4, 16, 16, dtype=torch.float64)
        assert not torch.allclose(rest(layer(x) + pattern), out, atol=0.01)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_generator_without_norm_written_out_is_the_package_s(seed):
    chapter = what_it_needs(CHAPTER, "without_norm")
    gan, other = build(28, seed=seed), build(28, seed=seed)
    ablate("no norm", gan.generator, gan.discriminator)
    mine = chapter["without_norm"](other.generator)
    with torch.no_grad():
        for parameter, source in zip(mine.parameters(), gan.generator.parameters(), strict=True):
            parameter.copy_(source)
        z = torch.randn(4, 100)
        torch.testing.assert_close(mine(z), gan.generator(z))


def test_every_rule_was_run_from_every_seed_with_the_same_settings():
    table = shared.recorded("dcgan-rules/runs.json")
    runs = {}
    for run in table["runs"]:
        runs.setdefault(run["rule"], []).append(run["seed"])
    assert runs.pop("as published") == [0, 1, 2, 3, 4]
    assert set(runs) == {*FORMS, "beta1 0.9", "rate 0.001", "Adam's defaults"} - {"as published"}
    assert all(seeds == [0, 1, 2] for seeds in runs.values())
    judged = [run["scores"] for run in table["runs"] if run["scores"]] + [table["floor"]]
    for name in ("n_real", "n_fake", "split", "extractor_sha256"):
        assert len({scores[name] for scores in judged}) == 1
    for run in table["runs"]:
        assert (run["scores"] is None) is (run["diverged"] is not None)
        assert run["scores"] is None or run["curve"][-1]["fid"] == run["scores"]["fid"]


@needs.data("fashion-mnist")
def test_the_recorded_floor_is_found_again():
    """FID of the same 5,000 training images against the whole test split."""
    floor = shared.recorded("dcgan-rules/runs.json")["floor"]
    images = data.load("fashion-mnist").images
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(0))
    extractor = metrics.extractor("fashion-mnist-cnn")
    sides = images[order[: floor["n_fake"]]], data.load("fashion-mnist", split="test").images
    found = metrics.fid(*(metrics.statistics(extractor.features(side)) for side in sides))
    assert found == pytest.approx(floor["fid"], rel=1e-3)
    assert floor["extractor_sha256"] == extractor.sha256


def test_there_is_a_picture_of_every_rule():
    rules = {
        run["rule"] for run in shared.recorded("dcgan-rules/runs.json")["runs"] if run["scores"]
    }
    pictures = list((RECORDED / "dcgan-rules").glob("*.png"))
    assert len(pictures) == len(rules)
    assert sum(picture.stat().st_size for picture in pictures) < 200_000
