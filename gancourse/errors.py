"""The one exception a user of gancourse meets, and how it words an unknown name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GancourseError(Exception):
    """Something the user can put right; the message says what is wrong and what to do.

    The command line prints the message alone and exits with code 2.
    """


def unknown(kind: str, name: object, known: Iterable[str]) -> GancourseError:
    """The error for a name that is not among ``known``, with the nearest matches first.

    Args:
        kind: what the name stands for, such as ``"data set"``.
        name: what was asked for.
        known: every name there is.

    Returns:
        The exception, for the caller to raise.
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(names)}."
    return GancourseError(f"Unknown {kind} {str(name)!r}. {hint}")
