"""The GAN laboratory in the built book: from a file, by keyboard, on a phone, in the dark."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests import needs
from tests.book.figures import check_keyboard, link
from tests.book.site import HTML, chapters, page

pytestmark = [pytest.mark.built, needs.chromium()]

PAGE = "book/laboratory"
COLOURS = """(canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(data.buffer)).size;
}"""


@pytest.fixture
def lab(open_page):
    """The page opened from its file, with a fragment or without."""

    def open_(fragment: str = "", width: int = 1280):
        opened = open_page(f"file://{quote(str(HTML / PAGE))}.html{fragment}", width=width)
        opened.locator(".gan-lab-picture").wait_for()
        return opened

    return open_


def now(opened) -> str:
    return opened.locator(".gan-lab-now").inner_text()


def said(opened) -> str:
    return opened.locator(".gan-lab-said[role=status] span").first.inner_text()


def test_only_this_page_loads_it():
    for name in chapters():
        scripts = [tag["src"] for tag in page(name).find_all("script", src=True)]
        assert any("_static/lab/" in src for src in scripts) == (name == PAGE), name


def test_a_reader_without_scripts_is_told():
    assert len(page(PAGE).select_one("div.gan-lab").get_text(" ", strip=True)) > 200


def test_it_moves_when_told_and_only_then(lab):
    opened = lab()
    opened.wait_for_timeout(500)
    assert now(opened).startswith("Step 0.")
    picture = opened.locator(".gan-lab-picture")
    assert picture.evaluate(COLOURS) > 20
    opened.get_by_role("button", name="One D step").click()
    assert now(opened).startswith("Step 0.") and "D made one step" in said(opened)
    opened.get_by_role("button", name="One G step").click()
    assert now(opened).startswith("Step 1.")
    opened.get_by_role("button", name="One step").click()
    assert now(opened).startswith("Step 2.")
    opened.get_by_role("button", name="Play").click()
    opened.wait_for_function(
        "() => !/^Step \\d{1,2}\\./.test(document.querySelector('.gan-lab-now').textContent)"
    )
    opened.get_by_role("button", name="Pause").click()
    stopped = now(opened)
    opened.wait_for_timeout(300)
    assert now(opened) == stopped and "modes covered" in stopped
    assert opened.locator(".gan-lab-heard").text_content() == stopped
    opened.get_by_role("button", name="Reset").click()
    assert now(opened).startswith("Step 0.")
    assert opened.errors == [] and opened.failed == []


def test_every_choice_takes_a_step(lab):
    opened = lab()
    opened.locator(".gan-lab summary").click()
    for box in opened.locator(".gan-lab fieldset input").all():
        box.check()
    for name in ("data", "loss", "noise", "activation"):
        field = opened.locator(f".gan-lab [name={name}]")
        for value in field.locator("option").evaluate_all("(all) => all.map((o) => o.value)"):
            field.select_option(value)
            opened.get_by_role("button", name="One step").click()
            assert ("Click into the picture" in said(opened)) == (value == "drawn")
        field.select_option(field.locator("option").first.get_attribute("value"))
    assert opened.errors == []


def test_presets_and_slow_motion(lab):
    opened = lab()
    group = opened.get_by_role("group", name="Show me")
    for button in group.get_by_role("button").all():
        button.click()
        assert said(opened).startswith(button.inner_text()) and now(opened).startswith("Step 0.")
    opened.get_by_label("slow").check()
    opened.get_by_role("button", name="Play").click()
    assert now(opened).startswith("D step 1")
    opened.get_by_text("G step:").first.wait_for()
    assert opened.errors == []


def test_it_covers_the_ring_from_a_fixed_seed(lab):
    opened = lab("#lab=1&data=ring&seed=1")
    opened.get_by_role("button", name="Play").click()
    # The line as it stands at that moment: the steps until a click on Pause may lose a mode again.
    covered = opened.wait_for_function(
        "() => (document.querySelector('.gan-lab-now').textContent"
        ".match(/^Step (\\d+)\\. 8 of 8 modes covered/) || [null, ''])[1]"
    )
    step = int(covered.json_value())
    assert 100 < step < 1500  # the same in Node: tests/theory/test_lab.py
    assert opened.errors == [] and opened.failed == []


def test_points_are_drawn_by_mouse_and_by_keyboard(lab):
    opened = lab("#lab=1&data=drawn")
    picture = opened.locator(".gan-lab-picture")
    picture.click(position={"x": 40, "y": 60})
    assert said(opened).startswith("1 points")
    picture.focus()
    for key in ("ArrowLeft", "ArrowUp", "Enter"):
        opened.keyboard.press(key)
    assert said(opened).startswith("2 points")
    opened.keyboard.press("Backspace")
    assert said(opened).startswith("1 points")
    opened.get_by_role("button", name="One step").click()
    assert "of 1 modes" in now(opened)


def test_a_link_is_written_and_read(lab):
    opened = lab("#lab=1&data=grid&loss=relativistic&k=7&seed=11")
    field = "() => [...document.querySelectorAll('.gan-lab [name]')].map((f) => f.name + f.value)"
    before = opened.evaluate(field)
    assert {"datagrid", "lossrelativistic", "k7", "seed11"} <= set(before)
    fragment = link(opened)
    assert "seed=11" in fragment
    assert lab(fragment).evaluate(field) == before


def test_a_broken_link_says_so_and_the_laboratory_works(lab):
    opened = lab("#lab=1&k=wrong&loss=%3Cimg%20src=x%3E")
    assert "k cannot be wrong" in said(opened) and "<img src=x>" in said(opened)
    assert opened.locator(".gan-lab img").count() == 0
    opened.get_by_role("button", name="One step").click()
    assert now(opened).startswith("Step 1.") and opened.errors == []


def test_the_keyboard_reaches_everything(lab):
    check_keyboard(lab(), ".gan-lab")


def test_themes_and_a_phone(lab):
    opened = lab(width=360)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    first = opened.locator(".gan-lab-picture")
    pixel = "(c) => [...c.getContext('2d').getImageData(1, c.height - 2, 1, 1).data]"
    opened.get_by_label("D: where").uncheck()
    colours = []
    for theme in ("light", "dark"):
        opened.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        opened.wait_for_timeout(200)
        colours.append(sum(first.evaluate(pixel)[:3]))
    assert colours[0] > 700 and colours[1] < 150


def test_who_wants_less_motion_gets_a_picture_a_second(lab):
    opened = lab()
    opened.emulate_media(reduced_motion="reduce")
    opened.evaluate(
        """() => { window.pictures = 0; const draw = GanLab.plane;
        GanLab.plane = (...all) => { window.pictures += 1; draw(...all); }; }"""
    )
    opened.get_by_role("button", name="Play").click()
    opened.wait_for_timeout(3000)
    assert 1 <= opened.evaluate("window.pictures") <= 4
