"""The chapter's propositions hold, its code is the package's, and its study is complete."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

import gancourse
from gancourse import augment, latent, notebook, recipes
from gancourse.exercises import get
from gancourse.gans import DCGAN
from gancourse.training.ema import EMA
from tests import needs
from tests.chapters.pages import what_it_needs

SEEDS = range(3)


def rng(seed):
    return torch.Generator().manual_seed(seed)


def distribution(n, seed):
    p = torch.rand(n, generator=rng(seed), dtype=torch.float64) + 0.1
    return p / p.sum()


@pytest.fixture(scope="module")
def nets():
    return what_it_needs("abstract-art", "make_generator, make_discriminator")


def test_the_generator_written_out_makes_the_package_s_images(nets):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        package = DCGAN((3, 128, 128), latent_dim=100, width=8).generator
        mine, z = nets["make_generator"](width=8), torch.randn(3, 100)
    own = list(package.state_dict().values())
    maps = own[0].shape[0] // 16
    # The matrix of the first layer, maps fastest, as the kernel of a transposed convolution.
    own[0] = own[0].view(4, 4, maps, 100).permute(3, 2, 0, 1)
    names = list(mine.state_dict())
    mine.load_state_dict(dict(zip(names, own, strict=True)))
    mine, package = mine.eval(), package.eval()
    torch.testing.assert_close(mine(z[:, :, None, None]), package(z), rtol=0, atol=1e-5)


def test_the_discriminator_written_out_gives_the_package_s_logits(nets):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        package = DCGAN((3, 128, 128), latent_dim=100, width=8).discriminator
        mine, x = nets["make_discriminator"](width=8), torch.rand(3, 3, 128, 128) * 2 - 1
    own = list(package.state_dict().values())
    own[-2] = own[-2].view(1, 4, 4, -1).permute(0, 3, 1, 2)
    mine.load_state_dict(dict(zip(mine.state_dict(), own, strict=True)))
    mine, package = mine.eval(), package.eval()
    torch.testing.assert_close(mine(x), package(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_flips_written_out_are_the_package_s(seed):
    flips = what_it_needs("abstract-art", "random_flips")["random_flips"]
    images = torch.randint(0, 256, (20, 3, 6, 8), generator=rng(seed), dtype=torch.uint8)
    theirs = augment.random_flips(images, ("horizontal", "vertical"), rng(seed))
    assert torch.equal(flips(images, rng(seed)), theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_sample_the_best_value_says_nothing_of_the_generator(seed):
    """Logits +L at the training points and -L elsewhere: the value tends to 0 for every p_g."""
    sample = distribution(6, seed)
    values = []
    for other in range(5):  # five generators, all of them elsewhere
        generator = distribution(9, 100 * seed + other)
        for logit in (5.0, 10.0, 20.0):
            sure = torch.nn.functional.logsigmoid(torch.tensor(logit, dtype=torch.float64))
            values.append(float(sample @ sure.expand(6) + generator @ sure.expand(9)))
            assert values[-1] == pytest.approx(2 * float(sure))
    assert max(values) < 0 < max(values) + 1e-8
    # On a line: the same D is wrong about nearly every new point of the same density.
    points = torch.randn(20, generator=rng(seed))
    new = torch.randn(1000, generator=rng(seed + 50))
    known = (new[:, None] - points).abs().min(1).values < 1e-3
    assert known.double().mean() < 0.05


@pytest.fixture(scope="module")
def game():
    return what_it_needs("abstract-art", "eraser, play, js")


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_sample_the_least_value_belongs_to_copies(game, seed):
    sample = torch.cat([torch.full((5,), 0.2, dtype=torch.float64), torch.zeros(7)])

    def value(generator):
        return -math.log(4) + 2 * float(game["js"](sample, generator))

    assert value(sample) == pytest.approx(-math.log(4))
    for other in range(20):
        assert value(distribution(12, 50 * seed + other)) > -math.log(4) + 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_of_the_real_images_alone_leaks(game, seed):
    p = distribution(8, seed)
    for q in (0.5, 1):
        change = game["eraser"](q)
        won = game["play"](change, game["eraser"](0), p)
        assert (won - (change @ p)[:, None]).abs().sum(0).max() < 0.03
        assert (won - p[:, None]).abs().sum(0).min() > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_change_of_both_is_won_by_the_data_and_by_them_alone_if_it_is_injective(game, seed):
    p = distribution(8, seed)
    half, always = (game["eraser"](q) for q in (0.5, 1))
    assert torch.linalg.matrix_rank(half) == 8 > torch.linalg.matrix_rank(always)
    assert (game["play"](half, half, p) - p[:, None]).abs().sum(0).max() < 0.02
    # Moving weight from the even images to the odd ones is never seen if a pixel always goes.
    parity = torch.tensor([(-1.0) ** bin(i).count("1") for i in range(8)], dtype=torch.float64)
    other = p + 0.5 * p.min() * parity
    assert float(game["js"](always @ p, always @ other)) == pytest.approx(0, abs=1e-12)
    assert float(game["js"](half @ p, half @ other)) > 1e-4


@pytest.mark.parametrize("q", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_a_flip_can_be_undone_unless_its_chance_is_a_half(q):
    flip = torch.eye(6, dtype=torch.float64).flip(0)
    change = (1 - q) * torch.eye(6, dtype=torch.float64) + q * flip
    values = torch.linalg.eigvalsh(change)
    wanted = torch.tensor([1 - 2 * q] * 3 + [1.0] * 3, dtype=torch.float64)
    torch.testing.assert_close(values, wanted.sort().values)
    assert (torch.linalg.matrix_rank(change) == 6) == (q != get("abstract-art.2").kind.expected)


def _averaged(path, decay):
    net = torch.nn.Linear(path.shape[1], 1, bias=False).double()
    net.weight.data = path[:1].clone()
    ema = EMA(net, decay)
    ema.updates = 10**9  # past the short window of the beginning
    found = []
    for point in path:
        net.weight.data = point[None].clone()
        ema.update()
        found.append(ema.net.weight[0].clone())
    return torch.stack(found)


@pytest.mark.parametrize("decay", [0.8, 0.95])
def test_what_an_average_leaves_of_noise_of_a_rotation_and_of_a_drift(decay):
    noise = torch.randn(1500, 300, generator=rng(0), dtype=torch.float64)
    left = _averaged(noise, decay)[-1000:].var()
    assert float(left) == pytest.approx((1 - decay) / (1 + decay), rel=0.1)
    t = torch.arange(1000, dtype=torch.float64)
    for omega in (0.03, 0.4):
        circle = torch.stack([torch.cos(omega * t), torch.sin(omega * t)], 1)
        radius = (1 - decay) / math.sqrt(1 - 2 * decay * math.cos(omega) + decay**2)
        assert float(_averaged(circle, decay)[-1].norm()) == pytest.approx(radius, rel=1e-6)
    lag = t[-1] - _averaged(t[:, None], decay)[-1, 0]
    assert float(lag) == pytest.approx(decay / (1 - decay), rel=1e-6)


def test_the_average_begins_with_a_window_of_a_ninth_of_the_run():
    for t in (0, 100, 1400, 8000):
        decay = min(0.999, (1 + t) / (10 + t))
        assert 1 / (1 - decay) == pytest.approx((10 + t) / 9)
    assert (1 + 8990) / (10 + 8990) == pytest.approx(0.999)


@needs.data("abstract-art")
@pytest.mark.parametrize("seed", (1, 2))
def test_a_discriminator_learns_64_paintings_by_heart_and_more_slowly_with_diffaugment(seed):
    """As the chapter shows for seed 0, against a generator that is perfect."""
    chapter = what_it_needs("abstract-art", "against_a_perfect_generator, CHANGES")
    plain, changed = (
        chapter["against_a_perfect_generator"](changes, seed)[-6:].mean(0)
        for changes in ((), chapter["CHANGES"])
    )
    loss, train, fake, held_out = plain
    assert loss < np.log(2) and train - fake > 2
    assert (train - held_out) / (train - fake) > 0.5
    assert changed[0] > loss + 0.2


@pytest.fixture(scope="module")
def copying():
    return what_it_needs("abstract-art", "nearest_counts, copying_test")


def test_a_generator_without_memory_is_nearest_to_held_out_images_as_often_as_there_are_any():
    """Over all ways to hold out 2 of 6 images the mean share is 1/3, for any samples."""
    images = torch.randn(6, 3, generator=rng(0))
    for seed in SEEDS:
        samples = images[0] + 0.3 * torch.randn(7, 3, generator=rng(seed + 1))
        nearest = latent.nearest_neighbours(samples, images)[0][:, 0].tolist()
        shares = [
            np.mean([n in held_out for n in nearest])
            for held_out in itertools.combinations(range(6), 2)
        ]
        assert np.mean(shares) == pytest.approx(2 / 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_test_for_copying_is_exact_and_finds_copies(copying, seed):
    images = torch.randn(60, 5, generator=rng(seed))
    order = torch.randperm(60, generator=rng(seed + 10))
    seen, unseen = images[order[:45]], images[order[45:]]
    free = torch.randn(300, 5, generator=rng(seed + 20))
    share, chance = copying["copying_test"](copying["nearest_counts"](free, seen, unseen), 15)
    assert 0.1 < share < 0.45 and chance > 0.02
    copies = seen[torch.randint(45, (300,), generator=rng(seed + 30))] + 0.01
    share, chance = copying["copying_test"](copying["nearest_counts"](copies, seen, unseen), 15)
    assert share == 0 and chance < 0.01


@pytest.mark.parametrize("c", [0.0, 0.4, 1.0])
def test_a_share_of_copies_lowers_the_share_of_held_out_images(copying, c):
    held_out, total = 20, 4000
    free = np.full(100, (1 - c) * total / 100)
    free[:-held_out] += c * total / (100 - held_out)
    share, _ = copying["copying_test"](free, held_out)
    expected = get("abstract-art.4").kind.reference(100 - held_out, held_out, c)
    assert share == pytest.approx(expected)


def test_the_study_of_the_page_is_complete():
    study = notebook.recorded("paintings/study.json")
    facts, runs = study["facts"], study["runs"]
    settings = ("none", "flips", "flips + DiffAugment")
    seeds = {run["seed"] for run in runs}
    made = {(run["setting"], run["seed"]) for run in runs}
    assert made == set(itertools.product(settings, seeds))
    assert facts["train"] + facts["held_out"] == 934
    for run in runs:
        assert run["curve"][-1]["epoch"] == facts["epochs"]
        moments = {(m["epoch"], m["generator"]) for m in run["moments"]}
        assert {(facts["epochs"], which) for which in ("raw", "average")} <= moments
        for found in run["neighbours"].values():
            counts = [int(count) for count in found["nearest"].split()]
            assert len(counts) == 934 and sum(counts) == facts["samples"]
            share = sum(counts[facts["train"] :]) / facts["samples"]
            assert share == pytest.approx(found["held_out_share"])


def test_e14_the_recorded_run_is_the_report_s_project_with_other_paintings():
    record, recipe = gancourse.load("dcgan/abstract-art"), recipes.get("dcgan/abstract-art")
    made = record.settings
    assert recipe.size == 128 and recipe.full == len(record.history) == 200
    assert made["gan"]["shape"] == [3, 128, 128] and made["data"]["items"] == 934
    training = made["training"]
    assert training["batch_size"] == 128 and training["flips"] == ["horizontal", "vertical"]
    assert record.history[-1]["step"] == 200 * (934 // 128)
    assert [row["epoch"] for row in record.history] == list(range(1, 201))
    # The first layer up from the noise and the last one down to the logit are matrices.
    players = (
        (record.generator, torch.nn.ConvTranspose2d),
        (record.gan.discriminator, torch.nn.Conv2d),
    )
    for net, convolution in players:
        layers = list(net.modules())
        assert sum(isinstance(layer, torch.nn.Linear) for layer in layers) == 1
        assert sum(isinstance(layer, convolution) for layer in layers) == 5


def test_e14_the_samples_come_nearer_to_the_paintings_until_the_last_epochs():
    record = gancourse.load("dcgan/abstract-art")
    fids = [row["fid"] for row in record.history]
    parts = [np.mean(fids[i : i + 20]) for i in (0, 90, 180)]
    assert parts[0] > 1.5 * parts[1] > 1.5 * 1.2 * parts[2]
    assert record.facts["best"]["epoch"] > 180
    assert record.facts["floor"]["fid"] < record.scores["fid"] < parts[0] / 2
