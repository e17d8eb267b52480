"""Which device a run uses."""

from __future__ import annotations

import torch

from gancourse.errors import GancourseError

__all__ = ["choose", "describe"]


def choose(name: str = "auto") -> torch.device:
    """The device by name; ``auto`` takes CUDA, then Apple MPS, then the CPU.

    Raises:
        GancourseError: not a device name, or a device this machine does not have.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise GancourseError(
            f"Device {name!r} cannot be used here ({reason}). Use auto, cpu, cuda or mps."
        ) from error
    if device.type == "meta":
        raise GancourseError("Device 'meta' holds no numbers. Use auto, cpu, cuda or mps.")
    return device


def describe(device: torch.device) -> str:
    """What to call the device in a record: the GPU's name, or the number of CPU threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU (MPS)"
    return f"CPU, {torch.get_num_threads()} threads"
