"""Comparisons of the frameworks: what their runs hold, how they go on, what they refuse."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from subprocess import run

import numpy as np
import pytest
from PIL import Image

from gancourse.errors import GancourseError
from gancourse.tf import comparisons, frameworks
from gancourse.tf.comparisons import COMPARISONS, get
from gancourse.tf.variants import VARIANTS

KINDS = ("pytorch", "compiled", "toggled", "concatenated", "probabilities")


@pytest.fixture
def small(monkeypatch):
    """A comparison of a few steps in the place of that on the digits."""
    name = "tf/frameworks/digits"
    tiny = replace(
        COMPARISONS[name],
        epochs=0.2,
        samples=40,
        seeds=dict.fromkeys(KINDS, 1),
        options={"width": 8},
    )
    monkeypatch.setitem(COMPARISONS, name, tiny)
    monkeypatch.setattr(frameworks, "_first_steps", lambda _, seed: {"seed": seed})
    return name


def test_a_comparison_runs_every_program_and_scores_it(small, tmp_path, capsys):
    path = frameworks.record(small, out=tmp_path, progress=True)
    stored = json.loads(path.read_text())
    assert path == tmp_path / "digits.json"
    assert stored["data"] == {"name": "digits", "note": COMPARISONS[small].note}
    assert [row["seed"] for row in stored["first_steps"]] == [0, 1, 2]
    assert stored["floor"]["split"] == "digits/test"
    assert {made["variant"] for made in stored["runs"]} == set(KINDS)
    for made in stored["runs"]:
        assert made["options"]["width"] == 8 and made["epochs"] == 0.2
        assert made["history"] and made["cpu_seconds"] > 0
        losses = [row[key] for row in made["history"] for key in ("loss_d", "loss_g")]
        assert np.isfinite(losses).all() and min(losses) > 0
        for scores in made["scores"].values():
            assert scores["n_fake"] == 40 and scores["n_real"] == 360 and scores["fid"] > 0
        with Image.open(tmp_path / f"digits-{made['variant']}.png") as picture:
            assert min(picture.size) > 5 * 8
    said = capsys.readouterr().err
    assert "digits, compiled, seed 0 (2 of 5): FID" in said

    before = path.read_text()
    frameworks.record(small, out=tmp_path, progress=True)
    assert path.read_text() == before and capsys.readouterr().err == ""
    changed = replace(COMPARISONS[small], options={"width": 16})
    COMPARISONS[small] = changed  # the fixture's monkeypatch puts the old one back
    with pytest.raises(GancourseError, match=r"run of pytorch, seed 0, with other options.*--out"):
        frameworks.record(small, out=tmp_path)
    assert path.read_text() == before


def test_after_ctrl_c_the_finished_runs_are_kept(small, tmp_path, monkeypatch):
    made = []

    def one(comparison, variant, seed, judge):
        if len(made) == 2:
            made.append("stopped")
            raise KeyboardInterrupt
        made.append(variant)
        settings = frameworks._settings(
            comparison, variant, frameworks._planned(comparison, VARIANTS[variant], seed)
        )
        return {"variant": variant, "seed": seed, **settings}, None

    monkeypatch.setattr(frameworks, "_one", one)
    with pytest.raises(KeyboardInterrupt):
        frameworks.record(small, out=tmp_path, progress=False)
    assert len(json.loads((tmp_path / "digits.json").read_text())["runs"]) == 2
    frameworks.record(small, out=tmp_path, progress=False)
    assert sorted(made) == sorted([*KINDS, "stopped"])


def test_every_program_of_a_comparison_is_known_and_recorded():
    for name, comparison in COMPARISONS.items():
        assert set(comparison.seeds) <= set(VARIANTS) and comparison.name == name
        stored = json.loads((frameworks.records.ROOT / f"{name}.json").read_text())
        assert stored["data"] == {"name": comparison.data, "note": comparison.note}
        found = {(made["variant"], made["seed"]) for made in stored["runs"]}
        wanted = {(v, seed) for v, n in comparison.seeds.items() for seed in range(n)}
        assert found == wanted and len(stored["runs"]) == len(wanted)
        frameworks._check(stored["runs"], comparison, frameworks.records.ROOT)
        for made in stored["runs"]:
            assert {s["n_fake"] for s in made["scores"].values()} == {comparison.samples}


def test_names_and_the_table_need_no_tensorflow():
    with pytest.raises(GancourseError, match="Did you mean tf/frameworks/digits"):
        get("tf/frameworks/digit")
    assert "tf/frameworks/fashion-mnist  fashion-mnist" in comparisons.table()
    code = "import sys; from gancourse.tf import comparisons; comparisons.table(); " + (
        "print([name for name in ('tensorflow', 'keras', 'torch') if name in sys.modules])"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
