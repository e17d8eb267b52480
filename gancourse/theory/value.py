r"""The value function of the game between a generator and a discriminator, computed exactly.

.. math:: V(D, G) = E_{x \sim p}[\log D(x)] + E_{x \sim q}[\log(1 - D(x))]

p is the distribution of the data and q that of the generator, the one that G(z) has when z is
noise (Goodfellow et al. 2014, equation 1). A discriminator is given by its logit, the number whose
sigmoid is the probability D(x), so that log D(x) stays finite where D(x) itself would round to 0.
All values are in nats.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from gancourse.errors import GancourseError
from gancourse.theory.arguments import Array
from gancourse.theory.closed_forms import breaks_of_both, comparable
from gancourse.theory.densities import Density
from gancourse.theory.discrete import Discrete
from gancourse.theory.divergences import js
from gancourse.theory.fdivergences import log_ratio
from gancourse.theory.quadrature import FLOOR, integrate

# Of points, as ``Density.log_prob`` takes them, to one number for each.
Function = Callable[[NDArray[Any]], Array]


def expectation(p: Density, function: Function) -> float:
    """The mean of a function of x, x drawn from p: exact, not estimated.

    Args:
        p: a discrete distribution, or a density on the line or in the plane.
        function: takes points as ``p.log_prob`` does, returns a number for each. Where p is 0 its
            value does not count.

    Returns:
        A sum for a discrete distribution, else an integral, to about 1e-10 on the line and 1e-6 in
        the plane if the function is smooth. A kink or jump of it that is not one of p's own break
        points can cost digits, about 1e-5 of the value. Infinite if the function is, somewhere
        where p is not 0.

    Raises:
        GancourseError: a density in more dimensions, no convergence, or NaN.
    """
    return expectations((p, function))


def expectations(*terms: tuple[Density, Function]) -> float:
    """The sum of several expectations over distributions of one space, in a single integral.

    Args:
        terms: pairs of a distribution and a function, as :func:`expectation` takes them; one or
            two.

    Raises:
        GancourseError: other dimensions, more than two of them, a discrete distribution beside a
            density, no convergence, or NaN.
    """
    (p, _), (q, _) = terms[0], terms[-1]
    comparable(p, q)
    if isinstance(p, Discrete) and isinstance(q, Discrete):
        points = np.union1d(p.points, q.points)
        return float(_total(terms, points).sum())
    if p.dim not in (1, 2):
        raise GancourseError(
            f"An expectation in {p.dim} dimensions cannot be integrated; take the mean over samples."
        )
    # Cells begin at the break points of all of them.
    return integrate(lambda x: _total(terms, x), breaks_of_both(p, q), FLOOR)


def entropy(p: Density) -> float:
    r"""The entropy :math:`-E_p[\log p(x)]`; of a density, the differential entropy.

    Raises:
        GancourseError: a density in more than two dimensions.
    """
    return expectation(p, lambda x: -p.log_prob(x))


def cross_entropy(p: Density, q: Density) -> float:
    r"""The cross-entropy :math:`-E_p[\log q(x)]`; above :func:`entropy` of p by ``kl(p, q)``.

    It is what maximum likelihood minimises when p are the data and q is the model.

    Returns:
        A number, or inf if p has mass where q has none.

    Raises:
        GancourseError: other dimensions, more than two of them, or a discrete distribution beside
            a density.
    """
    return expectations((p, lambda x: -q.log_prob(x)), (q, lambda x: np.zeros(len(x))))


def optimal_logit(p: Density, q: Density) -> Function:
    r"""The logit of the best discriminator, :math:`\log p(x) - \log q(x)`.

    Returns:
        A function of points: infinite where one of the two is 0, and 0 where both are.

    Raises:
        GancourseError: other dimensions, or a discrete distribution beside a density.
    """
    comparable(p, q)
    return lambda x: log_ratio(p.log_prob(x), q.log_prob(x))


def optimal_discriminator(p: Density, q: Density) -> Function:
    """The discriminator p / (p + q) that maximises the value function for a fixed generator.

    Goodfellow et al. 2014, proposition 1.

    Returns:
        A function of points, with values in [0, 1]; 1/2 where p and q are both 0 and every value
        is as good.

    Raises:
        GancourseError: other dimensions, or a discrete distribution beside a density.
    """
    logit = optimal_logit(p, q)
    return lambda x: np.asarray(expit(logit(x)))


def value(p: Density, q: Density, logit: Function) -> float:
    """V(D, G) for the discriminator D(x) = sigmoid(logit(x)).

    It is minus twice the binary cross-entropy of D on a balanced mixture of data (target 1) and
    samples (target 0).

    Args:
        p: the distribution of the data.
        q: the distribution of the generator's samples.
        logit: takes points as ``p.log_prob`` does, returns a number for each; may be infinite.

    Returns:
        At most :func:`optimal_value`, at best 0; -inf if D is certain and wrong somewhere.

    Raises:
        GancourseError: other dimensions, more than two of them, or a discrete distribution beside
            a density.
    """
    return expectations(
        (p, lambda x: -np.logaddexp(0, -logit(x))), (q, lambda x: -np.logaddexp(0, logit(x)))
    )


def optimal_value(p: Density, q: Density) -> float:
    r"""The value function at the best discriminator, :math:`-\log 4 + 2\,JS(p, q)`.

    Goodfellow et al. 2014, theorem 1: from -log 4, for equal distributions, to 0.
    """
    return -math.log(4) + 2 * js(p, q)


def _total(terms: tuple[tuple[Density, Function], ...], x: NDArray[Any]) -> Array:
    """Each density times its function, summed; 0 where a density is, whatever its function says."""
    total = np.zeros(len(x))
    for p, function in terms:
        density = np.exp(p.log_prob(x))
        with np.errstate(invalid="ignore", over="ignore"):
            total += np.where(density > 0, density * function(x), 0.0)
    return total
