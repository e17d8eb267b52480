"""The speed along a way against its closed form, and inversion of generators that can be inverted."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from gancourse.errors import GancourseError
from gancourse.latent import invert, lerp, path_length

SEEDS = (0, 1, 2)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def same(x: torch.Tensor) -> torch.Tensor:
    return x


@pytest.mark.parametrize("seed", SEEDS)
def test_the_speed_of_ways_in_closed_form(seed):
    """Along an arc of radius r the squared speed is (r w)^2; on the line that of b - a."""
    a, b = noise(2, 20, 50, seed=seed)
    a, b = (3 * x / x.norm(dim=1, keepdim=True) for x in (a, b))
    angle = torch.acos((a * b).sum(1) / 9)
    found = path_length(lambda z: z, same, a, b, step=0.01)
    assert torch.allclose(found, (3 * angle) ** 2, rtol=1e-3)
    straight = path_length(lambda z: z, same, a, b, way=lerp, step=0.01)
    assert torch.allclose(straight, (a - b).square().sum(1), rtol=1e-3)
    # A linear generator and doubled features: 4 |A (b - a)|^2, whatever the shape of an image.
    matrix = noise(50, 12, seed=9)
    images = path_length(
        lambda z: (z @ matrix).view(-1, 3, 2, 2), lambda x: 2 * x, a, b, way=lerp, step=0.01
    )
    assert torch.allclose(images, 4 * ((b - a) @ matrix).square().sum(1), rtol=1e-3)


def test_a_curve_is_measured_in_several_places():
    """G(z) = z^2 on the line from 0 to 1: the mean of (2 t)^2 over [0, 1] is 4 / 3."""
    zero, one = torch.zeros(1, 1), torch.ones(1, 1)
    found = path_length(torch.square, same, zero, one, way=lerp, places=20, step=0.01)
    assert float(found) == pytest.approx(4 / 3, abs=2e-3)
    middle = path_length(torch.square, same, zero, one, way=lerp, places=1, step=0.01)
    assert float(middle) == pytest.approx(1, abs=1e-3)


def test_a_jump_grows_as_the_step_shrinks():
    a, b = noise(2, 4000, 100)
    codes = noise(100, 100, seed=1)

    def table(z: torch.Tensor) -> torch.Tensor:
        return (z @ codes.T).argmax(1)[:, None].float()

    def smooth(z: torch.Tensor) -> torch.Tensor:
        return z.tanh()

    jumps, speeds = (
        [float(path_length(net, same, a, b, step=step).mean()) for step in (0.05, 0.005)]
        for net in (table, smooth)
    )
    assert 7 < jumps[1] / jumps[0] < 13 and 0.95 < speeds[1] / speeds[0] < 1.05


@pytest.mark.parametrize(("places", "step"), [(0, 0.1), (4, 0.0), (4, 0.25), (4, -1.0)])
def test_a_path_that_cannot_be_measured_is_refused(places, step):
    with pytest.raises(GancourseError, match="path length"):
        path_length(same, same, noise(2, 3), noise(2, 3), places=places, step=step)


class Linear(nn.Module):
    """Noise to images of 4 x 4 whose values stay inside [-1, 1], by an orthonormal matrix."""

    def __init__(self, latent: int) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.linalg.qr(noise(16, latent, seed=7)).Q)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return (z @ self.matrix.T / 8).view(-1, 1, 4, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_inversion_of_a_linear_generator(seed):
    net = Linear(6)
    z = noise(10, 6, seed=seed)
    exact = net(z).detach()
    images = ((exact + 1) * 127.5).round().to(torch.uint8)
    start = noise(10, 6, seed=seed + 50)
    kept = start.clone()
    found, error = invert(net, images, start, steps=300, rate=0.2)
    assert (found - z).abs().max() < 0.2 and error.max() < 0.5  # both of the rounding
    assert torch.equal(start, kept) and net.matrix.grad is None and not found.requires_grad
    made = (127.5 * (net(found) - (images.float() / 127.5 - 1))).square().flatten(1).mean(1).sqrt()
    assert torch.allclose(error, made, atol=1e-4)


def test_what_a_generator_cannot_make_keeps_an_error():
    """The distance to the plane of a linear generator's images; also where gradients are off."""
    net = Linear(6)
    x = 0.2 * noise(5, 16, seed=3).clamp(-2, 2)
    images = ((x + 1) * 127.5).round().to(torch.uint8)
    x = images.view(5, 16).float() / 127.5 - 1
    with torch.no_grad():
        rest = x - x @ net.matrix @ net.matrix.T
        _, error = invert(net, images.view(5, 1, 4, 4), torch.zeros(5, 6), steps=300, rate=0.2)
    assert torch.allclose(error, 127.5 * rest.square().mean(1).sqrt(), rtol=1e-2)
    assert error.min() > 5 and math.isfinite(float(error.sum()))


def test_images_of_other_kinds_are_refused():
    images = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    for bad, start in ((images.float(), noise(3, 6)), (images, noise(2, 6))):
        with pytest.raises(GancourseError, match="of the shape that the generator makes"):
            invert(Linear(6), bad, start)
