"""The chapter's propositions, its loop against the package's, and its records: whole and true."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import expit

import gancourse
from gancourse import data, metrics, notebook, theory
from gancourse.curves import noise, smooth
from gancourse.gans import DCGAN
from gancourse.theory.fdivergences import VINCZE_LE_CAM
from gancourse.training.fit import fit
from gancourse.training.folder import read_history
from gancourse.training.trainer import Settings
from tests import needs
from tests.chapters.pages import what_it_needs

SEEDS = range(4)
SCORES = ("fid", "kid", "precision", "recall", "density", "coverage")


@pytest.fixture(scope="module")
def chapter():
    return what_it_needs("fashion-mnist-project", "play, noise_of, tied, turns, later, LOWER")


@pytest.fixture(scope="module")
def histories():
    """The rows of each seed of the record."""
    record = gancourse.load("dcgan/fashion-mnist")
    files = ["history.jsonl", *(f"history-seed{s}.jsonl" for s in record.facts["seeds"])]
    return [read_history(record.path / file) for file in files]


@pytest.fixture(scope="module")
def judged():
    return notebook.recorded("fashion-mnist-project/epochs.json")


def kinds(seed, k=12):
    p, q = np.random.default_rng(seed).dirichlet(np.full(k, 0.5), size=2) + 1e-9
    return p / p.sum(), q / q.sum()


def gap(p, q):
    best = p / (p + q)
    return ((p - q) * best).sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_with_the_best_bias_the_scores_sum_to_one(seed):
    rng = np.random.default_rng(seed)
    real, fake = rng.normal(2, 3, size=500), rng.normal(-1, 1 + seed, size=500)

    def loss(b):
        return np.logaddexp(0, -real - b).mean() + np.logaddexp(0, fake + b).mean()

    def excess(b):
        return expit(real + b).mean() + expit(fake + b).mean() - 1

    best = brentq(excess, -50, 50)
    assert all(loss(best) < loss(best + step) for step in (-0.1, 0.1, -3, 3))
    assert expit(real + best).mean() > expit(fake + best).mean()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gap_of_the_best_discriminator_is_half_the_vincze_le_cam_divergence(seed):
    p, q = kinds(seed)
    assert gap(p, q) == pytest.approx(((p - q) ** 2 / (p + q)).sum() / 2)
    points = np.arange(len(p), dtype=float)
    named = theory.Discrete(points, p), theory.Discrete(points, q)
    assert gap(p, q) == pytest.approx(theory.f_divergence(VINCZE_LE_CAM, *named) / 2, rel=1e-6)
    assert gap(p, p) == pytest.approx(0, abs=1e-12)
    assert gap(np.array([1, 0.0]), np.array([0, 1.0])) == 1
    # On the line, by the mean of D over many draws.
    p, q = theory.Gaussian(0.0, 1.0), theory.Gaussian(1.0 + seed, 2.0)
    x, y = (d.sample(400_000, np.random.default_rng(seed)).ravel() for d in (p, q))
    d = [expit(p.log_prob(z) - q.log_prob(z)).mean() for z in (x, y)]
    half = theory.f_divergence(VINCZE_LE_CAM, p, q) / 2
    assert d[0] - d[1] == pytest.approx(half, abs=4e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_calibrated_discriminator_sees_no_more_than_the_best(seed):
    """One that tells groups of kinds apart, and not the kinds within a group."""
    p, q = kinds(seed)
    groups = np.random.default_rng(seed).integers(0, 4, size=len(p))
    merged = [np.bincount(groups, each, minlength=4) for each in (p, q)]
    merged = [each[merged[0] + merged[1] > 0] for each in merged]
    d = (np.bincount(groups, p, 4) / np.maximum(np.bincount(groups, p + q, 4), 1e-12))[groups]
    assert ((p - q) * d).sum() == pytest.approx(gap(*merged))
    assert gap(*merged) < gap(p, q)


@pytest.mark.parametrize(
    "shape", [lambda t: np.exp(-t), lambda t: -1 / (1 + t) ** 3, lambda t: t * np.exp(-t)]
)
def test_the_cubic_through_a_curve_that_settles_turns_where_it_must(shape, chapter):
    t = np.linspace(0, 1, 200_001)
    # A narrow g has to be met by many points; its own turning points lie below 0.01.
    slope = np.diff(np.polyval(np.polyfit(t, 3 + shape(t / 1e-3), 3), t[::100]))
    places = t[::100][1:-1][np.sign(slope[1:]) != np.sign(slope[:-1])]
    expected = (4 + np.array([-1, 1]) * np.sqrt(2)) / 7
    assert places == pytest.approx(expected, abs=0.01)
    hollow_first = np.diff(np.sign(slope))[np.diff(np.sign(slope)) != 0][0] > 0
    assert hollow_first == (shape(t).sum() > 0)
    epochs = np.arange(1, 51)
    assert chapter["turns"](np.exp(-epochs / 0.2)).tolist() == [19, 39]


@needs.data("fashion-mnist")
def test_the_loop_written_out_is_the_package_s(chapter):
    images = data.load("fashion-mnist").images[:256]
    torch.manual_seed(5)
    mine = DCGAN((1, 28, 28), width=4)
    torch.manual_seed(5)
    theirs = DCGAN((1, 28, 28), width=4)
    with torch.random.fork_rng():
        *_, (averaged, rows) = chapter["play"](mine, images, 3, 64, 1e-3, 0.99, 7)
    settings = Settings(images=768, batch_size=64, lr_d=1e-3, lr_g=1e-3, ema=0.99, seed=7)
    net, history = fit(theirs, images, settings, progress=False)
    names = ("loss_d", "loss_g", "d_real", "d_fake")
    assert rows.mean(0) == pytest.approx([history[-1][name] for name in names], rel=1e-3)
    for ours, package in zip(averaged.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, package, rtol=0, atol=1e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_noise_that_is_left_is_the_noise_of_one_epoch(seed, chapter):
    rng = np.random.default_rng(seed)
    table = 5 - np.log(np.arange(1, 41)) + 0.5 * rng.normal(size=(5, 1))
    noisy = table + 0.1 * rng.normal(size=table.shape)
    assert chapter["noise_of"](noisy) == pytest.approx(0.1, rel=0.25)
    assert chapter["noise_of"](noisy) == pytest.approx(noise(noisy), abs=1e-12)
    assert chapter["noise_of"](table) == pytest.approx(0, abs=1e-9)
    flat = np.zeros(50) + 0.1 * rng.normal(size=50)
    assert chapter["tied"](flat, 0.1, lower=True).mean() > 0.8
    assert chapter["tied"](np.arange(50), 0.1, lower=True).sum() == 1
    assert chapter["tied"](np.arange(50), 0.1, lower=False).nonzero()[0].tolist() == [49]


def test_the_end_is_compared_with_the_epochs_about_42(chapter):
    table = np.zeros((3, 50))
    table[:, 39:44], table[:, 45:] = 1.0, np.array([[2.0], [3.0], [4.0]])
    assert chapter["later"](table, "fid") == pytest.approx((2.0, 2 / 3**0.5))
    assert chapter["later"](table, "recall")[0] == pytest.approx(-2.0)


def test_the_record_has_three_seeds_of_fifty_scored_epochs(histories):
    assert len(histories) == 3
    for rows in histories:
        assert [row["epoch"] for row in rows] == list(range(1, 51))
        assert all(np.isfinite(row[name]) for row in rows for name in SCORES)


def test_every_epoch_was_judged_again(judged):
    plain = {(r["seed"], r["epoch"]) for r in judged["rows"] if r["net"] == "plain"}
    assert plain >= {(seed, epoch) for seed in range(3) for epoch in range(2, 51)}
    again = [r for r in judged["rows"] if r["net"] == "averaged"]
    for seed in range(3):
        pairs = {(r["noise"], r["epoch"]) for r in again if r["seed"] == seed}
        noises, epochs = ({pair[i] for pair in pairs} for i in (0, 1))
        assert len(noises) == 3 and {42, 50} <= epochs
        assert pairs == {(m, e) for m in noises for e in epochs}
    assert {row["seed"] for row in judged["copying"]} == {0, 1, 2}
    assert judged["n_fake"] == 5000 and judged["extractor"] == "fashion-mnist-cnn"


def test_other_noise_moves_the_scores_of_a_run_little(histories, judged):
    """Judged twice, by the run and by the tool: the same generators."""
    for row in judged["rows"]:
        if row["net"] == "averaged":
            own = histories[row["seed"]][row["epoch"] - 1]
            assert abs(row["fid"] - own["fid"]) < 0.5
            assert abs(row["precision"] - own["precision"]) < 0.05


@needs.data("fashion-mnist")
def test_the_record_s_weights_have_the_score_of_their_epoch(histories):
    record = gancourse.load("dcgan/fashion-mnist")
    judge = metrics.extractor("fashion-mnist-cnn")
    real, fake = (
        metrics.statistics(judge.features(images))
        for images in (
            data.load("fashion-mnist", split="test").images,
            record.sample(5000, seed=2),
        )
    )
    row = histories[0][record.facts["best"]["tick"] - 1]
    assert metrics.fid(real, fake) == pytest.approx(row["fid"], rel=0.01)


@pytest.mark.parametrize("name", ["loss_d", "loss_g"])
def test_e13_a_smoothed_loss_turns_a_little_after_epoch_40_in_every_seed(name, histories, chapter):
    for rows in histories:
        y = np.array([row[name] for row in rows])
        cubic = np.polyval(np.polyfit(np.arange(1, 51), y, 3), np.arange(1, 51))
        np.testing.assert_allclose(smooth(y, 10), cubic, atol=1e-8)
        assert 38 <= chapter["turns"](y)[-1] <= 46
