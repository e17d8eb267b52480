"""What is recorded of several processes, and that the page says it."""

import importlib.util

import pytest

from gancourse.files import read_json
from gancourse.training.run import RECORDED
from tests.conftest import ROOT

PAGE = ROOT / "book/many-machines.md"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("processes", ROOT / "tools/processes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def record():
    return read_json(RECORDED / "processes.json")


def test_record_is_complete(tool, record):
    ways = {*tool.WAYS, "1 process, then 2", "2 processes, then 1"}
    expected = {
        (case, seed, way)
        for case, (_, n, _) in tool.CASES.items()
        for seed in range(n)
        for way in ways
    }
    rows = record["differences"]["rows"]
    assert {(row["case"], row["seed"], row["way"]) for row in rows} == expected
    assert len(rows) == len(expected)
    kills = record["kills"]
    assert kills["kills"] >= tool.KILLS and kills["exact"] == kills["runs"] > 0


def test_page_shows_the_record(tool, record):
    text = PAGE.read_text()
    for name, table in tool.tables(record).items():
        assert text.count(f"\n{table}\n") == 1, name


def test_what_the_page_concludes(record):
    """Rounding alone: float64 leaves last digits; two threads do what two processes do."""

    def largest(way, name, case=None):
        rows = [r for r in record["differences"]["rows"] if r["way"] == way]
        return max(row[name] for row in rows if case in (None, row["case"]))

    assert largest("2 processes, float64", "losses") < 1e-13
    assert largest("2 processes, float64", "weights") < 1e-11
    for case in ("dcgan/digits", "dcgan/digits, augmented"):
        assert largest("2 processes", "losses", case) < 3e-6
    clothes = "dcgan/fashion-mnist"
    assert largest("2 processes", "first", clothes) < 1e-4
    assert largest("2 processes", "losses", clothes) < 3 * largest(
        "1 process, 2 threads", "losses", clothes
    )
    for case in {row["case"] for row in record["differences"]["rows"]}:
        apart = largest("2 processes, statistics apart", "weights", case)
        assert apart > 2 * largest("2 processes", "weights", case)
        first = largest("2 processes, statistics apart", "first", case)
        assert first >= 50 * largest("2 processes", "first", case)
