"""Ways between noise vectors, steps away from them, and the films of such walks."""

from __future__ import annotations

import io
import math
from pathlib import Path

import torch
from torch import Tensor

from gancourse.errors import GancourseError
from gancourse.files import write_bytes
from gancourse.plots import tile


def _shares(t: float | Tensor, ends: Tensor) -> Tensor:
    """``t`` as a tensor that multiplies vectors ... x D, or K of it for K x ... x D."""
    t = torch.as_tensor(t, dtype=ends.dtype, device=ends.device)
    return t if t.ndim == 0 else t.view(-1, *[1] * ends.ndim)


def _same(a: Tensor, b: Tensor) -> None:
    if a.shape != b.shape:
        raise GancourseError(
            f"A way leads between vectors of one shape, not from {tuple(a.shape)} to "
            f"{tuple(b.shape)}."
        )


def lerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The straight way from a to b: (1 - t) a + t b.

    Half-way between two normal vectors it is shorter than either by a factor of about sqrt(2), so
    it leaves the sphere on which a generator was trained; :func:`slerp` stays there.

    Args:
        a: float ... x D.
        b: float ... x D.
        t: where on the way, 0 at a and 1 at b; a tensor of K such numbers gives K vectors.

    Returns:
        float ... x D, or K x ... x D.

    Raises:
        GancourseError: the shapes of a and b differ.
    """
    _same(a, b)
    return torch.lerp(a, b, _shares(t, a))


def slerp(a: Tensor, b: Tensor, t: float | Tensor) -> Tensor:
    """The way from a to b along the arc between them.

    With w the angle between them, (sin((1 - t) w) a + sin(t w) b) / sin(w): Shoemake, *Animating
    Rotation with Quaternion Curves*, 1985; for latent spaces White, *Sampling Generative Networks*,
    2016. Between vectors of equal length every point has that length. Where they are parallel, the
    arc is the straight way; that is also taken where one is 0 or they are opposite, as there is
    then no shortest arc.

    Args:
        a: float ... x D.
        b: float ... x D.
        t: where on the way, 0 at a and 1 at b; a tensor of K such numbers gives K vectors.

    Returns:
        float ... x D, or K x ... x D.

    Raises:
        GancourseError: the shapes of a and b differ.
    """
    _same(a, b)
    shares = _shares(t, a)
    lengths = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    cosine = (a * b).sum(-1, keepdim=True) / lengths.clamp_min(1e-30)
    angle = torch.acos(cosine.clamp(-1, 1))
    sine = angle.sin()
    straight = (sine < 1e-3) | (lengths == 0)
    safe = torch.where(straight, 1.0, sine)
    arc = (((1 - shares) * angle).sin() * a + (shares * angle).sin() * b) / safe
    return torch.where(straight, torch.lerp(a, b, shares), arc)


def walk(points: Tensor, steps: int) -> Tensor:
    """A closed path through several vectors, along the arc from each to the next.

    Args:
        points: float M x D, M at least 2.
        steps: vectors from one point to the next, the first of the two included.

    Returns:
        float (M * steps) x D: every point, ``steps`` - 1 vectors after each, and from the last
        point back to the first, which is not repeated.

    Raises:
        GancourseError: fewer than two points, or steps below 1.
    """
    if points.ndim != 2 or len(points) < 2 or steps < 1:
        raise GancourseError(
            f"A walk needs M x D points, M at least 2, and at least one step from each to the "
            f"next, not {tuple(points.shape)} and {steps}."
        )
    shares = torch.arange(steps, dtype=points.dtype, device=points.device) / steps
    return slerp(points, points.roll(-1, 0), shares).transpose(0, 1).flatten(0, 1)


def arithmetic(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Mean of a minus mean of b plus mean of c, the vectors of images chosen by eye.

    Radford, Metz and Chintala, *Unsupervised Representation Learning with Deep Convolutional
    Generative Adversarial Networks*, 2016, section 6.3.2. They average three vectors each, as
    single ones gave unstable results. Three is also the number that keeps the length: the
    squares of means of three are D / 3 long on average, and three of them make D, that of a
    sample. With more images the result is shorter than a sample, with fewer longer.

    Args:
        a: float N x D, of images that have what is wanted and more.
        b: float M x D, of images that have only the more.
        c: float K x D, of images that shall get what is wanted.

    Returns:
        float D.

    Raises:
        GancourseError: one of them is not a matrix with at least one row, or the widths differ.
    """
    if any(z.ndim != 2 or len(z) == 0 or z.shape[1] != a.shape[-1] for z in (a, b, c)):
        shapes = ", ".join(str(tuple(z.shape)) for z in (a, b, c))
        raise GancourseError(f"Arithmetic takes three matrices of noise, N x D each, not {shapes}.")
    return a.mean(0) - b.mean(0) + c.mean(0)


def truncate(z: Tensor, threshold: float) -> Tensor:
    """Noise with every coordinate within +-threshold, distributed as if the others were drawn anew.

    Brock, Donahue and Simonyan, *Large Scale GAN Training for High Fidelity Natural Image
    Synthesis*, 2019, section 3.1: drawing coordinates again until they lie within a threshold
    gives cleaner samples of less variety, for some generators; others answer with artefacts.
    Here each coordinate is moved instead, keeping its rank (z -> F^-1(Phi(z)), F the distribution
    function of the truncated normal). The result has the same distribution, nothing is drawn, and
    an image changes smoothly with the threshold. The other trick of this name, a factor towards
    the mean, belongs to the learned latent space of StyleGAN; a DCGAN's has its mean at 0 and
    nothing there that was trained.

    Args:
        z: float32, any shape, standard normal.
        threshold: above 0; infinity leaves z as it is.

    Returns:
        float32 of the same shape, in [-threshold, threshold].

    Raises:
        GancourseError: a threshold of 0 or below, or NaN.
    """
    if not threshold > 0:
        raise GancourseError(f"Truncation needs a threshold above 0, not {threshold}.")
    if math.isinf(threshold):
        return z.clone()
    # Tails by erfc: torch.special.ndtr counts them from 1, where they lose their digits.
    outside = math.erfc(threshold / math.sqrt(2)) / 2
    rank = outside + torch.special.erfc(z.abs() / math.sqrt(2)) * (0.5 - outside)
    size = -torch.special.ndtri(rank.clamp_max(0.5))
    return size.clamp(0, threshold).copysign(z)


def principal_directions(matrix: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The directions in which noise changes the features z @ matrix most.

    For standard normal z they are the principal directions of those features (Harkonen et al.,
    *GANSpace*, 2020, finds them by sampling), here in closed form as singular vectors (Shen and
    Zhou, *Closed-Form Factorization of Latent Semantics in GANs*, 2021). Each has its largest
    coordinate positive, as the sign is arbitrary.

    Args:
        matrix: float D x F, a generator's first layer (see :func:`gancourse.export.fold`).
        count: how many, at most D and F.

    Returns:
        float ``count`` x D, orthonormal, the strongest first; and float ``count``, how far the
        features move for a step of length 1.

    Raises:
        GancourseError: not a matrix, or a count it does not have.
    """
    if matrix.ndim != 2 or not 1 <= count <= min(matrix.shape):
        raise GancourseError(
            f"A matrix D x F has 1 to min(D, F) principal directions; asked for {count} of "
            f"{tuple(matrix.shape)}."
        )
    left, sizes, _ = torch.linalg.svd(matrix, full_matrices=False)
    vectors = left.T[:count]
    largest = vectors.gather(1, vectors.abs().argmax(1, keepdim=True))
    return vectors * largest.sign(), sizes[:count]


def animation(frames: Tensor, path: str | Path, *, milliseconds: int = 80, scale: int = 4) -> Path:
    """Write a walk as a moving picture that starts again at its end.

    Args:
        frames: uint8 K x C x H x W, an image a frame; or K x N x C x H x W, N side by side.
        path: the file, ``.gif`` or ``.webp``; whole or not there.
        milliseconds: how long each frame stands.
        scale: by how much pixels are enlarged, without smoothing.

    Returns:
        The path.

    Raises:
        GancourseError: another ending, other tensors, or the file cannot be written.
    """
    path = Path(path)
    kinds = {".gif": "GIF", ".webp": "WEBP"}
    if path.suffix.lower() not in kinds:
        raise GancourseError(f"Cannot write {path}: an animation is a .gif or a .webp file.")
    if frames.ndim not in (4, 5) or len(frames) == 0:
        raise GancourseError(
            "An animation needs at least one frame, uint8 K x C x H x W or K x N x C x H x W, "
            f"not {frames.dtype} {tuple(frames.shape)}."
        )
    pictures = [tile(frame if frame.ndim == 4 else frame[None]) for frame in frames]
    width, height = pictures[0].size
    pictures = [p.resize((width * scale, height * scale), resample=0) for p in pictures]
    buffer = io.BytesIO()
    kind = kinds[path.suffix.lower()]
    options = {"lossless": True} if kind == "WEBP" else {}
    pictures[0].save(
        buffer, kind, save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0,
        **options,
    )  # fmt: skip
    write_bytes(path, buffer.getvalue())
    return path
