"""The rule of tests/needs.py: absent is skipped, except in continuous integration."""

from __future__ import annotations

import shutil

import pytest
import torch

from tests import needs


@pytest.mark.parametrize(
    ("ci", "folder", "skipped"),
    [("", "", True), ("true", "", True), ("", "data", True), ("true", "data", False)],
)
def test_absent_data(alone, monkeypatch, ci, folder, skipped):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("GANCOURSE_DATA", folder)
    assert needs.data("cifar10").args == (skipped,)
    assert needs.data("cifar10", "ring").kwargs["reason"].startswith("cifar10: ")
    assert needs.data("digits", "ring").args == (False,)


@pytest.mark.parametrize("tool", [needs.chromium, needs.node])
@pytest.mark.parametrize(("ci", "skipped"), [("", True), ("true", False)])
def test_absent_tools(monkeypatch, tool, ci, skipped):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("CI", ci)
    assert tool().args == (skipped,)


@pytest.mark.parametrize("tool", [needs.chromium, needs.node])
def test_present_tools(monkeypatch, tool):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert tool().args == (False,)


def test_a_gpu_may_be_absent_everywhere(monkeypatch):
    monkeypatch.setenv("CI", "true")
    for here in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda here=here: here)
        assert needs.cuda().args == (not here,)
