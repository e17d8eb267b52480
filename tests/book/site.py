"""The built book as tests see it: its pages, parsed, and what is wrong with one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup

from tests.conftest import ROOT

HTML = ROOT / "_build/html"


def chapters() -> list[str]:
    """The names in _toc.yml, the root first."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"]] + [c["file"] for part in toc["parts"] for c in part["chapters"]]


def source(name: str) -> Path:
    """The file a page is made from."""
    paths = [ROOT / f"{name}{ending}" for ending in (".md", ".ipynb")]
    return next(path for path in paths if path.exists())


@cache
def soup(path: Path) -> BeautifulSoup:
    """A page, parsed."""
    return BeautifulSoup(path.read_text(), "html.parser")


def page(name: str) -> BeautifulSoup:
    """The page of a chapter, parsed."""
    return soup(HTML / f"{name}.html")


def without_alt(document: BeautifulSoup) -> list[str]:
    """Images that say nothing to who cannot see them."""
    images = document.find_all("img")
    return [str(image)[:120] for image in images if not image.get("alt", "").strip()]


def outside(document: BeautifulSoup) -> list[str]:
    """Files that the page would load from elsewhere (links one may click are not among them)."""
    found = [tag[key] for key in ("src", "data") for tag in document.find_all(attrs={key: True})]
    links = [link for link in document.find_all("link") if "canonical" not in link.get("rel", [])]
    found += [link["href"] for link in links]
    return [url for url in found if urlsplit(url).netloc]


def dead_links(document: BeautifulSoup, path: Path) -> list[str]:
    """Links inside the book, and files of a page, that lead nowhere; anchors included."""
    found = []
    kinds = ["a", "link", "script", "img", "source", "video", "iframe"]
    for tag in document.find_all(kinds):
        url = tag.get("href") or tag.get("src")
        parts = urlsplit(url or "")
        if not url or parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        anchor = unquote(parts.fragment)
        leads = target.is_file()
        if leads and anchor and target.suffix == ".html":
            leads = anchor in anchors(target)
        if not leads:
            found.append(url)
    return found


@cache
def anchors(path: Path) -> frozenset[str]:
    """Every id that a link can end at."""
    return frozenset(tag["id"] for tag in soup(path).find_all(id=True)) | {"top"}
