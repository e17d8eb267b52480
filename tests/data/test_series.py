"""The S&P 500, from arch and without it."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from gancourse import data
from gancourse.data import series
from gancourse.errors import GancourseError
from tests import needs

HEAD = "Date,Open,High,Low,Close,Adj Close,Volume\n"


@needs.data("sp500")
def test_sp500():
    index = data.load("sp500")
    assert len(index) == data.info("sp500").items == 5_031
    assert index.dates.dtype == "datetime64[D]" and index.values.dtype == np.float64
    assert str(index.dates[0]) == "1999-01-04" and str(index.dates[-1]) == "2018-12-31"
    assert index.values[0] == 1228.099976 and index.values[-1] == 2506.850098
    assert index.licence and index.citation and index.unit


def test_without_arch_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(series.importlib.util, "find_spec", lambda name: None)
    assert data.find("sp500") is None
    with pytest.raises(GancourseError, match=r"gancourse\[finance\]"):
        data.load("sp500")


ROW = "1/{},1,1,1,1,{},9\n"


@pytest.mark.parametrize(
    "content",
    [
        b"no gzip",
        gzip.compress(HEAD.encode() + b"1/4/1999,1,1\n"),
        gzip.compress((HEAD + ROW.format("4/1999", "x")).encode()),
        gzip.compress((HEAD + ROW.format("5/1999", 1) + ROW.format("4/1999", 1)).encode()),
        gzip.compress((HEAD + ROW.format("4/1999", 1) + ROW.format("5/1999", -1)).encode()),
        gzip.compress((HEAD + ROW.format("4/1999", 1) + ROW.format("5/1999", "nan")).encode()),
        gzip.compress(HEAD.encode()),
        gzip.compress((HEAD * 50).encode())[:-12],
    ],
    ids=["no gzip", "short row", "no number", "backwards", "negative", "nan", "empty", "cut"],
)
def test_a_spoiled_file_is_refused(tmp_path, monkeypatch, content):
    path = tmp_path / "sp500.csv.gz"
    path.write_bytes(content)
    monkeypatch.setattr(series.SP500Series, "find", lambda *_: path)
    with pytest.raises(GancourseError, match="sp500.csv.gz"):
        data.load("sp500")
