"""The built pages in Chromium: offline, on a phone, in the dark, and without a mouse."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests import needs
from tests.book.site import HTML, chapters

pytestmark = [pytest.mark.built, needs.chromium()]

WIDER = """() => [...document.querySelectorAll("body *")]
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map((e) => e.tagName + "." + e.className)"""

# Colours fade from one theme to the other: half-way they are neither's.
SETTLED = """() => Promise.allSettled(document.getAnimations()
  .filter((a) => a instanceof CSSTransition).map((a) => a.finished))"""

# The theme lets the keyboard scroll what has become too large, a moment after a resize.
SCROLLABLE = """() => [...document.querySelectorAll(
    "pre, .cell_output > .output, .jp-RenderedHTMLCommon, .pst-scrollable-table-container")]
  .every((e) => e.tabIndex === 0
    || e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight)"""


def serious(page, contrast: bool = True) -> list[str]:
    """What axe calls serious or critical.

    The glyphs of equations are left out: thousands of paths, hidden from screen readers, which read
    the MathML beside them. ``contrast``: whether to check it; it does not change with the width.
    """
    from axe_playwright_python.sync_playwright import Axe

    rules = {"color-contrast": {"enabled": contrast}}
    options = {"resultTypes": ["violations"], "rules": rules}
    context = {"exclude": ["mjx-container > svg"]}
    found = Axe().run(page, context=context, options=options).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node.get('failureSummary', '')}"
        for v in found
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"][:3]
    ]


def sideways(page) -> list[str]:
    """What sticks out of the window, if the page scrolls sideways."""
    width = page.evaluate("document.documentElement.scrollWidth")
    return page.evaluate(WIDER) if width > page.viewport_size["width"] else []


def from_elsewhere(page, own: str) -> list[str]:
    """What the page requested from other places."""
    return [url for url in page.requested if not url.startswith((own, "data:", "blob:"))]


@pytest.mark.parametrize("name", chapters())
def test_opens_from_a_file_without_a_network(name, open_page):
    page = open_page(f"file://{quote(str(HTML / name))}.html")
    assert from_elsewhere(page, "file://") == []
    assert page.failed == [] and page.errors == []
    formulas = page.locator("div.math, span.math").count()
    assert page.locator("mjx-container").count() >= formulas
    assert page.locator("mjx-merror, [data-mjx-error]").count() == 0


@pytest.mark.parametrize("name", chapters())
def test_readable_in_light_and_dark_and_on_a_phone(name, open_page, served):
    page = open_page(f"{served}/{name}.html")
    assert page.failed == [] and from_elsewhere(page, served) == []
    for mode in ("light", "dark"):
        page.emulate_media(color_scheme=mode)
        page.locator(f"html[data-theme={mode}]").wait_for(state="attached")
        page.evaluate(SETTLED)
        assert serious(page) == [], mode
    page.set_viewport_size({"width": 360, "height": 780})
    page.wait_for_function(SCROLLABLE)
    assert sideways(page) == []
    assert serious(page, contrast=False) == [], "on a phone"


@pytest.mark.parametrize("word", ["discriminator", "gancourse"])
def test_search_finds(word, open_page, served):
    page = open_page(f"{served}/search.html?q={word}")
    page.locator("ul.search li a").first.wait_for(timeout=10_000)
    assert page.locator("ul.search li").count() >= 1


def test_search_does_not_find_what_is_not_there(open_page, served):
    page = open_page(f"{served}/search.html?q=qzxjqzxj")
    page.wait_for_timeout(1000)
    assert page.locator("ul.search li").count() == 0


def test_the_checks_see_faults(open_page, tmp_path):
    (tmp_path / "bad.html").write_text(
        "<html lang='en'><title>bad</title><meta name='viewport' content='width=device-width'>"
        "<h1 style='width:900px;color:#aaa;background:#fff'>Hard to read</h1>"
        "<img src='https://example.org/x.png'><script>undefinedFunction()</script></html>"
    )
    page = open_page(f"file://{tmp_path}/bad.html", width=360)
    assert sideways(page) and page.errors
    assert from_elsewhere(page, "file://") == ["https://example.org/x.png"]
    assert {text.split(":")[0] for text in serious(page)} >= {"color-contrast", "image-alt"}
