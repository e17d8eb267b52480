"""The chapter's step is the package's, and its conclusions are those of the record."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gancourse import gans, notebook
from gancourse.tf import keras, tf
from gancourse.tf.porting import to_tensorflow
from tests.chapters.pages import what_it_needs

SETS = ("digits", "fashion-mnist")


def test_step_written_out_is_the_package_s():
    make_step = what_it_needs("gan-in-tensorflow", "make_step")["make_step"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        source = gans.DCGAN((1, 8, 8), latent_dim=8, width=4)
    mine, theirs = to_tensorflow(source), to_tensorflow(source)
    step = make_step(mine, *(keras.optimizers.Adam(2e-4, 0.5, 0.999, 1e-8) for _ in range(2)))
    for seed in range(3):
        real, z = tf.random.normal((6, 8, 8, 1), seed=seed), tf.random.normal((6, 8), seed=seed)
        told = theirs.step(real, z)
        np.testing.assert_allclose(step(real, z), [told["loss_d"], told["loss_g"]], atol=1e-6)
    for net in ("generator", "discriminator"):
        pairs = zip(getattr(mine, net).weights, getattr(theirs, net).weights, strict=True)
        assert all(np.allclose(a, b, atol=1e-6) for a, b in pairs)


@pytest.mark.parametrize("name", SETS)
def test_main_programs_were_run_alike(name):
    stored = notebook.recorded(f"tf/frameworks/{name}.json")
    runs = {
        variant: [run for run in stored["runs"] if run["variant"] == variant]
        for variant in ("pytorch", "tensorflow", "keras")
    }
    for mine in runs.values():
        assert len(mine) >= 3 and len({run["seed"] for run in mine}) == len(mine)
    for ours, theirs, keras_own in zip(*runs.values(), strict=True):
        assert ours["settings"] == theirs["settings"] == keras_own["settings"]
        assert ours["options"] == theirs["options"] == keras_own["options"]
    assert len({run["scores"]["average"]["extractor_sha256"] for run in stored["runs"]}) == 1


@pytest.mark.parametrize("name", SETS)
def test_first_steps_of_the_record_agree(name):
    rows = notebook.recorded(f"tf/frameworks/{name}.json")["first_steps"]
    assert len(rows) >= 3
    assert all(row["largest_difference"]["1"] < 1e-5 for row in rows)
    assert all(row["largest_difference"]["20"] < 2e-2 for row in rows)
