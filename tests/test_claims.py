"""The ledger: verdicts follow from tests and records, by one rule."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from gancourse import claims, records
from gancourse.claims import checks, entries, text
from gancourse.errors import GancourseError


@pytest.fixture
def record(tmp_path, monkeypatch):
    """Write a record of some scores over seeds; the package then has no others."""
    monkeypatch.setattr(records, "ROOT", tmp_path)

    def write(name, hidden=(), **scores):
        seeds = range(len(next(iter(scores.values()))))
        facts = {
            "settings": {"options": {"hidden": list(hidden)}},
            "data": {"items": {"train": 60000, "test": 10000}, "note": f"Data of {name}."},
            "runs": [{"seed": s, "scores": {k: v[s] for k, v in scores.items()}} for s in seeds],
        }
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "record.json").write_text(json.dumps(facts))

    return write


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Put other claims in the place of the package's own."""

    def write(*items):
        path = tmp_path / "claims.json"
        path.write_text(json.dumps(items))
        monkeypatch.setattr(entries, "FILE", path)

    return write


def figure(claimed, measure="test_accuracy", name="tf/a", **more):
    return {"says": "part", "record": name, "measure": measure, "claimed": claimed, **more}


def claim(*found, name="E1", **more):
    return {"id": name, "source": ["paper 1"], "claim": "it works", "checks": list(found), **more}


def claims_of(name):
    """The checks that the package has for a claim."""
    return next(item["checks"] for item in entries.read() if item["id"] == name)


@pytest.mark.parametrize(
    ("mean", "claimed", "outcome"),
    [
        (0.88, 0.88, True),
        (0.895, 0.88, True),
        (0.8951, 0.88, False),
        (0.865, 0.88, True),
        (0.8649, 0.88, False),
        (0.935, [0.95, 0.97], True),
        (0.985, [0.95, 0.97], True),
        (0.96, [0.95, 0.97], True),
        (0.9851, [0.95, 0.97], False),
        (0.934, [0.95, 0.97], False),
    ],
)
def test_a_figure_holds_within_a_point_and_its_rounding(mean, claimed, outcome):
    assert checks.holds(mean, None, claimed) is outcome


@pytest.mark.parametrize(
    ("mean", "error", "claimed", "outcome"),
    [
        (0.02, 0.009, {"more": 0}, True),
        (0.02, 0.011, {"more": 0}, False),
        (0.02, 0.011, {"not more": 0}, True),
        (0.02, 0.009, {"not more": 0}, False),
        (-0.02, 0.001, {"not more": 0}, True),
        (0.06, 0.004, {"more": 0.05}, True),
        (0.06, 0.006, {"more": 0.05}, False),
        (0.02, 0.001, {"between": [0.015, 0.025]}, True),
        (0.012, 0.002, {"between": [0.015, 0.025]}, True),  # 1.2 points, give or take 0.4
        (0.012, 0.001, {"between": [0.015, 0.025]}, False),
        (0.03, 0.001, {"between": [0.015, 0.025]}, False),
        (0.01, 0.006, {"between": [0.015, 0.025]}, False),  # not even told apart from nothing
        (0.009, 0.1, {"within": 0.01}, True),
        (-0.011, 0.1, {"within": 0.01}, False),
        (0.02, None, {"more": 0}, None),
    ],
)
def test_a_comparison_counts_from_twice_its_standard_error(mean, error, claimed, outcome):
    assert checks.holds(mean, error, claimed) is outcome


def test_the_page_tells_the_rule_that_is_used(root):
    page = " ".join((root / "book/ledger.md").read_text().split())
    assert (checks.TOLERANCE, checks.ROUNDING, checks.ERRORS) == (0.01, 0.005, 2)
    assert "within 0.01" in page and "0.015 in all" in page and "twice that error" in page
    assert "five points between" in page
    (over,) = [c for c in claims_of("E8") if "over-fits" in c["says"]]
    assert over["claimed"] == {"more": 0.05}
    lost = [c for c in claims_of("E15") if c["measure"] == "recall"]
    assert "half of the recall" in page and all(c["claimed"] == {"loses": 0.5} for c in lost)


def test_mean_deviation_and_error_by_hand():
    assert checks.quantity([[0.8, 0.9, 1.0]], False) == pytest.approx((0.9, 0.1, 0.1 / 3**0.5))
    two = checks.quantity([[0.9, 1.0], [0.5, 0.7, 0.9]], False)
    # variances 0.005 and 0.04
    assert two == pytest.approx((0.25, 0.045**0.5, (0.005 / 2 + 0.04 / 3) ** 0.5))
    assert checks.quantity([[0.5], [0.2]], False) == (0.3, None, None)
    mean, sd, _ = checks.quantity([[0.5], [0.2], [0.9, 0.7]], True)
    assert (mean, sd) == (pytest.approx(0.6), None)


def test_a_part_says_what_was_measured_where(record, kept):
    record("tf/a", test_accuracy=[0.87, 0.88, 0.89], train_accuracy=[0.95, 0.95, 0.95])
    kept(claim(figure(0.88), figure(0.91, "train_accuracy")))
    entry = claims.get("e1")
    part = entry.parts[0]
    assert (part.holds, part.claimed, part.shown) == (True, "0.88", "0.880 ± 0.010")
    assert (part.seeds, part.record, part.where) == (3, "tf/a", "test split, 10,000 items")
    assert entry.parts[1].holds is False and entry.verdict == "partly"
    assert entry.notes == ("Data of tf/a.",)


def test_keras_figure_is_told_where_it_differs(record, kept):
    scores = {"train_accuracy": [0.66, 0.66], "test_accuracy": [0.7, 0.7]}
    record("tf/a", epoch_accuracy=[0.612, 0.614], **scores)
    record("tf/b", epoch_accuracy=[0.657, 0.657], **scores)
    kept(claim(figure(0.61, "train_accuracy"), figure(0.66, "train_accuracy", "tf/b")))
    here, other = claims.get("E1").parts
    assert here.holds is False and "0.613; by it the part would hold" in here.note
    assert other.note == ""


def test_comparisons_of_records(record, kept):
    record("tf/a", train_accuracy=[0.9, 0.92], test_accuracy=[0.7, 0.72], hidden=(300, 100))
    record("tf/b", train_accuracy=[0.8, 0.82], test_accuracy=[0.7, 0.71], hidden=(300,))
    gap = {"measure": "train_accuracy", "minus": "test_accuracy", "against": "tf/b"}
    spread = figure({"within": 0.01}, records=["tf/a", "tf/b"])
    del spread["record"]
    kept(
        claim(
            figure({"more": 0.05}, **gap),
            figure({"more": 0}, "multiplications", against="tf/b"),
            spread,
        )
    )
    first, second, third = claims.get("E1").parts
    assert first.shown == "+9.5 ± 0.7 points" and first.holds
    assert second.holds and second.shown == f"+{300 * 100 + 1000 - 3000:,}"
    assert third.holds and third.shown == "+0.5 points" and third.record == "tf/a, tf/b"


def test_two_frameworks_are_compared(kept, tmp_path, monkeypatch):
    monkeypatch.setattr(records, "ROOT", tmp_path)

    def run(variant, seed, covered, recall):
        scores = {"recall": recall, "classes": {"classes_covered": covered}}
        scores |= {"n_fake": 5000, "split": "digits/test"}
        return {"data": "digits", "variant": variant, "seed": seed, "scores": {"last": scores}}

    runs = [run("pytorch", s, 10, 0.6 + s / 100) for s in range(3)]
    runs += [run("tensorflow", s, 9 + s % 2, 0.6) for s in range(3)]
    runs += [run("compiled", s, 2, 0.1 + s / 10) for s in range(3)]
    (tmp_path / "tf/frameworks").mkdir(parents=True)
    kept_as = {"data": {"name": "digits", "note": "Short runs."}, "runs": runs}
    (tmp_path / "tf/frameworks/digits.json").write_text(json.dumps(kept_as))
    here = {"name": "tf/frameworks/digits/pytorch", "against": "tf/frameworks/digits/tensorflow"}
    kept(
        claim(
            figure({"more": 0}, "classes_covered", **here),
            figure({"more": 0}, "recall", **here),
            figure({"more": 0}, "recall", **here | {"against": "tf/frameworks/digits/keras"}),
            *(
                figure(
                    {"loses": s}, "recall", **here | {"against": "tf/frameworks/digits/compiled"}
                )
                for s in (0.4, 0.5, 0.7)
            ),
        )
    )
    covered, recall, missing, *lost = claims.get("E1").parts
    # 0.61 to 0.2 is two thirds lost, but with a standard error of 0.058 in what is left
    assert [part.holds for part in lost] == [True, False, False]
    assert lost[1].claimed == "50 % of it lost" and lost[1].note == "From 0.610 to 0.200."
    assert claims.get("E1").notes == ("Short runs.",)
    # 0.67 classes more, standard error 0.33: not more than twice that
    assert covered.shown == "+0.7 ± 0.6 classes" and covered.holds is False
    assert "5,000 samples of the last generator against digits/test" in covered.where
    assert recall.shown == "+1.0 ± 1.0 points" and recall.holds is False
    assert missing.holds is None and "digits/keras" in missing.note


def test_what_is_missing_is_not_run_yet(record, kept):
    record("tf/a", test_accuracy=[0.88])
    record("tf/b", test_accuracy=[0.88])
    kept(
        claim(figure(0.88)),
        claim(figure(0.88), figure(0.9, name="tf/gone"), name="E2"),
        claim(figure({"more": 0}, against="tf/b"), name="E3"),
        claim(name="E4"),
    )
    assert [e.verdict for e in claims.ledger()] == ["reproduced"] + 3 * ["not run yet"]
    assert claims.get("E3").parts[0].note == "A comparison needs two seeds."
    assert claims.get("E2").parts[1].note == "No record of tf/gone yet."
    assert claims.counts()["not run yet"] == 3 and list(claims.counts()) == list(claims.VERDICTS)


@pytest.mark.parametrize(
    ("outcomes", "more", "verdict"),
    [
        ((True, True), {}, "reproduced"),
        ((True, False), {}, "partly"),
        ((False, False), {}, "not reproduced"),
        ((True, None), {}, "not run yet"),
        ((), {}, "not run yet"),
        ((False,), {"kind": "erratum"}, "erratum"),
        ((), {"kind": "erratum"}, "not run yet"),
        ((True, True), {"other_data": True}, "partly"),
        ((False, False), {"other_data": True}, "partly"),
        ((True, None), {"other_data": True}, "not run yet"),
    ],
)
def test_the_verdict_follows_from_the_parts(outcomes, more, verdict):
    parts = [claims.Part("x", outcome) for outcome in outcomes]
    parts += [claims.Part("beside", outcome, aside=True) for outcome in (True, False, None)]
    assert claims.verdict(**{"kind": "experiment", "parts": parts} | more) == verdict


def test_what_is_true_is_no_erratum():
    with pytest.raises(GancourseError, match="no erratum"):
        claims.verdict("erratum", [claims.Part("x", True)])


def test_tests_speak_in_words(kept):
    where = "tests/theory/test_a.py::test_t9_the_discriminator_s_js_is_the_generator_s"
    kept({"id": "T9", "source": ["paper 1"], "claim": "c", "holds": [where], "fails": [where]})
    entry = claims.get("T9")
    assert [part.holds for part in entry.parts] == [True, False] and entry.verdict == "partly"
    assert entry.parts[0].says == "the discriminator's JS is the generator's"
    assert entry.parts[0].test == where
    name = where.split("::")[1]
    item = {"id": "T9", "source": ["paper 1"], "claim": "c", "holds": [where]}
    kept(item | {"words": {name: "the two are equal"}})
    assert claims.get("T9").parts[0].says == "the two are equal"


def test_errors_say_what_is_wrong(record, kept, tmp_path):
    with pytest.raises(GancourseError, match=r"Unknown claim 'E99'. Did you mean E"):
        claims.get("E99")
    record("tf/a", test_accuracy=[0.88])
    kept(claim(figure(0.88, "tset_accuracy")))
    with pytest.raises(GancourseError, match="test_accuracy"):
        claims.ledger()
    kept(claim(figure({"more": 0}, name="tf/frameworks/digits/kreas")))
    with pytest.raises(GancourseError, match="tf/frameworks/digits/keras"):
        claims.ledger()
    kept(claim(figure(0.88)))
    (tmp_path / "tf/a/record.json").write_text('{"runs": [')
    with pytest.raises(GancourseError, match="record.json is not a readable JSON"):
        claims.ledger()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a readable JSON"),
        ("{}", "list of claims"),
        ("[3]", "3 is not a claim's id"),
        ('[{"id": "Q1"}]', "Q1 is not a claim's id"),
        ('[{"id": "E1", "claim": "c"}]', r"E1 lacks \['source'\]"),
        ('[{"id": 3}]', "3 is not a claim's id"),
        ('[{"id": "E1", "claim": "c", "source": [], "verdict": "partly"}]', "has .'verdict'"),
        ('[{"id": "E1", "claim": "c", "source": "paper 4"}]', "no list of texts"),
    ],
)
def test_a_broken_file_of_claims_is_named(content, message, tmp_path):
    (tmp_path / "claims.json").write_text(content)
    with pytest.raises(GancourseError, match=message) as caught:
        entries.read(tmp_path / "claims.json")
    assert "claims.json" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claimed": {"mroe": 0}}, "no known form"),
        ({"claimed": {}}, "no known form"),
        ({"claimed": {"more": 0, "within": 1}}, "no known form"),
        ({"claimed": {"between": 1}}, "no known form"),
        ({"claimed": {"more": [0, 1]}}, "no known form"),
        ({"claimed": True}, "no known form"),
        ({"claimed": [0.1]}, "no known form"),
        ({"claimed": "0.88"}, "no known form"),
        ({"claimed": {"loses": 0.5}}, r"lacks \['against'\]"),
        ({"claims": 1}, r"has \['claims'\]"),
        ({"records": ["tf/a"]}, "one of record and records"),
        ({"aside": True}, "aside without a reason"),
    ],
)
def test_a_check_of_another_form_is_refused(change, message, kept):
    kept(claim(figure(0.88) | change))
    with pytest.raises(GancourseError, match=f"E1 has a check that .*{message}"):
        claims.ledger()
    kept(claim({key: value for key, value in figure(0.88).items() if key != "claimed"}))
    with pytest.raises(GancourseError, match="claimed"):
        claims.ledger()


def test_a_note_is_said_once(record, kept, tmp_path):
    for name, more in (("tf/a", ""), ("tf/b", " And settings."), ("tf/c", "")):
        record(name, test_accuracy=[0.88])
        path = tmp_path / name / "record.json"
        facts = json.loads(path.read_text())
        facts["data"]["note"] = "Other data." + more
        path.write_text(json.dumps(facts))
    kept(claim(*(figure(0.88, name=name) for name in ("tf/a", "tf/b", "tf/c"))))
    assert claims.get("E1").notes == ("Other data. And settings.",)


def test_text_for_terminals(record, kept):
    record("tf/a", test_accuracy=[0.87, 0.88, 0.89])
    kept(claim(figure(0.88)), claim(name="X1", right="so") | {"claim": "word " * 30})
    found = claims.ledger()
    wide = text.table(found, claims.counts(found))
    assert "2 claims: reproduced 1, partly 0" in wide and ("word " * 30).strip() in wide
    narrow = text.table(found, claims.counts(found), 50)
    assert max(map(len, narrow.splitlines())) <= 50 and "word..." in narrow
    said = text.details(found[0])
    assert "measured 0.880 ± 0.010 (3 seeds)" in said and "holds    yes" in said
    printed = text.details(found[1], 60)
    assert "printed" in printed and max(map(len, printed.splitlines())) <= 60


def test_neither_tensorflow_nor_torch_is_imported():
    code = "import sys; from gancourse import claims; claims.ledger(); " + (
        "print([name for name in ('tensorflow', 'torch', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
