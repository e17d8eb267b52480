"""The layers at the pixels: PyTorch's own results, to every order of derivative."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from gancourse.nets.thin import FromImage, ToImage


def pair(channels, maps):
    """Ours and PyTorch's layers with the same weights: ((down, their down), (up, their up))."""
    geometry = {"kernel_size": 4, "stride": 2, "padding": 1}
    down, up = FromImage(channels, maps), ToImage(maps, channels)
    their_down = nn.Conv2d(channels, maps, **geometry)
    their_up = nn.ConvTranspose2d(maps, channels, **geometry)
    their_down.load_state_dict(down.state_dict())
    their_up.load_state_dict(up.state_dict())
    return (down, their_down), (up, their_up)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 4), st.integers(1, 20), st.integers(1, 5), st.integers(1, 5)
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_same_results_and_gradients_as_pytorch(layout, n, channels, maps, height, width):
    torch.manual_seed(0)
    images = torch.randn(n, channels, 2 * height, 2 * width).contiguous(memory_format=layout)
    features = torch.randn(n, maps, height, width).contiguous(memory_format=layout)
    for (ours, theirs), data in zip(pair(channels, maps), (images, features), strict=True):
        results = []
        for layer in (ours, theirs):
            x = data.clone().requires_grad_()
            y = layer(x)
            (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
            results.append((y, x.grad, layer.weight.grad, layer.bias.grad))
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("which", [0, 1])
def test_derivatives_of_first_and_second_order(which):
    torch.manual_seed(0)
    layer = pair(2, 3)[which][0].double()
    shape = ((2, 2, 4, 6), (2, 3, 2, 3))[which]
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)

    def function(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    assert gradcheck(function, (x, layer.weight, layer.bias))
    assert gradgradcheck(function, (x, layer.weight, layer.bias))


def test_only_wanted_gradients():
    (down, _), (up, _) = pair(1, 4)
    down.requires_grad_(False)
    up.requires_grad_(False)
    image = torch.randn(1, 1, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(down(image).sum(), image)
    assert gradient.shape == image.shape and down.weight.grad is None
    assert not down(image.detach()).requires_grad and not up(torch.randn(1, 4, 2, 2)).requires_grad


def test_wrong_channels_are_refused_as_by_pytorch():
    (down, _), _ = pair(3, 4)
    with pytest.raises(RuntimeError, match="channels"):
        down(torch.randn(2, 1, 8, 8))
