"""Which device a run uses."""

from __future__ import annotations

import ctypes
import sys

import torch

from gancourse.errors import GancourseError

__all__ = ["choose", "describe", "keep_freed_memory"]


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
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' * (threads != 1)}"


def keep_freed_memory() -> bool:
    """Let this process keep the memory that tensors on the CPU free, for the next ones to use.

    By default glibc hands large freed blocks and the free end of its heap back to the system, and
    asks for them again in the next training step; the system fills each page with zeros every time.
    What is set here holds for the process from then on. Blocks above 1 GiB are still handed back.
    Graphics devices have such a cache of their own.

    Returns:
        Whether it could be done: only the GNU C library can, so not on macOS or Windows.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    return bool(mallopt(mmap_threshold, 1 << 30) and mallopt(trim_threshold, 2**31 - 1))
