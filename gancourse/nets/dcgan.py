"""The convolutional nets of DCGAN (Radford, Metz & Chintala 2016), at any base times 2^n pixels."""

from __future__ import annotations

from torch import Tensor, nn

from gancourse.errors import GancourseError
from gancourse.nets.thin import FromImage, ToImage

__all__ = ["DCGANDiscriminator", "DCGANGenerator", "initialise", "resolution_steps"]


def resolution_steps(shape: tuple[int, int, int]) -> tuple[int, int]:
    """Base size and number of doublings that lead to the image size.

    The base is the odd part of the size times the power of two that brings it to at least 4:
    28 = 7 x 2^2, 32 = 4 x 2^3, 64 = 4 x 2^4, 96 = 6 x 2^4, 128 = 4 x 2^5.

    Args:
        shape: (C, H, W) of the images.

    Returns:
        (base, steps) with base * 2**steps == H == W.

    Raises:
        GancourseError: the image is not square, or its size is not a base of 4 to 7 times a
            power of two greater than one.
    """
    _, height, width = shape
    base, steps = height, 0
    while base % 2 == 0 and base >= 8:
        base, steps = base // 2, steps + 1
    if height != width or steps == 0 or not 4 <= base <= 7:
        raise GancourseError(
            f"DCGAN cannot make images of {height} x {width} pixels: it needs square images of "
            "4, 5, 6 or 7 times a power of two, such as 28, 32, 64 or 128. "
            "Load the data with a size= that fits."
        )
    return base, steps


class _ToMaps(nn.Module):
    """Vectors N x (base * base * maps) to feature maps N x maps x base x base, without a copy.

    The channel is the fastest index in memory (channels_last), the layout in which PyTorch's
    convolutions and normalisations run fastest; what follows inherits it.
    """

    def __init__(self, maps: int, base: int) -> None:
        super().__init__()
        self.shape = (base, base, maps)

    def forward(self, vectors: Tensor) -> Tensor:
        return vectors.unflatten(1, self.shape).permute(0, 3, 1, 2)


class _ToVectors(nn.Module):
    """The reverse: N x maps x base x base to N x (base * base * maps), free in channels_last."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.permute(0, 2, 3, 1).flatten(1)


class DCGANGenerator(nn.Module):
    """Noise to image: project and reshape, then double the size with transposed convolutions.

    Every layer but the last is followed by batch normalisation and ReLU; the last by tanh. The
    projection is the transposed convolution of a 1 x 1 image (kernel of the base's size, stride 1,
    no padding), written as the matrix product it is. So an image of 4 x 2^n pixels takes n + 1
    transposed convolutions: four at 32 pixels, five at 64, six at 128.
    With ``shape=(3, 64, 64)`` and ``width=128`` the feature maps are those of figure 1 of the
    paper: 1024 x 4 x 4, 512 x 8 x 8, 256 x 16 x 16, 128 x 32 x 32, 3 x 64 x 64.

    Args:
        shape: (C, H, W) of the images (see :func:`resolution_steps` for the sizes).
        latent_dim: length of the noise vector.
        width: feature maps at half the output resolution; they double with each halving.
    """

    def __init__(self, shape: tuple[int, int, int], latent_dim: int, width: int) -> None:
        super().__init__()
        base, steps = resolution_steps(shape)
        maps = width * 2 ** (steps - 1)
        # No biases before batch normalisation: it subtracts the mean, and a bias with it.
        layers: list[nn.Module] = [
            nn.Linear(latent_dim, maps * base * base, bias=False),
            _ToMaps(maps, base),
            nn.BatchNorm2d(maps),
            nn.ReLU(inplace=True),
        ]
        for _ in range(steps - 1):
            layers += [
                nn.ConvTranspose2d(maps, maps // 2, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(maps // 2),
                nn.ReLU(inplace=True),
            ]
            maps //= 2
        layers += [ToImage(maps, shape[0]), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Noise N x latent_dim to images N x C x H x W in [-1, 1]."""
        return self.layers(z)


class DCGANDiscriminator(nn.Module):
    """Image to one logit: strided convolutions halve the size, LeakyReLU(0.2) in between.

    Batch normalisation follows every convolution but the first, as in the paper; the last feature
    maps are flattened into one linear unit, which is a convolution with a kernel of the base's
    size. So it has as many layers down as the generator has up. There is no pooling.

    Args:
        shape: (C, H, W) of the images (see :func:`resolution_steps` for the sizes).
        width: feature maps after the first convolution; they double with each halving.
    """

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:
        super().__init__()
        base, steps = resolution_steps(shape)
        layers: list[nn.Module] = [
            FromImage(shape[0], width),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        maps = width
        for _ in range(steps - 1):
            layers += [
                nn.Conv2d(maps, maps * 2, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(maps * 2),
                nn.LeakyReLU(0.2, inplace=True),
            ]
            maps *= 2
        layers += [_ToVectors(), nn.Linear(maps * base * base, 1), nn.Flatten(0)]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Images N x C x H x W to N logits."""
        return self.layers(images)


def initialise(module: nn.Module) -> None:
    """Draw the weights as the paper does: from a normal distribution of deviation 0.02.

    Batch normalisation's scales are drawn around 1, all biases set to 0. For use with
    ``net.apply(initialise)``; the draw comes from PyTorch's global generator.
    """
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
