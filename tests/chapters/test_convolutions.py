"""What the chapter writes out is what torch and the package compute, and three errata are errors."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from gancourse import losses
from gancourse.gans import DCGAN
from gancourse.nets import dcgan
from gancourse.nets.thin import FromImage, ToImage
from tests.chapters.pages import what_it_needs

CHAPTER = "convolutions"
SIDES = (28, 32, 64, 128)


def chapter(names):
    return what_it_needs(CHAPTER, names)


@pytest.mark.parametrize(("k", "s", "p"), [(4, 2, 1), (3, 1, 1), (3, 2, 0), (5, 3, 2), (2, 2, 0)])
def test_matrix_and_stamps_are_torch_s_layers(k, s, p):
    here = chapter("matrix, stamp, size_down, size_up")
    torch.manual_seed(k)
    kernel, image = torch.randn(k, k), torch.randn(7, 7)
    matrix = here["matrix"](kernel, 7, s, p)
    down = functional.conv2d(image[None, None], kernel[None, None], stride=s, padding=p)[0, 0]
    torch.testing.assert_close((matrix @ image.flatten()).view_as(down), down)
    small = torch.randn_like(down)
    remainder = 7 - here["size_up"](len(small), k, s, p)
    stamps = here["stamp"](small, kernel, s, p, remainder)
    torch.testing.assert_close(stamps.flatten(), matrix.T @ small.flatten())
    up = functional.conv_transpose2d(
        small[None, None], kernel[None, None], stride=s, padding=p, output_padding=remainder
    )
    torch.testing.assert_close(stamps, up[0, 0])


@pytest.mark.parametrize("seed", range(3))
def test_matrix_and_stamps_are_the_package_s_layers(seed):
    here = chapter("matrix, stamp")
    torch.manual_seed(seed)
    first, last = FromImage(1, 1).requires_grad_(False), ToImage(1, 1).requires_grad_(False)
    image, small = torch.randn(8, 8), torch.randn(4, 4)
    by_hand = here["matrix"](first.weight[0, 0], 8, 2, 1) @ image.flatten() + first.bias
    torch.testing.assert_close(first(image[None, None]).flatten(), by_hand)
    by_hand = here["stamp"](small, last.weight[0, 0], 2, 1) + last.bias
    torch.testing.assert_close(last(small[None, None])[0, 0], by_hand)


def test_sizes():
    here = chapter("size_down, size_up")
    for n, k, s, p in itertools.product(range(5, 12), (2, 3, 4, 5), (1, 2, 3), (0, 1, 2)):
        m = functional.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, k, k), None, s, p)
        assert here["size_down"](n, k, s, p) == m.shape[-1]
        o = n - here["size_up"](m.shape[-1], k, s, p)
        assert 0 <= o < s
        assert here["size_up"](m.shape[-1], k, s, p, o) == n


@pytest.mark.parametrize("k", range(1, 9))
@pytest.mark.parametrize("s", [1, 2, 3, 4])
def test_overlaps(k, s):
    counts = chapter("contributions")["contributions"](k, s)
    ones = torch.ones(1, 1, 20)
    sums = functional.conv_transpose1d(ones, torch.ones(1, 1, k), stride=s)[0, 0]
    assert sums[8 * s : 9 * s].int().tolist() == counts
    assert (len(set(counts)) == 1) is (k % s == 0)


@pytest.mark.parametrize("seed", range(4))
def test_only_the_resize_convolution_keeps_a_constant_constant(seed):
    here = chapter("stack, ripple, flat, KINDS")
    ripples = {k: here["ripple"](here["stack"](k, seed + 100)(here["flat"])) for k in here["KINDS"]}
    assert ripples.pop("resize") < 1e-4
    assert min(ripples.values()) > 0.02


@pytest.mark.parametrize("side", SIDES)
def test_receptive_field_of_the_package_s_discriminator(side):
    here = chapter("field, gradient_of_one")
    layers = [(m.kernel_size[0], m.stride[0])
              for m in dcgan.DCGANDiscriminator((1, side, side), 4).modules()
              if isinstance(m, nn.Conv2d)]  # fmt: skip
    for seed in (11, 12):
        seen = here["gradient_of_one"](side, seed) > 0
        size = here["field"](layers)
        assert seen.any(0).sum() == seen.any(1).sum() == size
        assert seen.sum() == size**2


@pytest.mark.parametrize("seed", range(3))
def test_normalisation_written_out_is_the_package_s_layer(seed):
    here = chapter("normalise")
    torch.manual_seed(seed)
    net = DCGAN((1, 32, 32), width=4).generator
    norm = next(m for m in net.modules() if isinstance(m, nn.BatchNorm2d))
    a = 2 * torch.randn(8, norm.num_features, 4, 4) - 1
    by_hand = here["normalise"](a, norm.weight, norm.bias, norm.eps)
    torch.testing.assert_close(by_hand, norm(a), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_batch_normalisation_everywhere_is_blind_to_contrast(seed):
    """And DCGAN's discriminator too, as long as the biases of its first layer are 0."""
    here = chapter("make_discriminator, judge")
    images = torch.rand(32, 1, 16, 16) * 2 - 1
    for everywhere in (True, False):
        net = here["make_discriminator"](everywhere, True, seed).requires_grad_(False)
        real, fake = here["judge"](net, images, 0.5 * images, together=False)
        torch.testing.assert_close(real, fake, rtol=1e-3, atol=2e-3)
        assert losses.minimax_discriminator(real, fake) > math.log(4) - 1e-3
        real, fake = here["judge"](net, images, 0.5 * images, together=True)
        assert (real - fake).abs().max() > 0.01
    net.layers[0].bias += 0.3
    real, fake = here["judge"](net, images, 0.5 * images, together=False)
    assert (real - fake).abs().max() > 0.01


@pytest.mark.parametrize("seed", range(3))
def test_deviations_follow_from_the_entries_that_are_not_zero(seed):
    torch.manual_seed(seed)
    for m, c in ((4, 128), (8, 64)):
        up = nn.ConvTranspose2d(c, 64, 4, 2, 1, bias=False).requires_grad_(False)
        up.apply(dcgan.initialise)
        signal = torch.relu(torch.randn(32, c, m, m))
        expected = 0.02 * (c * signal.square().mean().item()) ** 0.5
        assert up(signal).std().item() == pytest.approx(expected * (2 - 1 / m), rel=0.1)
        down = nn.Conv2d(c, 64, 4, 2, 1, bias=False).requires_grad_(False).apply(dcgan.initialise)
        assert down(signal).std().item() == pytest.approx(expected * (4 - 4 / m), rel=0.15)


def test_x3_a_transposed_convolution_has_weights_and_doubles_only_with_stride_2():
    torch.manual_seed(0)
    maps, sides = torch.randn(2, 6, 8, 8), {}
    for kernel, stride in ((3, 1), (3, 2), (4, 2), (5, 3)):
        layer = nn.ConvTranspose2d(6, 5, kernel, stride=stride, padding=1)
        out = layer(maps)
        sides[kernel, stride] = out.shape[-1]
        assert sum(p.numel() for p in layer.parameters()) == 6 * 5 * kernel**2 + 5
        out.square().mean().backward()
        assert (layer.weight.grad != 0).all(), "its weights are learned"
        again = nn.ConvTranspose2d(6, 5, kernel, stride=stride, padding=1)
        assert not torch.allclose(again(maps), out), "other weights give another result"
    assert sides == {(3, 1): 8, (3, 2): 15, (4, 2): 16, (5, 3): 24}
    assert not list(nn.Upsample(scale_factor=2).parameters())


def test_x4_relu_has_no_upper_bound():
    assert torch.relu(torch.tensor(1e6)) == 1e6
    assert torch.relu(torch.tensor(-1e6)) == 0
    for seed in range(3):
        torch.manual_seed(seed)
        largest = []
        generator = DCGAN((1, 32, 32), width=8).generator
        for module in generator.modules():
            if isinstance(module, nn.ReLU):
                module.register_forward_hook(
                    lambda module, inputs, out: largest.append(out.max().item())  # noqa: B023
                )
        generator(torch.randn(32, 100))
        assert len(largest) == 3
        assert min(largest) > 1


def test_x6_the_generator_has_the_transposed_convolutions():
    for side in SIDES:
        gan = DCGAN((1, side, side), width=4)
        count = {
            (player, kind): sum(isinstance(m, kind) for m in getattr(gan, player).modules())
            for player in ("generator", "discriminator")
            for kind in (nn.ConvTranspose2d, nn.Conv2d)
        }
        doublings = dcgan.resolution_steps((1, side, side))[1]
        assert count["generator", nn.ConvTranspose2d] == doublings
        assert count["discriminator", nn.Conv2d] == doublings
        assert count["generator", nn.Conv2d] == count["discriminator", nn.ConvTranspose2d] == 0


def test_the_linear_layers_at_the_ends_are_convolutions_of_a_single_pixel():
    torch.manual_seed(0)
    gan = DCGAN((1, 32, 32), latent_dim=10, width=4).requires_grad_(False)
    project, to_maps = gan.generator.layers[:2]
    unit = gan.discriminator.layers[-2]
    noise = torch.randn(3, 10)
    kernel = project.weight.view(4, 4, 16, 10).permute(3, 2, 0, 1)
    maps = functional.conv_transpose2d(noise[..., None, None], kernel)
    torch.testing.assert_close(to_maps(project(noise)), maps)
    kernel = unit.weight.view(1, 4, 4, 16).permute(0, 3, 1, 2)
    logits = functional.conv2d(maps, kernel, unit.bias).flatten()
    torch.testing.assert_close(gan.discriminator.layers[-3:](maps), logits)
