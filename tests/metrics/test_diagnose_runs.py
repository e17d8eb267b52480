"""Diagnosing whole runs: made here, recorded with the package, spoilt; and what was named rightly."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

import gancourse
from gancourse import cli
from gancourse.errors import GancourseError
from gancourse.files import write_bytes
from gancourse.gans import VanillaGAN
from gancourse.metrics import symptoms
from gancourse.metrics.diagnose import BOOK, REMEDIES, diagnose, examine, findings, link, text
from gancourse.metrics.variety import Nearness
from gancourse.training.run import RECORDED
from tests import needs
from tests.metrics.test_diagnose import GOOD, history, run

ROOT = Path(__file__).resolve().parent.parent.parent
spec = importlib.util.spec_from_file_location("failures", ROOT / "tools" / "failures.py")
failures = importlib.util.module_from_spec(spec)
spec.loader.exec_module(failures)

#: finding -> rules -> (threshold, whether the number speaks from there upwards) as they are now
THRESHOLDS = {
    name: [[(e.threshold, e.above) for e in rule] for rule in rules if not isinstance(rule, str)]
    for name, rules in {
        **examine(run(GOOD, history()), n=100),
        "late divergence": [symptoms.late_divergence([1.0] * 8, "", 0.15)],
    }.items()
}


def test_what_is_no_finished_run_is_told(tmp_path, monkeypatch):
    with pytest.raises(GancourseError, match="nowhere"):
        diagnose(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(GancourseError, match=r"no run\.json"):
        diagnose(tmp_path / "empty")
    with pytest.raises(GancourseError, match="experiment of several seeds, not a GAN"):
        diagnose("tf/clothes")
    out = tmp_path / "run"
    gancourse.train("vanilla/digits", images=128, out=out, device="cpu", progress=False)
    settings = json.loads((out / "run.json").read_text())
    lines = (out / "history.jsonl").read_text()

    (out / "history.jsonl").write_text("{cut\n" + lines)
    with pytest.raises(GancourseError, match="Line 1 of .*history.jsonl is not JSON"):
        diagnose(out, n=20)
    (out / "history.jsonl").unlink()  # stopped by Ctrl-C within the first tick
    said = text(diagnose(out, n=100))
    assert "oscillation (too few ticks: 0" in said and "late divergence (" in said
    write_bytes(out / "history.jsonl", lines.splitlines()[0].encode() + b"\n")
    assert "oscillation (too few ticks: 1" in text(diagnose(out, n=100))

    del settings["settings"]["data"]
    (out / "run.json").write_text(json.dumps(settings))
    with pytest.raises(GancourseError, match="does not say what data"):
        diagnose(out, n=20)
    for file in out.glob("*.safetensors"):
        file.unlink()
    with pytest.raises(GancourseError, match="no checkpoint yet: .* stopped before its first"):
        diagnose(out, n=20)


def test_every_remedy_is_there_to_read(root):
    for name in REMEDIES:
        page, section = re.fullmatch(rf"{BOOK}/(.+)\.html#(.+)", link(name)).groups()
        cells = json.loads((root / f"{page}.ipynb").read_text())["cells"]
        prose = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
        assert [re.sub(r"[^a-z0-9]+", "-", t.lower()).strip("-") for t in titles].count(
            section
        ) == 1


@needs.data("cifar10")
@pytest.mark.timeout(900)  # 50,000 neighbours in colour: half a minute, on a busy machine several
def test_no_false_alarm_in_colour():
    """The thresholds were argued from runs in grey; this record came after them."""
    judged = examine("dcgan/cifar10", n=300)
    assert [finding.name for finding in findings(judged)] == ["healthy"]
    assert not any(isinstance(rule, str) for rules in judged.values() for rule in rules)


@needs.data("abstract-art")
def test_no_false_alarm_for_many_short_ticks():
    """200 ticks of 7 steps; there are no test images, and no classifier of paintings."""
    judged = examine("dcgan/abstract-art", n=300)
    assert [finding.name for finding in findings(judged)] == ["healthy"] + 2 * ["not judged"]
    (turns, _) = judged["oscillation"][0]
    assert 0 < turns.value < turns.threshold


# ------------------------------------------------------------------ made to fail, and recorded


def recorded(name):
    return json.loads((RECORDED / "failures" / name).read_text())


def test_the_recorded_runs_are_complete_and_were_not_those_of_the_tuning():
    stored = recorded("runs.json")
    runs = stored["runs"]
    assert all(r["seed"] not in stored["tuning"] for r in runs)
    seeds = {kind: {r["seed"] for r in runs if r["kind"] == kind} for kind in failures.KINDS}
    assert all(len(found) >= 5 for found in seeds.values()), seeds
    assert sum(map(len, seeds.values())) == len(runs)
    assert all(name in {"healthy", *REMEDIES} for r in runs for name in r["named"])


def test_the_recorded_names_follow_from_the_recorded_numbers():
    """Whoever changes a threshold has to judge anew."""
    held = 0
    for r in recorded("runs.json")["runs"]:
        for name, rules in r["numbers"].items():
            spoke, now = False, THRESHOLDS[name]
            if name == "memorisation" and None in rules:
                now = [
                    [(e.threshold, e.above) for e in symptoms.memorisation(Nearness(1, 1, False))]
                ]
            for rule, current in zip(rules, now, strict=False):
                if rule is not None:
                    # what a good FID is depends on the run, not on a threshold
                    scored = name == "late divergence" and r["kind"].endswith(
                        (" scored", "records")
                    )
                    pairs = zip(rule[: 1 if scored else None], current, strict=False)
                    spoke |= all(v >= t if above else v <= t for v, (t, above) in pairs)
            if name == "partial collapse":
                spoke &= "collapse" not in r["named"]
            if name == "unlike the data":
                spoke &= r["named"] == [name]
            assert spoke == (name in r["named"]), (r["kind"], r["seed"], name)
            held += spoke
    assert held > 50


def test_a_recorded_run_made_again_is_named_the_same(tmp_path):
    (stored,) = (
        r for r in recorded("runs.json")["runs"] if r["kind"] == "oscillation" and r["seed"] == 10
    )
    again = failures.name(tmp_path / "run", lambda: failures.oscillation(10, tmp_path / "run"))
    assert again["named"][0] == stored["named"][0] == "oscillation"


# ------------------------------------------------------------------ whole runs


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(f"{gan}/{images}", marks=needs.data(images))
        for gan, images in (("vanilla", "mnist"), ("dcgan", "fashion-mnist"))
    ],
)  # fmt: skip
def test_the_recorded_runs_raise_no_alarm(name):
    assert [finding.name for finding in diagnose(name, n=300)] == ["healthy"]


def test_the_command(tmp_path, monkeypatch, capsys):
    out = tmp_path / "run"
    gancourse.train("vanilla/digits", images=640, out=out, device="cpu", progress=False)
    monkeypatch.setattr(sys, "argv", ["gancourse", "diagnose", str(out), "-n", "100"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    said = capsys.readouterr().out
    assert not stop.value.code and "unlike the data" in said and f"see: {BOOK}/" in said, said
    assert "not judged: oscillation (too few ticks: 1" in said
    assert isinstance(gancourse.load(out).gan, VanillaGAN)
