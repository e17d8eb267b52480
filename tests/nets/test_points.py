"""The small networks for points: shapes, layers, and a unit of measure that does not matter."""

import torch

from gancourse.nets.points import PointDiscriminator, PointGenerator


def test_shapes_and_numbers_of_weights():
    generator, discriminator = PointGenerator(3, 2, (5, 7)), PointDiscriminator(2, (5, 7))
    assert generator(torch.randn(11, 3)).shape == (11, 2)
    assert discriminator(torch.randn(11, 2)).shape == (11,)
    count = sum(weights.numel() for weights in generator.parameters())
    assert count == (3 * 5 + 5) + (5 * 7 + 7) + (7 * 2 + 2)
    assert not [name for name, _ in discriminator.named_parameters() if "centre" in name]


def test_centre_and_scale_undo_a_change_of_unit():
    plain = PointDiscriminator(2, (6,))
    scaled = PointDiscriminator(2, (6,), centre=[10.0, -3.0], scale=[2.0, 0.5])
    scaled.layers.load_state_dict(plain.layers.state_dict())
    x = torch.randn(20, 2)
    moved = x * torch.tensor([2.0, 0.5]) + torch.tensor([10.0, -3.0])
    torch.testing.assert_close(scaled(moved), plain(x))
    assert set(scaled.state_dict()) - set(plain.state_dict()) == set()
