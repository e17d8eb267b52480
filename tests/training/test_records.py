"""Every record in the package is what its run.json says: settings, weights, samples and scores."""

import json

import numpy as np
import pytest
from PIL import Image

import gancourse
from gancourse import metrics, recipes
from gancourse.plots import tile
from gancourse.training.run import RECORDED
from tests import needs

RECORDS = sorted(str(p.parent.relative_to(RECORDED)) for p in RECORDED.glob("*/*/run.json"))


def test_the_promised_records_are_there():
    assert {"vanilla/mnist", "dcgan/fashion-mnist"} <= set(RECORDS)


def test_all_records_together_are_small():
    total = sum(p.stat().st_size for p in RECORDED.rglob("*") if p.is_file())
    assert total < 40e6


@pytest.mark.parametrize("name", RECORDS)
class TestRecord:
    def test_says_how_it_was_made(self, name):
        run = gancourse.load(name)
        recipe = recipes.get(name)
        assert run.recipe == name and run.facts["status"] == "finished"
        assert run.facts["seconds"] > 0 and run.facts["versions"]["device"]
        assert run.settings["gan"]["options"] == json.loads(json.dumps(dict(recipe.options)))
        assert run.settings["training"]["seed"] == 0
        assert run.history[-1]["epoch"] == pytest.approx(recipe.full)
        assert run.history[-1]["images"] == run.settings["training"]["images"]

    def test_best_is_the_smallest_fid(self, name):
        run = gancourse.load(name)
        best = min(run.history, key=lambda row: row["fid"])
        assert run.facts["best"]["tick"] == best["tick"]

    def test_weights_give_the_stored_picture(self, name):
        run = gancourse.load(name)
        ours = np.asarray(tile(run.sample(64, seed=0))).astype(int)
        with Image.open(run.path / "samples.png") as picture:
            stored = np.asarray(picture).astype(int)
        assert ours.shape == stored.shape and np.abs(ours - stored).max() <= 2

    def test_film_has_a_frame_a_tick(self, name):
        run = gancourse.load(name)
        film = run.facts["film"]
        with Image.open(run.path / "film.webp") as picture:
            side = film["rows"] * (run.settings["gan"]["shape"][-1] + 1) - 1
            assert picture.size == (side, side * len(film["ticks"]))

    def test_scores_come_out_again(self, name):
        run = gancourse.load(name)
        missing = needs.data(run.settings["data"]["name"]).args[0]
        if missing:
            pytest.skip(f"{run.settings['data']['name']} is not on this machine")
        stored = run.scores
        again = gancourse.evaluate(run, n=stored["n_fake"]).as_dict()
        extractor = metrics.extractor(stored["extractor"])
        assert stored["extractor_sha256"] == extractor.sha256
        for score in ("fid", "precision", "recall", "density", "coverage"):
            assert again[score] == pytest.approx(stored[score], rel=0.02, abs=0.005), score
