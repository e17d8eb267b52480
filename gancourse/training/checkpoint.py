"""Checkpoints: tensors in safetensors, everything else as JSON in the same file's header.

One file, written whole or not at all, with a SHA-256 over its tensors, so that a checkpoint is
either exactly what was saved or refused. Nothing in it is a pickle.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from gancourse.errors import GancourseError
from gancourse.files import write_bytes

__all__ = [
    "load_optimizer",
    "load_weights",
    "optimizer_tensors",
    "prefixed",
    "read",
    "unprefixed",
    "write",
]


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        if tensor.numel():
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def write(path: str | Path, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
    """Write tensors and JSON-able facts to one safetensors file, atomically.

    Args:
        path: the file.
        tensors: name -> tensor of any dtype, shape and device.
        facts: whatever JSON holds.

    Raises:
        GancourseError: the file cannot be written; an older file of that name is intact.
    """
    host = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    header = {"gancourse": json.dumps(facts, allow_nan=False), "sha256": _digest(host)}
    write_bytes(path, save(host, metadata=header))


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`write` wrote.

    Returns:
        (tensors on the CPU, facts).

    Raises:
        GancourseError: missing, truncated, altered, or not one of our files.
    """
    path = Path(path)
    if not path.is_file():
        raise GancourseError(f"There is no checkpoint {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        facts = json.loads(header["gancourse"])
        intact = header["sha256"] == _digest(tensors)
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise GancourseError(
            f"{path} is not a readable gancourse checkpoint ({error}). Take another checkpoint "
            "of the run, such as best.safetensors, or train again."
        ) from error
    if not intact:
        raise GancourseError(
            f"{path} is corrupt: its contents do not match its checksum. Take another checkpoint "
            "of the run, such as best.safetensors, or train again."
        )
    return tensors, facts


def prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under names that begin with ``prefix.``"""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def unprefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix.``, without it."""
    start = f"{prefix}."
    return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}


def load_weights(net: nn.Module, tensors: dict[str, Tensor], path: str | Path) -> None:
    """Put weights into a net; float16 weights are widened to the net's dtype.

    Raises:
        GancourseError: names or shapes that do not fit, which ``path`` is blamed for.
    """
    try:
        net.load_state_dict(tensors)
    except RuntimeError as error:
        detail = " ".join(str(error).split())[:300]
        raise GancourseError(
            f"The weights in {path} do not fit the GAN that its settings describe ({detail}). "
            "The file and run.json do not belong together."
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's state (Adam's moments and step, SGD's momentum), flat."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": value
        for index, entry in state.items()
        for name, value in entry.items()
        if value is not None
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what :func:`optimizer_tensors` gave; hyper-parameters stay the optimiser's own."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, entry = name.split(".", 1)
        parameter = parameters[int(index)]
        if tensor.shape == parameter.shape:
            # The fused optimisers walk parameter and moments in step through memory, so the
            # moments need the parameter's layout (channels_last), which files do not keep.
            tensor = torch.empty_like(parameter, requires_grad=False).copy_(tensor)
        state.setdefault(int(index), {})[entry] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
