"""What the chapter writes out by hand is what scikit-learn and the package compute."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.mixture import GaussianMixture
from sklearn.naive_bayes import GaussianNB

from gancourse.theory import Gaussian, Mixture
from tests.chapters.pages import what_it_needs


def test_naive_bayes_written_out_is_scikit_learn_s():
    log_joint = what_it_needs("generative-and-discriminative", "log_joint")["log_joint"]
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 5)), np.arange(60) % 3
    model = GaussianNB().fit(x, y)
    mine = log_joint(x, model.class_prior_, model.theta_, model.var_)
    np.testing.assert_allclose(mine, model.predict_joint_log_proba(x), rtol=1e-10)


def test_logit_written_out_is_scikit_learn_s():
    lda_logit = what_it_needs("generative-and-discriminative", "lda_logit")["lda_logit"]
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(80, 4)), (np.arange(80) % 5 == 0).astype(int)
    model = LinearDiscriminantAnalysis(solver="lsqr", store_covariance=True).fit(x, y)
    w, b = lda_logit(*model.means_, model.covariance_, model.priors_[1])
    np.testing.assert_allclose(w, model.coef_[0], rtol=1e-8)
    assert b == pytest.approx(model.intercept_[0])


@pytest.mark.filterwarnings("ignore:Best performing initialization")
def test_em_written_out_is_scikit_learn_s():
    em_step = what_it_needs("generative-and-discriminative", "em_step")["em_step"]
    rng = np.random.default_rng(2)
    x = Mixture([Gaussian(-1, 0.5), Gaussian(2, 1.0)]).sample(200, rng)
    state = np.full(2, 0.5), np.array([-0.5, 0.5]), np.ones(2)
    model = GaussianMixture(
        2, means_init=state[1][:, None], weights_init=state[0], precisions_init=np.ones((2, 1, 1)),
        reg_covar=0.0, tol=0.0, max_iter=7,
    ).fit(x[:, None])  # fmt: skip
    for _ in range(7):
        state, _ = em_step(x, *state)
    np.testing.assert_allclose(state[0], model.weights_, rtol=1e-8)
    np.testing.assert_allclose(state[1], model.means_[:, 0], rtol=1e-8)
    np.testing.assert_allclose(state[2], np.sqrt(model.covariances_[:, 0, 0]), rtol=1e-8)


def test_completion_is_the_conditional_mean():
    """Against a grid of values of the one unseen half, for a mixture in the plane made wide."""
    complete = what_it_needs("generative-and-discriminative", "complete")["complete"]

    class Model:
        weights_ = np.array([0.3, 0.7])
        means_ = np.stack([np.full(64, -0.5), np.full(64, 0.5)])
        covariances_ = np.stack([np.eye(64), np.eye(64)])

    for k, link in enumerate((0.6, -0.3)):
        Model.covariances_[k, 0, 32] = Model.covariances_[k, 32, 0] = link
    x = np.zeros((1, 64))
    x[0, 0] = 1.2
    found = complete(Model, x)[0]
    seen = x[0, :32]
    grid = np.linspace(-8, 8, 4001)
    density = np.zeros_like(grid)
    for k, link in enumerate((0.6, -0.3)):
        rest = np.exp(-0.5 * np.square(seen[1:] - Model.means_[k, 1]).sum())
        mean = Model.means_[k, :2][[0, 0]]
        pair = Gaussian(mean, cov=[[1, link], [link, 1]])
        at = np.stack([np.full_like(grid, seen[0]), grid], axis=1)
        density += Model.weights_[k] * rest * np.exp(pair.log_prob(at))
    assert found[0] == pytest.approx((grid * density).sum() / density.sum(), abs=1e-6)
