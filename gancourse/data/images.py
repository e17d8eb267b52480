"""From image files of every kind to uint8 arrays of one shape."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from gancourse.errors import GancourseError

SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".png",
        ".bmp",
        ".gif",
        ".tif",
        ".tiff",
        ".webp",
        ".ppm",
        ".pgm",
        ".pbm",
        ".avif",
    )
)
GREY_MODES = frozenset(("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"))
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601, as in Pillow's conversion to grey
EXIF_ORIENTATION = 0x0112
LARGEST_DEFAULT = 256
CHUNK = 4096
# What Pillow raises on files that are truncated, corrupt, absurdly large or no images at all.
UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    Image.DecompressionBombError,
)


def check_form(size: int | None, channels: int | None) -> None:
    """Refuse a size or a number of channels that no image can have.

    Raises:
        GancourseError: size below 4 or above 4096, or channels other than 1 and 3.
    """
    if size is not None and (
        not isinstance(size, int) or isinstance(size, bool) or not 4 <= size <= 4096
    ):
        raise GancourseError(f"size is {size!r}; give the side in pixels, a whole number 4..4096.")
    if channels not in (None, 1, 3):
        raise GancourseError(f"channels is {channels!r}; give 1 (grey) or 3 (RGB).")


@dataclass(frozen=True)
class Form:
    """The one shape that all images of a set are brought to."""

    channels: int
    height: int
    width: int


def common_form(paths: Sequence[Path], size: int | None, channels: int | None) -> Form:
    """The shape for a set of files, read off their headers where it is not given.

    Without ``size``, images that all have one shape keep it; images that differ become squares
    whose side is the largest power of two not above the median of their shorter sides, at least 8
    and at most 256. Without ``channels``, a set is grey if every file in it is, and RGB otherwise.

    Raises:
        GancourseError: a file is no image; the message names it.
    """
    if size is not None and channels is not None:
        return Form(channels, size, size)
    headers = [_header(path) for path in paths]
    if channels is None:
        channels = 1 if all(grey for grey, _, _ in headers) else 3
    if size is not None:
        return Form(channels, size, size)
    shapes = {(height, width) for _, height, width in headers}
    if len(shapes) == 1:
        return Form(channels, *shapes.pop())
    shorter = int(np.median([min(height, width) for _, height, width in headers]))
    side = min(LARGEST_DEFAULT, 2 ** max(3, shorter.bit_length() - 1))
    return Form(channels, side, side)


def read_images(paths: Sequence[Path], form: Form) -> Tensor:
    """Decode files into one tensor, on all cores.

    Returns:
        uint8, N x C x H x W.

    Raises:
        GancourseError: a file cannot be decoded; the message names it.
    """
    return _read(paths, form.channels, lambda path: decode(path, form), form)


def read_masks(paths: Sequence[Path], form: Form, values: range) -> Tensor:
    """Decode label maps: the stored numbers, never mixed by interpolation.

    Args:
        paths: 8-bit grey or palette images.
        form: height and width wanted; its channels do not matter.
        values: the numbers a mask may hold; the first of them becomes 0.

    Returns:
        uint8, N x 1 x H x W, from 0 to len(values) - 1.

    Raises:
        GancourseError: a file cannot be decoded or holds another value; the message names it.
    """
    return _read(paths, 1, lambda path: decode_mask(path, form, values), form)


def decode(path: Path | IO[bytes], form: Form) -> np.ndarray:
    """One image file as uint8, H x W x C.

    Turned upright as its EXIF data say; transparency laid over white; palettes, CMYK and the like
    turned into RGB; 16-bit grey scaled to 8 bits; of an animation the first frame. Then the
    largest centred piece of the wanted aspect ratio is resized (bilinear with antialiasing), so
    that the shorter side decides and the longer one loses its ends.

    Args:
        path: a file; or one that is open, or in memory, and says its name by ``str``.
        form: the channels, height and width wanted.

    Raises:
        GancourseError: the file is not a whole, readable image; the message names it.
    """
    try:
        with Image.open(path) as opened:
            # libjpeg can halve while decoding: from eight times the wanted side on, values of the
            # result change by 1 (where noise reaches black or white, by up to 3).
            longest = 8 * max(form.height, form.width)
            opened.draft(None, (longest, longest))
            if opened.mode == "F" or (opened.mode == "I" and opened.format != "PNG"):
                raise ValueError("32-bit grey has no fixed range; save it with 8 or 16 bits")
            image = _as_mode(ImageOps.exif_transpose(opened), "L" if form.channels == 1 else "RGB")
            image = _crop_and_resize(image, form, Image.Resampling.BILINEAR)
            return np.asarray(image).reshape(form.height, form.width, form.channels)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def decode_mask(path: Path | IO[bytes], form: Form, values: range) -> np.ndarray:
    """One label map as uint8, H x W x 1; see :func:`read_masks` and :func:`decode`.

    Raises:
        GancourseError: it cannot be decoded or holds another value; the message names it.
    """
    try:
        with Image.open(path) as image:
            if image.mode not in ("L", "P"):
                raise ValueError(f"a mask has 8-bit class values, this has mode {image.mode}")
            stored = np.asarray(image)
            if stored.min() < values.start or stored.max() >= values.stop:
                raise ValueError(
                    f"values {stored.min()}..{stored.max()}, allowed {values.start}..{values[-1]}"
                )
            classes = Image.fromarray(stored - np.uint8(values.start))
            classes = _crop_and_resize(classes, form, Image.Resampling.NEAREST)
            return np.asarray(classes)[:, :, None]
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def fit(images: Tensor, size: int | None, channels: int | None) -> Tensor:
    """Bring a tensor of images to another size or number of channels, as :func:`decode` does files.

    Args:
        images: uint8, N x C x H x W.
        size: side of the square result, None to leave height and width alone.
        channels: 1, 3, or None to leave them alone.

    Returns:
        uint8, N x channels x size x size; the same tensor where there is nothing to do.
    """
    if channels == 1 and images.shape[1] == 3:
        images = _in_parts(images, _grey)
    if size is not None and tuple(images.shape[2:]) != (size, size):
        images = _in_parts(images, lambda part: _square(part, size))
    if channels == 3 and images.shape[1] == 1:
        images = images.repeat(1, 3, 1, 1)
    return images


def _header(path: Path) -> tuple[bool, int, int]:
    """Whether it is grey, its height and its width, upright."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            if image.getexif().get(EXIF_ORIENTATION, 1) >= 5:
                width, height = height, width
            return image.mode in GREY_MODES, height, width
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path | IO[bytes], error: BaseException) -> GancourseError:
    reason = "no known image format" if isinstance(error, UnidentifiedImageError) else error
    return GancourseError(f"{path} is not a readable image ({reason}). Replace or remove it.")


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow may hold in 32 bits
        image = Image.fromarray(np.rint(np.asarray(image) / 257).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image if image.mode == mode else image.convert("RGB").convert(mode)


def _crop_and_resize(image: Image.Image, form: Form, how: Image.Resampling) -> Image.Image:
    if image.size == (form.width, form.height):
        return image
    scale = min(image.width / form.width, image.height / form.height)
    width, height = max(1, round(form.width * scale)), max(1, round(form.height * scale))
    left, upper = (image.width - width) // 2, (image.height - height) // 2
    box = image.crop((left, upper, left + width, upper + height))
    return box.resize((form.width, form.height), how)


def _read(
    paths: Sequence[Path], channels: int, one: Callable[[Path], np.ndarray], form: Form
) -> Tensor:
    result = torch.empty((len(paths), channels, form.height, form.width), dtype=torch.uint8)
    target = result.numpy()
    pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))  # Pillow decodes outside the GIL
    try:
        decoded = tqdm(pool.map(one, paths), total=len(paths), disable=None, delay=2, unit="image")
        for index, image in enumerate(decoded):
            target[index] = image.transpose(2, 0, 1)
    finally:
        pool.shutdown(cancel_futures=True)
    return result


def _in_parts(images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    # float32 of 60,000 images at once would take four times the memory of the whole set.
    return torch.cat([change(part) for part in images.split(CHUNK)])


def _grey(part: Tensor) -> Tensor:
    weights = torch.tensor(GREY_WEIGHTS).view(1, 3, 1, 1)
    return (part.float() * weights).sum(1, keepdim=True).round().to(torch.uint8)


def _square(part: Tensor, size: int) -> Tensor:
    height, width = part.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    crop = part[:, :, top : top + side, left : left + side].float()
    resized = F.interpolate(crop, size=(size, size), mode="bilinear", antialias=True)
    return resized.round().clamp(0, 255).to(torch.uint8)
