"""Pictures of what a GAN makes and of how its training went."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from gancourse.errors import GancourseError

__all__ = ["curves", "film_strip", "grid", "tile"]


def tile(images: Tensor, columns: int = 8, gap: int = 1) -> Image.Image:
    """Images side by side in one picture.

    Args:
        images: uint8 N x C x H x W, C = 1 or 3.
        columns: images in a row.
        gap: pixels between neighbours, in mid-grey.

    Returns:
        A PIL image of mode L or RGB.

    Raises:
        GancourseError: other dtype, dimensions or channels, or no image at all.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or str(images.dtype) != "torch.uint8":
        raise GancourseError(
            f"Pictures are drawn from uint8 N x 1 or 3 x H x W tensors, not from {images.dtype} "
            f"{tuple(images.shape)}."
        )
    n, channels, height, width = images.shape
    if n == 0:
        raise GancourseError("There are no images to draw.")
    columns = min(columns, n)
    rows = -(-n // columns)
    canvas = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), 128)
    for index, image in enumerate(images.cpu().permute(0, 2, 3, 1).numpy()):
        top, left = index // columns * (height + gap), index % columns * (width + gap)
        canvas[top : top + height, left : left + width] = image
    pixels = canvas.astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def film_strip(frames: Sequence[Image.Image]) -> Image.Image:
    """Pictures of equal size and mode one below the other, first on top.

    Raises:
        GancourseError: no pictures, or their sizes differ.
    """
    if not frames or len({(frame.size, frame.mode) for frame in frames}) != 1:
        raise GancourseError("A film strip needs at least one picture, all of one size and mode.")
    width, height = frames[0].size
    strip = Image.new(frames[0].mode, (width, height * len(frames)))
    for index, frame in enumerate(frames):
        strip.paste(frame, (0, index * height))
    return strip


def grid(images: Tensor, columns: int = 8, title: str | None = None, ax: Any = None) -> Any:
    """Draw images as a grid, without smoothing.

    Args:
        images: uint8 N x C x H x W, C = 1 or 3.
        columns: images in a row.
        title: what to write above it.
        ax: matplotlib axes to draw in; without them a figure is made.

    Returns:
        The matplotlib figure.
    """
    import matplotlib.pyplot as plt

    picture = np.asarray(tile(images, columns))
    if ax is None:
        height, width = picture.shape[:2]
        _, ax = plt.subplots(figsize=(5, 5 * height / width + 0.3), layout="constrained")
    ax.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    ax.set_axis_off()
    if title:
        ax.set_title(title)
    return ax.figure


def curves(history: Sequence[dict[str, Any]], title: str | None = None) -> Any:
    """Draw losses, scores and, where measured, the FID against the number of images shown.

    Args:
        history: rows as in ``history.jsonl`` (``run.history``).
        title: what to write above it.

    Returns:
        The matplotlib figure.

    Raises:
        GancourseError: an empty history.
    """
    import matplotlib.pyplot as plt

    if not history:
        raise GancourseError("The history is empty: nothing has been trained yet.")
    scored = [row for row in history if "fid" in row]
    panels = 3 if scored else 2
    figure, axes = plt.subplots(1, panels, figsize=(3.4 * panels, 2.8), layout="constrained")
    x = [row["images"] / 1000 for row in history]
    for name, label in (("loss_d", "discriminator"), ("loss_g", "generator")):
        axes[0].plot(x, [row[name] for row in history], label=label)
    axes[0].axhline(np.log(4), color="gray", linestyle=":", label="log 4 (D = 1/2)")
    axes[0].set_ylabel("loss (nats)")
    for name, label in (("d_real", "D(x), real"), ("d_fake", "D(G(z)), fake")):
        axes[1].plot(x, [row[name] for row in history], label=label)
    axes[1].axhline(0.5, color="gray", linestyle=":")
    axes[1].set_ylim(0, 1)
    axes[1].set_ylabel("mean probability of real")
    if scored:
        axes[2].plot([row["images"] / 1000 for row in scored], [row["fid"] for row in scored])
        axes[2].set_yscale("log")
        axes[2].set_ylabel("FID")
    for ax in axes:
        ax.set_xlabel("thousand images shown")
        if ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize="small")
    if title:
        figure.suptitle(title)
    return figure
