"""Multilayer perceptrons: shapes and parameter counts."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse.nets.mlp import MLPDiscriminator, MLPGenerator


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)),
    st.lists(st.integers(1, 8), min_size=1, max_size=3),
    st.integers(2, 5),
)
def test_shapes(shape, hidden, n):
    images = MLPGenerator(shape, 6, hidden)(torch.randn(n, 6))
    assert images.shape == (n, *shape)
    assert images.abs().max() <= 1
    assert MLPDiscriminator(shape, hidden)(images).shape == (n,)


def test_parameter_counts():
    def count(net):
        return sum(p.numel() for p in net.parameters())

    # weights + biases + scale and shift of batch normalisation
    expected = (100 * 256 + 256 + 2 * 256) + (256 * 512 + 512 + 2 * 512) + (512 * 784 + 784)
    assert count(MLPGenerator((1, 28, 28), 100, (256, 512))) == expected
    expected = (784 * 512 + 512) + (512 * 256 + 256) + (256 + 1)
    assert count(MLPDiscriminator((1, 28, 28), (512, 256))) == expected
