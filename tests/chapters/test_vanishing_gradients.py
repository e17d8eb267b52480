"""What the chapter writes out by hand is what the package computes."""

from __future__ import annotations

import pytest
import torch

from gancourse.theory import (
    Gaussian,
    best_output,
    expectation,
    generator_loss,
    optimal_discriminator,
)
from tests.chapters.pages import what_it_needs

CHAPTER = "vanishing-gradients"


@pytest.mark.parametrize(("theta", "s"), [(0.5, 1.0), (3.0, 0.7), (8.0, 2.0)])
def test_gradients_written_out_are_the_package_s(theta, s):
    chapter = what_it_needs(CHAPTER, "mean_of_d, predicted")
    p, q = Gaussian(0, s), Gaussian(theta, s)
    exact = expectation(q, optimal_discriminator(p, q))
    assert chapter["mean_of_d"](theta, s) == pytest.approx(exact, rel=1e-8)
    for name, gradient in zip(
        ("saturating", "non-saturating"), chapter["predicted"](theta, s), strict=True
    ):
        held = best_output(name, p, q)
        up, down = (generator_loss(name, held, Gaussian(theta + d, s)) for d in (1e-3, -1e-3))
        assert (up - down) / 2e-3 == pytest.approx(gradient, abs=1e-5)


def test_a_network_with_a_bound_has_no_steeper_slope():
    chapter = what_it_needs(CHAPTER, "make_networks, logits")
    networks = chapter["make_networks"]((0, 1, 2))
    x = torch.linspace(-5, 5, 500).reshape(1, -1, 1).repeat(3, 1, 1).requires_grad_()
    for bound in (1.0, 0.3):
        t = chapter["logits"](networks, x, lipschitz=bound)
        (slope,) = torch.autograd.grad(t.sum(), x)
        assert 0 < slope.abs().max() <= bound * (1 + 1e-5)
    assert t.shape == (3, 500, 1)
