"""What the notebooks share: the budget, the look of their figures, numbers for the prose, films."""

from __future__ import annotations

import base64
import html
import os
import warnings
from ast import literal_eval
from typing import TYPE_CHECKING, Any, TypeVar

from gancourse import records
from gancourse.errors import GancourseError
from gancourse.files import read_json

if TYPE_CHECKING:
    from gancourse.training import Run

__all__ = ["Film", "budget", "film", "glue", "recorded", "setup"]

T = TypeVar("T")

#: Colours told apart in greyscale and with any kind of colour vision (after Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9")


def _budget() -> str:
    choice = os.environ.get("GANCOURSE_BUDGET", "short")
    if choice not in ("short", "full"):
        raise GancourseError(f"GANCOURSE_BUDGET is {choice!r}; set it to short or full.")
    return choice


def budget(*, short: T, full: T) -> T:
    """The value for this run's budget, and a printed line that says which was taken.

    The environment variable ``GANCOURSE_BUDGET`` (``short`` or ``full``, default ``short``)
    decides. Short runs take seconds on a CPU; full runs are the ones the records hold.

    Raises:
        GancourseError: the variable holds something else.
    """
    if _budget() == "full":
        print("budget: full")
        return full
    print("budget: short (set GANCOURSE_BUDGET=full for the full run)")
    return short


def setup() -> None:
    """Prepare a notebook: the style of its figures and, in the short budget, one CPU thread.

    With one thread the nets of the short runs, which are tiny, are as fast as with several, and
    the numbers do not depend on how many cores the machine has.

    Raises:
        GancourseError: ``GANCOURSE_BUDGET`` holds something else than short or full.
    """
    import torch
    from matplotlib import pyplot as plt

    if _budget() == "short":
        torch.set_num_threads(1)
    # Only a slow machine says this, and what is said on stderr fails a notebook's test.
    warnings.filterwarnings("ignore", message="Creating legend with loc=")
    plt.rcParams.update(
        {
            "figure.dpi": 110,
            "figure.facecolor": "white",  # a white card, readable on a dark page too
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": False,
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "legend.frameon": False,
        }
    )


def glue(name: str, value: object) -> None:
    """Keep a computed value for the prose, where ``{glue:text}`` quotes it by name.

    The book reads it from the stored output; in a notebook nothing is shown. It is the text of
    ``value`` that is kept, so round first.

    Args:
        name: unique in the book, such as ``"first-gan-confidence"``.
        value: what to quote.

    Raises:
        GancourseError: the name contains a colon, after which the book expects a number format.
    """
    from IPython.display import display

    if ":" in name:
        raise GancourseError(f"Glue {name!r} under a name without a colon.")
    text, prefix = str(value), "application/papermill.record/"
    try:
        # The book reads a number or a tuple as Python does and prints it its own way: 1.000 as 1.0.
        text = text if str(literal_eval(text)) == text else repr(text)
    except (SyntaxError, ValueError):
        pass
    display(
        {f"{prefix}text/plain": text},
        raw=True,
        metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
    )


class Film:
    """Samples tick by tick, with a slider and a play button; it moves only when asked to.

    Args:
        strip: a WebP picture, the frames one below the other.
        labels: what to call each frame, such as ``"epoch 3"``.
        alt: what the pictures show, for those who do not see them.
        caption: text below.
    """

    def __init__(self, strip: bytes, labels: list[str], alt: str, caption: str) -> None:
        self.strip, self.labels, self.alt, self.caption = strip, labels, alt, caption

    def __repr__(self) -> str:
        return f"<Film of {len(self.labels)} frames>"

    def _repr_html_(self) -> str:
        n, last = len(self.labels), len(self.labels) - 1
        show = (
            "const f=this.closest('figure'),r=f.querySelector('input'),"
            "t=f.dataset.labels.split('|')[r.value];"
            f"f.querySelector('img').style.transform='translateY('+(-100*r.value/{n})+'%)';"
            "f.querySelector('output').value=t;r.setAttribute('aria-valuetext',t);"
        )
        play = (
            "const f=this.closest('figure'),r=f.querySelector('input'),b=this;"
            "const stop=()=>{clearInterval(b.clock);b.clock=0;b.textContent='Play';};"
            "if(b.clock){stop();return;}"
            f"if(+r.value==={last})r.value=-1;b.textContent='Pause';"
            "b.clock=setInterval(()=>{r.value=+r.value+1;r.dispatchEvent(new Event('input'));"
            f"if(+r.value==={last})stop();}},250);"
        )
        picture = base64.b64encode(self.strip).decode()
        labels = html.escape("|".join(self.labels))
        alt = html.escape(self.alt)
        return (
            f'<figure class="film" data-labels="{labels}" style="max-width:22rem;margin:1rem auto">'
            '<div style="overflow:hidden;aspect-ratio:1;background:#808080">'
            f'<img alt="{alt}" src="data:image/webp;base64,{picture}" style="width:100%;'
            # Themes frame pictures; here a frame would shift the strip.
            "max-width:none;height:auto;display:block;image-rendering:pixelated;padding:0;"
            "margin:0;border:0;border-radius:0;"
            f'transform:translateY(-{100 * last / n:g}%)"></div>'
            '<div style="display:flex;gap:.6rem;align-items:center;margin:.5rem 0">'
            f'<button type="button" style="min-width:4.5rem;padding:.3rem .6rem" '
            f'onclick="{play}">Play</button>'
            f'<input type="range" min="0" max="{last}" value="{last}" aria-label="Frame" '
            f'aria-valuetext="{html.escape(self.labels[-1])}" style="flex:1;min-width:0" '
            f'oninput="{show}">'
            f'<output style="min-width:5.5rem">{html.escape(self.labels[-1])}</output></div>'
            f'<figcaption style="color:inherit">{html.escape(self.caption)}</figcaption></figure>'
        )


def recorded(name: str) -> Any:
    """A table that was recorded with the package.

    Args:
        name: its file below ``gancourse/recorded``, such as ``"first-gan/seeds.json"``.

    Raises:
        GancourseError: there is no such file, or it is not JSON.
    """
    return read_json(records.ROOT / name)


def film(run: Run, alt: str, caption: str) -> Film:
    """The film of a record: the same noise vectors through the generator as it learned.

    Args:
        run: a record, as :func:`gancourse.load` opens it.
        alt: what the pictures show, for those who do not see them.
        caption: text below.

    Raises:
        GancourseError: the run has no film; only records have one.
    """
    strip = None if run.path is None else run.path / "film.webp"
    if strip is None or not strip.exists():
        raise GancourseError("This run has no film; only a record has (gancourse record RECIPE).")
    epochs = {row["tick"]: row["epoch"] for row in run.history}
    labels = [f"epoch {epochs[tick]:g}" for tick in run.facts["film"]["ticks"]]
    return Film(strip.read_bytes(), labels, alt, caption)
