"""The data sets there are, by name, and the one way to load them."""

from __future__ import annotations

from dataclasses import replace
from os.path import isdir
from pathlib import Path
from typing import Any, Literal, overload

from gancourse.data import download as downloads
from gancourse.data import images, search
from gancourse.data.cifar import CIFAR10
from gancourse.data.digits import DIGITS
from gancourse.data.folders import ABSTRACT_ART, CATS_DOGS, load_folder
from gancourse.data.idx import FASHION_MNIST, MNIST
from gancourse.data.pairs import CAMVID, OXFORD_PETS
from gancourse.data.series import SP500
from gancourse.data.source import Source
from gancourse.data.toys import TOYS, Toy
from gancourse.data.types import ImageData, Info, PointData, SeriesData
from gancourse.errors import GancourseError, unknown

SOURCES: dict[str, Source] = {
    source.info.name: source
    for source in (
        DIGITS,
        MNIST,
        FASHION_MNIST,
        CIFAR10,
        CATS_DOGS,
        CAMVID,
        OXFORD_PETS,
        ABSTRACT_ART,
        SP500,
    )
}
ToyName = Literal["ring", "grid", "spiral", "two-moons", "circle", "line", "checkerboard"]


def names() -> tuple[str, ...]:
    """The names ``load`` knows: data sets first, then the toys in the plane."""
    return (*SOURCES, *TOYS)


def info(name: str) -> Info:
    """What is known of a data set without loading it.

    Raises:
        GancourseError: there is no data set of that name.
    """
    if name in TOYS:
        return TOYS[name].info
    if name in SOURCES:
        return SOURCES[name].info
    raise unknown("data set", name, names())


def find(name: str, root: str | Path | None = None) -> Path | None:
    """Where a data set lies, without loading it.

    Args:
        name: one of ``names()``.
        root: a folder to look in before the others.

    Returns:
        The folder or file, or None: not on this machine, or a toy, which needs none.

    Raises:
        GancourseError: there is no data set of that name.
    """
    info(name)
    return SOURCES[name].find(root) if name in SOURCES else None


@overload
def load(  # type: ignore[overload-overlap]  # a literal name gives the narrower type
    name: ToyName, split: str = ..., *, n: int = ..., seed: int = ..., std: float | None = ...
) -> PointData: ...
@overload
def load(name: Literal["sp500"], split: str = ...) -> SeriesData: ...  # type: ignore[overload-overlap]
@overload
def load(
    name: str | Path,
    split: str = ...,
    *,
    root: str | Path | None = ...,
    size: int | None = ...,
    channels: int | None = ...,
    download: bool = ...,
    **options: Any,
) -> ImageData: ...
def load(
    name: str | Path,
    split: str = "train",
    *,
    root: str | Path | None = None,
    size: int | None = None,
    channels: int | None = None,
    download: bool = True,
    **options: Any,
) -> ImageData | PointData | SeriesData:
    """Load a data set, whole and checked, or say why not.

    Args:
        name: one of ``names()``, or the path of a folder of images (a name wins over a folder
            that is called the same; write ``./name`` for the folder).
        split: which part; ``info(name).splits`` has the names. Of a folder of images it is the
            sub-folder called so; a folder without such a one is the split ``"train"`` as a whole.
        root: a folder to look in before the others, and to download into.
        size: side of square images in pixels: the centre square is cropped and resized to it
            (bilinear with antialiasing); masks take the nearest pixel. None keeps what is
            stored; a folder of images of different sizes then gets the largest power of two not
            above the median of the shorter sides, from 8 to 256.
        channels: 1 for grey, 3 for RGB, None for what is stored.
        download: whether to download what is not on the machine.
        **options: of a toy: ``n`` points (default 10,000), ``seed`` (0), ``std`` (its own).

    Returns:
        ImageData, uint8 N x C x H x W; PointData, float32 N x 2, for a toy; SeriesData for sp500.

    Raises:
        GancourseError: the name, split, size or an option is unknown; the data set is not here and
            cannot be had; a file is missing, truncated, corrupt or not the one it should be.
    """
    if name in TOYS:
        return _load_toy(TOYS[str(name)], split, size, channels, options)
    if options:
        raise GancourseError(f"{name} takes no option {', '.join(options)}; only toys do.")
    images.check_form(size, channels)
    if name in SOURCES:
        return _load_source(SOURCES[str(name)], split, root, size, channels, download)
    return _load_folder(name, split, size, channels)


def _load_toy(
    toy: Toy, split: str, size: int | None, channels: int | None, options: dict[str, Any]
) -> PointData:
    _check_split(toy.info, split)
    if size is not None or channels is not None:
        raise GancourseError(f"{toy.info.name} is a set of points: it has no size or channels.")
    settings = {"n": 10_000, "seed": 0, "std": None}
    for option in options:
        if option not in settings:
            raise unknown("option of a toy", option, settings)
    return toy.sample(split, **(settings | options))


def _load_source(
    source: Source,
    split: str,
    root: str | Path | None,
    size: int | None,
    channels: int | None,
    download: bool,
) -> ImageData | SeriesData:
    _check_split(source.info, split)
    where = source.find(root) or (_fetch(source, root) if download else None)
    if where is None:
        raise _absent(source, root)
    data = source.read(where, split, size, channels)
    if isinstance(data, SeriesData):
        if size is not None or channels is not None:
            raise GancourseError(f"{source.info.name} is a series: it has no size or channels.")
        return data
    return replace(
        data,
        images=images.fit(data.images, size, channels),
        licence=source.info.licence,
        citation=source.info.citation,
        source=str(where),
    )


def _load_folder(name: str | Path, split: str, size: int | None, channels: int | None) -> ImageData:
    folder = Path(name).expanduser()
    if not isdir(folder):
        if isinstance(name, Path) or "/" in name:
            raise GancourseError(f"There is no folder {name}.")
        raise unknown("data set or folder of images", name, names())
    if isdir(folder / split):
        folder = folder / split
    elif split != "train":
        raise GancourseError(f"The folder {name} has no sub-folder {split} for the split {split}.")
    data = load_folder(folder, split, size, channels)
    return replace(data, licence="the images' own", source=data.name)


def _check_split(known: Info, split: str) -> None:
    if split not in known.splits:
        raise unknown(f"split of {known.name}", split, known.splits)


def _fetch(source: Source, root: str | Path | None) -> Path | None:
    if source.torchvision is None:
        return None
    url = downloads.address(source.torchvision)
    if not downloads.reachable(url):
        raise _absent(source, root, f" and {url.split('/')[2]} does not answer")
    folder = search.cache_folder() / "data" if root is None else Path(root).expanduser()
    target = folder / source.info.name
    downloads.fetch(source.torchvision, target)
    found = source.find(root)
    if found is None:
        raise GancourseError(f"{target} is there but incomplete; delete it and load again.")
    return found


def _absent(source: Source, root: str | Path | None, offline: str = "") -> GancourseError:
    looked = ", ".join(map(str, search.places(root)))
    return GancourseError(
        f"The data set {source.info.name} is not on this machine{offline}. "
        f"{source.info.how_to_get}\nLooked in {looked}."
    )
