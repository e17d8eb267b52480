"""What the notebooks share: the choice between the short and the full form of a run."""

from __future__ import annotations

import os
from typing import TypeVar

from gancourse.errors import GancourseError

T = TypeVar("T")


def budget(*, short: T, full: T) -> T:
    """The value for this run's budget, and a printed line that says which was taken.

    The environment variable ``GANCOURSE_BUDGET`` (``short`` or ``full``, default ``short``)
    decides. Short runs take seconds on a CPU; full runs are the ones the records hold.

    Raises:
        GancourseError: the variable holds something else.
    """
    choice = os.environ.get("GANCOURSE_BUDGET", "short")
    if choice not in ("short", "full"):
        raise GancourseError(f"GANCOURSE_BUDGET is {choice!r}; set it to short or full.")
    print(f"budget: {choice} (set GANCOURSE_BUDGET=full for the full run)"
          if choice == "short" else "budget: full")
    return short if choice == "short" else full
