"""Downloads from a server of the test's own: whole, once, or nothing."""

from __future__ import annotations

import gzip
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torchvision

from gancourse import data
from gancourse.data import download, search
from gancourse.errors import GancourseError
from tests.data.conftest import write_gz


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(alone, tiny_mnist, monkeypatch):
    """torchvision's MNIST, pointed at a folder on this machine; returns the folder."""
    folder = write_gz(alone / "www", tiny_mnist[1])
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        kind = torchvision.datasets.MNIST
        monkeypatch.setattr(kind, "mirrors", [f"http://127.0.0.1:{http.server_port}/"])
        sums = [
            (path.name, hashlib.md5(path.read_bytes()).hexdigest())
            for path in sorted(folder.iterdir())
        ]
        monkeypatch.setattr(kind, "resources", sums)
        yield folder
        http.shutdown()


def test_a_download_is_kept_in_the_cache_and_found_again(server, alone):
    loaded = data.load("mnist")
    cache = search.cache_folder() / "data"
    assert len(loaded) == 7 and loaded.source == str(cache / "mnist" / "MNIST" / "raw")
    for path in server.iterdir():
        path.unlink()
    assert len(data.load("mnist", "test")) == 3
    assert [path.name for path in cache.iterdir() if path.is_dir()] == ["mnist"]


def test_root_takes_the_download(server, alone):
    assert data.load("mnist", root="mine").source.startswith(str(alone / "mine"))


def test_a_wrong_checksum_leaves_nothing(server):
    path = next(server.glob("train-images*"))
    path.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(GancourseError, match="download of mnist.*failed"):
        data.load("mnist")
    assert not [path for path in (search.cache_folder() / "data").iterdir() if path.is_dir()]


def test_a_missing_file_leaves_nothing(server):
    next(server.glob("t10k-labels*")).unlink()
    with pytest.raises(GancourseError, match="download of mnist.*failed"):
        data.load("mnist")
    assert data.find("mnist") is None


def test_a_folder_that_cannot_be_written_is_named(server, alone):
    (alone / "file").write_text("in the way")
    with pytest.raises(GancourseError, match="file"):
        data.load("mnist", root="file")


def test_the_second_of_two_finds_what_the_first_fetched(server, alone, monkeypatch):
    data.load("mnist")
    monkeypatch.setattr(download, "_torchvision", lambda name: pytest.fail("fetched again"))
    download.fetch("MNIST", search.cache_folder() / "data" / "mnist")


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "CIFAR10", "OxfordIIITPet"])
def test_torchvision_still_says_where_it_downloads_from(name):
    assert download.address(name).startswith("http")
