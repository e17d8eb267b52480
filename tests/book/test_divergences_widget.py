"""The figure of divergences in the built book: from a file, by keyboard, on a phone, in the dark."""

from __future__ import annotations

import math
import time

import pytest

from gancourse.theory import Gaussian, js, kl, value
from tests import needs
from tests.book.figures import (
    COLOURS,
    MOVE,
    check_keyboard,
    check_themes_and_phone,
    check_without_scripts,
    link,
    opener,
    said,
)
from tests.book.site import HTML, chapters, page
from tests.book.test_browser import from_elsewhere

pytestmark = [pytest.mark.built, needs.chromium()]

PAGE = "book/divergences"


@pytest.fixture
def figure(open_page):
    """The page opened from its file, with a fragment or without."""
    return opener(open_page, PAGE)


def number(opened, name: str) -> float:
    text = opened.locator(f".divergences [data-number={name}] td").first.inner_text()
    return math.inf if text == "infinite" else float(text.replace("−", "-"))


def test_only_this_page_loads_it():
    for name in chapters():
        scripts = [tag["src"] for tag in page(name).find_all("script", src=True)]
        assert any("_static/divergences/" in src for src in scripts) == (name == PAGE), name


def test_it_is_light():
    folder = HTML / "_static"
    parts = [*(folder / "widgets").iterdir(), *(folder / "divergences").iterdir()]
    assert sum(part.stat().st_size for part in parts) < 60_000


def test_sliders_change_the_numbers(figure):
    opened = figure()
    assert number(opened, "kl") == pytest.approx(2, abs=1e-4)
    opened.evaluate(MOVE, ["pMean", "0.5"])
    opened.evaluate(MOVE, ["qWidth", "1.5"])
    p, q = Gaussian(0.5, 1), Gaussian(1, 1.5)
    assert number(opened, "kl") == pytest.approx(kl(p, q), abs=1e-4)
    assert number(opened, "reverse") == pytest.approx(kl(q, p), abs=1e-4)
    assert number(opened, "js") == pytest.approx(js(p, q), abs=1e-4)
    opened.evaluate(MOVE, ["slope", "-0.5"])
    theirs = value(p, q, lambda x: -0.5 * (x - 1))
    assert number(opened, "value") == pytest.approx(theirs, abs=1e-4)
    assert number(opened, "gap") == pytest.approx(number(opened, "best") - theirs, abs=2e-4)
    assert opened.errors == [] and opened.failed == []
    assert from_elsewhere(opened, "file://") == []


def test_every_choice_and_every_button(figure):
    opened = figure()
    for name in ("p", "q", "shown", "scale"):
        field = opened.locator(f".divergences [name={name}]")
        for chosen in field.locator("option").evaluate_all("(all) => all.map((o) => o.value)"):
            field.select_option(chosen)
            opened.evaluate(MOVE, ["share", "1"])
            canvases = opened.locator(".divergences canvas")
            assert all(canvas.evaluate(COLOURS) > 20 for canvas in canvases.all()), chosen
    group = opened.get_by_role("group", name="Show me")
    for button in group.get_by_role("button").all():
        button.click()
        opened.evaluate(MOVE, ["share", "1"])
        assert said(opened).startswith(button.inner_text() + ":")
        assert number(opened, "gap") >= 0
    assert opened.errors == []


def test_disjoint_supports_and_the_swap(figure):
    opened = figure()
    opened.get_by_role("button", name="disjoint").click()
    opened.evaluate(MOVE, ["qMean", "3"])
    assert number(opened, "kl") == number(opened, "pearson") == math.inf
    assert [number(opened, name) for name in ("js", "tv", "w1")] == [0.6931, 1, 5]
    label = opened.locator("[data-picture=integrand]").get_attribute("aria-label")
    assert "total variation" in label and "1.0000" in label
    opened.get_by_role("button", name="two widths").click()
    opened.get_by_role("button", name="Swap p and q").click()
    opened.evaluate(MOVE, ["share", "1"])
    assert number(opened, "pearson") == math.inf and number(opened, "kl") < 10


def test_keys_move_a_slider_and_the_numbers_are_read_out(figure):
    opened = figure()
    slider = opened.get_by_label("Mean of p", exact=True)
    slider.focus()
    for _ in range(4):
        opened.keyboard.press("ArrowRight")
    opened.wait_for_timeout(300)
    assert float(slider.input_value()) == pytest.approx(-0.8)
    assert number(opened, "w1") == pytest.approx(1.8)
    heard = opened.locator(".divergences .widget-heard")
    heard.filter(has_text="W1 1.8000").wait_for(state="attached")
    assert heard.get_attribute("aria-live") == "polite"
    assert slider.get_attribute("aria-valuetext") == "−0.80"


def test_the_keyboard_reaches_everything(figure):
    check_keyboard(figure(), ".divergences")


def test_a_link_is_written_and_read(figure):
    opened = figure("#div=1&p=mixture&pSecond=3.25&q=laplace&slope=-2.5&shown=w1")
    field = (
        "() => [...document.querySelectorAll('.divergences [name]')].map((f) => f.name + f.value)"
    )
    before = opened.evaluate(field)
    assert {"pmixture", "pSecond3.25", "qlaplace", "slope-2.5", "shownw1"} <= set(before)
    fragment = link(opened)
    assert "pSecond=3.25" in fragment
    assert figure(fragment).evaluate(field) == before


def test_a_broken_link_says_so_and_the_figure_works(figure):
    opened = figure("#div=1&pMean=wrong&q=%3Cimg%20src=x%3E")
    assert "pMean cannot be wrong" in said(opened) and "<img src=x>" in said(opened)
    assert opened.locator(".divergences img").count() == 0
    assert number(opened, "kl") == pytest.approx(2, abs=1e-4) and opened.errors == []


def test_without_scripts_a_picture_and_a_text_are_there(chromium):
    check_without_scripts(chromium, PAGE)


def test_themes_and_a_phone(figure):
    check_themes_and_phone(figure(width=360), "densities", "Width of q")


def test_a_slider_that_moves_is_followed(figure):
    opened = figure("#div=1&p=mixture&q=mixture")
    began = time.monotonic()
    for step in range(20):
        opened.evaluate(MOVE, ["qMean", str(step / 10)])
    assert time.monotonic() - began < 20
    assert float(opened.locator(".divergences").get_attribute("data-milliseconds")) < 5000


def test_two_figures_in_one_page(figure):
    opened = figure()
    opened.evaluate(
        """() => {
        const other = document.createElement("div");
        other.className = "widget divergences";
        other.dataset.preset = "disjoint";
        document.querySelector("div.divergences").before(other);
        document.querySelectorAll("script[src*=divergences]").forEach((old) => {
          const again = document.createElement("script");
          again.src = old.src; again.async = false;
          document.body.append(again);
        });
      }"""
    )
    opened.locator(".divergences").first.locator("canvas").first.wait_for()
    opened.wait_for_timeout(500)
    ids = opened.evaluate("[...document.querySelectorAll('.divergences [id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)) > 20 and opened.errors == []
