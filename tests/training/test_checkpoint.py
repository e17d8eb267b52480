"""Checkpoints come back as they were, or are refused."""

import os
import resource

import pytest
import torch

from gancourse.errors import GancourseError
from gancourse.training.checkpoint import read, write


@pytest.fixture
def saved(tmp_path):
    tensors = {
        "a": torch.randn(3, 4), "b": torch.arange(5), "empty": torch.empty(0),
        "half": torch.ones(2, 2).half(), "byte": torch.tensor(7, dtype=torch.uint8),
    }  # fmt: skip
    write(tmp_path / "c.safetensors", tensors, {"step": 3, "name": "ü"})
    return tmp_path / "c.safetensors", tensors


def test_round_trip(saved):
    path, tensors = saved
    back, facts = read(path)
    assert facts == {"step": 3, "name": "ü"}
    assert set(back) == set(tensors)
    for name, tensor in tensors.items():
        assert back[name].dtype == tensor.dtype and torch.equal(back[name], tensor)


def test_every_cut_is_refused(saved):
    path, _ = saved
    whole = path.read_bytes()
    for length in range(0, len(whole), 41):
        path.write_bytes(whole[:length])
        with pytest.raises(GancourseError, match="c.safetensors"):
            read(path)


def test_every_flipped_bit_of_a_tensor_is_refused(saved):
    path, _ = saved
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    for place in range(start, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(GancourseError, match="corrupt"):
            read(path)


def test_other_files_are_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "foreign.safetensors")
    (tmp_path / "text.safetensors").write_text("hello, this is no checkpoint at all")
    torch.save({"a": 1}, tmp_path / "pickle.safetensors")
    for name in ("foreign", "text", "pickle"):
        with pytest.raises(GancourseError, match="not a readable gancourse checkpoint"):
            read(tmp_path / f"{name}.safetensors")
    with pytest.raises(GancourseError, match="There is no checkpoint"):
        read(tmp_path / "absent.safetensors")


def test_full_disk_leaves_the_old_file(saved):
    """A real limit on file size, in a child process: the write fails in the middle."""
    path, tensors = saved
    child = os.fork()
    if child == 0:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            write(path, {"big": torch.zeros(10_000)}, {})
        except GancourseError as error:
            os._exit(0 if "free some space" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    back, facts = read(path)
    assert facts["step"] == 3 and torch.equal(back["a"], tensors["a"])
    assert [p.name for p in path.parent.iterdir()] == ["c.safetensors"]
