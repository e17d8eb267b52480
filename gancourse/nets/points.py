"""Networks for points of the line and the plane: small enough to watch while they learn."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["PointDiscriminator", "PointGenerator"]


def _layers(inputs: int, hidden: Sequence[int], outputs: int) -> list[nn.Module]:
    widths = [inputs, *hidden]
    layers: list[nn.Module] = []
    for width, following in zip(widths, widths[1:], strict=False):
        # Smooth, so that the generator's density and the discriminator's gradient are, too.
        layers += [nn.Linear(width, following), nn.Tanh()]
    return [*layers, nn.Linear(widths[-1], outputs)]


class PointGenerator(nn.Sequential):
    """Noise to points through fully connected layers with tanh; the output layer is linear.

    Maps N x latent_dim to N x dim, of any size.

    Args:
        latent_dim: length of a noise vector.
        dim: coordinates of a point.
        hidden: widths of the hidden layers, first to last.
    """

    def __init__(self, latent_dim: int, dim: int, hidden: Sequence[int] = (64, 64)) -> None:
        super().__init__(*_layers(latent_dim, hidden, dim))


class PointDiscriminator(nn.Module):
    """Points to one logit each, through fully connected layers with tanh.

    Args:
        dim: coordinates of a point.
        hidden: widths of the hidden layers, first to last.
        centre: subtracted from the points first, one number for each coordinate.
        scale: what they are divided by then. With the data's own mean and deviation, data of any
            unit look alike to the network.
    """

    centre: Tensor
    scale: Tensor

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int] = (64, 64),
        centre: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.register_buffer("centre", Tensor([0.0] * dim if centre is None else list(centre)))
        self.register_buffer("scale", Tensor([1.0] * dim if scale is None else list(scale)))
        self.layers = nn.Sequential(*_layers(dim, hidden, 1), nn.Flatten(0))

    def forward(self, points: Tensor) -> Tensor:
        """Points N x dim to N logits."""
        return self.layers((points - self.centre) / self.scale)
