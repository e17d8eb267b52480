"""The latent explorer in the built book: from a file, by keyboard, on a phone, in the dark."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import torch

import gancourse
from tests import needs
from tests.book.figures import (
    COLOURS,
    MOVE,
    address,
    check_keyboard,
    check_themes_and_phone,
    check_without_scripts,
    link,
    opener,
    said,
)
from tests.book.site import chapters, page
from tests.book.test_browser import from_elsewhere

pytestmark = [pytest.mark.built, needs.chromium()]

PAGE = "book/latent-explorer"
# The grey levels of an image of the sheet, as they stand on its canvas.
SHOWN = """(cell) => {
  const canvas = cell.querySelector("canvas");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return [...data].filter((_, i) => i % 4 === 0);
}"""


@pytest.fixture
def figure(open_page):
    """The page opened from its file, with a fragment or without."""
    return opener(open_page, PAGE)


def text(opened, name: str) -> str:
    return opened.locator(f".latent [data-number={name}] td").inner_text()


def number(opened, name: str) -> float:
    return float(text(opened, name).split(" ")[0])


def settle(opened) -> None:
    """Until what has changed is drawn, the sheet too, whose images come a few at a time."""
    opened.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    opened.locator(".explorer-sheet[aria-busy=false]").wait_for()


def sheet(opened) -> list[list[int]]:
    settle(opened)
    return [cell.evaluate(SHOWN) for cell in opened.locator(".explorer-sheet button").all()]


def test_only_this_page_loads_it():
    for name in chapters():
        scripts = [tag["src"] for tag in page(name).find_all("script", src=True)]
        assert any("_static/latent/" in src for src in scripts) == (name == PAGE), name


def test_it_adds_about_a_megabyte_to_what_every_page_loads(figure, open_page):
    """What only this page asks for, itself among it; from nowhere else, and nothing missing."""
    opened, other = figure(), open_page(address("book/glossary"))
    assert from_elsewhere(opened, "file://") == [] and opened.failed == []
    paths = [{unquote(urlsplit(url).path) for url in p.requested} for p in (opened, other)]
    own = [Path(path) for path in paths[0] - paths[1]]
    assert 0.9e6 < sum(path.stat().st_size for path in own) < 1.2e6, own


def test_the_sheet_is_what_the_package_draws(figure):
    opened = figure("#latent=1&seed=7")
    ours = torch.tensor(sheet(opened)).view(16, 1, 28, 28)
    theirs = gancourse.load("dcgan/fashion-mnist").sample(16, seed=7).int()
    assert (ours - theirs).abs().max() <= 1
    # 1e-3 is the tolerance of gancourse.export; far less is expected.
    assert "10⁻" in text(opened, "torch") or float(text(opened, "torch")) < 1e-3
    assert number(opened, "time") < 100
    assert opened.errors == []


def test_presses_choose_the_two_images(figure):
    opened = figure()
    opened.locator(".explorer-sheet button").nth(3).click()
    settle(opened)
    assert said(opened) == "Image 4 of seed 0 is the first image now."
    assert number(opened, "first") == 0
    opened.get_by_label("A press on the sheet chooses").select_option("b")
    opened.get_by_role("button", name="Next seed").click()
    cell = opened.get_by_role("button", name="Image 9 of seed 1")
    cell.focus()
    opened.keyboard.press("Enter")
    settle(opened)
    assert number(opened, "second") == 0 and number(opened, "first") > 5
    assert "second" in cell.get_attribute("aria-label")
    opened.evaluate(MOVE, ["t", "0.5"])
    label = opened.locator("[data-picture=image]").get_attribute("aria-label")
    assert "50 % of the arc from image 4 of seed 0 to image 9 of seed 1" in label
    assert number(opened, "first") > 0 and number(opened, "second") > 0
    assert opened.errors == []


def test_a_hand_on_the_strip_is_followed(figure):
    opened = figure("#latent=1&t=0.5")
    canvas = opened.locator("[data-picture=image]")
    field = opened.locator(".latent [name=t]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + 60)  # on the image: nothing
    assert field.input_value() == "0.5"
    low = box["y"] + box["height"] - 20
    opened.mouse.move(box["x"] + 4, low)
    opened.mouse.down()
    settle(opened)
    assert field.input_value() == "0" and number(opened, "first") == 0
    opened.mouse.move(box["x"] + 0.75 * box["width"], low - 100, steps=3)
    opened.mouse.up()
    settle(opened)
    assert 0.7 < float(field.input_value()) < 0.85 and number(opened, "second") > 0
    opened.mouse.move(box["x"] + 4, low)
    assert float(field.input_value()) > 0.7


def test_a_finger_on_a_phone(figure):
    """A tap chooses an image of the sheet, and the strip follows a finger along it."""
    opened = figure("#latent=1&t=0.5", width=360, touch=True)
    cell = opened.get_by_role("button", name="Image 4 of seed 0")
    cell.tap()
    settle(opened)
    assert said(opened) == "Image 4 of seed 0 is the first image now."
    canvas = opened.locator("[data-picture=image]")
    canvas.scroll_into_view_if_needed()
    field = opened.locator(".latent [name=t]")
    box = canvas.bounding_box()
    finger = opened.context.new_cdp_session(opened)
    y = box["y"] + box["height"] - 20
    for kind, share in (
        ("Start", 0.02),
        ("Move", 0.3),
        ("Move", 0.6),
        ("Move", 0.8),
        ("End", None),
    ):
        at = [] if share is None else [{"x": box["x"] + share * box["width"], "y": y}]
        finger.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})
        if kind == "Start":
            settle(opened)
            assert field.input_value() == "0" and number(opened, "first") == 0
    settle(opened)
    assert 0.7 < float(field.input_value()) < 0.9 and opened.errors == []
    # Elsewhere on the picture a finger scrolls the page.
    before = opened.evaluate("() => scrollY")
    opened.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 60)
    assert 0.7 < float(field.input_value()) < 0.9
    assert opened.evaluate("() => scrollY") == before


def test_a_sheet_that_takes_long_does_not_stop_the_rest(figure):
    """The image is there after one picture, whatever the sheet takes; nothing old stays on it."""
    opened = figure()
    before = sheet(opened)
    busy = opened.evaluate("""() => {
      const generate = Latent.generate;
      Latent.generate = (...all) => {
        const until = performance.now() + 8;
        while (performance.now() < until);
        return generate(...all);
      };
      const field = document.querySelector(".latent [name=d1]");
      field.value = -4;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      return new Promise((done) => requestAnimationFrame(() =>
        done(document.querySelector(".explorer-sheet").ariaBusy)));
    }""")
    assert (
        busy == "true" and float(opened.locator(".latent").get_attribute("data-milliseconds")) < 150
    )
    after = sheet(opened)
    assert all(ours != theirs for ours, theirs in zip(before, after, strict=True))


def test_a_seed_is_typed(figure):
    opened = figure()
    field = opened.get_by_label("Seed of the sheet, 0 to 999")
    field.fill("7")
    theirs = gancourse.load("dcgan/fashion-mnist").sample(16, seed=7).int()
    assert (torch.tensor(sheet(opened)).view(16, 1, 28, 28) - theirs).abs().max() <= 1
    before = sheet(opened)
    for wrong in ("1000", "", "1.5"):
        field.fill(wrong)
        assert sheet(opened) == before, wrong
        assert (field.get_attribute("aria-invalid") == "true") == (wrong != "")
    assert "A seed is a whole number from 0 to 999; this is the sheet of seed 7" in said(opened)
    field.fill("8")
    assert sheet(opened) != before and field.get_attribute("aria-invalid") is None
    assert opened.errors == []


def test_the_line_is_shorter_than_the_arc(figure):
    opened = figure("#latent=1&t=0.5&b=5.5")
    arc = number(opened, "length")
    opened.get_by_label("Way", exact=True).select_option("straight")
    settle(opened)
    assert 8.5 < arc < 11.5 and number(opened, "length") < 0.8 * arc


def test_directions_and_truncation_change_the_sheet(figure):
    opened = figure()
    before = torch.tensor(sheet(opened)).float()

    def change() -> float:
        return float((torch.tensor(sheet(opened)).float() - before).square().mean().sqrt())

    opened.evaluate(MOVE, ["d6", "6"])
    weak = change()
    opened.get_by_role("button", name="Directions to 0").click()
    settle(opened)
    assert change() == 0
    opened.evaluate(MOVE, ["d1", "-5"])
    assert change() > 10 * weak > 0
    opened.get_by_role("button", name="Directions to 0").click()
    opened.evaluate(MOVE, ["threshold", "0.5"])
    assert change() > 20 and number(opened, "length") < 4
    opened.evaluate(MOVE, ["threshold", "4"])
    assert change() == 0
    assert opened.locator("[data-row=threshold] output").inner_text() == "none"


def test_buttons_show_what_they_say(figure):
    opened = figure()
    for name in (
        "half-way along the arc",
        "half-way, straight",
        "one direction for all",
        "a direction that hardly matters",
        "truncated",
        "a sheet of samples",
    ):
        opened.get_by_role("button", name=name, exact=True).click()
        settle(opened)
        assert said(opened).startswith(name + ":")
        assert opened.locator("[data-picture=image]").evaluate(COLOURS) > 20
    assert opened.errors == []


def test_it_plays_and_pauses(figure):
    opened = figure()
    play = opened.locator(".latent [data-do=play]")
    play.click()
    assert play.inner_text() == "Pause"
    opened.wait_for_function("() => +document.querySelector('.latent [name=t]').value > 0.05")
    play.click()
    settle(opened)
    field = opened.locator(".latent [name=t]")
    stopped = field.input_value()
    opened.wait_for_timeout(300)
    assert field.input_value() == stopped and play.inner_text() == "Play"
    heard = opened.locator(".latent .widget-heard")
    heard.filter(has_text="Changed by").wait_for(state="attached")


def test_who_wants_less_motion_goes_step_by_step(figure):
    opened = figure()
    opened.emulate_media(reduced_motion="reduce")
    play = opened.locator(".latent [data-do=play]")
    for expected in ("0.1", "0.2"):
        play.click()
        assert opened.locator(".latent [name=t]").input_value() == expected
    assert play.inner_text() == "Play"


def test_the_keyboard_reaches_everything(figure):
    check_keyboard(figure(), ".latent")


def test_a_link_is_written_and_read(figure):
    opened = figure("#latent=1&seed=12&a=3.15&b=999.0&t=0.25&way=straight&d2=-1.5")
    field = "() => [...document.querySelectorAll('.latent [name]')].map((f) => f.name + f.value)"
    before = opened.evaluate(field)
    assert {"seed12", "t0.25", "waystraight", "d2-1.5"} <= set(before)
    fragment = link(opened)
    assert "a=3.15" in fragment
    again = figure(fragment)
    assert again.evaluate(field) == before and sheet(again) == sheet(opened)


def test_a_broken_link_says_so_and_the_figure_works(figure):
    opened = figure("#latent=1&seed=wrong&a=%3Cimg%20src=x%3E")
    assert "seed cannot be wrong" in said(opened) and "<img src=x>" in said(opened)
    assert opened.locator(".latent img").count() == 0 and opened.errors == []


def test_without_scripts_a_picture_and_a_text_are_there(chromium):
    check_without_scripts(chromium, PAGE)


def test_themes_and_a_phone(figure):
    check_themes_and_phone(figure(width=360), "image", "From the first to the second")
