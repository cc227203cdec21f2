"""The quantile of crafted residuals, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.predictive.conformal import fewest, quantile


@pytest.mark.parametrize(
    ("n", "level", "k"),
    [(9, 0.9, 9), (19, 0.9, 18), (20, 0.9, 19), (99, 0.9, 90), (100, 0.9, 91), (3, 0.5, 2),
     (1, 0.5, 1), (999, 0.99, 990)],
)  # fmt: skip
def test_it_is_the_kth_smallest(n, level, k):
    scores = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert quantile(np.array([scores, -scores]), np.ones(n), level).tolist() == [k, k - n - 1]


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_how_many_a_level_needs(level):
    n = fewest(level)
    assert np.isfinite(quantile(np.zeros((1, n)), np.ones(n), level)).all()
    assert np.isinf(quantile(np.zeros((1, n - 1)), np.ones(n - 1), level)).all()
    assert fewest(0.9) == 9


def test_a_weight_is_a_number_of_samples():
    rng = np.random.default_rng(0)
    scores, count = rng.normal(size=(2, 40)), rng.integers(0, 4, 40)
    repeated = np.repeat(scores, count, axis=1)
    for level in (0.1, 0.5, 0.77, 0.9):
        weighted = quantile(scores, count.astype(float), level)
        expected = quantile(repeated, np.ones(repeated.shape[1]), level)
        np.testing.assert_array_equal(weighted, expected)


def test_no_residuals_have_no_quantile():
    assert np.isinf(quantile(np.empty((3, 0)), np.empty(0), 0.9)).all()


def test_of_n_plus_one_scores_the_last_is_covered_as_often_as_it_should():
    rng = np.random.default_rng(0)
    scores = rng.exponential(size=(4000, 20))
    covered = scores[:, 0] <= quantile(scores[:, 1:], np.ones(19), 0.9)
    assert 0.88 < covered.mean() < 0.92
