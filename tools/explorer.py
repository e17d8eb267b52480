"""Write what the latent explorer's page stores: the generator's file, and the still without JavaScript.

    python tools/explorer.py

The still is the sheet of seed 0, and below it the way along the arc from its first image to its
fourteenth, as the page shows both at first.
"""

from __future__ import annotations

from pathlib import Path

import torch

import gancourse
from gancourse.export import write_script
from gancourse.gans.base import to_pixels
from gancourse.latent import slerp
from gancourse.plots import tile

RECORD = "dcgan/fashion-mnist"
FOLDER = Path(__file__).resolve().parent.parent / "book" / "_static" / "latent"
FIRST, SECOND, IMAGES = 0, 13, 16


def main() -> None:
    """Write both."""
    run = gancourse.load(RECORD)
    script = write_script(run, FOLDER / "weights.mjs")
    latent = run.settings["gan"]["options"]["latent_dim"]
    z = torch.randn(IMAGES, latent, generator=torch.Generator().manual_seed(0))
    way = slerp(z[FIRST], z[SECOND], torch.linspace(0, 1, 8))
    with torch.no_grad():
        pictures = to_pixels(run.generator(torch.cat([z, way])))
    still = tile(pictures, columns=8)
    still = still.resize((2 * still.width, 2 * still.height), resample=0)
    still.save(FOLDER / "still.png", optimize=True)
    for path in (script, FOLDER / "still.png"):
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
