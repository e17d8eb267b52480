"""The chapter's generator is the package's, and its conclusions are those of the records."""

from __future__ import annotations

import pytest
import torch

import gancourse
from gancourse import notebook
from gancourse.gans import DCGAN
from tests.chapters.pages import what_it_needs


def test_generator_written_out_is_the_package_s():
    chapter = what_it_needs("vanilla-and-dcgan", "make_generator, initialise")
    with torch.random.fork_rng():
        torch.manual_seed(3)
        mine = chapter["make_generator"]().apply(chapter["initialise"])
        torch.manual_seed(3)
        theirs = DCGAN((1, 28, 28), latent_dim=100, width=32).generator
        noise = torch.randn(8, 100)
    torch.testing.assert_close(mine(noise), theirs(noise), rtol=0, atol=1e-6)


def test_both_gans_of_a_comparison_saw_the_same_number_of_images():
    runs = notebook.recorded("comparison/scores.json")["runs"]
    for name in ("digits", "mnist", "fashion-mnist"):
        mine = [run for run in runs if run["recipe"].endswith(f"/{name}")]
        assert len({run["images"] for run in mine}) == 1
        assert len({(run["recipe"], run["seed"]) for run in mine}) == len(mine) == 6
        assert len({run["scores"]["extractor_sha256"] for run in mine}) == 1


@pytest.mark.parametrize("name", ["dcgan/fashion-mnist", "vanilla/fashion-mnist", "vanilla/mnist"])
def test_the_records_of_the_page_ran_fifty_epochs_and_have_a_film(name):
    run = gancourse.load(name)
    assert run.history[-1]["epoch"] == 50
    film = notebook.film(run, "alt", "caption")
    assert film.labels[0] == "epoch 1" and film.labels[-1] == "epoch 50"
