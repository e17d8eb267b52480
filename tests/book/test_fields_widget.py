"""The figure of vector fields in the built book: from a file, by keyboard, on a phone, in the dark."""

from __future__ import annotations

import pytest

from gancourse.theory import dynamics, smooth_games
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

PAGE = "book/vector-fields"


@pytest.fixture
def figure(open_page):
    """The page opened from its file, with a fragment or without."""
    return opener(open_page, PAGE)


def text(opened, name: str) -> str:
    return opened.locator(f".fields [data-number={name}] td").inner_text()


def factor(opened, name: str) -> float:
    return float(text(opened, name).split(":")[0])


def runs(opened) -> str:
    """What the picture's description says of its runs."""
    label = opened.locator("[data-picture=plane]").get_attribute("aria-label")
    return label.split(" with ")[1].split(" runs")[0]


def settle(opened) -> None:
    opened.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def test_only_this_page_loads_it():
    for name in chapters():
        scripts = [tag["src"] for tag in page(name).find_all("script", src=True)]
        assert any("_static/fields/" in src for src in scripts) == (name == PAGE), name


def test_it_is_light():
    folder = HTML / "_static"
    parts = [*(folder / "widgets").iterdir(), *(folder / "fields").iterdir()]
    assert sum(part.stat().st_size for part in parts) < 60_000


def test_sliders_change_the_numbers(figure):
    opened = figure()
    assert factor(opened, "rate") == pytest.approx(1.01**0.5, abs=1e-4)
    assert factor(opened, "measured") == pytest.approx(1.01**0.5, abs=1e-4)
    opened.evaluate(MOVE, ["step", "0.3"])
    assert factor(opened, "rate") == pytest.approx(1.09**0.5, abs=1e-4)
    opened.locator(".fields [name=game]").select_option("non-saturating")
    opened.evaluate(MOVE, ["gamma", "0.8"])
    game = smooth_games.dirac_gan("non-saturating", 0.8)
    rate = dynamics.predicted_rate(game, "simultaneous", 0.3)
    assert factor(opened, "rate") == pytest.approx(rate, abs=1e-4)
    assert text(opened, "rate").endswith("converges")
    stable = dynamics.largest_stable_step(game, "simultaneous")
    assert float(text(opened, "stable")) == pytest.approx(stable, abs=1e-3)
    assert opened.errors == [] and opened.failed == []
    assert from_elsewhere(opened, "file://") == []


def test_every_game_by_every_algorithm(figure):
    opened = figure()
    options = "(all) => all.map((o) => o.value)"
    for name in ("game", "algorithm", "arrows"):
        field = opened.locator(f".fields [name={name}]")
        for chosen in field.locator("option").evaluate_all(options):
            field.select_option(chosen)
            settle(opened)
            assert "nan" not in text(opened, "step").lower()
            canvases = opened.locator(".fields canvas")
            assert all(canvas.evaluate(COLOURS) > 5 for canvas in canvases.all()), chosen
    # Four dots for the method that remembers.
    opened.locator(".fields [name=algorithm]").select_option("optimistic")
    settle(opened)
    assert text(opened, "step").count(", ") == 3
    assert opened.errors == []


def test_buttons_show_what_they_say(figure):
    opened = figure()
    words = {
        "why descent circles": "diverges",
        "R1 stops it": "converges",
        "too large a step": "diverges",
        "extragradient converges": "converges",
        "a duopoly converges": "converges",
    }
    for name, word in words.items():
        opened.get_by_role("button", name=name).click()
        assert said(opened).startswith(name + ":")
        opened.get_by_role("button", name="Draw at once").click()
        settle(opened)
        assert text(opened, "rate").endswith(word) and text(opened, "measured").endswith(word)
    opened.get_by_label("Algorithm", exact=True).select_option("alternating")
    opened.get_by_label("Game", exact=True).select_option("bilinear")
    settle(opened)
    assert text(opened, "rate") == "1.0000: circles"
    assert text(opened, "measured").endswith("circles")


def test_runs_are_released_by_mouse_and_by_keyboard(figure):
    opened = figure("#field=1")
    assert runs(opened) == "0" and text(opened, "measured") == "no run yet"
    opened.get_by_role("button", name="Play").click()
    assert said(opened).startswith("Click or tap")
    plane = opened.locator("[data-picture=plane]")
    box = plane.bounding_box()
    plane.click(position={"x": box["width"] * 0.75, "y": box["height"] * 0.5})
    settle(opened)
    assert runs(opened) == "1" and said(opened).startswith("Released at 1.1")
    pause = opened.get_by_role("button", name="Pause")
    pause.click()
    assert opened.get_by_role("button", name="Play").is_visible()
    plane.focus()
    for key in ("ArrowLeft", "ArrowUp"):
        opened.keyboard.press(key)
    assert said(opened).startswith("Cross at 1.0, 0.1")
    opened.keyboard.press("Enter")
    settle(opened)
    assert runs(opened) == "2"
    opened.keyboard.press("Backspace")
    settle(opened)
    assert runs(opened) == "1"
    opened.get_by_role("button", name="Clear").click()
    settle(opened)
    assert runs(opened) == "0" and opened.errors == []


def test_a_run_plays_pauses_and_goes_step_by_step(figure):
    opened = figure("#field=1&game=quadratic&starts=1.5,0")
    play = opened.locator(".fields [data-do=play]")
    play.click()
    assert play.inner_text() == "Pause"
    opened.wait_for_function(
        "() => /^[01]\\.\\d+/.test(document.querySelector('[data-number=measured] td').textContent)"
    )
    play.click()
    settle(opened)
    stopped = text(opened, "measured")
    opened.wait_for_timeout(300)
    assert text(opened, "measured") == stopped
    opened.get_by_role("button", name="One step").click()
    opened.get_by_role("button", name="Draw at once").click()
    settle(opened)
    assert factor(opened, "measured") == pytest.approx(factor(opened, "rate"), abs=1e-3)
    heard = opened.locator(".fields .widget-heard")
    heard.filter(has_text="Measured factor").wait_for(state="attached")


def test_who_wants_less_motion_gets_the_run_at_once(figure):
    opened = figure("#field=1&game=duopoly")
    opened.emulate_media(reduced_motion="reduce")
    opened.locator("[data-picture=plane]").focus()
    opened.keyboard.press("Enter")
    settle(opened)
    assert opened.locator(".fields [data-do=play]").inner_text() == "Play"
    assert text(opened, "measured").endswith("converges")


def test_the_keyboard_reaches_everything(figure):
    check_keyboard(figure(), ".fields")


def test_a_link_is_written_and_read(figure):
    opened = figure("#field=1&game=wgan&gamma=0.35&algorithm=consensus&step=0.42&starts=1,0.5;-2,1")
    field = "() => [...document.querySelectorAll('.fields [name]')].map((f) => f.name + f.value)"
    before = opened.evaluate(field)
    assert {"gamewgan", "gamma0.35", "algorithmconsensus", "step0.42"} <= set(before)
    assert runs(opened) == "2"
    fragment = link(opened)
    assert "gamma=0.35" in fragment
    again = figure(fragment)
    assert again.evaluate(field) == before and runs(again) == "2"


def test_a_broken_link_says_so_and_the_figure_works(figure):
    opened = figure("#field=1&step=wrong&game=%3Cimg%20src=x%3E")
    assert "step cannot be wrong" in said(opened) and "<img src=x>" in said(opened)
    assert opened.locator(".fields img").count() == 0
    assert factor(opened, "rate") > 1 and opened.errors == []


def test_without_scripts_a_picture_and_a_text_are_there(chromium):
    check_without_scripts(chromium, PAGE)


def test_themes_and_a_phone(figure):
    check_themes_and_phone(figure(width=360), "plane", "Step size")
