"""Weights that are no counts are relative: a chosen penalty is proportional to them."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import train
from batchprop.training.chosen_penalty import FALLBACK
from batchprop.training.weight_statistics import weight_unit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 60))
T = np.sin(X[:1]) + X[1:2] * X[2:3] + 0.2 * RNG.normal(size=(1, 60))
WEIGHT = RNG.gamma(2.0, size=60)
OPTIONS = {"hidden_size": 6, "solver": "lbfgs", "max_epochs": 60}


def test_counts_and_other_weights():
    assert weight_unit(None) == 1.0
    assert weight_unit(np.array([1.0, 0.0, 3.0])) == 1.0
    assert weight_unit(np.array([1.0, 0.0, 3.5])) == 2.25
    assert weight_unit(np.array([100.0, 2.0])) == 1.0
    assert weight_unit(np.array([102.0, 98.0])) == 100.0  # samples that stand for many people
    assert weight_unit(np.full(4, 1e-3)) == pytest.approx(1e-3)
    assert weight_unit(np.full(4, 2.0**60)) == 2.0**60


@pytest.mark.parametrize("method", ["evidence", "cv"])
@pytest.mark.parametrize("factor", [2.0**-30, 0.25, 2.0**30])
def test_their_scale_does_not_matter(method, factor):
    one, other = (
        train(X, T, alpha=method, sample_weight=unit * WEIGHT, **OPTIONS) for unit in (1.0, factor)
    )
    np.testing.assert_allclose(other.alpha, factor * np.array(one.alpha), rtol=1e-6)
    reports = one.alpha_report, other.alpha_report
    np.testing.assert_allclose(reports[1].alphas, factor * np.array(reports[0].alphas), rtol=1e-6)
    np.testing.assert_allclose(reports[1].error_std, reports[0].error_std, rtol=1e-4)
    np.testing.assert_allclose(other.network.predict(X), one.network.predict(X), atol=1e-3)


def test_weights_that_add_up_to_1_fit_as_none_do():
    plain = train(X, T, alpha="evidence", **OPTIONS)
    shared = train(X, T, alpha="evidence", sample_weight=np.full(60, 1.0 / 60), **OPTIONS)
    np.testing.assert_allclose(shared.alpha, np.array(plain.alpha) / 60, rtol=1e-3)
    np.testing.assert_allclose(shared.network.predict(X), plain.network.predict(X), atol=0.02)


def test_the_fallback_is_relative_too():
    weight = np.zeros(60)
    weight[3] = 1e-5
    for method in ("evidence", "cv"):
        result = train(X, T, alpha=method, sample_weight=weight, scale=False, **OPTIONS)
        assert result.alpha[0] == pytest.approx(1e-5 * FALLBACK)
