"""Generators, conjugates and critics of the f-divergences, and the bound that a critic attains."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gancourse import theory
from gancourse.theory import F_DIVERGENCES, Discrete, Gaussian, Laplace, Mixture, Uniform

pytestmark = pytest.mark.filterwarnings("error")

EACH = pytest.mark.parametrize("divergence", F_DIVERGENCES.values(), ids=F_DIVERGENCES)
U = np.concatenate([[0.0], np.geomspace(1e-8, 1e8, 20_001)])


def test_generators_at_points_by_hand():
    f = {name: float(d.f(np.float64(2.0))) for name, d in F_DIVERGENCES.items()}
    log2, log3 = math.log(2), math.log(3)
    assert f == pytest.approx(
        {
            "kl": 2 * log2,
            "reverse-kl": -log2,
            "js": log2 - 1.5 * (log3 - log2),
            "pearson": 1.0,
            "squared-hellinger": 3 - 2 * math.sqrt(2),
            "total-variation": 0.5,
            "gan": 2 * log2 - 3 * log3,
            "vincze-le-cam": 1 / 3,
            "soft-reverse-kl": 3 * log3 - 6 * log2,
        }
    )


@EACH
def test_the_generator_is_convex(divergence):
    u, v = np.random.default_rng(0).gamma(0.5, 4, (2, 10_000)) + 1e-9
    middle = divergence.f((u + v) / 2)
    ends = (divergence.f(u) + divergence.f(v)) / 2
    assert (middle <= ends + 1e-12 * (1 + np.abs(ends))).all()
    at_one = -math.log(4) if divergence.name == "gan" else 0.0
    assert float(divergence.f(np.float64(1.0))) == pytest.approx(at_one)


@EACH
def test_the_integrand_is_that_of_the_generator(divergence):
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.ones(6), (2, 5000)) + 1e-6
    p, q = (x / x.sum(axis=1, keepdims=True) for x in (p, q))
    expected = (q * divergence.f(p / q)).sum(axis=1)
    value = divergence.integrand(np.log(p), np.log(q)).sum(axis=1)
    np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-13)


@EACH
def test_the_integrand_is_homogeneous_and_keeps_its_digits_far_apart_and_close(divergence):
    log_p = np.array([0.0, -3.0, -700.0, 1.0, 0.0, -np.inf, -2.0, -np.inf])
    log_q = np.array([0.0, -3.5, -1.0, -600.0, -1e-3, -1.0, -np.inf, -np.inf])
    value = divergence.integrand(log_p, log_q)
    assert not np.isnan(value).any() and value[-1] == 0
    shifted = divergence.integrand(log_p + 2, log_q + 2)
    np.testing.assert_allclose(shifted, value * math.e**2, rtol=1e-12)
    # The two formulas for near and far must meet.
    for gap in (-1.0, 1.0):
        below, above = divergence.integrand(np.zeros(2), gap * np.array([1 - 1e-9, 1 + 1e-9]))
        assert below == pytest.approx(above, rel=1e-8)


@EACH
def test_the_critic_is_the_slope_of_the_generator(divergence):
    u = np.geomspace(1e-3, 1e3, 400)
    u = u[np.abs(u - 1) > 1e-2]
    step = 1e-5 * u
    slope = (divergence.f(u + step) - divergence.f(u - step)) / (2 * step)
    np.testing.assert_allclose(divergence.critic(np.log(u)), slope, rtol=1e-4, atol=1e-7)


@EACH
def test_the_conjugate_is_the_supremum(divergence):
    """f* against a search over u, which knows nothing of its formula."""
    top = min(divergence.limit, 15.0)
    t = np.concatenate([np.linspace(-20, top, 60)[:-1], top - np.geomspace(1e-3, 1, 20)])
    search = (t[:, None] * U - divergence.f(np.maximum(U, 1e-300))).max(axis=1)
    np.testing.assert_allclose(divergence.conjugate(t), search, rtol=1e-5, atol=1e-5)
    if math.isfinite(divergence.limit):
        beyond = divergence.limit + np.array([1e-6, 1.0, 100.0])
        assert np.isposinf(divergence.conjugate(beyond)).all()


@EACH
def test_the_conjugate_of_the_conjugate_is_the_generator(divergence):
    top = divergence.limit
    if math.isfinite(top):
        t = top - np.geomspace(1e-7, 1e4, 20_001)
        if divergence.name == "total-variation":
            t = np.array([-0.5, 0.0, 0.5])  # where the supremum is at a corner
    else:
        t = np.concatenate([-np.geomspace(1e-6, 1e2, 10_000), np.geomspace(1e-6, 1e2, 10_000)])
    u = np.geomspace(1e-2, 30, 50)
    search = (u[:, None] * t - divergence.conjugate(t)).max(axis=1)
    np.testing.assert_allclose(search, divergence.f(u), rtol=1e-4, atol=1e-5)


@EACH
@settings(max_examples=150, deadline=None)
@given(log_u=st.floats(-12, 12), v=st.floats(-20, 20))
def test_fenchel_and_young(divergence, log_u, v):
    u = np.exp(np.float64(log_u))
    t = np.asarray(divergence.activation(np.float64(v)))
    slack = divergence.f(u) + divergence.conjugate(t) - u * t
    scale = 1 + u * abs(log_u) + abs(divergence.conjugate(t)) + abs(u * t)
    assert slack >= -1e-13 * scale
    best = np.asarray(divergence.critic(np.float64(log_u)))
    equality = divergence.f(u) + divergence.conjugate(best) - u * best
    scale = 1 + abs(divergence.f(u)) + abs(divergence.conjugate(best)) + abs(u * best)
    # Near the limit of its domain f* loses digits of t.
    assert abs(equality) <= 1e-9 * scale


@EACH
def test_the_activation_leads_into_the_domain(divergence):
    t = np.asarray(divergence.activation(np.linspace(-15, 15, 1001)))
    assert (np.diff(t) >= 0).all() and t[-1] > t[0] and (t <= divergence.limit).all()
    assert np.isfinite(divergence.conjugate(t)).all()


def test_f_gans_jensen_shannon_generator_counts_twice():
    """The generator printed in f-GAN's table 1 beside the usual definition of the divergence."""
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(4), 2)
    u = p / q
    printed = (q * (-(u + 1) * np.log((1 + u) / 2) + u * np.log(u))).sum()
    value = theory.js(Discrete(np.arange(4.0), p), Discrete(np.arange(4.0), q))
    assert printed == pytest.approx(2 * value)


def test_f_gans_pearson_conjugate_is_looser_below_minus_two():
    t, conjugate = np.array([-5.0, -2.0, 0.0, 3.0]), F_DIVERGENCES["pearson"].conjugate
    np.testing.assert_allclose(conjugate(t) - (t**2 / 4 + t), [-2.25, 0, 0, 0])


BOUND = {
    "gaussians": (Gaussian(0, 1), Gaussian(0.8, 1.5)),
    "mixture": (Mixture([Gaussian(-2, 0.8), Gaussian(2, 0.9)]), Laplace(0, 1)),
    "nested": (Uniform(0, 1), Uniform(-1, 2)),
    "numbers": (Discrete([0.0, 1.0, 2.0], [0.2, 0.5, 0.3]), Discrete([0.0, 1.0, 2.0, 3.0])),
    "names": (Discrete(["a", "b"]), Discrete(["b", "a", "c"], [0.1, 0.6, 0.3])),
    "plane": (Gaussian([0, 0]), Gaussian([1, 0.5], cov=[[1.5, 0.3], [0.3, 2]])),
}


@EACH
@pytest.mark.parametrize("name", BOUND)
def test_the_optimal_critic_attains_the_bound(divergence, name):
    p, q = BOUND[name]

    def critic(x):
        with np.errstate(invalid="ignore"):
            log_ratio = p.log_prob(x) - q.log_prob(x)
        return divergence.critic(np.nan_to_num(log_ratio, nan=0.0, neginf=-np.inf, posinf=np.inf))

    value = theory.f_divergence(divergence, p, q)
    bound = theory.variational_bound(divergence, critic, p, q)
    assert bound == pytest.approx(value, rel=1e-6, abs=1e-9)


@EACH
@pytest.mark.parametrize("name", ["gaussians", "mixture", "nested", "numbers"])
def test_no_other_critic_exceeds_the_bound(divergence, name):
    p, q = BOUND[name]
    value = theory.f_divergence(divergence, p, q)
    rng = np.random.default_rng(7)
    best = -math.inf
    for _ in range(60):
        a, b, c, d = rng.normal(0, 1, 4)

        def critic(x, a=a, b=b, c=c, d=d):
            return divergence.activation(a + b * np.tanh(x + c) + d * np.cos(2 * x))

        bound = theory.variational_bound(divergence, critic, p, q)
        assert bound <= value + 1e-9
        best = max(best, bound)
    assert best > -10  # the critics are not all absurd


def test_leaving_the_domain_costs_everything():
    p, q = BOUND["gaussians"]
    for name in ("gan", "js", "squared-hellinger", "total-variation", "reverse-kl"):
        bound = theory.variational_bound(F_DIVERGENCES[name], lambda x: np.full(len(x), 1.5), p, q)
        assert bound == -math.inf
    # So far apart that q underflows where f* overflows, the safe answer is the worst.
    far, kl = Gaussian(60), F_DIVERGENCES["kl"]
    bound = theory.variational_bound(
        kl, lambda x: kl.critic(p.log_prob(x) - far.log_prob(x)), p, far
    )
    assert bound <= theory.kl(p, far)
