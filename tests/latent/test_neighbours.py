"""Nearest neighbours against brute force, and copies told from samples."""

from __future__ import annotations

import pytest
import torch
from scipy.stats import mannwhitneyu

from gancourse.errors import GancourseError
from gancourse.latent import copying, nearest_neighbours

SEEDS = (0, 1, 2)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pixels(n: int, seed: int = 0, channels: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, channels, 6, 6), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("elements", [40, 2**23])
def test_neighbours_against_brute_force(channels, elements, monkeypatch):
    monkeypatch.setattr("gancourse.latent.neighbours.ELEMENTS", elements)
    images, data = pixels(7, 0, channels), pixels(50, 1, channels)
    data[31] = images[4]
    index, distance = nearest_neighbours(images, data, k=3)
    far = torch.cdist(images.flatten(1).double() / 255, data.flatten(1).double() / 255)
    expected = far.sort(dim=1)
    assert torch.equal(index, expected.indices[:, :3])
    assert torch.allclose(distance.double(), expected.values[:, :3], atol=1e-5)
    assert index[4, 0] == 31 and distance[4, 0] == 0


def test_neighbours_of_features():
    class Halves:
        calls = 0

        def features(self, images):
            Halves.calls += 1
            return images.float().mean((1, 3)) / 255

    images, data = pixels(3), pixels(20, 1)
    index, distance = nearest_neighbours(images, data, extractor=Halves())
    features = [Halves().features(x) for x in (images, data)]
    assert torch.equal(index[:, 0], torch.cdist(*features).argmin(1))
    again = nearest_neighbours(*features)
    assert torch.equal(again[0], index) and torch.allclose(again[1], distance)
    Halves.calls = 0
    result = copying(images, data, pixels(5, 2), extractor=Halves())
    assert Halves.calls == 3 and torch.allclose(result.distance, distance[:, 0])


def test_neighbours_refuse():
    images = pixels(3)
    for bad, data, k in (
        (images.float(), images, 1),
        (images, pixels(3, channels=3), 1),
        (images, images, 4),
        (images, images, 0),
        (images[:0], images, 1),
    ):
        with pytest.raises(GancourseError):
            nearest_neighbours(bad, data, k=k)


@pytest.mark.parametrize("seed", SEEDS)
def test_copies_are_told_from_samples(seed):
    """Features of one normal distribution: fresh ones are as near as the test set, copies nearer."""
    train, test, fresh = (noise(400, 5, seed=10 * seed + i) for i in range(3))
    honest = copying(fresh, train, test)
    assert abs(honest.nearer - 0.5) < 0.1
    copies = copying(train[:100] + 1e-3, train, test)
    assert copies.nearer > 0.99 and copies.index.tolist() == list(range(100))
    half = copying(torch.cat([train[:200], fresh[:200]]), train, test)
    assert 0.68 < half.nearer < 0.82
    assert copying(fresh + 5, train, test).nearer < 0.01
    own, others = half.distance.numpy(), half.reference.numpy()
    u = mannwhitneyu(others, own).statistic
    assert half.nearer == pytest.approx(u / (len(own) * len(others)), abs=1e-5)
