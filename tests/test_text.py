"""Text for terminals."""

from __future__ import annotations

import pytest

from gancourse.text import columns


def test_columns_stand_below_each_other():
    assert columns([("a", "name", "b"), ("long", "x", "")]) == "a     name  b\nlong  x"
    with pytest.raises(ValueError, match="argument 2"):
        columns([("a", "b"), ("c",)])
