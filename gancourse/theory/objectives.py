r"""What the two players of a GAN minimise, and which divergence the generator thereby descends.

An objective is a function of the discriminator's output t at one point. For the two objectives of
Goodfellow et al. (2014) t is the logit; for least squares it is the output itself.

The generator moves q while the discriminator is held still. At the best discriminator the output
is a function of u = p(x) / q(x) alone, and with it the generator's loss of one sample, h(u). Moving
mass of q by a small :math:`\delta q` changes the loss by :math:`\int \delta q\, h(p / q)`. An
f-divergence :math:`\int q f(p / q)` changes by :math:`\int \delta q\, (f(u) - u f'(u))`. The two
agree, up to a constant that :math:`\int \delta q = 0` cancels, if

.. math:: f''(u) = -h'(u) / u .

So each objective descends the functional with that f, which is a divergence if f is convex.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from gancourse.errors import GancourseError, unknown
from gancourse.theory.arguments import Array, finite
from gancourse.theory.densities import Density
from gancourse.theory.discrete import Discrete
from gancourse.theory.divergences import f_divergence, kl
from gancourse.theory.fdivergences import JS, SOFT_REVERSE_KL, VINCZE_LE_CAM
from gancourse.theory.mixtures import Mixture
from gancourse.theory.value import Function, expectation, expectations, optimal_logit

Scalar = Callable[[Array], Array]


@dataclass(frozen=True)
class Objective:
    """The losses of both players at one point, vectorised over arrays of outputs t of any shape.

    Attributes:
        name: in :data:`OBJECTIVES`, or with the targets of a least-squares objective.
        real: what the discriminator minimises at a data point.
        fake: what the discriminator minimises at a sample.
        generator: what the generator minimises at a sample.
        slope: the derivative of ``generator``.
        best: the output that minimises the discriminator's loss where log p - log q has the given
            value; infinite values included.
        curvature: f''(u) of the functional that the generator descends while the discriminator is
            at its best, as a function of u > 0. Where it is negative, that is no f-divergence.
        descends: that functional of (p, q), 0 at p = q.
    """

    name: str
    real: Scalar
    fake: Scalar
    generator: Scalar
    slope: Scalar
    best: Scalar
    curvature: Scalar
    descends: Callable[[Density, Density], float]


def _softplus(t: Array) -> Array:
    return np.logaddexp(0, t)


def _identity(t: Array) -> Array:
    return t


SATURATING = Objective(
    name="saturating",
    real=lambda t: _softplus(np.negative(t)),
    fake=_softplus,
    generator=lambda t: -_softplus(t),
    slope=lambda t: -expit(t),
    best=_identity,
    curvature=lambda u: 1 / (u * (1 + u)),
    descends=lambda p, q: 2 * f_divergence(JS, p, q),
)

NON_SATURATING = Objective(
    name="non-saturating",
    real=SATURATING.real,
    fake=SATURATING.fake,
    generator=lambda t: _softplus(np.negative(t)),
    slope=lambda t: -expit(np.negative(t)),
    best=_identity,
    curvature=lambda u: 1 / (u**2 * (1 + u)),
    descends=lambda p, q: f_divergence(SOFT_REVERSE_KL, p, q),
)


def least_squares(a: float = 0.0, b: float = 1.0, c: float = 1.0) -> Objective:
    r"""The least-squares GAN (Mao et al. 2017, equation 2, without its halves).

    The discriminator minimises :math:`E_p[(t - b)^2] + E_q[(t - a)^2]`, the generator
    :math:`E_q[(t - c)^2]`. The best output is :math:`(b p + a q) / (p + q)`. With
    :math:`\alpha = a - c` and :math:`\beta = b - c` the functional that the generator descends is

    .. math:: 2 \alpha (\alpha - \beta)\, KL(p \| m) - \tfrac14 (\alpha - \beta)^2
              \int \frac{(p - q)^2}{p + q}, \qquad m = \tfrac12 (p + q) .

    Args:
        a: the discriminator's target for samples.
        b: its target for data.
        c: the generator's target.

    Raises:
        GancourseError: NaN or infinity, or a = b, where there is nothing to tell apart.
    """
    a, b, c = (float(finite(target, name)) for target, name in ((a, "a"), (b, "b"), (c, "c")))
    if a == b:
        raise GancourseError(f"a and b are both {a}; the two targets must differ.")
    alpha, beta = a - c, b - c

    def curvature(u: Array) -> Array:
        # h = (beta u + alpha)^2 / (1 + u)^2
        return -2 * (beta * u + alpha) * (beta - alpha) / (u * (1 + u) ** 3)

    def descends(p: Density, q: Density) -> float:
        apart = f_divergence(VINCZE_LE_CAM, p, q)
        return 2 * alpha * (alpha - beta) * kl(p, _mean(p, q)) - (alpha - beta) ** 2 / 4 * apart

    return Objective(
        name=f"least-squares ({a:g}, {b:g}, {c:g})",
        real=lambda t: np.square(np.subtract(t, b)),
        fake=lambda t: np.square(np.subtract(t, a)),
        generator=lambda t: np.square(np.subtract(t, c)),
        slope=lambda t: 2 * np.subtract(t, c),
        best=lambda log_u: a + (b - a) * expit(log_u),
        curvature=curvature,
        descends=descends,
    )


def _mean(p: Density, q: Density) -> Density:
    """The even mixture of two distributions."""
    if isinstance(p, Discrete) and isinstance(q, Discrete):
        points = np.union1d(p.points, q.points)
        return Discrete(points, (np.exp(p.log_prob(points)) + np.exp(q.log_prob(points))) / 2)
    return Mixture([p, q])


#: By name. ``"least-squares-pearson"`` has the targets at which the value of both squares is
#: Pearson's divergence of p + q from 2 q (Mao et al. 2017, section 3.2.2).
OBJECTIVES: dict[str, Objective] = {
    "saturating": SATURATING,
    "non-saturating": NON_SATURATING,
    "least-squares": least_squares(),
    "least-squares-pearson": least_squares(-1.0, 1.0, 0.0),
}


def objective(name: str | Objective) -> Objective:
    """The objective of that name; an objective is returned as it is.

    Raises:
        GancourseError: there is none of that name; the message shows the nearest ones.
    """
    if isinstance(name, Objective):
        return name
    if name not in OBJECTIVES:
        raise unknown("objective", name, OBJECTIVES)
    return OBJECTIVES[name]


def best_output(name: str | Objective, p: Density, q: Density) -> Function:
    """The output of the best discriminator: a function of points, as ``p.log_prob`` takes them.

    Raises:
        GancourseError: an unknown name, other dimensions, or a discrete distribution beside a
            density.
    """
    best, logit = objective(name).best, optimal_logit(p, q)
    return lambda x: best(logit(x))


def discriminator_loss(name: str | Objective, output: Function, p: Density, q: Density) -> float:
    """What the discriminator minimises, exactly: the mean of its losses over p and over q.

    Args:
        name: in :data:`OBJECTIVES`, or an objective.
        output: the discriminator: takes points, returns t for each.
        p: the distribution of the data.
        q: the distribution of the samples.

    Raises:
        GancourseError: an unknown name, other dimensions, more than two of them, or a discrete
            distribution beside a density.
    """
    losses = objective(name)
    return expectations(
        (p, lambda x: losses.real(output(x))), (q, lambda x: losses.fake(output(x)))
    )


def generator_loss(name: str | Objective, output: Function, q: Density) -> float:
    """What the generator minimises, exactly: the mean over its samples.

    Args:
        name: in :data:`OBJECTIVES`, or an objective.
        output: the discriminator: takes points, returns t for each.
        q: the distribution of the samples.

    Raises:
        GancourseError: an unknown name, or a density in more than two dimensions.
    """
    losses = objective(name)
    return expectation(q, lambda x: losses.generator(output(x)))
