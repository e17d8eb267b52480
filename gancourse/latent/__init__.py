"""Living in latent space: ways between noise vectors, their arithmetic, and what lies nearest.

Everything here is a pure function of tensors. ``z`` is noise as a generator takes it, float32
N x D and drawn from the standard normal distribution: then nearly all of it lies close to a sphere
of radius sqrt(D), and a generator has seen next to nothing of what is inside.
"""

from gancourse.latent.neighbours import Copying, copying, nearest_neighbours
from gancourse.latent.search import invert, path_length
from gancourse.latent.ways import (
    animation,
    arithmetic,
    lerp,
    principal_directions,
    slerp,
    truncate,
    walk,
)

__all__ = [
    "Copying",
    "animation",
    "arithmetic",
    "copying",
    "invert",
    "lerp",
    "nearest_neighbours",
    "path_length",
    "principal_directions",
    "slerp",
    "truncate",
    "walk",
]
