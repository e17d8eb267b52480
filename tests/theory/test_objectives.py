"""The losses of both players, and which functional the generator descends."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from gancourse import losses, theory
from gancourse.errors import GancourseError
from gancourse.theory import OBJECTIVES, Discrete, Gaussian, Laplace, Mixture

EACH = pytest.mark.parametrize("name", OBJECTIVES)
DATA = {
    "two modes": Mixture([Gaussian(-2, 0.5), Gaussian(2, 1.0)], [0.3, 0.7]),
    "gaussian": Gaussian(0.5, 1.2),
    "laplace": Laplace(0, 0.8),
}


def family(theta: float) -> Gaussian:
    """A generator with one weight, which moves and stretches."""
    return Gaussian(theta, math.exp(0.3 * theta))


def slope(function, theta: float, step: float = 1e-3) -> float:
    """A derivative by central differences of fourth order."""
    near = function(theta + step) - function(theta - step)
    far = function(theta + 2 * step) - function(theta - 2 * step)
    return (8 * near - far) / (12 * step)


@EACH
@pytest.mark.parametrize("data", DATA)
def test_the_generator_s_gradient_is_that_of_what_it_descends(name, data):
    p, descends = DATA[data], OBJECTIVES[name].descends
    for theta in (-1.0, -0.4, 0.0, 0.7, 1.6):
        still = theory.best_output(name, p, family(theta))
        held = slope(lambda t, still=still: theory.generator_loss(name, still, family(t)), theta)
        assert held == pytest.approx(slope(lambda t: descends(p, family(t)), theta), abs=1e-7)


@EACH
def test_the_same_on_random_tables(name):
    """Moving mass between six points: the gradient along it, against a difference."""
    objective, rng = OBJECTIVES[name], np.random.default_rng(5)
    points = np.arange(6.0)
    for _ in range(100):
        p, q, to = rng.dirichlet(np.full(6, 2.0), 3) + 0.01
        p, q, to = (x / x.sum() for x in (p, q, to))
        output = objective.best(np.log(p / q))
        predicted = ((to - q) * objective.generator(output)).sum()

        def along(t, p=p, q=q, to=to, objective=objective):
            return objective.descends(Discrete(points, p), Discrete(points, q + t * (to - q)))

        assert slope(along, 0.0, 2e-4) == pytest.approx(predicted, rel=1e-6, abs=1e-8)


@EACH
def test_the_curvature_is_minus_the_slope_of_the_loss_over_u(name):
    objective = OBJECTIVES[name]
    u = np.geomspace(0.05, 20, 200)
    step = 1e-6 * u
    high, low = (objective.generator(objective.best(np.log(v))) for v in (u + step, u - step))
    np.testing.assert_allclose(
        objective.curvature(u), -(high - low) / (2 * step) / u, rtol=1e-6, atol=1e-8
    )


def test_only_the_pearson_targets_bend_the_wrong_way():
    u = np.geomspace(1e-3, 1e3, 2001)
    for name, objective in OBJECTIVES.items():
        convex = bool((objective.curvature(u) > 0).all())
        assert convex == (name != "least-squares-pearson")
    pearson = OBJECTIVES["least-squares-pearson"].curvature
    assert pearson(np.array([1.0])) == 0
    assert (pearson(u[u > 1]) < 0).all() and (pearson(u[u < 1]) > 0).all()


@EACH
def test_the_best_output_minimises_the_discriminator_s_loss(name):
    objective = OBJECTIVES[name]
    for p, q in ((0.3, 0.7), (2.0, 0.01), (0.5, 0.5), (0.01, 3.0)):
        found = minimize_scalar(
            lambda t, p=p, q=q: p * objective.real(t) + q * objective.fake(t),
            bounds=(-20, 20),
            method="bounded",
            options={"xatol": 1e-9},
        )
        best = objective.best(np.log(p) - np.log(q))
        assert float(best) == pytest.approx(found.x, abs=1e-5)
    assert not np.isnan(objective.best(np.array([-np.inf, np.inf]))).any()


@EACH
def test_the_slope_of_the_generator_s_loss(name):
    objective, t = OBJECTIVES[name], np.linspace(-6, 6, 101)
    differences = (objective.generator(t + 1e-6) - objective.generator(t - 1e-6)) / 2e-6
    np.testing.assert_allclose(objective.slope(t), differences, atol=1e-8)


def test_the_two_of_2014_are_the_losses_that_training_uses():
    t = np.linspace(-30, 30, 61)
    logits = torch.from_numpy(t)
    for name, loss in (
        ("saturating", losses.minimax_generator),
        ("non-saturating", losses.non_saturating_generator),
    ):
        mine = OBJECTIVES[name].generator(t)
        np.testing.assert_allclose(mine, [loss(x).item() for x in logits], rtol=1e-9)
        both = OBJECTIVES[name].real(t).mean() + OBJECTIVES[name].fake(t).mean()
        assert both == pytest.approx(losses.minimax_discriminator(logits, logits).item())


def test_the_non_saturating_loss_descends_kl_less_twice_js():
    """Arjovsky and Bottou's form of it, and the softened reverse KL, are one."""
    for p in DATA.values():
        for theta in (-1.0, 0.3, 1.5):
            q = family(theta)
            whole = theory.kl(q, p) - 2 * theory.js(p, q)
            descended = OBJECTIVES["non-saturating"].descends(p, q)
            assert descended == pytest.approx(whole, abs=1e-9)
            assert descended == pytest.approx(2 * theory.kl(Mixture([p, q]), p), abs=1e-9)


def test_the_value_of_least_squares_is_pearson():
    """E_p (D - c)^2 + E_q (D - c)^2 at the best D, for b - c = 1 and b - a = 2."""
    rng = np.random.default_rng(6)
    for p, q in rng.dirichlet(np.ones(8), (500, 2)):
        best = OBJECTIVES["least-squares-pearson"].best(np.log(p) - np.log(q))
        both = ((p + q) * best**2).sum()
        # Mao et al. write it as the divergence of p + q from 2 q, and divide by the former.
        twice = 2 * theory.pearson_chi2(
            Discrete(np.arange(8.0), q), Discrete(np.arange(8.0), (p + q) / 2)
        )
        assert both == pytest.approx(twice, rel=1e-9)


def test_losses_in_full():
    p, q = Gaussian(0, 1), Gaussian(1, 1)
    for name in ("saturating", "non-saturating"):
        best = theory.best_output(name, p, q)
        assert theory.discriminator_loss(name, best, p, q) == pytest.approx(
            -theory.optimal_value(p, q)
        )
    flat = theory.best_output("least-squares", p, p)
    assert theory.generator_loss("least-squares", flat, p) == pytest.approx(0.25)
    assert theory.discriminator_loss("least-squares", flat, p, p) == pytest.approx(0.5)


def test_bad_input_is_refused():
    with pytest.raises(GancourseError, match="Did you mean saturating"):
        theory.generator_loss("saturatng", np.zeros_like, Gaussian())
    with pytest.raises(GancourseError, match="must differ"):
        theory.least_squares(1, 1, 0)
    with pytest.raises(GancourseError, match="NaN"):
        theory.least_squares(math.nan, 1, 0)
