"""Changes to images where they lie: the report's preprocessing, flips, and DiffAugment.

Plain functions of batches N x C x H x W, on any device, without a wait for it. The project report
(Salunke & Bhole 2022, section 8.2) prepares a painting by torchvision's transforms: resize, centre
crop, both flips with probability 0.5, normalise. Here the size is settled once, and the data then
stay on the device as uint8: :func:`gancourse.data.load` does it for data sets and folders, which
for square images is the same; :func:`resize_and_crop` for a tensor of one's own. What is left for
each minibatch are :func:`random_flips`, and :func:`gancourse.gans.base.to_signal` to normalise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.nn import functional

from gancourse.errors import GancourseError, unknown

__all__ = ["DIFFAUGMENT", "FLIPS", "diffaugment", "in_order", "random_flips", "resize_and_crop"]

#: flip -> the dimension it reverses
FLIPS = {"horizontal": 3, "vertical": 2}
#: images resized at a time: float32 takes four times the memory of uint8
CHUNK = 256
#: part 0 of a minibatch cut into 1
WHOLE = (0, 1)


def in_order(kind: str, names: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """The names that were asked for, each once, in the order of ``known``.

    Args:
        kind: what the names stand for, for the message.
        names: one name or several.
        known: every name there is.

    Raises:
        GancourseError: a name that is not known.
    """
    asked, every = (names,) if isinstance(names, str) else tuple(names), tuple(known)
    for name in asked:
        if name not in every:
            raise unknown(kind, name, every)
    return tuple(name for name in every if name in asked)


def resize_and_crop(images: Tensor, size: int) -> Tensor:
    """Resize until the shorter side is ``size``, then cut out the middle square.

    The same as torchvision's ``Resize(size)`` followed by ``CenterCrop(size)``: bilinear with
    antialiasing, the longer side rounded down. It computes in float32 and rounds once, on every
    device alike; torchvision's way for uint8 on a CPU rounds after each direction. So the two may
    differ by one grey level in 255, and no more.

    Args:
        images: uint8 N x C x H x W.
        size: side of the result in pixels, 1 or more.

    Returns:
        uint8 N x C x size x size on the same device; ``images`` itself if it has that size.

    Raises:
        GancourseError: not such a batch, one without pixels, or a size below 1.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or 0 in images.shape:
        raise GancourseError(
            f"Resizing takes uint8 images N x C x H x W, not {images.dtype} {tuple(images.shape)}."
        )
    if size < 1:
        raise GancourseError(f"size is {size}; give the side in pixels, 1 or more.")
    sides = images.shape[2:]
    if tuple(sides) == (size, size):
        return images
    height, width = (size * side // min(sides) for side in sides)
    top, left = round((height - size) / 2), round((width - size) / 2)

    def square(part: Tensor) -> Tensor:
        whole = functional.interpolate(
            part.float(), (height, width), mode="bilinear", antialias=True
        )
        cut = whole[:, :, top : top + size, left : left + size]
        return cut.round().clamp(0, 255).to(torch.uint8)

    return torch.cat([square(part) for part in images.split(CHUNK)])


def _own(draws: Tensor, part: tuple[int, int]) -> Tensor:
    """Of the draws for a whole minibatch, those for this part."""
    index, count = part
    return draws.chunk(count)[index]


def random_flips(
    images: Tensor,
    kinds: Iterable[str],
    generator: torch.Generator | None = None,
    part: tuple[int, int] = WHOLE,
) -> Tensor:
    """Mirror each image with probability 0.5, independently for each kind of flip.

    Args:
        images: N x C x H x W, any dtype.
        kinds: of :data:`FLIPS`: ``"horizontal"`` swaps left and right, ``"vertical"`` top and
            bottom. Without any, nothing is drawn.
        generator: on the device of the images; by default that device's global one.
        part: (i, n), if the images are part i of a minibatch cut into n: each process of a run
            draws for all of it, and takes its own.

    Returns:
        N x C x H x W of the same dtype.

    Raises:
        GancourseError: an unknown kind.
    """
    whole = len(images) * part[1]
    for kind in in_order("flip", kinds, FLIPS):
        draw = torch.rand(whole, 1, 1, 1, device=images.device, generator=generator)
        images = torch.where(_own(draw, part) < 0.5, images.flip(FLIPS[kind]), images)
    return images


def diffaugment(images: Tensor, kinds: Iterable[str], part: tuple[int, int] = WHOLE) -> Tensor:
    """DiffAugment: change what the discriminator sees, each image by draws of its own.

    Few images are soon learnt by heart. Were only the real ones changed, the generator would learn
    the changes; so real and fake images pass through here before every call of the discriminator,
    for both players, and the generator's gradient flows back through the change (Zhao, Liu, Lin,
    Zhu & Han 2020, section 3). The draws come from the device's global generator.

    ================  =================================================================
    ``color``         brightness + U(-0.5, 0.5); saturation x U(0, 2) about each pixel's
                      grey; contrast x U(0.5, 1.5) about each image's mean
    ``translation``   moved by up to an eighth of the side, zeros (mid-grey) moving in
    ``cutout``        a square of half the side set to 0, its centre anywhere
    ================  =================================================================

    Args:
        images: float N x C x H x W in [-1, 1]. Colour changes may lead out of the interval.
        kinds: of :data:`DIFFAUGMENT`, applied in its order. Without any, nothing is drawn.
        part: as for :func:`random_flips`.

    Returns:
        N x C x H x W of the same dtype, differentiable in ``images``.

    Raises:
        GancourseError: an unknown kind.
    """
    for kind in in_order("kind of DiffAugment", kinds, DIFFAUGMENT):
        images = DIFFAUGMENT[kind](images, part)
    return images


def _color(images: Tensor, part: tuple[int, int]) -> Tensor:
    def draw() -> Tensor:
        whole = len(images) * part[1]
        draws = torch.rand(whole, 1, 1, 1, device=images.device, dtype=images.dtype)
        return _own(draws, part)

    images = images + (draw() - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * draw())
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (draw() + 0.5)


def _integers(low: int, high: int, images: Tensor, part: tuple[int, int]) -> Tensor:
    """One whole number of low..high an image, N x 1."""
    whole = len(images) * part[1]
    return _own(torch.randint(low, high + 1, (whole, 1), device=images.device), part)


def _translation(images: Tensor, part: tuple[int, int]) -> Tensor:
    def places(side: int) -> Tensor:
        """Where the pixels of a row or column come from: N x side, some outside the image."""
        reach = int(side / 8 + 0.5)
        return torch.arange(side, device=images.device) - _integers(-reach, reach, images, part)

    height, width = images.shape[2:]
    rows, columns = places(height)[:, None, :, None], places(width)[:, None, None, :]
    moved = images.gather(2, rows.clamp(0, height - 1).expand_as(images))
    moved = moved.gather(3, columns.clamp(0, width - 1).expand_as(images))
    outside = (rows < 0) | (rows >= height) | (columns < 0) | (columns >= width)
    return moved.masked_fill(outside, 0.0)


def _cutout(images: Tensor, part: tuple[int, int]) -> Tensor:
    def inside(side: int) -> Tensor:
        """Which places of a row or column the square covers: N x side, bool."""
        length = int(side / 2 + 0.5)
        # An even length has no middle pixel: its centre lies between two, or at either border.
        first = _integers(0, side - length % 2, images, part) - length // 2
        place = torch.arange(side, device=images.device) - first
        return (place >= 0) & (place < length)

    height, width = images.shape[2:]
    return images.masked_fill(inside(height)[:, None, :, None] & inside(width)[:, None, None], 0.0)


#: change -> function of images and of the part of the minibatch that they are
DIFFAUGMENT: dict[str, Callable[[Tensor, tuple[int, int]], Tensor]] = {
    "color": _color,
    "translation": _translation,
    "cutout": _cutout,
}
