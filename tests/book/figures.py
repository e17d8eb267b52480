"""What the browser tests of the figures to move share; each has a class and a page of its own."""

from __future__ import annotations

from urllib.parse import quote

from tests.book.site import HTML
from tests.book.test_browser import SETTLED, serious, sideways

COLOURS = """(canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(new Uint32Array(data.buffer)).size;
}"""
# Sets a slider as a hand does, and waits for the picture.
MOVE = """([name, value]) => new Promise((done) => {
  const field = document.querySelector(`.widget [name=${name}]`);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(done));
})"""


def address(page: str) -> str:
    """Where the page lies as a file."""
    return f"file://{quote(str(HTML / page))}.html"


def opener(open_page, page: str):
    """Opens the page from its file, with a fragment or without, once its figure is drawn."""

    def open_(fragment: str = "", width: int = 1280, touch: bool = False):
        opened = open_page(address(page) + fragment, width=width, touch=touch)
        opened.locator(".widget[data-milliseconds]").first.wait_for(state="attached")
        return opened

    return open_


def said(opened) -> str:
    """The sentence that a screen reader hears."""
    return opened.locator(".widget .widget-said").first.inner_text()


def link(opened) -> str:
    """The fragment of the address that the button makes, once the figure has said so."""
    opened.get_by_role("button", name="Link").click()
    # The clipboard answers when it likes.
    opened.get_by_text("The address of this page now holds the settings").first.wait_for()
    return "#" + opened.url.split("#")[1]


def check_keyboard(opened, figure: str) -> None:
    """The tab key goes to every control of the figure (a CSS selector), and one sees where it is."""
    opened.locator(f"{figure} [data-do]").first.focus()
    controls = f"{figure} :is(button, select, input, summary, [tabindex]):visible"
    parts = opened.locator(controls).count()
    seen = set()
    for _ in range(parts):
        seen.add(opened.evaluate("document.activeElement.outerHTML.slice(0, 60)"))
        assert opened.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        opened.keyboard.press("Tab")
    assert parts > 1 and len(seen) == parts


def check_without_scripts(chromium, page: str) -> None:
    """A picture with an alternative text, and a text, where JavaScript is off."""
    context = chromium.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(address(page))
    figure = opened.locator("div.widget")
    picture = figure.locator("img")
    assert picture.is_visible() and len(picture.get_attribute("alt")) > 100
    assert picture.bounding_box()["width"] > 100
    assert len(figure.inner_text()) > 300
    context.close()


def check_themes_and_phone(opened, picture: str, label: str) -> None:
    """Readable in both themes, and the picture stays in sight while a slider moves."""
    assert sideways(opened) == []
    canvas = opened.locator(f"[data-picture={picture}]")
    pixel = "(c) => [...c.getContext('2d').getImageData(1, c.height - 2, 1, 1).data]"
    colours = []
    for mode in ("light", "dark"):
        opened.emulate_media(color_scheme=mode)
        opened.locator(f"html[data-theme={mode}]").wait_for(state="attached")
        opened.wait_for_timeout(200)
        opened.evaluate(SETTLED)
        colours.append(sum(canvas.evaluate(pixel)[:3]))
        assert serious(opened) == [], mode
    assert colours[0] > 700 and colours[1] < 150
    opened.set_viewport_size({"width": 360, "height": 780})
    slider = opened.get_by_label(label)
    slider.focus()
    box = canvas.bounding_box()
    bar = opened.locator(".bd-header-article").first.bounding_box()
    assert bar["y"] + bar["height"] <= box["y"] + 1 < 200
    assert box["y"] + box["height"] < slider.bounding_box()["y"] < 780
