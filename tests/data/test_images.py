"""Image files of every kind: the right pixels, or a refusal with the file's name."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from gancourse import data
from gancourse.data.images import Form, common_form, decode, fit, read_masks
from gancourse.errors import GancourseError
from tests.data.conftest import write_image

RED = (200, 30, 60)
RED_AS_GREY = round(0.299 * 200 + 0.587 * 30 + 0.114 * 60)


def red(mode: str) -> Image.Image:
    image = Image.new("RGB", (12, 12), RED)
    if mode == "P":
        return image.quantize(8)
    if mode in ("RGBA", "LA", "PA"):
        image = Image.new("RGBA", (12, 12), (*RED, 255))
        return image.convert(mode)
    return image.convert(mode)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("RGB", "png"),
        ("RGB", "jpg"),
        ("RGB", "webp"),
        ("RGB", "bmp"),
        ("P", "png"),
        ("P", "gif"),
        ("RGBA", "png"),
        ("RGBA", "webp"),
        ("CMYK", "jpg"),
        ("CMYK", "tif"),
        ("YCbCr", "jpg"),
        ("L", "png"),
        ("L", "jpg"),
        ("LA", "png"),
    ],
)
def test_every_mode_gives_its_colour(tmp_path, mode, suffix, channels):
    path = tmp_path / f"a.{suffix}"
    red(mode).save(path)
    pixels = decode(path, Form(channels, 8, 8))
    assert pixels.shape == (8, 8, channels) and pixels.dtype == np.uint8
    wanted = RED_AS_GREY if channels == 1 or mode in ("L", "LA") else np.array(RED)
    assert np.abs(pixels.astype(int) - wanted).max() <= 12


def test_transparency_is_laid_over_white(tmp_path):
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:, 3] = 255
    write = Image.fromarray(pixels)
    write.save(tmp_path / "a.png")
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.save(tmp_path / "p.png", transparency=1)
    result = decode(tmp_path / "a.png", Form(3, 8, 8))
    assert (result[:, :4] == 255).all() and (result[:, 4:] == 0).all()
    assert (decode(tmp_path / "p.png", Form(3, 8, 8)) == 255).all()


def test_sixteen_bit_grey_keeps_its_range(tmp_path):
    values = np.array([[0, 257 * 10], [257 * 128, 65535]], np.uint16).repeat(4, 0).repeat(4, 1)
    Image.fromarray(values).save(tmp_path / "a.png")
    Image.fromarray(values).save(tmp_path / "a.tif")
    for name in ("a.png", "a.tif"):
        assert common_form([tmp_path / name], None, None) == Form(1, 8, 8)
        result = decode(tmp_path / name, Form(1, 8, 8))[::4, ::4, 0]
        assert result.tolist() == [[0, 10], [128, 255]]


def test_one_bit_images_are_black_and_white(tmp_path):
    Image.fromarray(np.eye(8) > 0).save(tmp_path / "a.png")
    assert (decode(tmp_path / "a.png", Form(1, 8, 8))[:, :, 0] == 255 * np.eye(8)).all()


def test_exif_rotation_is_undone(tmp_path):
    pixels = np.zeros((16, 8, 3), np.uint8)
    pixels[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert common_form([tmp_path / "a.png"], None, None) == Form(3, 8, 16)
    result = decode(tmp_path / "a.png", Form(3, 8, 16))
    assert (result[:, 8:] == 255).all() and (result[:, :8] == 0).all()


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert (decode(tmp_path / "a.gif", Form(3, 8, 8)) == 255).all()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_shorter_side_decides_and_the_centre_stays(tmp_path, suffix):
    pixels = np.zeros((64, 192, 3), np.uint8)
    pixels[:, 64:128] = 255
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", quality=95)
    result = decode(tmp_path / f"a.{suffix}", Form(3, 16, 16))
    assert result.min() > 240
    assert fit(torch.from_numpy(pixels).permute(2, 0, 1)[None], 16, None).min() == 255


def test_a_large_jpeg_is_resized_as_its_pixels_are(tmp_path):
    ramp = np.linspace(0, 255, 1024).astype(np.uint8)
    Image.fromarray(np.broadcast_to(ramp, (1024, 1024)).copy()).save(tmp_path / "a.jpg", quality=95)
    result = decode(tmp_path / "a.jpg", Form(1, 32, 32))[:, :, 0].astype(int)
    exact = ramp.reshape(32, 32).mean(1)
    assert np.abs(result[16] - exact).max() <= 4


def test_a_large_jpeg_is_resized_as_torchvision_does(tmp_path):
    """Decoded at half its size, it differs by no more than 1, unless noise is cut off."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, 40, 40, generator=generator) * 255
    smooth = torch.nn.functional.interpolate(coarse, (1100, 1100), mode="bicubic")
    noise = torch.randint(-10, 10, smooth.shape, generator=generator)
    pixels = (smooth + noise).clamp(0, 255).to(torch.uint8)[0].permute(1, 2, 0).numpy()
    path = tmp_path / "a.jpg"
    Image.fromarray(pixels).save(path, quality=90)
    with Image.open(path) as opened:
        opened.draft(None, (8 * 64, 8 * 64))
        assert opened.size == (550, 550)
    with Image.open(path) as opened:
        expected = np.asarray(v2.Resize(64)(opened.convert("RGB"))).astype(int)
    ours = decode(path, Form(3, 64, 64)).astype(int)
    assert np.abs(ours - expected).max() <= 1


def truncated(path):
    write_image(path, (64, 64, 3))
    path.write_bytes(path.read_bytes()[:-400])


def no_image(path):
    path.write_text("this is a text")


def empty(path):
    path.write_bytes(b"")


def head_only(path):
    write_image(path, (64, 64, 3))
    path.write_bytes(path.read_bytes()[:30])


def flipped_png(path):
    write_image(path.with_suffix(".png"), (64, 64, 3))
    raw = bytearray(path.with_suffix(".png").read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.with_suffix(".png").unlink()
    path.write_bytes(bytes(raw))


def floating(path):
    Image.fromarray(np.ones((8, 8), np.float32)).save(path, format="TIFF")


def wide_integers(path):
    Image.fromarray(np.ones((8, 8), np.int32)).save(path, format="TIFF")


@pytest.mark.parametrize(
    "make", [truncated, no_image, empty, head_only, flipped_png, floating, wide_integers]
)
@pytest.mark.parametrize("size", [None, 16])
def test_a_spoiled_image_is_refused_by_name(alone, make, size):
    for name in ("a.jpg", "c.jpg"):
        write_image(alone / "photos" / name)
    make(alone / "photos" / "b.jpg")
    with pytest.raises(GancourseError, match=r"photos/b\.jpg is not a readable image"):
        data.load("photos", size=size)


def test_an_absurdly_large_image_is_refused(alone, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    write_image(alone / "photos" / "b.png", (64, 64, 3))
    with pytest.raises(GancourseError, match="photos/b.png"):
        data.load("photos")


def test_masks_keep_their_values(tmp_path):
    values = np.array([[1, 2], [3, 1]], np.uint8).repeat(8, 0).repeat(8, 1)
    Image.fromarray(values).save(tmp_path / "m.png")
    masks = read_masks([tmp_path / "m.png"], Form(3, 4, 4), range(1, 4))
    assert masks.shape == (1, 1, 4, 4) and masks.dtype == torch.uint8
    assert masks[0, 0, ::2, ::2].tolist() == [[0, 1], [2, 0]]
    with pytest.raises(GancourseError, match="m.png.*values 1..3"):
        read_masks([tmp_path / "m.png"], Form(3, 4, 4), range(3))


@pytest.mark.parametrize(
    ("shapes", "form"),
    [
        ([(9, 14), (9, 14)], (9, 14)),
        ([(40, 50), (70, 90), (33, 200)], (32, 32)),
        ([(5, 5), (6, 7)], (8, 8)),
        ([(900, 700), (800, 600)], (256, 256)),
    ],
)
def test_default_size(tmp_path, shapes, form):
    paths = [write_image(tmp_path / f"{i}.png", (*shape, 3), 0) for i, shape in enumerate(shapes)]
    assert common_form(paths, None, None) == Form(3, *form)


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    size=st.integers(4, 40),
    given_channels=st.sampled_from([1, 3]),
    channels=st.sampled_from([None, 1, 3]),
)
@settings(max_examples=60, deadline=None)
def test_fit_gives_the_shape_asked_for_and_keeps_a_flat_colour(
    height, width, size, given_channels, channels
):
    images = torch.full((2, given_channels, height, width), 77, dtype=torch.uint8)
    result = fit(images, size, channels)
    assert result.shape == (2, channels or given_channels, size, size)
    assert result.dtype == torch.uint8 and (result == 77).all()


def test_fit_leaves_alone_what_fits():
    images = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    assert fit(images, 8, 1) is images and fit(images, None, None) is images


@pytest.mark.parametrize(
    "form",
    [
        {"size": 0},
        {"size": -3},
        {"size": 2.5},
        {"size": True},
        {"size": 5000},
        {"channels": 2},
        {"channels": 4},
    ],
)
def test_impossible_forms_are_refused(form):
    with pytest.raises(GancourseError, match=next(iter(form))):
        data.load("digits", **form)
