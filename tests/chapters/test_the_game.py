"""What the chapter writes out is what the package computes."""

from __future__ import annotations

import numpy as np
import pytest

from gancourse import theory
from tests.chapters.pages import what_it_needs


@pytest.mark.parametrize("shift", [0.0, 1.0, 30.0])
def test_value_written_out_is_the_package_s(shift):
    by_hand = what_it_needs("the-game", "value_by_hand")["value_by_hand"]
    p, q = theory.Laplace(shift), theory.Gaussian(0, 1.5)
    for logit in (np.cos, np.zeros_like, theory.optimal_logit(p, q)):
        assert by_hand(p, q, logit) == pytest.approx(theory.value(p, q, logit), rel=1e-9)
