"""DCGAN's nets: shapes at every size, parameter counts from the paper's layer sizes."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from gancourse.errors import GancourseError
from gancourse.nets.dcgan import (
    DCGANDiscriminator,
    DCGANGenerator,
    initialise,
    resolution_steps,
)
from gancourse.nets.thin import FromImage


def parameters(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("size", "expected"),
    [(8, (4, 1)), (28, (7, 2)), (32, (4, 3)), (64, (4, 4)), (96, (6, 4)), (128, (4, 5))],
)
def test_resolution_steps(size, expected):
    assert resolution_steps((3, size, size)) == expected


@pytest.mark.parametrize(
    "shape", [(1, 28, 32), (1, 4, 4), (1, 27, 27), (1, 36, 36), (1, 2, 2), (1, 1, 1)]
)
def test_other_sizes_are_refused(shape):
    with pytest.raises(GancourseError, match="size="):
        resolution_steps(shape)


@pytest.mark.parametrize("size", [8, 28, 32, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(size, channels):
    shape = (channels, size, size)
    generator, discriminator = DCGANGenerator(shape, 10, 4), DCGANDiscriminator(shape, 4)
    with torch.no_grad():
        images = generator(torch.randn(3, 10))
        logits = discriminator(images)
    assert images.shape == (3, *shape) and images.dtype == torch.float32
    assert images.abs().max() <= 1
    assert logits.shape == (3,)


@settings(max_examples=15, deadline=None)
@given(st.integers(4, 7), st.integers(1, 3), st.integers(1, 4), st.integers(2, 6))
def test_any_base_times_a_power_of_two(base, steps, width, n):
    size = base * 2**steps
    if resolution_steps((1, size, size)) != (base, steps):
        return  # the same size is reached from a smaller base
    with torch.no_grad():
        images = DCGANGenerator((1, size, size), 3, width)(torch.randn(n, 3))
        assert images.shape == (n, 1, size, size)
        assert DCGANDiscriminator((1, size, size), width)(images).shape == (n,)


def test_generator_of_the_paper():
    # Figure 1: 100 -> 1024 x 4 x 4 -> 512 x 8 x 8 -> 256 x 16 x 16 -> 128 x 32 x 32 -> 3 x 64 x 64
    maps = [1024, 512, 256, 128]
    expected = 100 * 1024 * 4 * 4 + sum(2 * m for m in maps)  # projection, batch normalisation
    expected += sum(a * b * 4 * 4 for a, b in zip(maps, [*maps[1:], 3], strict=True)) + 3
    generator = DCGANGenerator((3, 64, 64), latent_dim=100, width=128)
    assert parameters(generator) == expected == 12_658_435
    seen = []
    for layer in generator.layers:
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_hook(lambda m, i, out: seen.append(tuple(out.shape[1:])))
    generator(torch.randn(2, 100))
    assert seen == [(1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32)]


def test_discriminator_mirrors_it():
    maps = [3, 128, 256, 512, 1024]
    expected = sum(a * b * 16 for a, b in itertools.pairwise(maps)) + 128
    expected += 2 * (256 + 512 + 1024) + 1024 * 4 * 4 + 1
    assert parameters(DCGANDiscriminator((3, 64, 64), 128)) == expected


@pytest.mark.parametrize(
    ("shape", "width", "maps", "of_generator", "of_discriminator"),
    [
        ((1, 28, 28), 32, [64, 32], 347_073, 36_577),
        ((3, 32, 32), 64, [256, 128, 64], 1_068_931, 663_361),
        ((3, 64, 64), 64, [512, 256, 128, 64], 3_576_707, 2_765_633),
        ((3, 128, 128), 32, [512, 256, 128, 64, 32], 3_608_003, 2_796_961),
        ((3, 128, 128), 64, [1024, 512, 256, 128, 64], 12_786_563, 11_164_481),
    ],
)
def test_layers_and_parameters(shape, width, maps, of_generator, of_discriminator):
    """As many layers up as down, six at 128 pixels; the counts from the layers' sizes alone."""
    channels, base = shape[0], shape[1] // 2 ** len(maps)
    kernels = 16 * sum(a * b for a, b in itertools.pairwise([*maps, channels]))
    last = maps[0] * base**2
    assert of_generator == 100 * last + kernels + 2 * sum(maps) + channels
    assert of_discriminator == kernels + width + 2 * sum(maps[:-1]) + last + 1
    generator, discriminator = DCGANGenerator(shape, 100, width), DCGANDiscriminator(shape, width)
    assert (parameters(generator), parameters(discriminator)) == (of_generator, of_discriminator)
    weighty = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    up, down = (
        [m for m in net.layers if isinstance(m, weighty)] for net in (generator, discriminator)
    )
    assert len(up) == len(down) == {28: 3, 32: 4, 64: 5, 128: 6}[shape[1]]
    assert [type(m).__base__ for m in (up[-1], down[0])] == [nn.ConvTranspose2d, nn.Conv2d]


@pytest.mark.parametrize("size", [28, 128])
def test_both_linear_layers_are_convolutions(size):
    """From 1 x 1 pixels to the base and back, with a kernel of the base's size."""
    torch.manual_seed(0)
    shape = (1, size, size)
    base = resolution_steps(shape)[0]
    first, to_maps = DCGANGenerator(shape, 10, 2).layers[:2]
    z = torch.randn(3, 10)
    weight = first.weight.unflatten(0, to_maps.shape).permute(3, 2, 0, 1)
    maps = nn.functional.conv_transpose2d(z[:, :, None, None], weight)
    torch.testing.assert_close(to_maps(first(z)), maps)
    to_vectors, last = DCGANDiscriminator((1, 2 * base, 2 * base), maps.shape[1]).layers[-3:-1]
    weight = last.weight.unflatten(1, (base, base, -1)).permute(0, 3, 1, 2)
    logits = nn.functional.conv2d(maps, weight, last.bias)
    torch.testing.assert_close(last(to_vectors(maps)), logits.flatten(1))


def test_rules_of_the_paper():
    generator, discriminator = DCGANGenerator((1, 32, 32), 8, 4), DCGANDiscriminator((1, 32, 32), 4)
    kinds = [type(m) for m in discriminator.layers]
    assert kinds[:2] == [FromImage, nn.LeakyReLU]  # no batch normalisation on the input layer
    assert not any(
        "Pool" in type(m).__name__ for m in [*generator.modules(), *discriminator.modules()]
    )
    assert all(m.negative_slope == 0.2 for m in discriminator.layers if isinstance(m, nn.LeakyReLU))
    assert isinstance(generator.layers[-1], nn.Tanh)
    assert isinstance(generator.layers[-2], nn.ConvTranspose2d)
    assert {m.eps for m in generator.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-5}


def test_initialisation():
    torch.manual_seed(0)
    net = DCGANGenerator((3, 32, 32), 100, 32).apply(initialise).requires_grad_(False)
    for module in net.modules():
        if isinstance(module, nn.Linear | nn.ConvTranspose2d):
            n = module.weight.numel()
            assert abs(module.weight.mean()) < 4 * 0.02 / n**0.5
            assert module.weight.std().item() == pytest.approx(0.02, rel=4 / n**0.5)
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1, abs=0.02)
            assert 0.005 < module.weight.std() < 0.04
            assert not module.bias.any()
