"""Ways through latent space and their lengths, truncation, directions, films."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import kstest, truncnorm

from gancourse.errors import GancourseError
from gancourse.latent import (
    animation,
    arithmetic,
    lerp,
    principal_directions,
    slerp,
    truncate,
    walk,
)

SEEDS = (0, 1, 2)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pixels(n: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, 1, 6, 6), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("way", [lerp, slerp])
def test_a_way_has_its_ends_and_takes_many_shares_at_once(way):
    a, b = noise(5, 100, seed=1), noise(5, 100, seed=2)
    shares = torch.tensor([0.0, 0.3, 1.0])
    points = way(a, b, shares)
    assert points.shape == (3, 5, 100)
    assert torch.allclose(points[0], a, atol=1e-5) and torch.allclose(points[2], b, atol=1e-5)
    assert torch.equal(points[1], way(a, b, 0.3))
    assert torch.allclose(way(a[0], b[0], 0.3), points[1, 0], atol=1e-6)
    with pytest.raises(GancourseError, match="one shape"):
        way(a, b[:, :50], 0.5)


def test_slerp_by_hand():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    third = slerp(a, b, 1 / 3)
    assert torch.allclose(third, torch.tensor([math.cos(math.pi / 6), math.sin(math.pi / 6)]))
    # Lengths of its ends count: half-way between (2, 0) and (0, 1).
    half = math.sin(math.pi / 4)
    assert torch.allclose(slerp(2 * a, b, 0.5), half * torch.tensor([2.0, 1.0]))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_arc_keeps_the_length_that_a_line_loses(seed):
    z = noise(200, 100, seed=seed)
    z = 10 * z / z.norm(dim=1, keepdim=True)
    shares = torch.linspace(0, 1, 7)
    assert torch.allclose(
        slerp(z[:100], z[100:], shares).norm(dim=-1), torch.tensor(10.0), atol=1e-4
    )
    middle = lerp(z[:100], z[100:], 0.5).norm(dim=-1).mean()
    assert abs(middle - 10 / math.sqrt(2)) < 0.15


def test_an_arc_of_no_width_is_the_straight_way():
    z = noise(1, 10)
    z[0] = z[0].round()
    for other in (z, 2 * z, -z, torch.zeros_like(z)):
        assert torch.allclose(slerp(z, other, 0.25), lerp(z, other, 0.25), atol=1e-5)
        assert torch.isfinite(slerp(z, other, 0.5)).all()


def test_a_walk_goes_through_all_points_and_closes():
    points = noise(3, 100)
    path = walk(points, 4)
    assert path.shape == (12, 100)
    assert torch.allclose(path[::4], points, atol=1e-5)
    assert torch.allclose(path[9], slerp(points[2], points[0], 0.25))
    # No step is far larger than the others, that from the end to the beginning included.
    steps = (path.roll(-1, 0) - path).norm(dim=1)
    assert steps.max() < 2 * steps.min()
    for bad in (points[:1], points[0]):
        with pytest.raises(GancourseError, match="walk"):
            walk(bad, 4)
    with pytest.raises(GancourseError, match="at least one step"):
        walk(points, 0)


def test_arithmetic():
    a, b, c = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 1.0]]), torch.eye(2)
    assert arithmetic(a, b, c).tolist() == [1.5, 2.5]
    with pytest.raises(GancourseError, match="three matrices"):
        arithmetic(a, b, torch.ones(2, 3))
    with pytest.raises(GancourseError, match="three matrices"):
        arithmetic(a, b[:0], c)


@pytest.mark.parametrize("seed", SEEDS)
def test_three_of_each_have_the_length_of_a_sample(seed):
    def size(n: int) -> float:
        z = noise(300, 3, n, 100, seed=seed)
        sums = torch.stack([arithmetic(*three) for three in z])
        return float(sums.norm(dim=1).mean())

    assert abs(size(3) - 10) < 0.2 and size(1) > 16 and size(12) < 6


@pytest.mark.parametrize("threshold", [0.1, 0.5, 1.0, 2.0])
def test_truncated_noise_is_distributed_as_if_drawn_again(threshold):
    z = noise(20_000, seed=3)
    found = truncate(z, threshold)
    assert found.dtype == torch.float32 and found.abs().max() <= threshold
    assert kstest(found.numpy(), truncnorm(-threshold, threshold).cdf).pvalue > 0.01
    order = z.argsort()
    assert (found[order].diff() >= 0).all()  # ranks are kept
    exact = truncnorm(-threshold, threshold).ppf(0.5 * (1 + np.vectorize(math.erf)(z / 2**0.5)))
    assert np.abs(found.numpy() - exact).max() < 1e-5


def test_a_wide_threshold_changes_nothing():
    z = noise(10_000)
    assert torch.equal(truncate(z, math.inf), z)
    assert (truncate(z, 8.0) - z).abs().max() < 1e-5
    extreme = torch.tensor([0.0, -0.0, 12.0, -12.0])
    assert truncate(extreme, 2.0).tolist() == [0.0, 0.0, 2.0, -2.0]
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(GancourseError, match="above 0"):
            truncate(z, bad)


def test_principal_directions_are_those_of_the_features():
    matrix = noise(6, 40) * torch.tensor([4.0, 1.0, 0.5, 2.0, 0.1, 3.0])[:, None]
    vectors, strengths = principal_directions(matrix, 6)
    assert torch.allclose(vectors @ vectors.T, torch.eye(6), atol=1e-5)
    assert torch.allclose((vectors @ matrix).norm(dim=1), strengths, atol=1e-4)
    assert (strengths.diff() < 0).all()
    assert all(row[row.abs().argmax()] > 0 for row in vectors)
    # By sampling, as GANSpace finds them: the features' variance along the strongest.
    features = noise(20_000, 6, seed=1) @ matrix
    first = torch.linalg.eigvalsh(features.T.cov())[-1].sqrt()
    assert abs(first / strengths[0] - 1) < 0.03
    turned, _ = principal_directions(-matrix, 6)
    assert torch.allclose(turned, vectors, atol=1e-4)
    for count in (0, 7):
        with pytest.raises(GancourseError, match="principal directions"):
            principal_directions(matrix, count)


@pytest.mark.parametrize("ending", ["gif", "webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_an_animation_shows_every_frame(ending, channels, tmp_path):
    frames = torch.arange(0, 240, 60, dtype=torch.uint8).view(4, 1, 1, 1)
    frames = frames.expand(4, channels, 5, 5).contiguous()
    frames[:, :, 0, 0] = 255
    path = animation(frames, tmp_path / f"walk.{ending}", milliseconds=100, scale=3)
    with Image.open(path) as film:
        assert film.n_frames == 4 and film.size == (15, 15) and film.info["loop"] == 0
        for i in range(4):
            film.seek(i)
            found = np.asarray(film.convert("RGB"))
            assert film.info["duration"] == 100
            assert (found[:3, :3] == 255).all() and (found[3:, 3:] == 60 * i).all()
    assert list(tmp_path.iterdir()) == [path]


def test_an_animation_of_several_images_and_what_it_refuses(tmp_path):
    path = animation(pixels(6).view(2, 3, 1, 6, 6), tmp_path / "three.webp", scale=1)
    with Image.open(path) as film:
        assert film.size == (20, 6) and film.n_frames == 2
    with pytest.raises(GancourseError, match=r"\.gif or a \.webp"):
        animation(pixels(2), tmp_path / "walk.mp4")
    for bad in (pixels(2)[:0], pixels(2)[0], pixels(2).float()):
        with pytest.raises(GancourseError):
            animation(bad, tmp_path / "walk.gif")
    assert not (tmp_path / "walk.gif").exists()
