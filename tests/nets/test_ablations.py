"""Each form of DCGAN differs from the published one in what its name says, and in nothing else."""

import pytest
import torch
from torch import nn

from gancourse.errors import GancourseError
from gancourse.gans import DCGAN
from gancourse.gans.base import Batch
from gancourse.nets.ablations import FORMS, ablate

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


def build(form, side=28, width=8, seed=0):
    torch.manual_seed(seed)
    gan = DCGAN((1, side, side), width=width)
    ablate(form, gan.generator, gan.discriminator)
    return gan


def count(net, *kinds):
    return sum(isinstance(module, kinds) for module in net.modules())


def counted(gan):
    """Of each player: batch normalisations, ReLU, LeakyReLU, tanh, pooling, linear, stride 2."""
    kinds = (nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.MaxPool2d, nn.Linear)
    return {
        name: [count(net, kind) for kind in kinds]
        + [sum(m.stride == (2, 2) for m in net.modules() if isinstance(m, CONVOLUTIONS))]
        for name, net in (("G", gan.generator), ("D", gan.discriminator))
    }


PUBLISHED = {"G": [2, 2, 0, 1, 0, 1, 2], "D": [1, 0, 2, 0, 0, 1, 2]}
DIFFERENCES = {
    "as published": {},
    "pooling, upsampling": {"G": [2, 2, 0, 1, 0, 1, 0], "D": [1, 0, 2, 0, 2, 1, 0]},
    "no norm in G": {"G": [0, 2, 0, 1, 0, 1, 2]},
    "no norm in D": {"D": [0, 0, 2, 0, 0, 1, 2]},
    "no norm": {"G": [0, 2, 0, 1, 0, 1, 2], "D": [0, 0, 2, 0, 0, 1, 2]},
    "norm everywhere": {"G": [3, 2, 0, 1, 0, 1, 2], "D": [2, 0, 2, 0, 0, 1, 2]},
    "ReLU in D": {"D": [1, 2, 0, 0, 0, 1, 2]},
    "sigmoid output": {"G": [2, 2, 0, 0, 0, 1, 2]},
    "linear output": {"G": [2, 2, 0, 0, 0, 1, 2]},
    "default weights": {},
    "no norm, default weights": {"G": [0, 2, 0, 1, 0, 1, 2], "D": [0, 0, 2, 0, 0, 1, 2]},
    "fully connected": {"G": [2, 3, 0, 1, 0, 2, 2], "D": [1, 0, 3, 0, 0, 2, 2]},
    "eps 0.8": {},
}


@pytest.mark.parametrize("form", FORMS)
def test_what_each_form_changes(form):
    assert counted(build(form)) == PUBLISHED | DIFFERENCES[form]


@pytest.mark.parametrize("side", [28, 64])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_plays_a_round_and_every_weight_has_a_gradient(form, side):
    gan = build(form, side, width=4)
    batch = Batch(torch.rand(4, 1, side, side) * 2 - 1)
    fake = gan.generate(batch)
    assert fake.shape == batch.images.shape
    if form != "linear output":
        assert fake.abs().max() <= 1
    gan.discriminator_loss(batch, fake.detach()).loss.backward()
    for parameter in gan.discriminator.parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all()
    gan.generator_loss(batch, fake).loss.backward()
    for parameter in gan.generator.parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all()
    assert gan.sample(2).shape == (2, 1, side, side)


def test_as_published_is_the_published_one_drawn_anew():
    gan, other = build("as published"), DCGAN((1, 28, 28), width=8)
    assert str(gan.generator) == str(other.generator)
    assert str(gan.discriminator) == str(other.discriminator)


def deviation(net):
    return [m.weight.std().item() for m in net.modules() if isinstance(m, CONVOLUTIONS)]


@pytest.mark.parametrize("form", FORMS)
def test_first_weights(form):
    gan = build(form, width=32)
    for found in deviation(gan.generator) + deviation(gan.discriminator):
        if "default weights" in form:
            assert found > 0.025
        else:
            assert found == pytest.approx(0.02, rel=0.2)


def test_where_batch_normalisation_is_gone_there_is_a_bias():
    gan = build("no norm")
    layers = [*gan.generator.modules(), *gan.discriminator.modules()]
    assert all(m.bias is not None for m in layers if isinstance(m, (*CONVOLUTIONS, nn.Linear)))


def test_normalisation_everywhere_stands_behind_the_first_and_the_last_convolution():
    gan = build("norm everywhere")
    assert isinstance(gan.generator.layers[-2], nn.BatchNorm2d)
    assert isinstance(gan.generator.layers[-1], nn.Tanh)
    assert isinstance(gan.discriminator.layers[1], nn.BatchNorm2d)


def test_a_large_epsilon_is_in_every_batch_normalisation():
    gan = build("eps 0.8", side=64)
    norms = [m for m in gan.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 7 and all(m.eps == 0.8 for m in norms)


@pytest.mark.parametrize("seed", range(3))
def test_a_sigmoid_generator_is_a_tanh_generator_with_half_the_last_weights(seed):
    tanh, sigmoid = build("as published", seed=seed), build("sigmoid output", seed=seed)
    with torch.no_grad():
        for parameter in sigmoid.generator.layers[-2].parameters():
            parameter *= 2
        z = torch.randn(5, 100)
        torch.testing.assert_close(tanh.generator(z), sigmoid.generator(z))
        # and the discriminator sees pixels from 0 to 1
        seen = []
        sigmoid.discriminator.layers[1].register_forward_hook(lambda m, i, o: seen.append(i[0]))
        sigmoid.discriminator(tanh.generator(z))
    assert 0 <= seen[0].min() < seen[0].max() <= 1


def test_an_unknown_form_is_named():
    with pytest.raises(GancourseError, match="no norm"):
        build("no norms")
