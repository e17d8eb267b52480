"""What every data set offers to the registry: a description, a place, a way to read it."""

from __future__ import annotations

from pathlib import Path

from gancourse.data import search
from gancourse.data.types import ImageData, Info, SeriesData


class Source:
    """A data set in files.

    A family of formats derives from it and gives ``info``, ``holds`` and ``read``.

    Attributes:
        info: its description.
        below: where it may lie below each place that is searched, the likeliest first.
        torchvision: the class of ``torchvision.datasets`` that downloads it, or None.
    """

    info: Info
    below: tuple[str, ...]
    torchvision: str | None

    def holds(self, where: Path) -> bool:
        """Whether ``where`` has the files' names; their content is checked on reading."""
        raise TypeError(f"{type(self).__name__} must say what its files are")

    def read(
        self, where: Path, split: str, size: int | None, channels: int | None
    ) -> ImageData | SeriesData:
        """The items of a split.

        Args:
            where: a place that ``holds`` accepted.
            split: one of ``info.splits``.
            size: side of square images in pixels for sources that decode image files; the others
                leave resizing to ``data.load``.
            channels: 1 or 3, likewise.

        Raises:
            GancourseError: a file is missing, corrupt or not the one it should be.
        """
        raise TypeError(f"{type(self).__name__} must say how it is read")

    def find(self, root: str | Path | None = None) -> Path | None:
        """The first place that has it, or None."""
        paths = search.candidates(root, self.below)
        return next((path for path in paths if self.holds(path)), None)
