"""train, load, evaluate, record: from a name to a trained GAN and back."""

import contextlib
import errno
import math
import re
import shutil
import sys
from dataclasses import replace

import pytest
import torch
from PIL import Image

import gancourse
from gancourse import cli, metrics, recipes
from gancourse import data as datasets
from gancourse.errors import GancourseError
from gancourse.files import read_json, write_json
from gancourse.training import judging
from gancourse.training.api import plan
from gancourse.training.folder import read_history


def quick(recipe="vanilla/digits", **more):
    return gancourse.train(recipe, **{"budget": "short", "images": 640, "device": "cpu"} | more)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return quick(out=path)


@pytest.fixture
def photos(tmp_path):
    """A folder of twenty little pictures of several kinds."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(20):
        kind = ("RGB", "L", "P", "RGBA", "CMYK")[i % 5]
        Image.new(kind if kind != "P" else "RGB", (20 + i, 30)).convert(kind).save(
            folder / f"{i}.{'png' if kind in ('P', 'RGBA') else 'jpg'}"
        )
    return folder


class TestTrainAndLoad:
    def test_load_gives_the_same_images(self, made):
        opened = gancourse.load(made.path)
        assert torch.equal(opened.sample(9, seed=4), made.sample(9, seed=4))
        assert opened.recipe == "vanilla/digits" and opened.history == made.history
        assert opened.facts["status"] == "finished"
        assert opened.facts["versions"]["torch"] == torch.__version__.split("+")[0]

    def test_last_and_best(self, made):
        last = gancourse.load(made.path, checkpoint_name="last")
        assert torch.equal(last.sample(4), made.sample(4))
        with pytest.raises(GancourseError, match="checkpoint"):
            gancourse.load(made.path, checkpoint_name="worst")

    def test_own_folder(self, photos):
        run = quick("dcgan/digits", data=photos, images=32, batch_size=8)
        assert run.sample(2).shape == (2, 3, 8, 8)

    def test_own_folder_in_full_is_not_scored(self, photos, tmp_path):
        out = tmp_path / "run"
        run = quick("dcgan/digits", data=photos, images=32, batch_size=8, budget="full", out=out)
        assert "fid" not in run.history[-1]
        assert torch.equal(gancourse.load(out).sample(2), run.sample(2))

    def test_weights_depend_on_the_seed_alone(self):
        a, b, c = (plan("dcgan/digits", seed=s).build().state_dict() for s in (0, 0, 1))
        name = "generator.layers.0.weight"
        assert torch.equal(a[name], b[name]) and not torch.equal(a[name], c[name])

    @pytest.mark.parametrize("name", [n for n in recipes.names() if n.endswith("digits")])
    def test_full_budget_is_scored_and_keeps_the_best(self, name, tmp_path, monkeypatch):
        small = replace(recipes.get(name), score_samples=150, tick=1)
        monkeypatch.setitem(recipes._RECIPES, name, small)
        run = gancourse.train(name, epochs=2, device="cpu", out=tmp_path / "run")
        assert len(run.history) == 2 and all(row["fid"] > 0 for row in run.history)
        assert (tmp_path / "run" / "best.safetensors").exists()


class TestOptimisation:
    """Learning rates, momentum and the moving average, in place of the recipe's."""

    def test_in_place_of_the_recipes(self):
        base = plan("dcgan/digits").settings
        assert (base.lr_d, base.lr_g, base.beta1, base.ema) == (5e-4, 5e-4, 0.5, 0.99)
        both = plan("dcgan/digits", lr=1e-3).settings
        assert (both.lr_d, both.lr_g) == (1e-3, 1e-3)
        one = plan("dcgan/digits", lr_d=1e-4, beta1=0.0, ema=0.0).settings
        assert (one.lr_d, one.lr_g, one.beta1, one.ema) == (1e-4, 5e-4, 0.0, 0.0)
        other = plan("dcgan/digits", lr_g=1e-3).settings
        assert (other.lr_d, other.lr_g) == (5e-4, 1e-3)

    def test_without_an_average_the_samples_are_the_generators(self):
        plain, averaged = quick(ema=0.0), quick()
        assert torch.equal(plain.sample(4), plain.gan.sample(4, net=plain.gan.generator))
        assert not torch.equal(averaged.sample(4), averaged.gan.sample(4))
        # The game itself is the same.
        assert torch.equal(plain.gan.sample(4), averaged.gan.sample(4))

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (("--lr-d", "0"), "lr_d is 0.0; it must be a number greater than 0"),
            (("--ema", "1"), "ema is 1.0; it must be at least 0 and less than 1"),
            (("--beta1", "-0.1"), "beta1 is -0.1; it must be at least 0"),
            (("--lr", "0.1", "--lr-g", "0.2"), "Give --lr .* or --lr-d"),
        ],
    )
    def test_command_line_refuses(self, words, told, monkeypatch, capsys):
        command = ["train", "vanilla/digits", "--images", "64", "--dry-run"]
        monkeypatch.setattr(sys, "argv", ["gancourse", *command, *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert stop.value.code == 2 and re.search(told, capsys.readouterr().err)

    def test_command_line(self, monkeypatch, tmp_path):
        out = tmp_path / "run"
        words = ["--lr-d", "0.001", "--lr-g", "0.002", "--beta1", "0", "--ema", "0.5"]
        command = ["train", "vanilla/digits", "--images", "64", "--device", "cpu", "--out", out]
        monkeypatch.setattr(sys, "argv", ["gancourse", *map(str, command), *words])
        with contextlib.suppress(SystemExit):
            cli.main()
        made = read_json(out / "run.json")["settings"]["training"]
        assert (made["lr_d"], made["lr_g"], made["beta1"], made["ema"]) == (0.001, 0.002, 0, 0.5)


class TestAugmentation:
    """Flips and DiffAugment, asked for by name."""

    def test_in_place_of_the_recipes(self, monkeypatch):
        base = recipes.get("dcgan/digits")
        flipping = replace(base, training={**base.training, "flips": ("vertical",)})
        monkeypatch.setitem(recipes._RECIPES, "dcgan/digits", flipping)
        assert plan("dcgan/digits").settings.flips == ("vertical",)
        assert plan("dcgan/digits", flips=["horizontal"]).settings.flips == ("horizontal",)
        off = plan("dcgan/digits", flips=(), diffaugment=["cutout", "color"])
        assert off.settings.flips == () and off.settings.diffaugment == ("color", "cutout")
        described = off.describe()["training"]
        assert described["diffaugment"] == ["color", "cutout"] and "flips" not in described

    def test_runs_without_say_nothing_of_it(self):
        """Their run.json is what it was, so older runs can be resumed."""
        assert set(plan("vanilla/digits").describe()["training"]) == {
            "images", "batch_size", "lr_d", "lr_g", "optimizer", "beta1", "beta2", "k", "ema",
            "tick", "seed",
        }  # fmt: skip

    def test_resume_refuses_another(self, tmp_path):
        out = tmp_path / "run"
        quick(out=out, flips=("horizontal",))
        with pytest.raises(GancourseError, match=r"training\.diffaugment: None -> \['color'\]"):
            quick(out=out, resume=True, flips=("horizontal",), diffaugment=("color",))
        assert quick(out=out, resume=True, flips=("horizontal",)).history

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            ((), "flips: none; DiffAugment: none"),
            (("--flips", "vertical,horizontal"), "flips: horizontal, vertical; DiffAugment: none"),
            (("--diffaugment", "color, cutout"), "flips: none; DiffAugment: color, cutout"),
            (("--flips", "none", "--diffaugment", "none"), "flips: none; DiffAugment: none"),
            (("--flips", "sideways"), "Unknown flip 'sideways'"),
        ],
    )
    def test_command_line(self, words, told, monkeypatch, capsys):
        command = ["train", "vanilla/digits", "--images", "64", "--device", "cpu", "--dry-run"]
        monkeypatch.setattr(sys, "argv", ["gancourse", *command, *words])
        with contextlib.suppress(SystemExit):
            cli.main()
        assert told in "".join(capsys.readouterr())


class TestResume:
    def test_longer(self, tmp_path):
        first = quick(epochs=1, images=None, budget="full", out=tmp_path / "run")
        longer = quick(epochs=2, images=None, budget="full", out=tmp_path / "run", resume=True)
        assert longer.history[-1]["images"] == 2 * first.history[-1]["images"]

    def test_changed_settings_are_shown(self, tmp_path):
        quick(out=tmp_path / "run")
        with pytest.raises(GancourseError, match=r"training\.lr_d: 0\.0005 -> 0\.1"):
            quick(out=tmp_path / "run", resume=True, lr=0.1)
        with pytest.raises(GancourseError, match="gan.name: vanilla -> dcgan"):
            quick("dcgan/digits", out=tmp_path / "run", resume=True)

    def test_changed_data_are_refused(self, tmp_path, photos):
        options = {"data": photos, "images": 32, "batch_size": 8, "out": tmp_path / "run"}
        quick("dcgan/digits", **options)
        Image.new("RGB", (30, 30), "red").save(photos / "0.jpg")
        with pytest.raises(GancourseError, match="data.sha256"):
            quick("dcgan/digits", **options, resume=True)

    def test_existing_run_is_not_overwritten(self, made):
        with pytest.raises(GancourseError, match="already holds a run.*--resume"):
            quick(out=made.path)
        gancourse.load(made.path)

    def test_nothing_to_resume(self, tmp_path):
        with pytest.raises(GancourseError, match="no run in .* to resume"):
            quick(out=tmp_path / "run", resume=True)
        with pytest.raises(GancourseError, match="say which run"):
            quick(resume=True)


class TestBadInput:
    @pytest.mark.parametrize(
        ("recipe", "options", "message"),
        [
            ("dcgan/fashion", {}, "Did you mean .*dcgan/fashion-mnist"),
            ("vanilla/digits", {"data": "mnsit"}, "mnist"),
            ("vanilla/digits", {"data": "no/such/folder"}, "no/such/folder"),
            ("vanilla/digits", {"data": "ring"}, "makes images"),
            ("vanilla/digits", {"batch_size": 5000}, "batch of 5000 cannot be drawn from 1437"),
            ("vanilla/digits", {"epochs": 1, "images": 1}, "not both"),
            ("vanilla/digits", {"epochs": -1, "images": None}, "epochs is -1"),
            ("vanilla/digits", {"epochs": math.inf, "images": None}, "epochs is inf"),
            ("vanilla/digits", {"batch_size": -5, "images": None}, "batch_size is -5"),
            ("vanilla/digits", {"budget": "long"}, "short or full"),
            ("vanilla/digits", {"device": "gpu"}, "Device 'gpu'"),
            ("vanilla/digits", {"device": "meta"}, "meta"),
        ],
    )
    def test_message(self, recipe, options, message):
        with pytest.raises(GancourseError, match=message):
            quick(recipe, **options)

    def test_out_is_a_file(self, tmp_path):
        (tmp_path / "run").write_text("")
        with pytest.raises(GancourseError, match="is a file"):
            quick(out=tmp_path / "run")

    def test_out_below_a_file(self, tmp_path):
        (tmp_path / "run").write_text("")
        with pytest.raises(GancourseError, match="Cannot write to the run folder"):
            quick(out=tmp_path / "run" / "below")

    def test_load(self, made, tmp_path):
        with pytest.raises(GancourseError, match="Unknown run folder or record"):
            gancourse.load("dcgan/nothing")
        with pytest.raises(GancourseError, match="holds no run"):
            gancourse.load(tmp_path)
        write_json(tmp_path / "run.json", {"settings": {}})
        with pytest.raises(GancourseError, match="does not describe a run"):
            gancourse.load(tmp_path)
        write_json(tmp_path / "run.json", read_json(made.path / "run.json"))
        with pytest.raises(GancourseError, match="no checkpoint yet"):
            gancourse.load(tmp_path)

    def test_weights_of_another_gan(self, made, tmp_path):
        facts = read_json(made.path / "run.json")
        facts["settings"]["gan"]["options"]["hidden"] = [64, 64]
        write_json(tmp_path / "run.json", facts)
        (tmp_path / "last.safetensors").write_bytes((made.path / "last.safetensors").read_bytes())
        with pytest.raises(GancourseError, match="do not fit"):
            gancourse.load(tmp_path)

    def test_corrupt_checkpoint(self, made, tmp_path):
        whole = bytearray((made.path / "last.safetensors").read_bytes())
        whole[-5] ^= 1
        write_json(tmp_path / "run.json", read_json(made.path / "run.json"))
        (tmp_path / "last.safetensors").write_bytes(whole)
        with pytest.raises(GancourseError, match="last.safetensors is corrupt"):
            gancourse.load(tmp_path)


def test_evaluate(made):
    scores = gancourse.evaluate(made, n=200)
    assert scores.n_fake == 200 and scores.n_real == 360
    assert scores.extractor == "digits-cnn" and scores.fid > 0
    assert gancourse.evaluate(str(made.path), n=200).fid == pytest.approx(scores.fid, rel=1e-6)


def test_evaluate_needs_an_extractor(photos, tmp_path):
    run = quick("dcgan/digits", data=photos, images=32, batch_size=8)
    with pytest.raises(GancourseError):
        gancourse.evaluate(run, n=10)


def test_record(tmp_path, monkeypatch):
    small = replace(recipes.get("dcgan/digits"), full=3, tick=1, score_samples=100)
    monkeypatch.setitem(recipes._RECIPES, "dcgan/digits", small)
    options = {"out": tmp_path / "record", "work": tmp_path / "work", "n": 300, "device": "cpu"}
    made = gancourse.record("dcgan/digits", **options)
    names = {p.name for p in (tmp_path / "record").iterdir()}
    assert names == {"run.json", "history.jsonl", "weights.safetensors", "film.webp", "samples.png"}
    assert made.facts["best"]["tick"] == min(made.history, key=lambda row: row["fid"])["tick"]
    assert gancourse.evaluate(made, n=300).fid == pytest.approx(made.scores["fid"], rel=1e-4)
    with Image.open(tmp_path / "record" / "film.webp") as film:
        assert film.height % len(made.facts["film"]["ticks"]) == 0
    sizes = {p.name: p.stat().st_size for p in (tmp_path / "record").iterdir()}
    assert sizes["weights.safetensors"] < 1_000_000
    assert made.facts["floor"] == judging.floor("digits", n=300, size=8).as_dict()
    beside = made.facts["copying"]
    assert (beside["n_fake"], beside["n_test"], beside["extractor"]) == (300, 360, "digits-cnn")
    assert 0 < beside["nearer"] < 0.5 and beside["samples"] > beside["test"] > 0  # hardly trained
    assert 0 < beside["nearest_is_test"] < 1 and beside["expected"] == pytest.approx(360 / 1797)
    again = gancourse.record("dcgan/digits", **options)  # finished: only packed anew
    assert torch.equal(again.sample(4), made.sample(4))


def test_record_of_several_seeds(tmp_path, monkeypatch):
    small = replace(recipes.get("dcgan/digits"), full=2, tick=1, score_samples=50)
    monkeypatch.setitem(recipes._RECIPES, "dcgan/digits", small)
    options = {"out": tmp_path / "record", "work": tmp_path / "work", "n": 100, "device": "cpu"}
    alone = gancourse.record("dcgan/digits", **options)
    made = gancourse.record("dcgan/digits", seeds=(0, 3), **options)
    assert torch.equal(made.sample(4), alone.sample(4)) and "seeds" not in alone.facts
    (summary,) = made.facts["seeds"].values()
    other = read_history(tmp_path / "record" / "history-seed3.jsonl")
    assert [row["tick"] for row in other] == [1, 2] and other != made.history
    assert summary["best"]["tick"] == min(other, key=lambda row: row["fid"])["tick"]
    best = gancourse.evaluate(str(tmp_path / "work" / "dcgan" / "digits-seed3"), n=100)
    assert summary["scores"] == best.as_dict() != made.scores
    with pytest.raises(GancourseError, match="each once"):
        gancourse.record("dcgan/digits", seeds=(1, 1), **options)


def test_a_record_replaces_nothing_but_a_record(tmp_path):
    work, full = tmp_path / "runs" / "record", tmp_path / "photos"
    full.mkdir()
    (full / "cat.png").write_bytes(b"cat")
    with pytest.raises(GancourseError, match="holds something else than a record"):
        gancourse.record("dcgan/digits", out=full, work=work)
    with pytest.raises(GancourseError, match="holds something else than a record"):
        gancourse.record("dcgan/digits", out=full / "cat.png", work=work)
    (full / "cat.png").rename(full / "run.json")  # one file like a record's does not make one
    (full / "last.safetensors").touch()
    with pytest.raises(GancourseError, match="holds something else than a record"):
        gancourse.record("dcgan/digits", out=full, work=work)
    for out in (work, tmp_path, work / "dcgan" / "digits-seed0"):
        with pytest.raises(GancourseError, match="lies inside"):
            gancourse.record("dcgan/digits", out=out, work=work)
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
    assert (full / "run.json").read_bytes() == b"cat"


def test_a_record_that_cannot_be_written_leaves_the_older_one(tmp_path, monkeypatch):
    small = replace(recipes.get("dcgan/digits"), full=1, score_samples=50)
    monkeypatch.setitem(recipes._RECIPES, "dcgan/digits", small)
    options = {"out": tmp_path / "record", "work": tmp_path / "work", "n": 100, "device": "cpu"}
    older = gancourse.record("dcgan/digits", **options)

    def full_disk(source, target):
        target.mkdir()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", full_disk)
    with pytest.raises(GancourseError, match="No space left on device. It lies complete in"):
        gancourse.record("dcgan/digits", **options)
    assert torch.equal(gancourse.load(tmp_path / "record").sample(4), older.sample(4))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["record", "work"]


def test_several_processes_make_no_record(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(GancourseError, match="without torchrun"):
        gancourse.record("dcgan/digits", out=tmp_path / "record", work=tmp_path / "work")


def test_record_needs_an_extractor(monkeypatch, tmp_path):
    monkeypatch.setattr(metrics, "default_extractor", lambda name: "inception")
    with pytest.raises(GancourseError, match="torch-fidelity"):
        gancourse.record("dcgan/digits", out=tmp_path / "record", work=tmp_path / "work")
    assert not list(tmp_path.iterdir())


def test_rows_hold_the_scores_of_the_tick(tmp_path, monkeypatch):
    small = replace(recipes.get("dcgan/digits"), score_samples=60, tick=1)
    monkeypatch.setitem(recipes._RECIPES, "dcgan/digits", small)
    run = gancourse.train("dcgan/digits", epochs=1, device="cpu", seed=4)
    (row,) = run.history
    fake = run.sample(60, seed=4 + 2)
    test = datasets.load("digits", split="test").images
    scores = metrics.scores(test, fake, "digits-cnn").as_dict()
    assert {name: row[name] for name in judging.KEPT} == {n: scores[n] for n in judging.KEPT}
