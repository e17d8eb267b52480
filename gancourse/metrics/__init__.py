"""Judging generated images and points: scores, and the feature extractors they are made with.

All scores of some images against real ones, with the extractor, split and counts they depend on::

    real = gancourse.data.load("fashion-mnist", split="test").images
    print(metrics.scores(real, fake, "fashion-mnist-cnn", split="fashion-mnist/test"))

Every score is also a function of its own, of features from any extractor.
"""

from __future__ import annotations

from gancourse.metrics.classes import ClassReport, class_report, inception_score
from gancourse.metrics.extractors import Extractor, default_extractor, extractor
from gancourse.metrics.frechet import Statistics, fid, statistics
from gancourse.metrics.kernel import kid
from gancourse.metrics.modes import ModeCoverage, mode_coverage
from gancourse.metrics.neighbours import density_coverage, precision_recall
from gancourse.metrics.report import Reference, Scores, scores

__all__ = [
    "ClassReport",
    "Extractor",
    "ModeCoverage",
    "Reference",
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
