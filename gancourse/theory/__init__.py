"""Distributions known exactly, and the divergences between them.

The games that two players play with them stand in :mod:`gancourse.theory.games` (finitely many
strategies) and :mod:`gancourse.theory.dynamics` (gradients).
"""

from __future__ import annotations

from gancourse.theory.densities import Density, Gaussian, Laplace, Uniform
from gancourse.theory.discrete import Discrete
from gancourse.theory.divergences import (
    Estimate,
    closed_form,
    f_divergence,
    js,
    js_distance,
    kl,
    monte_carlo,
    pearson_chi2,
    quadrature,
    squared_hellinger,
    total_variation,
    variational_bound,
)
from gancourse.theory.fdivergences import F_DIVERGENCES, FDivergence
from gancourse.theory.mixtures import Mixture, grid, ring
from gancourse.theory.transport import sliced_wasserstein, wasserstein_1, wasserstein_2

__all__ = [
    "F_DIVERGENCES",
    "Density",
    "Discrete",
    "Estimate",
    "FDivergence",
    "Gaussian",
    "Laplace",
    "Mixture",
    "Uniform",
    "closed_form",
    "f_divergence",
    "grid",
    "js",
    "js_distance",
    "kl",
    "monte_carlo",
    "pearson_chi2",
    "quadrature",
    "ring",
    "sliced_wasserstein",
    "squared_hellinger",
    "total_variation",
    "variational_bound",
    "wasserstein_1",
    "wasserstein_2",
]
