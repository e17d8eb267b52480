"""What theory says of divergences, on thousands of random distributions.

Claims T1 (KL is 0 or more, 0 only for equal distributions, neither symmetric nor a metric) and T2
(JS is symmetric and bounded, and its square root a metric) are tested here.
"""

import math

import numpy as np
import pytest

from gancourse import theory
from gancourse.theory import F_DIVERGENCES, Discrete, Gaussian, Laplace, Mixture, Uniform

pytestmark = pytest.mark.filterwarnings("error")

LOG2 = math.log(2)
CASES = 20_000
SIZES = (2, 3, 5, 10)
EACH = pytest.mark.parametrize("divergence", F_DIVERGENCES.values(), ids=F_DIVERGENCES)


def simplex(rng, cases, size, zeros=True):
    """Random distributions, cases x size: even and spiky ones, a fifth of them with zeros."""
    gamma = rng.gamma(np.exp(rng.uniform(-2, 2, (cases, 1))), size=(cases, size)) + 1e-12
    if zeros:
        drop = (rng.random((cases, size)) < 0.3) & (rng.random((cases, 1)) < 0.2)
        drop[:, 0] = False
        gamma = np.where(drop, 0.0, gamma)
    return gamma / gamma.sum(axis=1, keepdims=True)


def rows(name, p, q):
    """The f-divergence of each row of p from the same row of q."""
    with np.errstate(divide="ignore"):
        return F_DIVERGENCES[name].integrand(np.log(p), np.log(q)).sum(axis=-1)


def pairs(seed, count, zeros=True):
    """``count`` tuples of random distributions, ``CASES`` in all, by size; the last are close."""
    rng = np.random.default_rng(seed)
    for size in SIZES:
        group = [simplex(rng, CASES // len(SIZES), size, zeros) for _ in range(count)]
        # In a quarter of the cases the second is near the first.
        near = slice(0, len(group[0]) // 4)
        step = 10.0 ** rng.uniform(-6, 0, (len(group[0]), 1))
        group[1][near] = ((1 - step) * group[0] + step * group[1])[near]
        yield group


def test_the_rows_are_what_the_public_functions_give():
    """The tests below go by rows of arrays, because 20,000 objects would take too long."""
    points = np.arange(5.0)
    p, q = (simplex(np.random.default_rng(s), 50, 5) for s in (0, 1))
    for name, function in (
        ("kl", theory.kl),
        ("js", theory.js),
        ("total-variation", theory.total_variation),
        ("pearson", theory.pearson_chi2),
        ("squared-hellinger", theory.squared_hellinger),
    ):
        single = [
            function(Discrete(points, a), Discrete(points, b)) for a, b in zip(p, q, strict=True)
        ]
        np.testing.assert_allclose(rows(name, p, q), single, rtol=1e-9, atol=1e-14)


def test_t1_kl_is_never_negative_and_zero_only_for_equal_distributions():
    for p, q in pairs(0, 2):
        kl = rows("kl", p, q)
        assert (kl >= 0).all() and (rows("kl", p, p) == 0).all()
        # Pinsker's inequality makes "only for equal ones" a number.
        assert (kl >= 2 * rows("total-variation", p, q) ** 2 * (1 - 1e-9)).all()
        assert (kl[np.abs(p - q).max(axis=1) > 1e-7] > 0).all()


def test_t1_kl_is_neither_symmetric_nor_does_it_keep_the_triangle_inequality():
    narrow, wide = Gaussian(0, 1), Gaussian(0, 3)
    assert theory.kl(narrow, wide) == pytest.approx(math.log(3) - 4 / 9)
    assert theory.kl(wide, narrow) == pytest.approx(4 - math.log(3))
    assert theory.kl(Uniform(0, 1), Uniform(0, 2)) == pytest.approx(LOG2)
    assert theory.kl(Uniform(0, 2), Uniform(0, 1)) == math.inf
    # 2 > 1/2 + 1/2: the detour is shorter. Its root is no metric either, but for other reasons.
    a, b, c = Gaussian(0), Gaussian(1), Gaussian(2)
    assert theory.kl(a, c) == pytest.approx(2.0)
    assert theory.kl(a, b) + theory.kl(b, c) == pytest.approx(1.0)


def test_t2_js_is_symmetric_and_bounded():
    for p, q in pairs(1, 2):
        js = rows("js", p, q)
        np.testing.assert_allclose(js, rows("js", q, p), rtol=1e-9, atol=1e-16)
        assert (js >= 0).all() and (js <= LOG2 + 1e-12).all()
        half = (p + q) / 2
        expected = (rows("kl", p, half) + rows("kl", q, half)) / 2
        np.testing.assert_allclose(js, expected, rtol=1e-6, atol=1e-14)
        # 0 only for equal ones; log 2 for disjoint ones, and away from it by what they share.
        assert (js[np.abs(p - q).max(axis=1) > 1e-6] > 0).all() and (rows("js", p, p) == 0).all()
        shared = np.minimum(p, q).sum(axis=1)
        assert (LOG2 - js >= LOG2 * shared - 1e-12).all()
        apart = np.concatenate([p, 0 * q], axis=1), np.concatenate([0 * p, q], axis=1)
        np.testing.assert_allclose(rows("js", *apart), LOG2, rtol=1e-12)
    for p, q in ((Gaussian(), Laplace(3, 2)), (Uniform(), Mixture([Gaussian(), Laplace()]))):
        assert theory.js(p, q) == pytest.approx(theory.js(q, p), rel=1e-9)
        assert 0 < theory.js(p, q) < LOG2


def test_t2_the_root_of_js_keeps_the_triangle_inequality():
    worst = -math.inf
    for p, q, r in pairs(2, 3):
        there, first, second = (np.sqrt(rows("js", *pair)) for pair in ((p, r), (p, q), (q, r)))
        worst = max(worst, (there - first - second).max())
    assert worst <= 1e-12
    rng = np.random.default_rng(3)
    for _ in range(60):
        p, q, r = (
            Gaussian(mean, math.exp(log_std))
            for mean, log_std in zip(rng.normal(0, 2, 3), rng.uniform(-1, 1, 3), strict=True)
        )
        detour = theory.js_distance(p, q) + theory.js_distance(q, r)
        worst = max(worst, theory.js_distance(p, r) - detour)
    assert worst <= 1e-9


def test_t2_js_itself_breaks_the_triangle_inequality():
    """So the test above would notice a missing root."""
    p, q, r = Discrete([0.0]), Discrete([0.0, 1.0]), Discrete([1.0])
    assert theory.js(p, r) == pytest.approx(LOG2)
    assert theory.js(p, q) + theory.js(q, r) == pytest.approx(1.5 * math.log(4 / 3))
    assert theory.js(p, r) > theory.js(p, q) + theory.js(q, r) + 0.2
    broken = sum(
        (rows("js", p, r) > rows("js", p, q) + rows("js", q, r) + 1e-3).sum()
        for p, q, r in pairs(2, 3)
    )
    assert broken > 1000


def bounds(kl, js, tv, chi2, hellinger):
    """Known inequalities as (name, smaller side, larger side)."""
    root = np.sqrt(hellinger)
    return (
        ("Pinsker", tv, np.sqrt(kl / 2)),
        ("Bretagnolle and Huber", tv, np.sqrt(-np.expm1(-kl))),
        ("Le Cam, below", hellinger / 2, tv),
        ("Le Cam, above", tv, root * np.sqrt(1 - np.minimum(hellinger / 4, 1))),
        ("Hellinger below KL", hellinger, kl),
        ("KL below chi-squared", kl, np.log1p(chi2)),
        ("Cauchy and Schwarz", tv, np.sqrt(chi2) / 2),
        ("Lin: JS below total variation", js, LOG2 * tv),
        ("Pinsker for JS", tv**2 / 2, js),
    )


def test_inequalities_between_divergences():
    closest = {}
    for p, q in pairs(4, 2):
        names = ("kl", "js", "total-variation", "pearson", "squared-hellinger")
        for name, smaller, larger in bounds(*(rows(n, p, q) for n in names)):
            assert (smaller <= larger + 1e-12).all(), name
            judged = np.isfinite(larger) & (smaller > 0.01)
            gap = 1 - (smaller[judged] / larger[judged]).max()
            closest[name] = min(closest.get(name, 1), gap)
    # Bounds that no case comes near would not notice a wrong factor.
    assert max(closest.values()) < 0.01, closest


@pytest.mark.parametrize(
    "p, q",
    [
        (Gaussian(0, 1), Gaussian(0.3, 1.2)),
        (Laplace(), Gaussian(1, 3)),
        (Uniform(), Mixture([Gaussian(), Laplace(2, 0.1)])),
        (Gaussian(0, 1e-3), Laplace(0, 1e3)),
        (Gaussian([0, 0]), Mixture([Gaussian([0, 1]), Gaussian([1, 1], [2, 1])])),
    ],
)
def test_inequalities_between_densities(p, q):
    chi2 = math.inf if p.dim == 2 else theory.pearson_chi2(p, q)
    values = theory.kl(p, q), theory.js(p, q), theory.total_variation(p, q), chi2
    for name, smaller, larger in bounds(*values, theory.squared_hellinger(p, q)):
        assert smaller <= larger + 1e-6, name


@EACH
def test_no_processing_of_the_data_increases_a_divergence(divergence):
    rng = np.random.default_rng(5)
    for p, q in pairs(5, 2, zeros=False):
        channel = np.stack([simplex(rng, len(p), 4) for _ in range(p.shape[1])], axis=1)
        before = rows(divergence.name, p, q)
        after = rows(
            divergence.name,
            np.einsum("np,npk->nk", p, channel),
            np.einsum("np,npk->nk", q, channel),
        )
        assert (after <= before + 1e-9 * np.abs(before) + 1e-12).all()
        # A permutation loses nothing.
        turned = rows(divergence.name, p[:, ::-1], q[:, ::-1])
        np.testing.assert_allclose(turned, before, rtol=1e-9, atol=1e-14)


@EACH
def test_joint_convexity(divergence):
    rng = np.random.default_rng(6)
    for p1, q1, p2, q2 in pairs(6, 4, zeros=False):
        share = rng.random((len(p1), 1))
        mixed = rows(divergence.name, share * p1 + (1 - share) * p2, share * q1 + (1 - share) * q2)
        chord = share[:, 0] * rows(divergence.name, p1, q1)
        chord += (1 - share[:, 0]) * rows(divergence.name, p2, q2)
        assert (mixed <= chord + 1e-9 * np.abs(chord) + 1e-12).all()


@EACH
def test_a_change_of_units_changes_nothing(divergence):
    def pair(unit, shift):
        mixture = [Gaussian(shift - 2 * unit, unit), Laplace(shift + unit, 0.1 * unit)]
        return Mixture(mixture, [0.6, 0.4]), Laplace(shift, 3 * unit)

    expected = theory.f_divergence(divergence, *pair(1.0, 0.0))
    for unit, shift in ((1e-9, 0.0), (1e9, 0.0), (1.0, 1e3), (1e-3, -1.0)):
        value = theory.f_divergence(divergence, *pair(unit, shift))
        assert value == pytest.approx(expected, rel=1e-9)
