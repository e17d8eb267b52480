"""Pictures show the pixels they are given."""

import numpy as np
import pytest
import torch

from gancourse.errors import GancourseError
from gancourse.plots import curves, film_strip, grid, tile


@pytest.mark.parametrize("channels", [1, 3])
def test_tile_places_every_image(channels):
    images = torch.randint(0, 256, (5, channels, 4, 6), dtype=torch.uint8)
    picture = np.asarray(tile(images, columns=3))
    assert picture.shape[:2] == (4 * 2 + 1, 6 * 3 + 2)
    for i in range(5):
        top, left = i // 3 * 5, i % 3 * 7
        cell = picture[top : top + 4, left : left + 6].reshape(4, 6, channels)
        assert np.array_equal(cell, images[i].permute(1, 2, 0).numpy())


def test_tile_refuses():
    for bad in (torch.zeros(2, 1, 4, 4), torch.zeros(2, 2, 4, 4, dtype=torch.uint8),
                torch.zeros(4, 4, dtype=torch.uint8), torch.zeros(0, 1, 4, 4, dtype=torch.uint8)):  # fmt: skip
        with pytest.raises(GancourseError):
            tile(bad)


def test_film_strip():
    frames = [tile(torch.full((1, 1, 2, 3), i, dtype=torch.uint8)) for i in range(3)]
    assert np.asarray(film_strip(frames))[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    with pytest.raises(GancourseError):
        film_strip([])


def test_grid_and_curves():
    import matplotlib.pyplot as plt

    figure = grid(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), title="zeros")
    assert figure.axes[0].get_title() == "zeros"
    names = ("loss_d", "loss_g", "d_real", "d_fake")
    rows = [{"images": i * 1000, "fid": 9.0 - i, **dict.fromkeys(names, 0.5)} for i in range(3)]
    assert len(curves(rows).axes) == 3
    assert len(curves([{k: v for k, v in r.items() if k != "fid"} for r in rows]).axes) == 2
    with pytest.raises(GancourseError, match="empty"):
        curves([])
    plt.close("all")
