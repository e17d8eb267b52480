"""Preprocessing against torchvision; flips and DiffAugment against what they are said to do."""

import pytest
import torch
from PIL import Image
from torch.nn import functional
from torchvision.transforms import v2

from gancourse.augment import (
    DIFFAUGMENT,
    FLIPS,
    diffaugment,
    in_order,
    random_flips,
    resize_and_crop,
)
from gancourse.data import images
from gancourse.errors import GancourseError
from gancourse.gans.base import to_signal

# height, width, size: down and up, odd sides, long ones, crops with an odd remainder, nothing to do
SIZES = [
    (150, 150, 64), (200, 133, 64), (97, 151, 32), (33, 35, 28), (224, 224, 128),
    (28, 28, 64), (31, 45, 128), (17, 90, 33), (64, 64, 64), (64, 81, 64), (128, 33, 33), (5, 7, 4),
]  # fmt: skip


def photos(n, height, width, channels=3):
    """Smooth shapes, hard edges and noise, uint8."""
    generator = torch.Generator().manual_seed(height * 1000 + width)
    coarse = torch.rand(n, channels, 5, 4, generator=generator) * 255
    smooth = functional.interpolate(coarse, (height, width), mode="bicubic")
    noise = torch.randint(-60, 60, smooth.shape, generator=generator)
    edges = (torch.arange(width) // 3 % 2) * 90
    return (smooth + noise + edges).clamp(0, 255).to(torch.uint8)


class TestResizeAndCrop:
    @pytest.mark.parametrize(("height", "width", "size"), SIZES)
    def test_is_torchvisions(self, height, width, size):
        """The report's four transforms but the flips, on a grey-level image and on floats."""
        whole = photos(2, height, width)
        ours = resize_and_crop(whole, size)
        assert ours.dtype == torch.uint8 and ours.shape == (2, 3, size, size)
        cut = [v2.Resize(size, antialias=True), v2.CenterCrop(size)]
        scaled, normalised = (
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.5] * 3, [0.5] * 3),
        )
        pixels = v2.Compose([*cut, scaled])(whole)
        assert (ours / 255 - pixels).abs().max() <= 1.001 / 255
        # Where torchvision does not round at all, half a level is left: 1/255 of -1..1, too.
        signal = v2.Compose([scaled, *cut, normalised])(whole)
        assert (to_signal(ours) - signal).abs().max() <= 1.001 / 255

    @pytest.mark.parametrize(("height", "width", "size"), SIZES)
    def test_is_torchvisions_for_files_too(self, height, width, size):
        image = photos(1, height, width)
        opened = Image.fromarray(image[0].permute(1, 2, 0).numpy())
        there = v2.Compose([v2.Resize(size), v2.CenterCrop(size), v2.PILToTensor()])(opened)
        difference = resize_and_crop(image, size)[0].int() - there.int()
        assert difference.abs().max() <= 1

    def test_in_parts(self):
        many = photos(600, 9, 11, channels=1)
        alone = torch.cat([resize_and_crop(image[None], 8) for image in many])
        assert torch.equal(resize_and_crop(many, 8), alone)

    def test_the_loader_does_it_to_squares(self, tmp_path):
        """So data of square images come out of ``data.load`` as the report prepares them."""
        square = photos(2, 150, 150)
        ours = resize_and_crop(square, 64)
        assert torch.equal(images.fit(square, 64, None), ours)
        for image, expected in zip(square, ours, strict=True):
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(tmp_path / "a.png")
            decoded = torch.tensor(images.decode(tmp_path / "a.png", images.Form(3, 64, 64)))
            assert (decoded.permute(2, 0, 1).int() - expected.int()).abs().max() <= 1

    def test_what_fits_is_left_alone(self):
        square = photos(2, 32, 32)
        assert resize_and_crop(square, 32) is square

    @pytest.mark.parametrize(
        ("batch", "size", "message"),
        [
            (torch.zeros(2, 3, 8, 8), 4, "uint8"),
            (torch.zeros(3, 8, 8, dtype=torch.uint8), 4, "N x C x H x W"),
            (torch.zeros(2, 3, 0, 8, dtype=torch.uint8), 4, r"\(2, 3, 0, 8\)"),
            (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), 0, "1 or more"),
        ],
    )
    def test_refuses(self, batch, size, message):
        with pytest.raises(GancourseError, match=message):
            resize_and_crop(batch, size)


class TestFlips:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("kind", FLIPS)
    def test_half_of_the_images_each_by_itself(self, kind, seed):
        batch = photos(400, 6, 5)
        flipped = random_flips(batch, [kind], torch.Generator().manual_seed(seed))
        mirror = getattr(v2.functional, f"{kind}_flip")(batch)
        same = (flipped == batch).flatten(1).all(1)
        assert ((flipped == mirror).flatten(1).all(1) | same).all()
        assert abs(same.float().mean() - 0.5) < 0.1  # four deviations
        assert flipped.dtype == torch.uint8

    @pytest.mark.parametrize("seed", range(3))
    def test_both_are_independent(self, seed):
        torch.manual_seed(seed)
        batch = torch.tensor([[0, 1], [2, 3]], dtype=torch.uint8).expand(800, 1, 2, 2)
        corner = random_flips(batch, FLIPS)[:, 0, 0, 0]
        assert (corner.int().bincount(minlength=4) / 800 - 0.25).abs().max() < 0.065

    def test_draws(self):
        """From the generator that is given, or the global one; and without a flip none."""
        batch = photos(64, 4, 4)
        before = torch.get_rng_state()
        first, again = (
            random_flips(batch, FLIPS, torch.Generator().manual_seed(1)) for _ in range(2)
        )
        assert random_flips(batch, ()) is batch
        assert torch.equal(first, again) and torch.equal(before, torch.get_rng_state())
        first, other = random_flips(batch, FLIPS), random_flips(batch, FLIPS)
        assert not torch.equal(first, other) and not torch.equal(before, torch.get_rng_state())


@pytest.fixture(params=range(3))
def signal(request):
    """256 images 3 x 16 x 24 in -1..1, none of whose pixels is 0; the global generator seeded."""
    torch.manual_seed(request.param)
    return to_signal(photos(256, 16, 24))


class TestDiffAugment:
    def test_color_in_its_ranges(self, signal):
        """What can be read off the result: its mean, and two spreads."""
        changed = diffaugment(signal, ["color"])
        mean = lambda x: x.mean((1, 2, 3))  # noqa: E731
        brightness = mean(changed) - mean(signal)
        grey, before = changed.mean(1, keepdim=True), signal.mean(1, keepdim=True)
        contrast = grey.std((1, 2, 3)) / before.std((1, 2, 3))
        saturation = (changed - grey).std((1, 2, 3)) / (signal - before).std((1, 2, 3)) / contrast
        for drawn, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (saturation, 0, 2)):
            span = high - low
            assert low - 1e-4 <= drawn.min() < low + 0.1 * span
            assert high + 1e-4 >= drawn.max() > high - 0.1 * span
            assert abs(drawn.mean() - (low + high) / 2) < 0.075 * span  # four deviations
        drawn = torch.stack([brightness, contrast, saturation])
        assert (drawn.corrcoef() - torch.eye(3)).abs().max() < 0.25

    def test_color_is_the_same_change_all_over_an_image(self, signal):
        changed = diffaugment(signal, ["color"])
        for x, y in zip(signal[:8], changed[:8], strict=True):
            grey_in, grey_out = x.mean(0).flatten(), y.mean(0).flatten()
            design = torch.stack([grey_in, torch.ones_like(grey_in)], 1)
            fitted = design @ torch.linalg.lstsq(design, grey_out[:, None]).solution
            torch.testing.assert_close(fitted[:, 0], grey_out, atol=1e-4, rtol=0)

    def test_grey_images_have_no_saturation(self):
        torch.manual_seed(0)
        grey = to_signal(photos(8, 8, 8, channels=1)).expand(-1, 3, -1, -1)
        changed = diffaugment(grey, ["color"])
        torch.testing.assert_close(changed, changed[:, :1].expand_as(changed))

    def test_translation_by_every_shift_up_to_an_eighth(self, signal):
        seen = set()
        for x, y in zip(signal, diffaugment(signal, ["translation"]), strict=True):
            found = [s for s in shifts(2, 3) if torch.equal(shifted(x, *s), y)]
            assert len(found) == 1
            seen.add(found[0])
        assert {s[0] for s in seen} == set(range(-2, 3))
        assert {s[1] for s in seen} == set(range(-3, 4))
        assert len(seen) > 25  # of 35: both directions are drawn apart

    def test_cutout_is_a_square_of_half_the_side(self, signal):
        changed = diffaugment(signal, ["cutout"])
        holes = (changed == 0).all(1)
        assert torch.equal(changed, signal.masked_fill(holes[:, None], 0))
        areas = []
        for hole in holes:
            rows, columns = hole.any(1).nonzero()[:, 0], hole.any(0).nonzero()[:, 0]
            assert hole.sum() == len(rows) * len(columns)  # a rectangle, and in one piece:
            for places, side in ((rows, 16), (columns, 24)):
                assert len(places) == places[-1] - places[0] + 1
                whole = len(places) == side // 2
                assert whole or 0 in places or side - 1 in places  # smaller only at the border
                assert side // 4 <= len(places) <= side // 2
            areas.append(int(hole.sum()))
        assert max(areas) == 8 * 12 and min(areas) < 8 * 12

    @pytest.mark.parametrize(("side", "length"), [(1, 1), (5, 3), (7, 4), (8, 4)])
    def test_cutout_treats_both_borders_alike(self, side, length):
        torch.manual_seed(0)
        holes = diffaugment(torch.ones(300, 1, side, side), ["cutout"]) == 0
        columns = holes[:, 0].any(1)
        assert columns.any(1).all() and columns.sum(1).max() == length
        seen = {tuple(row) for row in columns.tolist()}
        assert seen == {row[::-1] for row in seen}
        assert len(seen) == side + 1 - length % 2  # one for each centre

    def test_images_are_drawn_apart(self):
        torch.manual_seed(0)
        image = to_signal(photos(1, 16, 16)).expand(8, -1, -1, -1)
        for kind in DIFFAUGMENT:
            assert len(diffaugment(image, [kind]).unique(dim=0)) > 4, kind

    @pytest.mark.parametrize("kinds", [[kind] for kind in DIFFAUGMENT] + [list(DIFFAUGMENT)])
    def test_gradients(self, kinds):
        """First and second derivatives in float64, the draws held fixed."""
        torch.manual_seed(0)
        x = torch.randn(2, 2, 5, 6, dtype=torch.float64, requires_grad=True)

        def change(x):
            torch.manual_seed(1)
            return diffaugment(x, kinds)

        assert torch.autograd.gradcheck(change, x, fast_mode=True)
        squared = lambda x: change(x) ** 2  # noqa: E731
        assert torch.autograd.gradgradcheck(squared, x, fast_mode=True)

    def test_without_a_kind_nothing_is_drawn(self):
        batch, before = torch.rand(2, 1, 8, 8), torch.get_rng_state()
        assert diffaugment(batch, ()) is batch
        assert torch.equal(before, torch.get_rng_state())

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_keeps_shape_and_dtype(self, dtype):
        changed = diffaugment(torch.rand(4, 1, 8, 12).to(dtype), DIFFAUGMENT)
        assert changed.shape == (4, 1, 8, 12) and changed.dtype == dtype


def shifts(up, left):
    return [(i, j) for i in range(-up, up + 1) for j in range(-left, left + 1)]


def shifted(image, down, right):
    """The image moved, by loops over nothing but slices."""
    height, width = image.shape[1:]
    result = torch.zeros_like(image)
    result[:, max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = image[
        :, max(-down, 0) : height + min(-down, 0), max(-right, 0) : width + min(-right, 0)
    ]
    return result


def test_names():
    assert in_order("flip", ["vertical", "horizontal", "vertical"], FLIPS) == tuple(FLIPS)
    assert in_order("flip", "vertical", FLIPS) == ("vertical",)
    assert in_order("flip", (), FLIPS) == ()
    with pytest.raises(GancourseError, match="Unknown flip 'horizontl'. Did you mean horizontal"):
        in_order("flip", ["horizontl"], FLIPS)


def test_one_kind_may_be_given_as_a_word_and_an_unknown_one_is_named():
    pixels = torch.arange(48.0).view(1, 3, 4, 4)
    assert random_flips(pixels, "horizontal").shape == pixels.shape
    with pytest.raises(GancourseError, match="Unknown flip .*Did you mean horizontal"):
        random_flips(pixels, ("horizontl",))
    with pytest.raises(GancourseError, match="Did you mean color"):
        diffaugment(pixels, "colour")
