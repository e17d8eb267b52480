"""scikit-learn's handwritten digits: on every machine, the course's default."""

from __future__ import annotations

import gzip
import importlib.util
import zlib
from pathlib import Path

import numpy as np
import torch

from gancourse.data.source import Source
from gancourse.data.types import ImageData, Info
from gancourse.errors import GancourseError

ITEMS = 1_797
LEVELS = 16
FOLD = 5


def split_rows(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Row numbers of the fixed, stratified split, ascending.

    scikit-learn publishes the digits without a split. Here the rows are sorted by class (stably),
    and every fifth of that order, beginning with the first, is for the test: 360 of the 1,797, each
    class in proportion. The other 1,437 are for training.
    """
    test = np.sort(np.argsort(labels, kind="stable")[::FOLD])
    return {"train": np.setdiff1d(np.arange(len(labels)), test), "test": test}


class Digits(Source):
    """1,797 digits of 8 x 8 pixels; their 17 grey levels 0..16 become 0..255, rounded."""

    info = Info(
        name="digits",
        kind="images",
        splits={"train": 1_437, "test": 360},
        shape=(1, 8, 8),
        classes=tuple("0123456789"),
        licence="CC BY 4.0",
        citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. "
        "UCI Machine Learning Repository, 1998.",
        how_to_get="It comes with scikit-learn: pip install scikit-learn.",
        about="handwritten digits, tiny, grey",
    )
    below = ("digits.csv.gz",)
    torchvision = None

    def find(self, root: str | Path | None = None) -> Path | None:
        """The file inside scikit-learn, whose import (seconds) reading it does not need."""
        package = importlib.util.find_spec("sklearn")
        folders = (package.submodule_search_locations if package else None) or []
        paths = (Path(folder, "datasets", "data", self.below[0]) for folder in folders)
        return next((path for path in paths if path.is_file()), None)

    def read(self, where: Path, split: str, size: int | None, channels: int | None) -> ImageData:
        """The rows of a split."""
        try:
            with gzip.open(where, "rt") as file:
                rows = np.loadtxt(file, delimiter=",", dtype=np.int64, ndmin=2)
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise GancourseError(
                f"{where} is corrupt ({error}). Install scikit-learn anew."
            ) from error
        if rows.shape != (ITEMS, 65) or rows.min() < 0 or rows[:, :64].max() > LEVELS:
            raise GancourseError(f"{where} does not hold the {ITEMS:,} digits of scikit-learn.")
        labels = rows[:, 64]
        if labels.max() > 9:
            raise GancourseError(f"{where} holds the label {labels.max()}; digits end at 9.")
        chosen = split_rows(labels)[split]
        images = np.rint(rows[chosen, :64] * (255 / LEVELS)).astype(np.uint8)
        return ImageData(
            name=self.info.name,
            split=split,
            images=torch.from_numpy(images.reshape(-1, 1, 8, 8)),
            labels=torch.from_numpy(labels[chosen]),
            classes=self.info.classes,
        )


DIGITS = Digits()
