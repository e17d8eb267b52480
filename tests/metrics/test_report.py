"""All scores together: what they name, what they say of good and bad images."""

import json

import pytest
import torch

from gancourse import data, metrics
from gancourse.errors import GancourseError


@pytest.fixture(scope="module")
def digits():
    return data.load("digits").images


@pytest.fixture(scope="module")
def against_test(digits):
    test = data.load("digits", split="test").images
    return metrics.scores(test, digits, "digits-cnn", split="digits/test")


def test_scores_name_extractor_split_and_counts(against_test):
    row = against_test.as_dict()
    assert row["extractor"] == "digits-cnn" and row["split"] == "digits/test"
    assert row["extractor_sha256"] == metrics.extractor("digits-cnn").sha256
    assert (row["n_real"], row["n_fake"]) == (360, 1437)
    assert json.loads(json.dumps(row)) == row
    text = str(against_test)
    for part in ("1437 fake against 360 real", "digits/test", "digits-cnn", "FID", "KID"):
        assert part in text


def test_scores_are_those_of_the_single_functions(digits, against_test):
    measure = metrics.extractor("digits-cnn")
    real = measure.features(data.load("digits", split="test").images)
    fake = measure.features(digits)
    assert against_test.fid == metrics.fid(metrics.statistics(real), metrics.statistics(fake))
    assert (against_test.kid, against_test.kid_std) == metrics.kid(real, fake, subset_size=360)
    assert (against_test.precision, against_test.recall) == metrics.precision_recall(real, fake)
    assert (against_test.density, against_test.coverage) == metrics.density_coverage(real, fake)
    probabilities = measure.probabilities(digits)
    assert against_test.inception_score == metrics.inception_score(probabilities)[0]


def test_images_against_themselves_are_perfect(digits):
    perfect = metrics.scores(digits[:300], digits[:300], "digits-cnn")
    assert perfect.fid == pytest.approx(0, abs=1e-6)
    assert perfect.precision == perfect.recall == perfect.coverage == 1.0
    assert perfect.split == "split not stated"


def test_noise_and_a_single_repeated_image_score_worse_than_real_digits(digits, against_test):
    rng = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (360, 1, 8, 8), generator=rng, dtype=torch.uint8)
    one = digits[:1].repeat(360, 1, 1, 1)
    for bad in (noise, one):
        worse = metrics.scores(digits, bad, "digits-cnn")
        assert worse.fid > 10 * against_test.fid and worse.kid > 10 * abs(against_test.kid)
        assert worse.coverage < 0.5 * against_test.coverage
    assert worse.inception_score == pytest.approx(1.0) and worse.recall < 0.01


def test_too_few_images_are_refused(digits):
    with pytest.raises(GancourseError, match="Too few samples"):
        metrics.scores(digits, digits[:3], "digits-cnn")
