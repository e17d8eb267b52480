"""Judging generated images and points: scores, and the feature extractors they are made with.

>>> from gancourse import data, metrics
>>> real, fake = data.load("digits").images, data.load("digits", split="test").images
>>> print(metrics.scores(real, fake, "digits-cnn", split="digits/train"))  # doctest: +SKIP
"""

from __future__ import annotations

from gancourse.metrics.classes import ClassReport, class_report, inception_score
from gancourse.metrics.extractors import Extractor, default_extractor, extractor
from gancourse.metrics.frechet import Statistics, fid, statistics
from gancourse.metrics.kernel import kid
from gancourse.metrics.modes import ModeCoverage, mode_coverage
from gancourse.metrics.neighbours import density_coverage, precision_recall
from gancourse.metrics.report import Scores, scores

__all__ = [
    "ClassReport",
    "Extractor",
    "ModeCoverage",
    "Scores",
    "Statistics",
    "class_report",
    "default_extractor",
    "density_coverage",
    "extractor",
    "fid",
    "inception_score",
    "kid",
    "mode_coverage",
    "precision_recall",
    "scores",
    "statistics",
]
