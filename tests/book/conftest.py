"""The built book: served, and open in Chromium."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests import needs
from tests.book.site import HTML

# Without these Chromium calls home at every start. The last one leaves it no network but this
# machine; Playwright's own offline mode makes every page wait for a minute.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pytest_collection_modifyitems(items):
    """The checks of the built book want a built book; in CI its absence is a failure."""
    for item in items:
        if item.get_closest_marker("built") and not (HTML / "index.html").exists():
            if not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="the book is not built; run make book"))


class Quiet(SimpleHTTPRequestHandler):
    """A file server without a log."""

    def log_message(self, *arguments) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """The address at which the built book is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(HTML)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium():
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=needs.chromium_path(), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open an address in a fresh window; the page knows what it requested and what went wrong."""
    contexts = []

    def open_(url: str, width: int = 1280, touch: bool = False):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="light",
            has_touch=touch,
            is_mobile=touch,
        )
        contexts.append(context)
        context.set_default_timeout(150_000)  # a busy machine is slow, not wrong
        page = context.new_page()
        page.requested, page.failed, page.errors = [], [], []
        page.on("request", lambda request: page.requested.append(request.url))
        page.on("requestfailed", lambda request: page.failed.append(request.url))
        page.on("response", lambda answer: answer.status >= 400 and page.failed.append(answer.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(url, wait_until="load")
        page.evaluate("() => window.MathJax?.startup?.promise.then(() => 0)")
        page.wait_for_timeout(100)
        return page

    yield open_
    for context in contexts:
        context.close()
