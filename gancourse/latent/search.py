"""Through the generator: how fast images change on a way, and which noise makes a given image."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gancourse.errors import GancourseError
from gancourse.latent.ways import slerp


@torch.no_grad()
def path_length(
    generator: Callable[[Tensor], Tensor],
    features: Callable[[Tensor], Tensor],
    a: Tensor,
    b: Tensor,
    *,
    way: Callable[[Tensor, Tensor, Tensor], Tensor] = slerp,
    places: int = 4,
    step: float = 1e-3,
) -> Tensor:
    """The squared speed at which features change on the way from a to b, averaged over the way.

    The mean over many pairs is the perceptual path length of Karras, Laine and Aila, *A
    Style-Based Generator Architecture for Generative Adversarial Networks*, 2019, section 4.1:
    ``E |f(G(way(t + step))) - f(G(way(t)))|^2 / step^2``. There the distance is that of LPIPS, by the
    features of a network trained on photographs, the step is 1e-4, and t is drawn; here the
    features are the caller's, so that values compare with no others, and t takes the middles of
    equal parts of [0, 1]. Where a generator is smooth the value hardly depends on a small step;
    where it jumps the value grows as 1 / step.

    Args:
        generator: noise N x D to images N x C x H x W.
        features: such images to float N x F.
        a: float32 N x D.
        b: float32 N x D.
        way: :func:`slerp <gancourse.latent.slerp>`, or :func:`lerp <gancourse.latent.lerp>`.
        places: how many t on each way.
        step: above 0, below 1 / ``places``.

    Returns:
        float32 N, 0 or more: 0 only where nothing changes.

    Raises:
        GancourseError: fewer than one place, a step outside its range, or different shapes.
    """
    if places < 1 or not 0 < step < 1 / places:
        raise GancourseError(
            f"A path length needs at least one place and a step between 0 and 1 / places, not "
            f"{places} and {step}."
        )
    begin = (torch.arange(places, dtype=a.dtype, device=a.device) + 0.5) / places - step / 2
    squares = []
    for t in begin:
        here, there = (features(generator(way(a, b, at))) for at in (t, t + step))
        squares.append((there - here).flatten(1).square().sum(1))
    return torch.stack(squares).mean(0) / step**2


def invert(
    generator: Callable[[Tensor], Tensor],
    images: Tensor,
    start: Tensor,
    *,
    steps: int = 100,
    rate: float = 0.1,
) -> tuple[Tensor, Tensor]:
    """Noise whose images come as close to the given ones as gradient descent gets.

    Adam on the squared difference of pixels, each image with a noise vector of its own, the rate
    falling to 0 along a cosine. Creswell and Bharath, *Inverting the Generator of a Generative
    Adversarial Network*, 2019; Webster et al., *Detecting Overfitting of Deep Generative Networks
    via Latent Recovery*, 2019, compare the errors of training and test images. The loss has many
    minima: another start may end elsewhere, and what is not found may still be there.

    Args:
        generator: float32 N x D to images N x C x H x W in [-1, 1], differentiable; in evaluation
            mode, so that the images of a batch do not depend on each other.
        images: uint8 N x C x H x W.
        start: float32 N x D, where to begin, on the generator's device; it is left as it is.
        steps: how many.
        rate: of the first step.

    Returns:
        float32 N x D noise, and float32 N root mean square errors in grey levels (0 to 255).

    Raises:
        GancourseError: images that are not uint8, or not of the shape that the generator makes of
            the starts.
    """
    with torch.no_grad():
        shape = generator(start).shape
    if images.dtype != torch.uint8 or images.shape != shape:
        raise GancourseError(
            "Inversion takes uint8 images of the shape that the generator makes of the starts, "
            f"{tuple(shape)}, not {images.dtype} {tuple(images.shape)}."
        )
    wanted = images.to(start.device).float() / 127.5 - 1
    z = start.clone().requires_grad_()
    adam = torch.optim.Adam([z], lr=rate)
    for done in range(steps):
        adam.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * done / steps)) / 2
        with torch.enable_grad():
            loss = (generator(z) - wanted).square().flatten(1).mean(1).sum()
            (z.grad,) = torch.autograd.grad(loss, z)
        adam.step()
    z = z.detach()
    with torch.no_grad():
        error = (generator(z) - wanted).square().flatten(1).mean(1).sqrt()
    return z, 127.5 * error
