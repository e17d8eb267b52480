"""Objectives against values worked out by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from gancourse.losses import (
    minimax_discriminator,
    minimax_generator,
    non_saturating_generator,
)

LOGITS = st.lists(st.floats(-30, 30), min_size=1, max_size=8)


class TestMinimaxDiscriminator:
    def test_log_4_where_undecided(self):
        zeros = torch.zeros(5)
        assert minimax_discriminator(zeros, zeros).item() == pytest.approx(math.log(4))

    def test_by_hand(self):
        # D(x) = 3/4 and D(G(z)) = 1/3: -log(3/4) - log(2/3) = log 2
        real, fake = torch.tensor([math.log(3)]), torch.tensor([-math.log(2)])
        assert minimax_discriminator(real, fake).item() == pytest.approx(math.log(2))

    @given(LOGITS, LOGITS)
    def test_is_binary_cross_entropy(self, real, fake):
        real, fake = torch.tensor(real), torch.tensor(fake)
        expected = binary_cross_entropy_with_logits(real, torch.ones_like(real))
        expected += binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
        torch.testing.assert_close(minimax_discriminator(real, fake), expected)

    def test_finite_at_extreme_logits(self):
        far = torch.tensor([1e4])
        assert minimax_discriminator(-far, far).item() == pytest.approx(2e4)


class TestGeneratorLosses:
    def test_saturating_by_hand(self):
        fake = torch.tensor([-math.log(2)])  # D = 1/3
        assert minimax_generator(fake).item() == pytest.approx(math.log(2 / 3))

    def test_non_saturating_by_hand(self):
        fake = torch.tensor([-math.log(2)])
        assert non_saturating_generator(fake).item() == pytest.approx(math.log(3))

    @given(st.floats(-20, 20))
    def test_gradients_are_minus_d_and_d_minus_1(self, logit):
        # d/dl log(1 - D) = -D and d/dl -log D = D - 1
        fake = torch.tensor(logit, requires_grad=True)
        d = torch.sigmoid(fake.detach())
        (saturating,) = torch.autograd.grad(minimax_generator(fake), fake)
        (other,) = torch.autograd.grad(non_saturating_generator(fake), fake)
        torch.testing.assert_close(saturating, -d)
        torch.testing.assert_close(other, d - 1)

    def test_saturating_vanishes_where_fakes_are_found_out(self):
        fake = torch.tensor(-20.0, requires_grad=True)
        (saturating,) = torch.autograd.grad(minimax_generator(fake), fake)
        (other,) = torch.autograd.grad(non_saturating_generator(fake), fake)
        assert abs(saturating) < 1e-8
        assert abs(other) > 0.99
