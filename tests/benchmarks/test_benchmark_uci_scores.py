"""The measures of the UCI benchmark: RMSE, negative log likelihood, coverage and width."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from benchmarks.uci import calls, scores


@pytest.mark.parametrize("n", [1, 2, 57])
def test_the_likelihood_is_that_of_a_normal_distribution(n):
    rng = np.random.default_rng(n)
    prediction, target = rng.normal(5.0, 3.0, (2, n))
    std = rng.uniform(0.1, 4.0, n)
    expected = -np.mean(norm.logpdf(target, prediction, std))
    assert scores.negative_log_likelihood(prediction, std, target) == pytest.approx(expected)
    grown = scores.negative_log_likelihood(10 * prediction, 10 * std, 10 * target)
    assert grown == pytest.approx(expected + math.log(10))  # so units matter, as published


def test_the_likelihood_is_best_at_the_true_variance():
    residuals = np.array([-2.0, 0.5, 1.0, 3.0])
    true = np.sqrt(np.mean(residuals**2))
    nll = [scores.negative_log_likelihood(residuals, np.full(4, factor * true), np.zeros(4))
           for factor in (0.8, 1.0, 1.25)]  # fmt: skip
    assert nll[1] == min(nll)
    assert nll[1] == pytest.approx(0.5 * math.log(2 * math.pi * math.e) + math.log(true))


def test_coverage_counts_both_ends_and_width_is_a_mean():
    target = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    lower = np.array([0.0, 0.0, 2.1, 2.0, 5.0])
    upper = np.array([0.5, 1.0, 3.0, 4.0, 6.0])
    assert scores.coverage(lower, upper, target) == pytest.approx(3 / 5)
    assert scores.width(lower, upper) == pytest.approx((0.5 + 1 + 0.9 + 2 + 1) / 5)


def test_ninety_percent_of_normal_quantiles_are_inside_the_normal_interval():
    std = np.linspace(0.5, 3.0, 1000)
    target = norm.ppf(np.random.default_rng(0).permutation(1000) / 1000 + 0.0005) * std
    half = norm.ppf(0.5 + calls.LEVEL / 2) * std
    assert scores.coverage(-half, half, target) == 0.9


def test_rmse_is_the_root_of_the_mean_square():
    assert scores.rmse(np.array([1.0, 2.0]), np.array([4.0, -2.0])) == math.sqrt(12.5)
