"""Names, places, the table, and what happens without a network."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from gancourse import data
from gancourse.data import download, search
from gancourse.errors import GancourseError
from tests.data.conftest import write_gz

PROMISED = [
    "digits",
    "mnist",
    "fashion-mnist",
    "cifar10",
    "cats-dogs",
    "camvid",
    "oxford-pets",
    "abstract-art",
    "sp500",
    "ring",
    "grid",
    "spiral",
    "two-moons",
    "line",
]


def test_every_name_has_its_description():
    assert set(PROMISED) <= set(data.names())
    for name in data.names():
        info = data.info(name)
        assert info.name == name and info.licence and info.how_to_get and info.about
        assert info.kind in ("images", "points", "series") and "train" in info.splits


def test_unknown_names_and_splits_show_the_nearest():
    for call in (data.load, data.info, data.find):
        with pytest.raises(GancourseError, match="Did you mean fashion-mnist"):
            call("fasion-mnist")
    with pytest.raises(GancourseError, match="split of digits 'tset'. Did you mean test"):
        data.load("digits", "tset")
    with pytest.raises(GancourseError, match="digits takes no option n"):
        data.load("digits", n=5)


def test_places_are_searched_in_order(alone, tiny_mnist, monkeypatch):
    _, contents = tiny_mnist
    first, second = alone / "first", alone / "second"
    monkeypatch.setenv("GANCOURSE_DATA", os.pathsep.join(["first", "", str(second)]))
    cache = search.cache_folder() / "data"
    order = [
        alone / "root" / "mnist",
        first / "MNIST" / "raw",
        second / "mnist",
        alone / "data" / "MNIST" / "raw",
        Path.home() / ".cache" / "torch" / "datasets" / "MNIST" / "raw",
        Path.home() / ".keras" / "datasets" / "mnist",
        cache / "mnist" / "MNIST" / "raw",
        search.DEBIAN / "mnist",
    ]
    assert data.find("mnist", root="root") is None
    for folder in reversed(order):
        write_gz(folder, contents)
        assert data.find("mnist", root="root") == folder
        assert data.load("mnist", root="root", download=False).source == str(folder)
    assert data.find("mnist") == order[1]


def test_a_relative_place_counts_from_the_current_folder(alone, tiny_mnist, monkeypatch):
    write_gz(alone.parent / "shared" / "mnist", tiny_mnist[1])
    monkeypatch.setenv("GANCOURSE_DATA", "../shared")
    assert data.find("mnist") == alone.parent / "shared" / "mnist"


def test_a_place_that_may_not_be_looked_into_is_passed_over(alone, monkeypatch):
    (alone / "file").write_text("not a folder")
    # A name too long is an error to the system, as a folder without permission is.
    monkeypatch.setenv("GANCOURSE_DATA", os.pathsep.join(["file", "/nowhere/at/all", "x" * 300]))
    assert data.find("mnist") is None


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cats-dogs", "camvid", "oxford-pets"])
def test_absence_names_the_places_and_the_ways(alone, monkeypatch, name):
    monkeypatch.setenv("GANCOURSE_DATA", "my-data")
    with pytest.raises(GancourseError) as error:
        data.load(name, root="my-root", download=False)
    text = str(error.value)
    assert f"The data set {name} is not on this machine" in text
    assert data.info(name).how_to_get in text
    for place in search.places("my-root"):
        assert str(place) in text
    assert str(alone / "my-data") in text and str(alone / "my-root") in text


def test_offline_the_error_comes_soon(alone, monkeypatch):
    monkeypatch.setattr(download, "address", lambda name: "http://127.0.0.1:9/")
    start = time.monotonic()
    with pytest.raises(GancourseError, match="127.0.0.1:9 does not answer"):
        data.load("mnist")
    assert time.monotonic() - start < 2 * download.PROBE_SECONDS


def test_a_name_server_that_never_answers_costs_seconds_at_most(monkeypatch):
    end = threading.Event()

    def wait(*_, **__):
        end.wait(60)
        raise OSError("no answer")

    monkeypatch.setattr(download.urllib.request, "urlopen", wait)
    start = time.monotonic()
    assert not download.reachable("http://example.invalid/", seconds=0.2)
    assert time.monotonic() - start < 10
    end.set()


def test_what_cannot_be_downloaded_is_not_tried(alone, monkeypatch):
    monkeypatch.setattr(download, "reachable", lambda url: pytest.fail("tried"))
    with pytest.raises(GancourseError, match="cats_and_dogs_filtered.zip"):
        data.load("cats-dogs")


def test_table(alone, tiny_mnist, monkeypatch):
    write_gz(alone / "data" / "mnist", tiny_mnist[1])
    lines = data.table().splitlines()
    assert max(map(len, lines)) <= 100
    starts = {line.split()[0]: line for line in lines if line and line[0] != " "}
    assert set(PROMISED[:9]) <= set(starts)
    assert "70,000" in starts["mnist"] and "1x28x28" in starts["mnist"]
    assert starts["mnist"].endswith("data/mnist")
    assert "not here" in starts["cifar10"] and "3x?x?" in starts["oxford-pets"]
    assert "two-moons" in data.table()
