"""What the report's two projects claim, read from the histories of records."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gancourse import records
from gancourse.claims import projects
from gancourse.errors import GancourseError

SCORES = {"n_fake": 10_000, "split": "fashion-mnist/test", "extractor": "fashion-mnist-cnn"}


def history(best=30, apart=0.5, late=0.0):
    """Fifty epochs with the best FID at one of them; the scores draw nearer until epoch 25."""
    rows = []
    for epoch in range(1, 51):
        gap = apart - 0.01 * min(epoch, 25) + late * max(0, epoch - 25)
        row = {"epoch": float(epoch), "images": 600 * epoch, "fid": 5 + abs(epoch - best) / 10}
        row["images_per_second"] = 10.0 if epoch % 2 else 20.0
        row |= {"kid": row["fid"] / 100, "precision": 1 - row["fid"] / 20, "recall": 0.5}
        rows.append(row | {"d_real": 0.5 + gap / 2, "d_fake": 0.5 - gap / 2})
    return rows


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Write the record of a project; the package then has no others."""
    monkeypatch.setattr(records, "ROOT", tmp_path)
    folder = tmp_path / "dcgan/fashion-mnist"
    folder.mkdir(parents=True)

    def write(*histories):
        for seed, rows in enumerate(histories):
            name = f"history-seed{seed}.jsonl" if seed else "history.jsonl"
            (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
        others = {str(seed): {"seconds": 1.0} for seed in range(1, len(histories))}
        facts = {"settings": {"score_samples": 5000}, "scores": SCORES}
        (folder / "run.json").write_text(json.dumps(facts | ({"seeds": others} if others else {})))
        return projects.find("dcgan/fashion-mnist")

    return write


def test_one_value_a_seed(record):
    runs = record(history(30), history(42), history(50))
    assert len(runs.runs) == 3 and runs.name == "dcgan/fashion-mnist"
    assert runs.where == "5,000 samples an epoch against fashion-mnist/test, fashion-mnist-cnn"
    assert runs.scores("best_epoch_fid") == [30, 42, 50]
    assert runs.scores("best_epoch_precision") == [30, 42, 50]
    assert runs.scores("seconds_per_epoch") == [45, 45, 45]
    assert runs.scores("hours") == pytest.approx([50 * 45 / 3600] * 3)


def test_the_end_against_the_epochs_about_42(record):
    runs = record(history(30), history(42), history(50))
    # A tenth for every epoch away from the best: means of 18 - 12, of 6 - 1.2, and of 2 - 8 epochs.
    assert runs.scores("fid_after") == pytest.approx([0.6, 0.48, -0.6])
    lost = [value / 20 for value in runs.scores("fid_after")]
    assert runs.scores("precision_lost_after") == pytest.approx(lost)


def test_scores_that_come_together_and_part_again(record):
    (nearer,) = record(history(apart=0.5)).scores("scores_nearer")
    assert nearer == pytest.approx(0.25 - 0.03)
    runs = record(history(late=0.0), history(late=0.01), history(late=-0.01))
    assert runs.scores("scores_apart") == pytest.approx([0.25, 0.48, 0.02])
    assert runs.scores("scores_nearer_late") == pytest.approx([0.02, -0.21, 0.25])


def test_the_plain_generators_are_runs_of_their_own(record, tmp_path):
    record(history())
    assert projects.find("dcgan/fashion-mnist/plain") is None
    rows = [
        {"seed": seed, "net": net, "noise": 2, "epoch": row["epoch"], "fid": row["fid"] + seed}
        for seed in (1, 0)
        for net in ("plain", "averaged")
        for row in history(40)[::-1]
    ]
    folder = tmp_path / "fashion-mnist-project"
    folder.mkdir()
    stored = {"rows": rows, **SCORES, "n_fake": 5000}
    (folder / "epochs.json").write_text(json.dumps(stored))
    runs = projects.find("dcgan/fashion-mnist/plain")
    assert runs.scores("best_epoch_fid") == [40, 40]
    assert [run[0]["fid"] for run in runs.runs] == pytest.approx([8.9, 9.9])
    with pytest.raises(GancourseError, match=r"do not hold what scores_apart takes \('d_real'\)"):
        runs.scores("scores_apart")


def test_other_data_are_noted_with_the_number_of_images_of_the_run(record, tmp_path):
    assert record(history()).facts == {}
    folder = tmp_path / "dcgan/abstract-art"
    folder.mkdir()
    (folder / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in history()))
    facts = {"settings": {"score_samples": 1000, "data": {"items": 1234}}, "scores": SCORES}
    (folder / "run.json").write_text(json.dumps(facts))
    found = projects.find("dcgan/abstract-art")
    assert found.facts["data"]["note"] == "1,234 paintings; the report had 2,782."


def test_what_is_missing_or_broken_is_named(record, tmp_path):
    assert projects.find("dcgan/abstract-art") is None
    with pytest.raises(GancourseError, match="dcgan/fashion-mnist"):
        projects.find("dcgan/fashion-mnits")
    runs = record(history(), history())
    with pytest.raises(GancourseError, match="Did you mean best_epoch_fid"):
        runs.scores("best_epoch_fdi")
    folder = tmp_path / "dcgan/fashion-mnist"
    (folder / "history-seed1.jsonl").unlink()
    with pytest.raises(GancourseError, match=r"history-seed1\.jsonl is not a readable history"):
        projects.find("dcgan/fashion-mnist")
    (folder / "history-seed1.jsonl").write_text("")
    with pytest.raises(GancourseError, match="missing or empty"):
        projects.find("dcgan/fashion-mnist")
    (folder / "run.json").write_text("{}")
    with pytest.raises(GancourseError, match=r"run\.json is not the record of a project"):
        projects.find("dcgan/fashion-mnist")


def test_every_record_and_every_measure_has_a_place(root):
    for name in projects.RECORDS:
        assert projects.path(name).is_relative_to(records.ROOT)
    assert set(projects.UNITS) <= set(projects.MEASURES)


def test_torch_is_not_imported():
    code = (
        "import sys; from gancourse.claims import projects; "
        "projects.find('dcgan/fashion-mnist').scores('hours'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
