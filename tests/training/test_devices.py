"""Devices: names, and memory that is not handed back and forth."""

import platform
import subprocess
import sys

import pytest
import torch

from gancourse.training.devices import describe

# Page faults of twenty tensors of 48 MiB, each freed before the next: 12,288 pages apiece.
FAULTS = """
import resource, sys, torch
from gancourse.training.devices import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    raise SystemExit("refused")
torch.ones(12 * 2**20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.ones(12 * 2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(way):
    result = subprocess.run(
        [sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True
    )
    return int(result.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the GNU C library alone can do it")
def test_freed_memory_is_used_again():
    assert faults("keep") < 8 * 12_288 < 16 * 12_288 < faults("leave")


def test_one_thread_is_not_threads():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert describe(torch.device("cpu")) == "CPU, 1 thread"
        torch.set_num_threads(2)
        assert describe(torch.device("cpu")) == "CPU, 2 threads"
    finally:
        torch.set_num_threads(before)
