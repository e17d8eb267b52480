"""The built pages, read as files: all there, described, linked, and nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.book.site import HTML, anchors, chapters, dead_links, outside, page, source, without_alt
from tests.conftest import ROOT

pytestmark = pytest.mark.built
MADE_BY_SPHINX = {"index", "genindex", "search", "py-modindex", "prf-prf", "proof-proof"}


def test_pages_are_those_of_the_contents():
    built = {str(p.relative_to(HTML).with_suffix("")) for p in HTML.rglob("*.html")}
    built = {name for name in built if not name.startswith(("_static/", "_modules/"))}
    assert built - MADE_BY_SPHINX == set(chapters())


def test_chapters_are_numbered_and_linked_in_order():
    names = chapters()
    for before, after in zip(names, names[1:], strict=False):
        following = page(before).select_one("a.right-next")
        assert following and (HTML / before).parent.joinpath(following["href"]).resolve() == (
            HTML / f"{after}.html"
        )


@pytest.mark.parametrize("name", chapters())
def test_images_are_described(name):
    assert without_alt(page(name)) == []


@pytest.mark.parametrize("name", chapters())
def test_figures_have_number_and_caption(name):
    for figure in page(name).find_all("figure"):
        if "film" in figure.get("class", []):  # a player, not one of the numbered figures
            assert figure.select_one("figcaption").text
            continue
        assert figure.select_one(".caption-number") and figure.select_one(".caption-text")
        assert figure.get("id")


@pytest.mark.parametrize("name", chapters())
def test_links_inside_the_book_lead_somewhere(name):
    assert dead_links(page(name), HTML / f"{name}.html") == []


@pytest.mark.parametrize("name", chapters())
def test_nothing_is_loaded_from_elsewhere(name):
    assert outside(page(name)) == []


@pytest.mark.parametrize("name", chapters())
def test_colab_button_on_notebooks_only(name):
    links = [a["href"] for a in page(name).select("a[href*='colab.research.google.com']")]
    if source(name).suffix == ".ipynb":
        assert any(link.endswith(f"/blob/main/{name}.ipynb") for link in links)
    else:
        launch = page(name).select(".dropdown-launch-buttons, a.btn[href*='colab']")
        assert not launch


@pytest.mark.parametrize("name", [n for n in chapters() if n.startswith("notebooks/")])
def test_stored_outputs_are_on_the_page(name):
    cells = json.loads(source(name).read_text())["cells"]
    data = [o.get("data", {}) for c in cells for o in c.get("outputs", [])]
    images = sum("image/png" in one for one in data)
    films = sum('class="film"' in "".join(one.get("text/html", "")) for one in data)
    assert len(page(name).select(".cell_output img")) == images + films
    assert page(name).select(".cell_output")


def test_every_public_name_is_on_one_api_page():
    path = ROOT / "book/_extensions/api_page.py"
    spec = importlib.util.spec_from_file_location("api_page", path)
    api = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(api)
    pages = [api.FIRST, *api.PAGES]
    names = [name for one in pages for name in api.on_page(one)]
    assert sorted(names) == sorted(api.modules())  # each module on one page
    for one in pages:
        found, here = anchors(HTML / f"{one}.html"), api.on_page(one)
        assert {f"module-{name}" for name in here} <= found and len(here) > 3, one
    found = set().union(*(anchors(HTML / f"{one}.html") for one in pages))
    public = {
        api.address(value) for name in names for value in api.public(sys.modules[name]).values()
    }
    assert len(public) > 40
    assert "gancourse.metrics.extractors.extractor" in public  # a cached function
    assert public <= found, sorted(public - found)


def test_index_leads_to_the_first_page():
    assert re.search(rf"url={chapters()[0]}\.html", (HTML / "index.html").read_text())


def test_the_checks_see_faults():
    path = HTML / "book/welcome.html"
    document = BeautifulSoup(
        "<img src='x.png'><script src='https://cdn.example.org/a.js'></script>"
        "<a href='nowhere.html'>a</a><a href='#no-anchor'>b</a><img alt='logo' src='//e.org/b.png'>"
        "<a href='https://example.org/'>fine</a><a href='run.html'>fine</a>",
        "html.parser",
    )
    assert len(without_alt(document)) == 1
    assert outside(document) == ["https://cdn.example.org/a.js", "//e.org/b.png"]
    assert dead_links(document, Path(path)) == ["nowhere.html", "#no-anchor", "x.png"] or set(
        dead_links(document, path)
    ) == {"nowhere.html", "#no-anchor", "x.png"}
