"""Divergences between two distributions: in closed form, by quadrature, and from samples.

``kl(p, q)`` and its like take the closed form where there is one, and otherwise integrate::

    kl(Gaussian(0, 1), Gaussian(1, 2))                   # closed form
    js(Mixture([Gaussian(-2), Gaussian(2)]), Laplace())  # quadrature
    monte_carlo(JS, p, q, 10_000, rng)                   # any dimension, with its standard error

All are in nats. Distributions without a common support get the value of theory: log 2, 1 or
infinity. A :class:`Discrete` and a density have none in common, as a point has no volume.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array, count
from gancourse.theory.closed_forms import breaks_of_both, closed_form, comparable, same_dim
from gancourse.theory.densities import Density
from gancourse.theory.discrete import Discrete
from gancourse.theory.fdivergences import (
    JS,
    KL,
    PEARSON,
    SQUARED_HELLINGER,
    TOTAL_VARIATION,
    FDivergence,
    log_ratio,
)
from gancourse.theory.quadrature import FLOOR, crossings, integrate, integrate_line


class Sampler(Protocol):
    """What :func:`monte_carlo` asks of a distribution; a :class:`Density` has it."""

    def log_prob(self, x: NDArray[Any], /) -> Array: ...

    def sample(self, n: int, rng: np.random.Generator, /) -> NDArray[Any]: ...


class Estimate(NamedTuple):
    """A mean over samples and its standard error."""

    value: float
    error: float


def kl(p: Density, q: Density) -> float:
    r"""Kullback-Leibler divergence of q from p, :math:`\int p \log (p / q)`.

    Args:
        p: what the expectation is over; ``kl(q, p)`` is the reverse divergence.
        q: of the same dimension.

    Returns:
        A number of 0 or more; inf if p has mass where q has none.

    Raises:
        GancourseError: other dimensions, or neither a closed form nor a quadrature for them.
    """
    return f_divergence(KL, p, q)


def js(p: Density, q: Density) -> float:
    r"""Jensen-Shannon divergence, :math:`\tfrac12 KL(p \| m) + \tfrac12 KL(q \| m)`, m half of each.

    Symmetric, from 0 to log 2; raises what :func:`kl` does.
    """
    return f_divergence(JS, p, q)


def js_distance(p: Density, q: Density) -> float:
    """Square root of :func:`js`, which is a metric (Endres and Schindelin 2003)."""
    return math.sqrt(js(p, q))


def total_variation(p: Density, q: Density) -> float:
    r"""Total variation distance, :math:`\tfrac12 \int |p - q|`, the largest difference in probability.

    Symmetric, from 0 to 1; raises what :func:`kl` does.
    """
    return f_divergence(TOTAL_VARIATION, p, q)


def pearson_chi2(p: Density, q: Density) -> float:
    r"""Pearson's divergence, :math:`\int (p - q)^2 / q`: the expectation is over q.

    0 or more; inf if p has mass where q has none or heavier tails than q allows, and also if the
    value is above the largest float. Raises what :func:`kl` does.
    """
    return f_divergence(PEARSON, p, q)


def squared_hellinger(p: Density, q: Density) -> float:
    r"""Squared Hellinger distance, :math:`\int (\sqrt p - \sqrt q)^2`, without a factor of 1/2.

    Symmetric, from 0 to 2; raises what :func:`kl` does.
    """
    return f_divergence(SQUARED_HELLINGER, p, q)


def f_divergence(divergence: FDivergence, p: Density, q: Density) -> float:
    """The f-divergence in closed form if there is one, else by :func:`quadrature`.

    Args:
        divergence: one of ``F_DIVERGENCES``, or one of your own.
        p: a density or a discrete distribution.
        q: of the same dimension.

    Returns:
        The value, possibly inf.

    Raises:
        GancourseError: other dimensions, or neither a closed form nor a quadrature for them.
    """
    exact = closed_form(divergence, p, q)
    return quadrature(divergence, p, q) if exact is None else exact


def quadrature(divergence: FDivergence, p: Density, q: Density) -> float:
    """The f-divergence by numerical integration, on the line or in the plane.

    Relative accuracy is about 1e-10 on the line and 1e-6 in the plane. There the integral is over
    the box that holds both densities; a Pearson divergence can have its mass outside, and is
    refused.

    Args:
        divergence: one of ``F_DIVERGENCES``, or one of your own.
        p: a density with break points.
        q: of the same dimension.

    Returns:
        The value, possibly inf.

    Raises:
        GancourseError: other dimensions than 1 or 2, a discrete distribution, Pearson in the
            plane, or no convergence.
    """
    same_dim(p, q)
    if p.dim not in (1, 2) or isinstance(p, Discrete) or isinstance(q, Discrete):
        raise GancourseError(
            f"{type(p).__name__} and {type(q).__name__} in {p.dim} dimensions cannot be "
            "integrated; quadrature is for densities in 1 or 2. Estimate with monte_carlo."
        )

    def integrand(x: Array) -> Array:
        return divergence.integrand(p.log_prob(x), q.log_prob(x))

    if p.dim == 1:
        breaks = breaks_of_both(p, q)[0]
        # Total variation has a kink where the densities cross; the others lose nothing by a break.
        kinks = crossings(lambda x: log_ratio(p.log_prob(x), q.log_prob(x)), breaks)
        value = integrate_line(integrand, np.union1d(breaks, kinks), FLOOR)
    elif divergence.name == PEARSON.name:
        raise GancourseError("Quadrature in the plane is not for Pearson. Use monte_carlo.")
    else:
        value = integrate(integrand, breaks_of_both(p, q), FLOOR)
    # Rounding must not lift a value above that of disjoint supports, the largest there is.
    apart = divergence.integrand(np.array([0.0, -np.inf]), np.array([-np.inf, 0.0]))
    return min(value, float(apart.sum()))


def monte_carlo(
    divergence: FDivergence, p: Sampler, q: Sampler, n: int, rng: np.random.Generator
) -> Estimate:
    r"""An unbiased estimate of the f-divergence from samples of both sides.

    It averages :math:`q f(p/q) / m` over n samples of p and n of q, which together are samples of
    their even mixture m. As m is nowhere small beside p or q, the ratio is bounded for all
    divergences that are. KL and Pearson are not; where a few samples carry the value, the standard
    error is itself an underestimate.

    Args:
        divergence: one of ``F_DIVERGENCES``, or one of your own.
        p: anything with ``log_prob(x)`` and ``sample(n, rng)``.
        q: the same, for the same points.
        n: samples of each side, at least 2.
        rng: source of the draws.

    Returns:
        The estimate; its error is 0 for an infinite value, as one sample proves it.

    Raises:
        GancourseError: fewer than 2 samples, a discrete distribution beside a density, or
            ``log_prob`` gives NaN or not one number for each sample.
    """
    if count(n) < 2:
        raise GancourseError("A standard error needs at least 2 samples of each side.")
    if isinstance(p, Discrete) != isinstance(q, Discrete):
        raise GancourseError(
            "A probability cannot be compared with a density; closed_form has the value."
        )
    halves = []
    for side in (p, q):
        x = side.sample(n, rng)
        log_p, log_q = p.log_prob(x), q.log_prob(x)
        if np.shape(log_p) != (n,) or np.shape(log_q) != (n,):
            raise GancourseError(
                f"log_prob gave shapes {np.shape(log_p)} and {np.shape(log_q)} for {n} samples; "
                "it must give one number for each."
            )
        with np.errstate(invalid="ignore"):
            log_m = np.logaddexp(log_p, log_q) - math.log(2)
        if not np.isfinite(log_m).all():
            raise GancourseError(
                "log_prob is not finite at a sample of the distribution itself, or NaN at one of "
                "the other. Check log_prob and sample."
            )
        halves.append(divergence.integrand(log_p - log_m, log_q - log_m))
    ratios = np.array(halves)
    if np.isposinf(ratios).any():
        return Estimate(math.inf, 0.0)
    variances = ratios.var(axis=1, ddof=1)
    return Estimate(float(ratios.mean()), math.sqrt(variances.sum() / n) / 2)


def variational_bound(
    divergence: FDivergence, critic: Callable[[Array], Array], p: Density, q: Density
) -> float:
    r"""The lower bound :math:`E_P[T(x)] - E_Q[f^*(T(x))]` that an f-GAN's critic maximises.

    Nowozin et al. 2016, equation 4. It is exact, not estimated: a sum over the points of discrete
    distributions, or an integral over the box that holds both densities. Where the log ratio of
    the densities is beyond 700, values of the best critic would overflow and are cut, and the
    bound it reaches for the reverse KL falls a little short.

    Args:
        divergence: one of ``F_DIVERGENCES``, or one of your own.
        critic: takes points as ``log_prob`` does, returns T(x).
        p: the data's distribution, discrete or a density on the line or in the plane.
        q: the model's, of the same kind.

    Returns:
        At most ``f_divergence(divergence, p, q)``; -inf if T leaves the domain of f*.

    Raises:
        GancourseError: other dimensions, or a discrete distribution beside a density.
    """
    comparable(p, q)

    def gain(x: NDArray[Any]) -> Array:
        log_p, log_q, t = p.log_prob(x), q.log_prob(x), critic(x)
        won = np.multiply(np.exp(log_p), t, out=np.zeros(len(x)), where=log_p > -745)
        with np.errstate(over="ignore", invalid="ignore"):
            if divergence.name == KL.name:
                # Where q underflows, f*(t) overflows at the best critic, and their product is p.
                lost = np.where(np.isneginf(log_q), 0.0, np.exp(log_q + t - 1))
            else:
                star = divergence.conjugate(t)
                lost = np.multiply(np.exp(log_q), star, out=np.zeros(len(x)), where=log_q > -745)
            return won - lost

    if isinstance(p, Discrete) and isinstance(q, Discrete):
        return float(gain(np.union1d(p.points, q.points)).sum())
    return integrate(gain, breaks_of_both(p, q), FLOOR)
