"""The propositions of the chapter "Two ways to model data", on random models.

Claim T8 (a generative model has the joint distribution, a discriminative one the posterior) is
tested here.
"""

import itertools

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture

from gancourse.theory import Gaussian

pytestmark = pytest.mark.filterwarnings("error", "ignore:Best performing initialization")


def random_joints(rng, cases, labels, points):
    """Joint probabilities, cases x labels x points, all positive."""
    table = rng.gamma(0.7, size=(cases, labels, points)) + 1e-6
    return table / table.sum(axis=(1, 2), keepdims=True)


def random_cov(rng, dim):
    factor = rng.normal(size=(dim, dim))
    return factor @ factor.T + 0.1 * np.eye(dim)


def test_the_joint_gives_every_half_and_the_posterior_gives_nothing_else():
    """T8: p(x, y) = p(x | y) p(y) = p(y | x) p(x); and p(y | x) goes with every p(x)."""
    rng = np.random.default_rng(0)
    joint = random_joints(rng, 2000, 3, 5)
    p_x, p_y = joint.sum(axis=1, keepdims=True), joint.sum(axis=2, keepdims=True)
    posterior, likelihood = joint / p_x, joint / p_y
    np.testing.assert_allclose(posterior.sum(axis=1), 1)
    np.testing.assert_allclose(likelihood.sum(axis=2), 1)
    by_bayes = likelihood * p_y / (likelihood * p_y).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(by_bayes, posterior)
    other_x = rng.dirichlet(np.ones(5), 2000)[:, None]
    other = posterior * other_x
    np.testing.assert_allclose(other.sum(axis=(1, 2)), 1)
    np.testing.assert_allclose(other.sum(axis=1, keepdims=True), other_x)
    np.testing.assert_allclose(other / other_x, posterior)
    # The class-conditional distributions are others, so what one would sample is too.
    apart = np.abs(other / other.sum(axis=2, keepdims=True) - likelihood).max(axis=(1, 2))
    assert (apart > 1e-3).all()


def test_no_classifier_errs_less_than_bayes_rule():
    rng = np.random.default_rng(1)
    for joint in random_joints(rng, 60, 3, 4):
        every = [
            1 - sum(joint[label, x] for x, label in enumerate(choice))
            for choice in itertools.product(range(3), repeat=4)
        ]
        p_y = joint.sum(axis=1)
        bayes = ((joint / p_y[:, None]) * p_y[:, None]).argmax(axis=0)
        error = 1 - joint[bayes, np.arange(4)].sum()
        posterior = joint / joint.sum(axis=0)
        assert error == pytest.approx(min(every))
        assert error == pytest.approx(1 - joint.sum(axis=0) @ posterior.max(axis=0))


@pytest.mark.parametrize("dim", [1, 2, 5, 20])
def test_equal_covariances_give_a_linear_logit_and_others_do_not(dim):
    rng = np.random.default_rng(dim)
    for _ in range(25):
        (mean_0, mean_1), cov = 2 * rng.normal(size=(2, dim)), random_cov(rng, dim)
        prior = rng.uniform(0.05, 0.95)
        inverse = np.linalg.inv(cov)
        w = inverse @ (mean_1 - mean_0)
        b = (mean_0 @ inverse @ mean_0 - mean_1 @ inverse @ mean_1) / 2
        b += np.log(prior / (1 - prior))
        x = 3 * rng.normal(size=(40, dim))
        first, second = Gaussian(mean_0, cov=cov), Gaussian(mean_1, cov=cov)
        rows = x if dim > 1 else x[:, 0]
        joints = np.stack(
            [np.log(1 - prior) + first.log_prob(rows), np.log(prior) + second.log_prob(rows)]
        )
        posterior = np.exp(joints[1] - logsumexp(joints, axis=0))
        np.testing.assert_allclose(posterior, expit(x @ w + b), rtol=1e-6, atol=1e-9)
        # An affine function has no second difference; with another covariance there is one.
        other = Gaussian(mean_1, cov=cov + random_cov(rng, dim))
        step = rng.normal(size=dim)
        places = np.stack([-step, 0 * step, step]) if dim > 1 else np.array([-1.0, 0.0, 1.0])
        logits = np.stack([d.log_prob(places) - first.log_prob(places) for d in (second, other)])
        straight, curved = np.abs(logits[:, 0] - 2 * logits[:, 1] + logits[:, 2])
        assert straight < 1e-7 * (1 + np.abs(logits[0]).max())
        assert curved > 1e-4


def of_labels(logit, y):
    return -np.logaddexp(0, np.where(y == 1, -logit, logit)).sum()


def test_each_fit_wins_by_its_own_likelihood():
    """Conditional likelihood: logistic regression. Joint likelihood: LDA."""
    rng = np.random.default_rng(3)
    gains = []
    for _ in range(40):
        y = (rng.random(300) < rng.uniform(0.3, 0.7)).astype(int)
        shape = rng.normal(size=(2, 2, 2))
        x = np.einsum("nij,nj->ni", shape[y], rng.standard_t(6, size=(300, 2)))
        x += y[:, None] * rng.normal(size=2)
        lda = LinearDiscriminantAnalysis(solver="lsqr", store_covariance=True).fit(x, y)
        logistic = LogisticRegression(C=1e8, tol=1e-8, max_iter=1000).fit(x, y)
        gains.append(
            of_labels(logistic.decision_function(x), y) - of_labels(lda.decision_function(x), y)
        )

        def joint(means, cov, share, x=x, y=y):
            total = 0.0
            for label, mean in enumerate(means):
                own = x[y == label]
                weight = np.log((1 - share, share)[label])
                total += (Gaussian(mean, cov=cov).log_prob(own) + weight).sum()
            return total

        best = joint(lda.means_, lda.covariance_, lda.priors_[1])
        # A model of the same family with the posterior of the logistic fit: mu_1 - mu_0 = S w.
        cov, centre = lda.covariance_, x.mean(axis=0)
        w, b = logistic.coef_[0], logistic.intercept_[0]
        half = cov @ w / 2
        share = expit(b + centre @ w)
        assert joint((centre - half, centre + half), cov, share) <= best + 1e-6
        for _ in range(5):
            means = lda.means_ + 0.1 * rng.normal(size=(2, 2))
            nudged = lda.covariance_ * np.exp(0.1 * rng.normal())
            assert joint(means, nudged, np.clip(lda.priors_[1] + 0.05, 0, 0.99)) <= best + 1e-9
    assert min(gains) > -1e-5 and max(gains) > 1


def test_em_never_lowers_the_likelihood():
    """Step by step, with scikit-learn's EM; and the identity that the proof stands on."""
    rng = np.random.default_rng(4)
    smallest = np.inf
    for case in range(6):
        k, dim = 2 + case % 3, 1 + case % 2
        x = rng.normal(size=(200, dim)) * rng.choice([0.3, 2.0], size=(200, 1))
        x += rng.integers(0, 3, size=(200, 1))
        start = x[rng.choice(200, k, replace=False)]
        scores = []
        for steps in range(1, 11):
            model = GaussianMixture(
                k, means_init=start, weights_init=np.full(k, 1 / k), random_state=0,
                precisions_init=np.stack([np.eye(dim)] * k), reg_covar=0.0, tol=0.0, init_params="random",
                max_iter=steps,
            )  # fmt: skip
            model.fit(x)
            scores.append(model.score(x))
        smallest = min(smallest, np.diff(scores).min())
        # log p(x) = sum_z r log(p(x, z) / r) + KL(r || p(z | x)), for any r.
        parts = np.stack(
            [
                np.log(weight) + Gaussian(mean, cov=cov).log_prob(x if dim > 1 else x[:, 0])
                for weight, mean, cov in zip(
                    model.weights_, model.means_, model.covariances_, strict=True
                )
            ],
            axis=1,
        )
        r = rng.dirichlet(np.ones(k), 200)
        posterior = parts - logsumexp(parts, axis=1, keepdims=True)
        bound = (r * (parts - np.log(r))).sum(axis=1)
        kl = (r * (np.log(r) - posterior)).sum(axis=1)
        np.testing.assert_allclose(model.score_samples(x), bound + kl, rtol=1e-8, atol=1e-8)
        assert (kl >= 0).all()
    assert smallest >= -1e-10


def reached(points, cells):
    """Share of the cells of the unit cube that hold one of the points."""
    dim = points.shape[1]
    hit = np.zeros(cells**dim, dtype=bool)
    hit[(points * cells).astype(np.int64) @ (cells ** np.arange(dim))] = True
    return hit.mean()


def test_a_curve_and_a_surface_fill_no_volume():
    """The cells a k-dimensional sheet meets in n dimensions are of the order m^k out of m^n."""
    z = np.linspace(0, 1, 200_000)
    curve = np.stack([np.cos(7 * z), np.sin(11 * z * z)], axis=1) / 2.001 + 0.5
    shares = [reached(curve, m) for m in (16, 64, 256)]
    for coarse, fine in itertools.pairwise(shares):
        assert 0.2 < fine / coarse < 0.35  # four times finer: 4^1 / 4^2
    u, v = (a.ravel() for a in np.meshgrid(*2 * [np.linspace(0, 1, 700)]))
    surface = np.stack([np.cos(3 * u), np.sin(2 * v + u), np.tanh(2 * u - v)], axis=1)
    shares = [reached(surface / 2.001 + 0.5, m) for m in (8, 16, 32)]
    for coarse, fine in itertools.pairwise(shares):
        assert 0.4 < fine / coarse < 0.62  # two times finer: 2^2 / 2^3
