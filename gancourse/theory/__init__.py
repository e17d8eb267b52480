"""Distributions known exactly, the divergences between them, and the value of the GAN's game.

What is trained, a discriminator between two known densities and Algorithm 1 on them, stands in
:mod:`gancourse.theory.learned` and :mod:`gancourse.theory.algorithm_1`. The games that two players
play stand in :mod:`gancourse.theory.games` (finitely many strategies) and
:mod:`gancourse.theory.dynamics` (gradients).
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
from gancourse.theory.objectives import (
    OBJECTIVES,
    Objective,
    best_output,
    discriminator_loss,
    generator_loss,
    least_squares,
)
from gancourse.theory.transport import sliced_wasserstein, wasserstein_1, wasserstein_2
from gancourse.theory.value import (
    cross_entropy,
    entropy,
    expectation,
    optimal_discriminator,
    optimal_logit,
    optimal_value,
    value,
)

__all__ = [
    "Density",
    "Discrete",
    "Estimate",
    "FDivergence",
    "F_DIVERGENCES",
    "Gaussian",
    "Laplace",
    "Mixture",
    "OBJECTIVES",
    "Objective",
    "Uniform",
    "best_output",
    "closed_form",
    "cross_entropy",
    "discriminator_loss",
    "entropy",
    "expectation",
    "f_divergence",
    "generator_loss",
    "grid",
    "js",
    "js_distance",
    "kl",
    "least_squares",
    "monte_carlo",
    "optimal_discriminator",
    "optimal_logit",
    "optimal_value",
    "pearson_chi2",
    "quadrature",
    "ring",
    "sliced_wasserstein",
    "squared_hellinger",
    "total_variation",
    "value",
    "variational_bound",
    "wasserstein_1",
    "wasserstein_2",
]
