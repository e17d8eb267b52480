r"""The f-divergences and the variational bound that makes each of them a GAN's objective.

For a convex f with values on [0, inf),

.. math:: D_f(P \| Q) = \int q(x)\, f\!\left(\frac{p(x)}{q(x)}\right) dx
          = \sup_T \; E_P[T(x)] - E_Q[f^*(T(x))],

and the supremum is attained by the critic :math:`T(x) = f'(p(x) / q(x))` (Nguyen, Wainwright,
Jordan 2010; Nowozin, Cseke, Tomioka: f-GAN, 2016, equations 2 to 5). Generators, critics and output
activations are those of f-GAN, tables 1, 2 and 6, but for Vincze-Le Cam and the soft reverse KL
(Shannon et al., Non-saturating GAN training as divergence minimization, 2020), which are not there.
Two things differ:

- its Jensen-Shannon generator gives twice the divergence its table prints beside it; here f is
  halved, so that the divergence is the usual one and at most log 2;
- a conjugate here is the supremum over u >= 0 only, where f is defined: Pearson's stays at -1
  below t = -2, where the table's t^2/4 + t rises again, and total variation's stays at -1/2 below
  t = -1/2, which the table leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, xlogy

from gancourse.theory.arguments import Array

LOG2 = float(np.log(2))


@dataclass(frozen=True)
class FDivergence:
    """One f-divergence. All functions are vectorised over arrays of any shape.

    Attributes:
        name: in :data:`F_DIVERGENCES`.
        f: the generator, of u in [0, inf).
        critic: the optimal critic f'(u), as a function of log u = log p(x) - log q(x).
        conjugate: f*(t), the supremum of u t - f(u) over u >= 0; inf outside its domain.
        limit: f* is finite for t below it (at it too for total variation,
            Vincze-Le Cam and the soft reverse KL).
        activation: increasing map of all numbers into the domain of f*, for the output of a
            network that is to be a critic.
        integrand: q f(p / q) as a function of log p and log q, accurate however far the two are
            apart, and 0 where both are -inf. To f a multiple of u - 1 is added where that makes
            the integrand 0 or more: the integral stays the same, and nothing cancels.
    """

    name: str
    f: Callable[[Array], Array]
    critic: Callable[[Array], Array]
    conjugate: Callable[[Array], Array]
    limit: float
    activation: Callable[[Array], Array]
    integrand: Callable[[Array, Array], Array]


def log_ratio(log_p: Array, log_q: Array) -> Array:
    """log p - log q, and 0 where both are -inf."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(log_p) & np.isneginf(log_q), 0.0, log_p - log_q)


def _scaled(shape: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """The integrand max(p, q) * shape(|log p - log q|) of a symmetric divergence."""

    def integrand(log_p: Array, log_q: Array) -> Array:
        return np.exp(np.maximum(log_p, log_q)) * shape(np.abs(log_ratio(log_p, log_q)))

    return integrand


def _kl(log_p: Array, log_q: Array) -> Array:
    """p log(p / q) - p + q."""
    p, q, log_u = np.exp(log_p), np.exp(log_q), log_ratio(log_p, log_q)
    product = np.multiply(p, log_u, out=np.zeros(np.shape(log_u)), where=p > 0)
    # Where p and q are close, the terms cancel but for a square, which expm1 saves.
    close = np.clip(log_u, -1.0, 1.0)
    value = np.where(
        np.abs(log_u) < 1, q * (close * np.exp(close) - np.expm1(close)), product - p + q
    )
    # Where q is 0 the value is infinite even if p has underflowed.
    return np.where(np.isposinf(log_u), np.inf, np.maximum(value, 0.0))


def _pearson(log_p: Array, log_q: Array) -> Array:
    """(p - q)^2 / q."""
    log_u = log_ratio(log_p, log_q)
    with np.errstate(over="ignore", invalid="ignore"):
        larger = np.exp(log_p + log_u) * np.square(np.expm1(-np.maximum(log_u, 0.0)))
        smaller = np.exp(log_q) * np.square(np.expm1(np.minimum(log_u, 0.0)))
    return np.where(log_u > 0, larger, smaller)


def _js_shape(gap: Array) -> Array:
    """Twice the Jensen-Shannon integrand at p = 1, q = e^-gap."""
    q = np.exp(-gap)
    # Where p and q are close, all but a square cancels; log cosh(gap / 2) keeps it.
    close = np.minimum(gap, 1.0)
    log_cosh = np.log1p(2 * np.square(np.sinh(close / 4)))
    near = -np.expm1(-close) * close / 2 - (1 + q) * log_cosh
    return np.where(gap < 1, near, (1 + q) * (LOG2 - np.log1p(q)) + xlogy(q, q))


def _gan_shape(gap: Array) -> Array:
    """The integrand of the GAN's divergence at p = 1, q = e^-gap."""
    q = np.exp(-gap)
    return xlogy(q, q) - (1 + q) * np.log1p(q)


def _softplus(v: Array) -> Array:
    return np.logaddexp(0.0, v)


def _exp(t: Array) -> Array:
    """exp, infinite for infinite t only: 0 times a value that overflowed would be NaN."""
    return np.where(np.isposinf(t), np.inf, np.exp(np.minimum(t, 700.0)))


@np.errstate(over="ignore")
def _kl_conjugate(t: Array) -> Array:
    return np.exp(np.subtract(t, 1))


def _minus_log(u: Array) -> Array:
    return -xlogy(1, u)


def _soft_critic(log_u: Array) -> Array:
    """log((1 + u) / (2 u)) - 1 / u."""
    return _softplus(np.minimum(np.negative(log_u), 700.0)) - LOG2 - _exp(np.negative(log_u))


def _soft_conjugate(t: Array) -> Array:
    """The critic's equation t = log(s / 2) - (s - 1), s = 1 + 1 / u, solved for s >= 1."""
    more = -LOG2 - np.clip(t, -1e300, -LOG2)  # s - 1 - log s, 0 or more
    # Newton's method from an upper bound (Chatzigeorgiou 2013) comes down to s without overshooting.
    s = 1 + np.sqrt(2 * more) + more
    for _ in range(8):
        s = s - (s - 1 - np.log(s) - more) * s / np.maximum(s - 1, 1e-300)
    value = np.where(np.greater(t, -LOG2), np.inf, -1 - np.log(s / 2))
    return np.where(np.isneginf(t), -np.inf, value)


def _vincze_le_cam_conjugate(t: Array) -> Array:
    inside = np.clip(t, -3.0, 1.0)
    value = 4 - inside - 4 * np.sqrt(1 - inside)
    return np.where(np.greater(t, 1.0), np.inf, value)


def _below(limit: float, t: Array, value: Callable[[Array], Array]) -> Array:
    """``value(t)`` for t below the limit, inf from there on."""
    t = np.asarray(t, dtype=np.float64)
    return np.where(t < limit, value(np.where(t < limit, t, limit - 1)), np.inf)


KL = FDivergence(
    name="kl",
    f=lambda u: xlogy(u, u),
    critic=lambda log_u: 1 + log_u,
    conjugate=_kl_conjugate,
    limit=np.inf,
    activation=lambda v: v,
    integrand=_kl,
)

REVERSE_KL = FDivergence(
    name="reverse-kl",
    f=lambda u: -xlogy(1, u),
    critic=lambda log_u: -_exp(-log_u),
    conjugate=lambda t: _below(0.0, t, lambda t: -1 - np.log(-t)),
    limit=0.0,
    activation=lambda v: -_exp(-v),
    integrand=lambda log_p, log_q: _kl(log_q, log_p),
)

JS = FDivergence(
    name="js",
    f=lambda u: 0.5 * (xlogy(u, u) - (u + 1) * (np.log1p(u) - LOG2)),
    critic=lambda log_u: 0.5 * (LOG2 - _softplus(-log_u)),
    conjugate=lambda t: _below(LOG2 / 2, t, lambda t: -0.5 * np.log(2 - np.exp(2 * t))),
    limit=LOG2 / 2,
    activation=lambda v: 0.5 * (LOG2 - _softplus(-v)),
    integrand=_scaled(lambda gap: 0.5 * _js_shape(gap)),
)

PEARSON = FDivergence(
    name="pearson",
    f=lambda u: np.square(u - 1),
    critic=lambda log_u: 2 * (_exp(log_u) - 1),
    conjugate=lambda t: np.square(np.maximum(t, -2.0)) / 4 + np.maximum(t, -2.0),
    limit=np.inf,
    activation=lambda v: v,
    integrand=_pearson,
)

SQUARED_HELLINGER = FDivergence(
    name="squared-hellinger",
    f=lambda u: np.square(np.sqrt(u) - 1),
    critic=lambda log_u: 1 - _exp(-log_u / 2),
    conjugate=lambda t: _below(1.0, t, lambda t: 1 / (1 - t) - 1),
    limit=1.0,
    activation=lambda v: 1 - _exp(-v),
    integrand=_scaled(lambda gap: np.square(np.expm1(-gap / 2))),
)

TOTAL_VARIATION = FDivergence(
    name="total-variation",
    f=lambda u: 0.5 * np.abs(u - 1),
    critic=lambda log_u: 0.5 * np.sign(log_u),
    conjugate=lambda t: np.where(np.greater(t, 0.5), np.inf, np.maximum(t, -0.5)),
    limit=0.5,
    activation=lambda v: 0.5 * np.tanh(v),
    integrand=_scaled(lambda gap: -0.5 * np.expm1(-gap)),
)

# Goodfellow's game: twice the Jensen-Shannon divergence less log 4.
GAN = FDivergence(
    name="gan",
    f=lambda u: xlogy(u, u) - (u + 1) * np.log1p(u),
    critic=lambda log_u: -_softplus(-log_u),
    conjugate=lambda t: _below(0.0, t, lambda t: -np.log(-np.expm1(t))),
    limit=0.0,
    activation=lambda v: -_softplus(-v),
    integrand=_scaled(_gan_shape),
)

# The triangular discrimination, the integral of (p - q)^2 / (p + q).
VINCZE_LE_CAM = FDivergence(
    name="vincze-le-cam",
    f=lambda u: np.square(u - 1) / (u + 1),
    critic=lambda log_u: 1 - 4 * np.square(expit(np.negative(log_u))),
    conjugate=_vincze_le_cam_conjugate,
    limit=1.0,
    activation=lambda v: 1 - 4 * np.square(expit(np.negative(v))),
    integrand=_scaled(lambda gap: np.square(np.expm1(-gap)) / (1 + np.exp(-gap))),
)

# What the non-saturating generator descends: twice the KL divergence of m = (p + q) / 2 from p.
SOFT_REVERSE_KL = FDivergence(
    name="soft-reverse-kl",
    f=lambda u: (u + 1) * (np.log1p(u) - LOG2 + _minus_log(u)),
    critic=_soft_critic,
    conjugate=_soft_conjugate,
    limit=-LOG2,
    activation=_soft_critic,
    integrand=lambda log_p, log_q: 2 * _kl(np.logaddexp(log_p, log_q) - LOG2, log_p),
)

F_DIVERGENCES: dict[str, FDivergence] = {
    divergence.name: divergence
    for divergence in (
        KL,
        REVERSE_KL,
        JS,
        PEARSON,
        SQUARED_HELLINGER,
        TOTAL_VARIATION,
        GAN,
        VINCZE_LE_CAM,
        SOFT_REVERSE_KL,
    )
}
