"""What the notebooks share."""

from __future__ import annotations

import io
import re
import warnings

import pytest
import torch
from PIL import Image

from gancourse import diagrams, notebook
from gancourse.errors import GancourseError
from gancourse.training import Run


@pytest.mark.parametrize(("value", "taken"), [(None, 1), ("short", 1), ("full", 50)])
def test_budget(monkeypatch, capsys, value, taken):
    monkeypatch.delenv("GANCOURSE_BUDGET", raising=False)
    if value:
        monkeypatch.setenv("GANCOURSE_BUDGET", value)
    assert notebook.budget(short=1, full=50) == taken
    assert f"budget: {value or 'short'}" in capsys.readouterr().out


def test_budget_refuses_other_values(monkeypatch):
    monkeypatch.setenv("GANCOURSE_BUDGET", "long")
    for use in (lambda: notebook.budget(short=1, full=2), notebook.setup):
        with pytest.raises(GancourseError, match="'long'; set it to short or full"):
            use()


@pytest.mark.parametrize(("value", "threads"), [("short", 1), ("full", 2)])
def test_setup_takes_one_thread_for_short_runs_only(monkeypatch, value, threads):
    before = torch.get_num_threads()
    monkeypatch.setenv("GANCOURSE_BUDGET", value)
    try:
        torch.set_num_threads(2)
        notebook.setup()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_glue_is_what_the_book_reads(monkeypatch):
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: seen.append((a, k)))
    notebook.glue("page-value", 0.5)
    ((data,), options) = seen[0]
    assert data == {"application/papermill.record/text/plain": "0.5"}
    assert options["metadata"]["scrapbook"]["name"] == "page-value"
    assert options["raw"]
    with pytest.raises(GancourseError, match="without a colon"):
        notebook.glue("page:value", 0.5)


@pytest.mark.parametrize(
    "text", ["1.000", "0.70", "+3.9", "5,321", "5.5e-04", "0.5", "it's", "a b"]
)
def test_the_book_shows_a_glued_text_as_it_is(monkeypatch, text):
    from myst_nb.core.variables import format_plain_text

    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    notebook.glue("page-value", text)
    (stored,) = shown[0].values()
    assert format_plain_text(stored, "") == text


def test_recorded():
    assert notebook.recorded("first-gan/seeds.json")["recipe"] == "vanilla/digits"
    with pytest.raises(GancourseError, match="no file"):
        notebook.recorded("first-gan/none.json")


def strip(frames):
    buffer = io.BytesIO()
    Image.new("L", (10, 10 * frames)).save(buffer, format="WEBP")
    return buffer.getvalue()


def test_film_has_a_slider_with_a_name_and_does_not_move_by_itself():
    page = notebook.Film(strip(3), ["a", "b", 'c"<'], "alt & text", "words")._repr_html_()
    assert '<input type="range" min="0" max="2" value="2" aria-label="Frame"' in page
    assert 'alt="alt &amp; text"' in page and "c&quot;&lt;" in page
    assert "<script" not in page and "autoplay" not in page
    assert not re.search(r"(src|href)=\"http", page)
    assert "translateY(-66.6667%)" in page


def test_film_of_a_record(tmp_path):
    run = Run(
        None, None, {"film": {"ticks": [1, 3]}}, [{"tick": t, "epoch": 2.0 * t} for t in (1, 2, 3)]
    )
    with pytest.raises(GancourseError, match="no film"):
        notebook.film(run, "alt", "caption")
    run.path = tmp_path
    (tmp_path / "film.webp").write_bytes(strip(2))
    assert notebook.film(run, "alt", "caption").labels == ["epoch 2", "epoch 6"]


def test_diagram_names_its_parts():
    words = " ".join(text.get_text() for text in diagrams.gan().axes[0].texts)
    assert all(part in words for part in ("noise", "generator", "discriminator", "data set"))


def test_diagram_of_tensorflow_names_its_layers_from_the_top():
    words = [text.get_text().partition("\n")[0] for text in diagrams.tensorflow().axes[0].texts]
    layers = ("training", "Python", "C API", "executor", "kernels", "CPU")
    places = [next(i for i, word in enumerate(words) if word.startswith(x)) for x in layers]
    assert places == sorted(places)
    assert {"inference", "C++", "distributed runtime", "GPU", "TPU", "network"} <= set(words)


def test_a_slow_machine_s_legend_says_nothing():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        notebook.setup()
        warnings.warn('Creating legend with loc="best" can be slow', UserWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)
    assert [str(said.message) for said in heard] == ["something else"]
