"""The chapter's own code is the package's, and its table can be made again."""

from __future__ import annotations

import pytest
import torch

import gancourse
from gancourse import losses, notebook
from tests.chapters.pages import what_it_needs
from tools import first_gan_seeds


@pytest.fixture(scope="module")
def chapter():
    return what_it_needs("first-gan", "play, discriminator_loss, generator_loss, make_generator")


def test_losses_written_out_are_the_package_s(chapter):
    real, fake = torch.randn(2, 64, generator=torch.Generator().manual_seed(0)) * 3
    assert torch.equal(
        chapter["discriminator_loss"](real, fake), losses.minimax_discriminator(real, fake)
    )
    assert torch.equal(chapter["generator_loss"](fake), losses.non_saturating_generator(fake))


def test_step_written_out_is_the_package_s_bit_for_bit(chapter):
    with torch.random.fork_rng():
        by_hand, (loss_d, loss_g) = chapter["play"](epochs=2)
    run = gancourse.train("vanilla/digits", epochs=2, budget="short", device="cpu")
    theirs = dict(run.gan.generator.layers.state_dict())
    mine = by_hand.state_dict()
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        assert torch.equal(value, theirs[name]), name
    assert loss_d == pytest.approx(run.history[-1]["loss_d"], abs=0.1)


def test_a_row_of_the_table_can_be_made_again():
    table = notebook.recorded("first-gan/seeds.json")
    planned = first_gan_seeds.plan(first_gan_seeds.RECIPE, budget="short")
    assert table["settings"]["training"]["images"] == planned.settings.images
    row, stored = first_gan_seeds.one(seed=3, ticks=3), table["rows"][3]
    assert stored["classes"] == row["classes"] == 10
    assert stored["epochs_to_recognisable"] <= 18 and row["epochs_to_recognisable"] <= 18
    assert 0.8 < row["confidence"] < stored["confidence"] + 0.03
