"""a and b are the most probable ones, and what is not known is left as it is."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.predictive.calibration import FEW, calibrated, uncalibrated


def sample(a, b, n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    u = np.exp(rng.normal(size=n))
    return rng.normal(size=n) * np.sqrt(a + b * u), u


def negative_log(a, b, r, u, w):
    variance = a + b * u
    return float((w * (np.log(variance) + r**2 / variance)).sum())


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (2.0, 0.0), (0.01, 3.0), (1e-8, 1e-8)])
def test_it_finds_what_made_the_residuals(a, b):
    r, u = sample(a, b)
    known = calibrated(r[None], u[None], np.ones(r.size), np.ones(1), "folds")
    np.testing.assert_allclose(known.intercept + known.slope * 2.0, a + 2.0 * b, rtol=0.05)
    np.testing.assert_allclose(known.variance(u[None]).mean(), (r**2).mean(), rtol=0.03)


def test_no_other_pair_is_more_probable():
    rng = np.random.default_rng(1)
    for seed in range(5):
        r, u = sample(0.3, 2.0, n=60, seed=seed)
        w = rng.uniform(0.5, 2.0, 60)
        known = calibrated(r[None], u[None], w, np.ones(1), "folds")
        best = negative_log(known.intercept[0], known.slope[0], r, u, w)
        grid = np.geomspace(1e-2, 30.0, 40)
        others = [negative_log(a, b, r, u, w) for a in grid for b in grid]
        assert best < min(others) + 1e-3


def test_each_output_has_its_own():
    (r, u), (q, v) = sample(1.0, 1.0), sample(100.0, 0.0, seed=1)
    both = calibrated(np.array([r, q]), np.array([u, v]), np.ones(r.size), np.ones(2), "folds")
    for o, pair in enumerate(((r, u), (q, v))):
        one = calibrated(*(x[None] for x in pair), np.ones(r.size), np.ones(1), "folds")
        assert (both.intercept[o], both.slope[o]) == (one.intercept[0], one.slope[0])


def test_a_weight_of_2_is_a_repeated_residual():
    r, u = sample(0.5, 2.0, n=100)
    count = 1 + np.arange(100) % 3
    weighted = calibrated(r[None], u[None], count.astype(float), np.ones(1), "folds")
    repeated = calibrated(
        *(np.repeat(x, count)[None] for x in (r, u)), np.ones(count.sum()), np.ones(1), "folds"
    )
    np.testing.assert_allclose(weighted.intercept, repeated.intercept, rtol=1e-3)
    np.testing.assert_allclose(weighted.slope, repeated.slope, rtol=1e-3)


def test_few_residuals_only_scale():
    r, u = sample(0.5, 2.0, n=FEW - 1)
    known = calibrated(r[None], u[None], np.ones(r.size), np.array([0.7]), "folds")
    np.testing.assert_allclose(known.intercept / known.slope, 0.7)
    np.testing.assert_allclose((r**2 / known.variance(u[None])[0]).mean(), 1.0)


def test_without_u_the_variance_is_constant():
    r, _ = sample(0.5, 2.0, n=100)
    known = calibrated(r[None], np.zeros((1, 100)), np.ones(100), np.ones(1), "folds")
    assert (known.intercept[0], known.slope[0]) == (pytest.approx((r**2).mean()), 0.0)


def test_targets_without_residuals_have_none():
    known = calibrated(np.zeros((1, 50)), np.ones((1, 50)), np.ones(50), np.zeros(1), "folds")
    assert (known.intercept[0], known.slope[0]) == (0.0, 0.0)


def test_uncalibrated_is_laplace_as_it_is():
    known = uncalibrated(np.array([2.0, 3.0]))
    np.testing.assert_array_equal(known.variance(np.ones((2, 4))), [[3.0] * 4, [4.0] * 4])
    assert known.residuals.shape == (2, 0)
