"""Pairs of distributions of one family, which closed forms and quadrature must agree on."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from gancourse.theory import Density, Gaussian, Laplace, Uniform


@st.composite
def same_family(
    draw: st.DrawFn, shift: float, log_scale: float, places: tuple[float, ...] = (0.0,)
) -> tuple[Density, Density, float]:
    """(p, q, unit): q of scale ``unit`` at one of ``places``, p up to so far away and so scaled.

    In steps of 0.01, as intervals that overlap by a single float have no inside to look at.
    """
    family = draw(st.sampled_from([Gaussian, Laplace, Uniform]))
    unit = draw(st.sampled_from([1e-6, 1.0, 1e6]))
    place = draw(st.sampled_from(places))
    there = place + draw(st.integers(-round(100 * shift), round(100 * shift))) / 100
    width = math.exp(draw(st.integers(-round(100 * log_scale), round(100 * log_scale))) / 100)
    if family is Uniform:
        return (
            Uniform(unit * there, unit * (there + width)),
            Uniform(unit * place, unit * (place + 1)),
            unit,
        )
    return family(unit * there, unit * width), family(unit * place, unit), unit
