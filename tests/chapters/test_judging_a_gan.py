"""Each score does what the chapter says: by hand, by its theorem, on real digits, and where it fails."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest

import gancourse
from gancourse import data, metrics
from tests.chapters.pages import what_it_needs

SEEDS = range(4)


@pytest.fixture(scope="module")
def chapter():
    return what_it_needs(
        "judging-a-gan", "inception_score, frechet, mmd2, four_scores, wilson, log_density"
    )


@pytest.fixture(scope="module")
def digits():
    """Features and probabilities of the training and of the test digits."""
    judge = metrics.extractor("digits-cnn")
    return {
        split: judge.features_and_probabilities(data.load("digits", split=split).images)
        for split in ("train", "test")
    }


def rng(seed):
    return torch.Generator().manual_seed(seed)


def normal(n, dim, seed, scale=1.0, shift=0.0):
    return shift + scale * torch.randn(n, dim, generator=rng(seed), dtype=torch.float64)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_number_of_images_does_to_the_other_scores(seed):
    """Equal distributions: IS rises with n, precision and recall move, the others stay."""

    def mean(n, m):
        found = []
        for draw in range(30):
            x, y = normal(n, 4, 1000 * seed + draw), normal(m, 4, 1000 * seed + draw + 500)
            p = torch.softmax(3 * x, dim=1)
            shares = *metrics.precision_recall(x, y), *metrics.density_coverage(x, y)
            found.append([metrics.inception_score(p, 1)[0], *shares])
        return np.mean(found, 0)

    few, many = mean(40, 40), mean(320, 320)
    # Of these points upwards, of the chapter's digits downwards.
    assert few[0] < many[0] and (few[1:3] + 0.02 < many[1:3]).all()
    assert few[3] == pytest.approx(1, abs=0.1) and many[3] == pytest.approx(1, abs=0.1)
    assert few[4] == pytest.approx(31 / 32, abs=0.02) and many[4] == pytest.approx(
        31 / 32, abs=0.02
    )
    # k = 5 nearest, all real: less likely where most are samples.
    assert mean(40, 240)[4] > 0.99


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_chapter_writes_out_is_the_package_s(chapter, seed):
    real, fake = normal(50, 6, seed), normal(50, 6, seed + 100, 1.3, 0.5)
    p = torch.softmax(normal(50, 6, seed), dim=1)
    assert chapter["inception_score"](p) == pytest.approx(metrics.inception_score(p, 1)[0])
    both = metrics.statistics(real), metrics.statistics(fake)
    assert chapter["frechet"](real, fake) == pytest.approx(metrics.fid(*both), rel=1e-9)
    kid = metrics.kid(real, fake, subsets=1, subset_size=50)[0]
    assert chapter["mmd2"](real, fake) == pytest.approx(kid, rel=1e-9)
    assert chapter["four_scores"](real, fake) == pytest.approx(
        [*metrics.precision_recall(real, fake), *metrics.density_coverage(real, fake)]
    )


@pytest.mark.parametrize(("right", "n"), [(0, 5), (3, 7), (8, 16), (16, 16), (300, 400)])
def test_the_interval_for_judges_is_scipy_s(chapter, right, n):
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert chapter["wilson"](right, n) == pytest.approx(tuple(expected), abs=1e-6)


def test_a_mixture_with_noise_loses_at_most_the_logarithm_of_its_share(chapter):
    x = normal(500, 64, 0)
    good, bad = chapter["log_density"](x, 1), chapter["log_density"](x, 10)
    mixed = torch.logaddexp(good + math.log(0.01), bad + math.log(0.99))
    assert (good - mixed).max() <= math.log(100) + 1e-9
    expected = torch.distributions.Normal(0, 10).log_prob(x).sum(1)
    torch.testing.assert_close(bad, expected.double())


@pytest.mark.parametrize("seed", SEEDS)
def test_m21_the_inception_score_is_the_mutual_information_and_lies_between_1_and_k(seed):
    classes = 7
    p = torch.softmax(3 * normal(200, classes, seed), dim=1)
    joint = (p / len(p)).numpy()  # of image and class
    product = joint.sum(1, keepdims=True) * joint.sum(0)
    information = (joint * np.log(joint / product)).sum()
    assert metrics.inception_score(p, 1)[0] == pytest.approx(math.exp(information))
    assert 1 < metrics.inception_score(p, 1)[0] < classes
    same = p[:1].repeat(50, 1)
    assert metrics.inception_score(same, 1)[0] == pytest.approx(1)
    sure = torch.eye(classes).repeat(10, 1)
    assert metrics.inception_score(sure, 1)[0] == pytest.approx(classes)


def test_m21_the_inception_score_of_one_image_a_class_beats_real_images(digits):
    labels = data.load("digits").labels
    _, p = digits["train"]
    surest = (torch.nn.functional.one_hot(labels) * p).argmax(dim=0)
    ten, real = p[surest].repeat(20, 1), digits["test"][1]
    assert metrics.inception_score(ten, 1)[0] > metrics.inception_score(real, 1)[0]
    features, _ = digits["train"]
    recall = metrics.precision_recall(digits["test"][0], features[surest].repeat(20, 1))[1]
    assert recall < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_m21_fid_is_the_cheapest_coupling_of_two_normal_distributions(seed):
    dim = 3
    roots = torch.randn(2, dim, dim, generator=rng(seed), dtype=torch.float64)
    covs = roots @ roots.mT + 0.1 * torch.eye(dim)
    means = torch.randn(2, dim, generator=rng(seed + 50), dtype=torch.float64)
    sides = [metrics.Statistics(mean, cov, 1000) for mean, cov in zip(means, covs, strict=True)]
    half = [_root(cov) for cov in covs]
    u, _, vh = torch.linalg.svd(half[1] @ half[0])
    best = vh.T @ u.T

    def cost(k):
        """E |X - X'|^2 if the covariance between the two is the one that belongs to k."""
        cross = half[0] @ k @ half[1]
        gap = (means[0] - means[1]).square().sum()
        return float(gap + covs[0].trace() + covs[1].trace() - 2 * cross.trace())

    assert cost(best) == pytest.approx(metrics.fid(*sides), rel=1e-8)
    for other in range(50):
        k = torch.randn(dim, dim, generator=rng(1000 * seed + other), dtype=torch.float64)
        k /= torch.linalg.matrix_norm(k, 2)
        assert cost(k) >= metrics.fid(*sides) - 1e-9
    # The best one is a joint distribution: its covariance matrix has no negative eigenvalue.
    cross = half[0] @ best @ half[1]
    joint = torch.cat([torch.cat([covs[0], cross], 1), torch.cat([cross.T, covs[1]], 1)])
    assert torch.linalg.eigvalsh(joint).min() > -1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_fid_of_any_samples_is_at_most_their_squared_wasserstein_distance(seed):
    n = 60
    x = normal(n, 2, seed).exp()
    y = torch.rand(n, 2, generator=rng(seed), dtype=torch.float64) * 3
    squared = torch.cdist(x, y).square()
    rows, columns = linear_sum_assignment(squared.numpy())
    wasserstein = float(squared[rows, columns].mean())

    def moments(z):
        return metrics.Statistics(z.mean(0), torch.cov(z.T, correction=0), n)

    assert 0 < metrics.fid(moments(x), moments(y)) < wasserstein


def _root(cov):
    values, vectors = torch.linalg.eigh(cov)
    return vectors * values.sqrt() @ vectors.T


def test_m21_fid_sees_two_moments_only(digits):
    """The reflection of every feature vector at the mean has the same two moments."""
    real = digits["test"][0].double()
    mirrored = 2 * real.mean(0) - real
    distance = metrics.fid(metrics.statistics(real), metrics.statistics(mirrored))
    assert distance == pytest.approx(0, abs=1e-6)
    assert metrics.precision_recall(real, mirrored)[0] < 0.5
    assert metrics.kid(real, mirrored, 5, 300)[0] > 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_m21_the_bias_of_fid_falls_like_one_over_n_as_predicted(seed):
    spread = torch.tensor([3.0, 2.0, 1.0, 0.5, 0.1], dtype=torch.float64)
    eigen = spread**2
    pairs = eigen[:, None] * eigen / (eigen[:, None] + eigen)
    predicted = 2.5 * eigen.sum() + pairs.sum()
    for n in (100, 400):
        sets = spread * torch.randn(2, 150, n, 5, generator=rng(seed), dtype=torch.float64)
        values = [
            metrics.fid(metrics.statistics(x), metrics.statistics(y))
            for x, y in zip(*sets, strict=True)
        ]
        assert n * np.mean(values) == pytest.approx(float(predicted), rel=0.25)


@pytest.mark.parametrize("seed", SEEDS)
def test_kid_is_the_weighted_distance_of_the_first_three_moments(seed):
    """Of two finite distributions, where every expectation is a sum."""
    width = 3
    x, y = normal(6, width, seed), normal(5, width, seed + 9, 2.0)

    def mean_kernel(a, b):
        return ((a @ b.T / width + 1) ** 3).mean()

    kid = mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)

    def moment(z, order):
        names = "ijk"[:order]
        products = torch.einsum(",".join("n" + c for c in names) + "->n" + names, *[z] * order)
        return products.mean(0)

    expected = sum(
        math.comb(3, j) / width**j * (moment(x, j) - moment(y, j)).square().sum() for j in (1, 2, 3)
    )
    assert float(kid) == pytest.approx(float(expected), rel=1e-9)


def test_m21_kid_is_unbiased_for_every_count_and_may_be_negative(digits, chapter):
    features = torch.cat([digits["train"][0], digits["test"][0]])
    for n in (20, 80, 320):
        fair, all_pairs = [], []
        for seed in range(80):
            order = torch.randperm(len(features), generator=rng(seed))
            x, y = features[order[:n]], features[order[n : 2 * n]]
            fair.append(metrics.kid(x, y, subsets=1, subset_size=n)[0])
            all_pairs.append(chapter["mmd2"](x, y, unbiased=False))
        error = np.std(fair) / math.sqrt(len(fair))
        assert abs(np.mean(fair)) < 4 * error
        assert 0.25 < np.mean(np.array(fair) < 0) < 0.8
        assert np.mean(all_pairs) > 10 * error


def test_m21_missing_classes_cost_recall_and_coverage_and_noise_costs_precision(digits):
    """Real digits spoilt in a known way, more and more: what each score answers to."""
    train, real = data.load("digits"), digits["test"][0]
    judge = metrics.extractor("digits-cnn")

    def judged(images):
        f, p = judge.features_and_probabilities(images)
        fid = metrics.fid(metrics.statistics(real), metrics.statistics(f))
        kid = metrics.kid(real, f, 20, 100)[0]
        neighbours = metrics.precision_recall(real, f), metrics.density_coverage(real, f)
        return np.array([fid, kid, metrics.inception_score(p, 1)[0], *sum(neighbours, ())])

    for seed in (0, 1, 2):
        order = torch.randperm(10, generator=rng(seed))
        classes = [judged(train.images[torch.isin(train.labels, order[:k])]) for k in (10, 6, 3, 1)]
        noise = torch.randn(train.images.shape, generator=rng(seed))
        noisy = [
            judged((train.images + s * noise).round().clamp(0, 255).to(torch.uint8))
            for s in (0, 30, 60, 90)
        ]
        for rows in (np.array(classes), np.array(noisy)):
            assert (np.diff(rows[:, :2], axis=0) > 0).all()  # FID and KID rise
        missing, worse = np.array(classes), np.array(noisy)
        assert (np.diff(missing[:, [4, 6]], axis=0) < 0).all()  # recall and coverage fall
        assert missing[-1, 4] < 0.2 and missing[-1, 3] > 0.7  # precision hardly
        assert missing[-1, 2] < 1.1 < 9 < missing[0, 2]  # the Inception score counts classes
        assert (np.diff(worse[:, [3, 5]], axis=0) < 0).all()  # precision and density fall
        assert worse[-1, 3] < 0.5 < worse[-1, 4]  # recall less


@pytest.mark.parametrize("seed", SEEDS)
def test_m21_outliers_raise_recall_but_neither_density_nor_coverage(seed):
    real = normal(200, 2, seed)
    collapsed = 0.001 * normal(196, 2, seed + 1)
    far = 30 * torch.tensor([[1.0, 1], [-1, 1], [-1, -1], [1, -1]], dtype=torch.float64)
    both = torch.cat([collapsed, far])
    assert metrics.precision_recall(real, collapsed)[1] < 0.1
    assert metrics.precision_recall(real, both)[1] > 0.9
    before, after = (metrics.density_coverage(real, fake) for fake in (collapsed, both))
    assert after[0] <= before[0] and after[1] == before[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_m21_density_and_coverage_of_equal_distributions(seed):
    density, coverage = metrics.density_coverage(normal(1000, 4, seed), normal(1000, 4, seed + 9))
    assert density == pytest.approx(1, abs=0.08)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.025)


@pytest.mark.parametrize("kept", [1, 5, 8])
def test_m21_mode_coverage_counts_the_modes_that_are_there(kept):
    angles = 2 * math.pi * torch.arange(8, dtype=torch.float64) / 8
    modes = torch.stack([angles.cos(), angles.sin()], dim=1)
    points = modes[torch.arange(2000) % kept] + normal(2000, 2, kept, 0.05)
    seen = metrics.mode_coverage(points, modes, 0.05)
    assert seen.modes_covered == kept
    assert seen.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert seen.kl == pytest.approx(math.log(8 / kept), abs=0.01)


@pytest.mark.parametrize("name", ["vanilla/fashion-mnist", "dcgan/fashion-mnist"])
def test_m21_the_epoch_kept_is_the_best_by_score_and_the_end_is_flat(name):
    run = gancourse.load(name)
    fids = np.array([row["fid"] for row in run.history])
    assert run.facts["best"]["by"] == "fid"
    assert run.history[fids.argmin()]["epoch"] == run.facts["best"]["epoch"]
    # The last six are within five per cent of the best; the first six are not within fifty.
    assert (fids[-6:] <= 1.05 * fids.min()).all()
    assert (fids[:6] > 1.5 * fids.min()).all()


def test_m21_the_best_of_many_by_score_keeps_little_of_its_lead(digits):
    """Forty equal generators, over several seeds: chosen on one half, checked on the other."""
    seen, real = digits["train"][0], digits["test"][0]
    leads, kept = [], []
    for seed in range(6):
        generator = rng(seed)
        halves = torch.randperm(len(real), generator=generator)
        sides = [metrics.statistics(real[halves[:180]]), metrics.statistics(real[halves[180:]])]
        draws = [
            metrics.statistics(seen[torch.randperm(len(seen), generator=generator)[:200]])
            for _ in range(40)
        ]
        chosen, checked = ([metrics.fid(side, draw) for draw in draws] for side in sides)
        best = int(np.argmin(chosen))
        leads.append(np.mean(chosen) - chosen[best])
        kept.append(np.mean(checked) - checked[best])
    assert min(leads) > 0.2
    assert np.mean(kept) < 0.6 * np.mean(leads)


def test_two_extractors_order_two_generators_differently(digits):
    train, test = (data.load("digits", split=split).images for split in ("train", "test"))
    moved = torch.roll(train, 1, dims=3)
    moved[..., 0] = 0
    pixels = train.flatten(1).double()
    values, vectors = torch.linalg.eigh(torch.cov(pixels.T))
    draws = normal(len(pixels), 64, 0) @ (vectors * values.clamp(min=0).sqrt()).T
    cloud = (pixels.mean(0) + draws).round().clamp(0, 255).to(torch.uint8).reshape(train.shape)
    judge = metrics.extractor("digits-cnn")
    for features, better in (
        (lambda x: x.flatten(1).double() / 255, cloud),
        (judge.features, moved),
    ):
        distance = {
            id(images): metrics.fid(
                metrics.statistics(features(test)), metrics.statistics(features(images))
            )
            for images in (moved, cloud)
        }
        assert min(distance, key=distance.get) == id(better)
        assert max(distance.values()) > 5 * min(distance.values())
