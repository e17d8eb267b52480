"""Series in time: the S&P 500 index, as the package ``arch`` carries it."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import zlib
from datetime import datetime
from pathlib import Path

import numpy as np

from gancourse.data.source import Source
from gancourse.data.types import Info, SeriesData
from gancourse.errors import GancourseError

PRICE = "Adj Close"


class SP500Series(Source):
    """Daily closing values, adjusted, of the S&P 500 from 1999 to 2018."""

    info = Info(
        name="sp500",
        kind="series",
        splits={"train": 5_031},
        shape=(),
        classes=(),
        licence="as carried by arch (University of Illinois/NCSA); the index is S&P's",
        citation="K. Sheppard: arch, autoregressive conditional heteroskedasticity models in "
        "Python; values from Yahoo Finance.",
        how_to_get="Install the extra that brings the package arch: "
        'pip install "gancourse[finance]".',
        about="the S&P 500 day by day, 1999 to 2018",
    )
    below = ("sp500.csv.gz",)
    torchvision = None

    def find(self, root: str | Path | None = None) -> Path | None:
        """The file inside arch; importing arch itself (seconds) is not needed to read it."""
        package = importlib.util.find_spec("arch")
        folders = (package.submodule_search_locations if package else None) or []
        paths = (Path(folder, "data", "sp500", self.below[0]) for folder in folders)
        return next((path for path in paths if path.is_file()), None)

    def read(self, where: Path, split: str, size: int | None, channels: int | None) -> SeriesData:
        """Dates and adjusted closing values."""
        try:
            with gzip.open(where, "rt", newline="") as file:
                rows = list(csv.DictReader(file))
            days = [datetime.strptime(row["Date"], "%m/%d/%Y").date() for row in rows]
            values = np.array([float(row[PRICE]) for row in rows])
        except (OSError, EOFError, KeyError, TypeError, ValueError, zlib.error) as error:
            raise GancourseError(f"{where} is corrupt ({error!r}). Install arch anew.") from error
        dates = np.array(days, dtype="datetime64[D]")
        if len(values) < 2 or not (np.isfinite(values) & (values > 0)).all():
            raise GancourseError(f"{where} holds values that are not prices. Install arch anew.")
        if not (np.diff(dates) > np.timedelta64(0, "D")).all():
            raise GancourseError(f"{where}: its dates do not ascend. Install arch anew.")
        return SeriesData(
            name=self.info.name,
            dates=dates,
            values=values,
            licence=self.info.licence,
            citation=self.info.citation,
            unit="index points",
        )


SP500 = SP500Series()
