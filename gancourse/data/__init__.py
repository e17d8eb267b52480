"""Data sets by name: found, checked, and loaded as one tensor.

>>> from gancourse import data
>>> digits = data.load("digits")
>>> len(digits), digits.shape, digits.images.dtype
(1437, (1, 8, 8), torch.uint8)
"""

from __future__ import annotations

from gancourse.data.registry import find, info, load, names
from gancourse.data.table import table
from gancourse.data.types import ImageData, Info, PointData, SeriesData

__all__ = [
    "ImageData",
    "Info",
    "PointData",
    "SeriesData",
    "find",
    "info",
    "load",
    "names",
    "table",
]
