"""Toys: the densities they say they are."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from gancourse import data
from gancourse.data.registry import ToyName
from gancourse.data.toys import TOYS
from gancourse.errors import GancourseError


@pytest.mark.parametrize("name", TOYS)
def test_shapes_types_and_seeds(name):
    points = data.load(name, n=500, seed=3)
    assert isinstance(points, data.PointData) and len(points) == 500
    assert points.points.shape == (500, 2) and points.points.dtype == torch.float32
    assert points.labels.shape == (500,) and points.labels.dtype == torch.int64
    assert points.modes.shape[1] == 2 and points.modes.dtype == torch.float32
    assert points.points.isfinite().all() and points.name == name
    assert data.load(name, n=500, seed=3).points.equal(points.points)
    assert not data.load(name, n=500, seed=4).points.equal(points.points)
    assert not data.load(name, "test", n=500, seed=3).points.equal(points.points)


def test_default_count_and_the_names_of_the_type():
    assert len(data.load("ring")) == 10_000
    assert set(get_args(ToyName)) == set(TOYS)


@pytest.mark.parametrize(("name", "count", "std"), [("ring", 8, 0.01), ("grid", 25, 0.05)])
def test_mixtures_have_their_modes(name, count, std):
    toy = data.load(name, n=50_000)
    assert len(toy.modes) == count and toy.std == std
    share = toy.labels.bincount(minlength=count) / len(toy)
    assert (share - 1 / count).abs().max() < 0.01
    offset = toy.points - toy.modes[toy.labels]
    assert abs(offset.std().item() / std - 1) < 0.02 and offset.mean().abs() < std / 20
    assert torch.cdist(toy.points, toy.modes).argmin(1).equal(toy.labels)


def test_where_the_modes_lie():
    ring, grid = data.load("ring").modes, data.load("grid").modes
    assert torch.allclose(ring.norm(dim=1), torch.ones(8))
    assert sorted(map(tuple, grid.tolist())) == [
        (x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)
    ]


def test_curves_without_noise_are_their_curves():
    x, y = data.load("line", std=0).points.unbind(1)
    assert (x == 0).all() and y.min() < 0.01 and y.max() > 0.99 and (0 <= y).all() and (y < 1).all()
    assert torch.allclose(data.load("circle", std=0).points.norm(dim=1), torch.ones(10_000))
    spiral = data.load("spiral", std=0).points
    radius, angle = spiral.norm(dim=1), torch.atan2(spiral[:, 1], spiral[:, 0])
    turn = 3 * torch.pi * radius - angle
    assert ((turn / (2 * torch.pi)).round() * 2 * torch.pi - turn).abs().max() < 1e-3
    moons = data.load("two-moons", std=0)
    upper, lower = moons.points[moons.labels == 0], moons.points[moons.labels == 1]
    assert (upper[:, 1] >= -1e-6).all()
    assert torch.allclose(upper.norm(dim=1), torch.ones(len(upper)))
    assert torch.allclose((lower - torch.tensor([1, 0.5])).norm(dim=1), torch.ones(len(lower)))
    fields = data.load("checkerboard").points
    assert fields.abs().max() <= 2 and ((fields + 2).floor().clamp(max=3).sum(1) % 2 == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "n is 0"),
        ({"n": 2.5}, "n is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"std": -1.0}, "std is"),
        ({"std": float("nan")}, "std is"),
        ({"modes": 3}, "option of a toy"),
        ({"size": 8}, "no size"),
        ({"split": "val"}, "split of ring"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(GancourseError, match=message):
        data.load("ring", **options)
