"""The table of the records is what they hold, and the winner's luck is within its bounds."""

from __future__ import annotations

import numpy as np
import pytest

import gancourse
from tests.chapters.pages import what_it_needs

SEEDS = range(4)


@pytest.fixture(scope="module")
def chapter():
    return what_it_needs("recorded-runs", "records, best_epochs")


def luck(rng, truth, errors, draws=20_000):
    """Measured less true value of the smallest measurement, draw by draw; and the largest luck."""
    noise = errors(rng, (draws, len(truth)))
    chosen = (truth + noise).argmin(1)
    return noise[np.arange(draws), chosen], (-noise).max(1)


ERRORS = {
    "normal": lambda rng, size: rng.normal(size=size),
    "skew": lambda rng, size: rng.exponential(size=size) - 1,
    "the other way": lambda rng, size: 1 - rng.exponential(size=size),
    "two values": lambda rng, size: rng.choice([-1.0, 1.0], size=size),
    "dependent": lambda rng, size: np.cumsum(rng.normal(size=size), axis=1),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("errors", ERRORS)
@pytest.mark.parametrize("spread", [0, 0.5, 3])
def test_the_luck_of_the_best_lies_between_its_bounds(seed, errors, spread):
    rng = np.random.default_rng(seed)
    of_best, largest = luck(rng, spread * rng.normal(size=20), ERRORS[errors])
    error = of_best.std() / np.sqrt(len(of_best))
    assert -largest.mean() - 1e-12 <= of_best.mean() <= 3 * error
    if spread == 0:
        # Equally good epochs: the winner has all the luck there is.
        assert of_best.mean() == pytest.approx(-largest.mean())


@pytest.mark.parametrize("seed", SEEDS)
def test_one_that_is_far_ahead_needs_no_luck(seed):
    rng = np.random.default_rng(seed)
    truth = np.full(20, 100.0)
    truth[7] = 0
    of_best, _ = luck(rng, truth, ERRORS["normal"])
    assert abs(of_best.mean()) < 4 / np.sqrt(len(of_best))


def test_every_record_has_what_belongs_to_a_score(chapter):
    for name, record in chapter["records"].items():
        floor, scores = record.facts["floor"], record.scores
        for key in ("extractor", "extractor_sha256"):
            assert floor[key] == scores[key], name
        assert floor["fid"] < scores["fid"] and floor["recall"] > scores["recall"]
        if scores["split"].startswith(f"{record.settings['data']['name']}/test"):
            for key in ("n_real", "n_fake", "split"):
                assert floor[key] == scores[key], name
            copying = record.facts["copying"]
            assert copying["n_fake"] == scores["n_fake"]
            assert 0 < copying["nearest_is_test"] < 1 and 0 < copying["nearer"] < 1
        else:
            alike = record.facts["scores_like_floor"]
            for key in ("n_real", "n_fake", "split", "extractor_sha256"):
                assert floor[key] == alike[key], name
            items = record.settings["data"]["items"]
            assert floor["n_real"] + floor["n_fake"] == items == scores["n_real"]
            assert "copying" not in record.facts and floor["fid"] < alike["fid"]


def test_best_epochs_by_hand(chapter):
    history = [
        {"epoch": 2.0, "fid": 3, "kid": 1, "precision": 0.5, "recall": 0.1, "density": 1,
         "coverage": 0.3},
        {"epoch": 4.0, "fid": 2, "kid": 2, "precision": 0.4, "recall": 0.2, "density": 2,
         "coverage": 0.2},
    ]  # fmt: skip
    assert chapter["best_epochs"](history) == {
        "fid": 4, "kid": 2, "precision": 2, "recall": 4, "density": 4, "coverage": 2
    }  # fmt: skip


def test_the_chapter_shows_every_gan_that_is_recorded(chapter):
    from gancourse.training.run import _records

    assert set(chapter["records"]) == set(_records())
    assert all(gancourse.load(name).path for name in chapter["records"])
