"""The chapter's propositions, its code against the package's, and its record."""

from __future__ import annotations

import hashlib
import math
import sys
from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import integrate
from scipy.stats import chi, kstest, truncnorm

import gancourse
from gancourse import data, latent, metrics, notebook
from gancourse.gans.base import to_pixels
from gancourse.training.run import RECORDED
from tests import needs
from tests.chapters.pages import ROOT, what_it_needs

CHAPTER = "latent-space"
SEEDS = (0, 1, 2)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@cache
def record() -> dict:
    return notebook.recorded("latent-space/scores.json")


def found(part: str, seed: int) -> dict:
    (row,) = [r for r in record()["rows"] if (r["part"], r["seed"]) == (part, seed)]
    return row["found"]


@pytest.mark.parametrize("d", [2, 3, 10, 100, 1000])
def test_noise_lies_in_a_thin_shell(d):
    mean_length = what_it_needs(CHAPTER, "mean_length")["mean_length"]
    mean = mean_length(d)
    assert mean == pytest.approx(chi.mean(d), rel=1e-9)
    assert math.sqrt(d - 1) < mean < math.sqrt(d) and 0 < d - mean**2 < 1
    assert mean * mean_length(d + 1) == pytest.approx(d, rel=1e-9)
    if d < 100:  # the density and the moments of the proof
        top, bottom = (
            integrate.quad(lambda r, k=k: r ** (d - 1 + k) * math.exp(-r * r / 2), 0, np.inf)[0]
            for k in (1, 0)
        )
        assert mean == pytest.approx(top / bottom, rel=1e-6)
    lengths = noise(5000, d, seed=d).double().norm(dim=1)
    assert kstest(lengths.numpy(), chi(d).cdf).pvalue > 0.001


@pytest.mark.parametrize("seed", SEEDS)
def test_half_way_is_noise_again(seed):
    """Quarter circle: normal with variance 1 in every direction; straight: with variance 1/2."""
    a, b = noise(2, 4000, 20, seed=seed).double()
    direction = noise(20, seed=seed + 9).double()
    direction /= direction.norm()
    for theta in (0.3, math.pi / 4, 1.2):
        point = math.cos(theta) * a + math.sin(theta) * b
        assert kstest((point @ direction).numpy(), "norm").pvalue > 0.001
    half = latent.lerp(a, b, 0.5) @ direction
    assert kstest((half * math.sqrt(2)).numpy(), "norm").pvalue > 0.001
    assert kstest(half.numpy(), "norm").pvalue < 1e-6


@pytest.mark.parametrize("c", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_truncated_noise_has_the_length_of_the_formula(c):
    squared = what_it_needs(CHAPTER, "squared")["squared"](c)
    assert squared == pytest.approx(truncnorm(-c, c).var(), abs=1e-9)


def test_ways_written_out_are_the_package_s():
    chapter = what_it_needs(CHAPTER, "lerp, slerp, sum_of")
    a, b = noise(2, 50, 100)
    for t in (0.0, 0.1, 0.5, 1.0):
        assert torch.allclose(chapter["lerp"](a, b, t), latent.lerp(a, b, t), atol=1e-5)
        assert torch.allclose(chapter["slerp"](a, b, t), latent.slerp(a, b, t), atol=1e-5)
    three = noise(3, 3, 100)
    assert torch.equal(chapter["sum_of"](*three), latent.arithmetic(*three))


def test_probability_written_out_is_the_package_s():
    chapter = what_it_needs(CHAPTER, "nearer")
    train, test, samples = noise(200, 4), noise(60, 4, seed=1), noise(50, 4, seed=2)
    result = latent.copying(samples, train, test)
    mine = chapter["nearer"](result.distance, result.reference)
    assert mine == pytest.approx(result.nearer, abs=1e-6)


def test_the_record_is_complete_and_of_the_weights_that_are_there():
    weights = RECORDED / record()["record"] / "weights.safetensors"
    assert record()["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    judge = metrics.extractor(record()["extractor"])
    assert record()["extractor_sha256"] == judge.sha256
    parts = {"ways", "truncation", "arithmetic", "inversion", "paths"}
    rows = [(row["part"], row["seed"]) for row in record()["rows"]]
    assert sorted(rows) == sorted((part, seed) for part in parts for seed in SEEDS)
    assert sum(f.stat().st_size for f in folder().iterdir()) < 300_000


def folder():
    return RECORDED / "latent-space"


def test_a_figure_of_the_record_comes_out_again():
    """Certainty and contrast of seed 0's samples, which need no real images."""
    z = noise(2, record()["count"], 100)[0, :400]  # the first of the samples
    run = gancourse.load(record()["record"])
    images = to_pixels(run.generator(z))
    judge = metrics.extractor(record()["extractor"])
    stored = found("ways", 0)["samples"]
    contrast = float(images.float().std((1, 2, 3)).mean())
    assert contrast == pytest.approx(stored["contrast"], rel=0.05)
    assert float(judge.probabilities(images).amax(1).mean()) == pytest.approx(
        stored["certainty"], abs=0.03
    )


@needs.data("fashion-mnist")
def test_path_lengths_of_the_record_come_out_again():
    run = gancourse.load(record()["record"])
    judge = metrics.extractor(record()["extractor"])
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 200, 100, generator=rng)
    length = latent.path_length(
        run.generator, lambda x: judge.network.features((x + 1) / 2), a, b, step=0.1
    )
    assert float(length.mean()) == pytest.approx(found("paths", 0)["dcgan"]["0.1"], rel=0.01)


@needs.data("fashion-mnist")
def test_the_tool_makes_what_is_stored(monkeypatch):
    """The smallest part again: ways of seed 0, all scores."""
    monkeypatch.setattr(sys, "path", [str(ROOT / "tools"), *sys.path])
    import latent_space

    lab = latent_space.Lab()
    assert len(data.load("fashion-mnist", split="test").images) == len(lab.test)
    monkeypatch.setattr(latent_space, "COUNT", 400)
    with torch.no_grad():
        again = latent_space.ways(lab, torch.Generator().manual_seed(0))
    stored = found("ways", 0)
    assert again.keys() == stored.keys()
    for name, scores in again.items():
        assert scores["contrast"] == pytest.approx(stored[name]["contrast"], rel=0.06)
    # 400 images have a higher FID than 2,000, and the same order.
    assert again["training"]["fid"] < again["arc"]["fid"] < again["fade"]["fid"]


def test_the_film_is_a_closed_walk():
    with Image.open(folder() / "walk.webp") as strip:
        frames = np.asarray(strip.convert("L")).astype(float).reshape(48, 84, 84)
    steps = np.abs(np.roll(frames, -1, axis=0) - frames).mean((1, 2))
    assert 0 < steps.min() and steps.max() < 4 * np.median(steps)
