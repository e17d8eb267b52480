"""Draw the README's picture from the record of DCGAN on Fashion-MNIST.

    python tools/picture.py

The same noise vectors go through the generator after some of the epochs of the recorded run; the
titles give epoch and FID as the record's history has them.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

import gancourse

RECORD = "dcgan/fashion-mnist"
EPOCHS = (1, 3, 10, 50)
PICTURE = Path(__file__).resolve().parent.parent / "book" / "_static" / "readme.png"


def main() -> None:
    """Draw and store."""
    run = gancourse.load(RECORD)
    assert run.path is not None
    ticks = run.facts["film"]["ticks"]
    rows = {round(row["epoch"]): row for row in run.history}
    with Image.open(run.path / "film.webp") as film:
        strip = np.asarray(film.convert("L"))
    side = strip.shape[1]
    figure, axes = plt.subplots(1, len(EPOCHS), figsize=(9, 2.6), layout="constrained")
    for ax, epoch in zip(axes, EPOCHS, strict=True):
        top = ticks.index(rows[epoch]["tick"]) * side
        ax.imshow(strip[top : top + side], cmap="gray", interpolation="nearest")
        ax.set_title(f"epoch {epoch}, FID {rows[epoch]['fid']:.1f}", fontsize=10)
        ax.set_axis_off()
    figure.savefig(PICTURE, dpi=110, metadata={"Software": None})
    print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
