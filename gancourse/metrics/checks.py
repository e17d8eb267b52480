"""What every metric asks of the features it is given."""

from __future__ import annotations

import torch

from gancourse.errors import GancourseError


def checked(features: torch.Tensor, name: str, at_least: int = 1) -> torch.Tensor:
    """Features as float64, or a clear refusal.

    Args:
        features: N x F, any floating or integer type, on any device.
        name: what to call them in the message, such as ``"real features"``.
        at_least: fewest rows the metric is defined for.

    Returns:
        float64 N x F, detached, on the same device; on the CPU if the device is Apple's, which
        has no float64.

    Raises:
        GancourseError: not a matrix, fewer rows than ``at_least``, or a NaN or infinity in it.
    """
    features = torch.as_tensor(features).detach()
    if features.ndim != 2:
        shape = " x ".join(map(str, features.shape)) or "a single number"
        raise GancourseError(f"The {name} must be a matrix N x F, not {shape}.")
    if len(features) < at_least:
        raise GancourseError(
            f"Too few samples: {len(features)} {name}, and at least {at_least} are needed."
        )
    features = (features.cpu() if features.device.type == "mps" else features).double()
    broken = ~torch.isfinite(features).all(dim=1)
    if broken.any():
        raise GancourseError(
            f"The {name} hold NaN or infinity in {int(broken.sum())} of {len(features)} rows "
            f"(first: row {int(broken.nonzero()[0])}). Look at what produced them."
        )
    return features


def same_width(first: int, second: int) -> None:
    """Refuse to compare features of different widths."""
    if first != second:
        raise GancourseError(
            f"The features have {first} and {second} columns. Both sides must come from the same "
            "extractor."
        )
