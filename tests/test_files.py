"""Atomic writes."""

import errno
import os

import pytest

from gancourse import files
from gancourse.errors import GancourseError, unknown


def test_round_trip(tmp_path):
    files.write_json(tmp_path / "deep" / "a.json", {"x": [1, "ü"]})
    assert files.read_json(tmp_path / "deep" / "a.json") == {"x": [1, "ü"]}
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["a.json"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file(tmp_path, monkeypatch, call):
    files.write_text(tmp_path / "a", "old")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(GancourseError, match="No space left.*free some space"):
        files.write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GancourseError, match="Cannot write"):
        files.write_text(tmp_path / "file" / "below", "x")


def test_bad_json(tmp_path):
    (tmp_path / "a.json").write_text('{"x": ')
    with pytest.raises(GancourseError, match="a.json is not a readable JSON"):
        files.read_json(tmp_path / "a.json")
    with pytest.raises(GancourseError, match="There is no file"):
        files.read_json(tmp_path / "b.json")


def test_nan_is_not_json(tmp_path):
    with pytest.raises(ValueError):
        files.write_json(tmp_path / "a.json", float("nan"))


def test_unknown_names():
    assert "Did you mean mnist" in str(unknown("data set", "mnits", ["mnist", "digits"]))
    assert "Known: digits, mnist" in str(unknown("data set", "zzzz", ["mnist", "digits"]))
