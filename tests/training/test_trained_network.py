"""``result.predict`` and ``result.score`` are those of the network, as scikit-learn scores it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import r2_score

from batchprop import ENGINES, train
from batchprop.training.trained_network import errors_on
from tests.problems import problem

CASE = problem(e=3, m=5, s=3, n_samples=60)
NEW = problem(e=3, m=5, s=3, n_samples=25, seed=7)


@pytest.fixture(scope="module", params=["float32", "float64"])
def result(request):
    return train(CASE.X, CASE.T, hidden_size=5, alpha=0.0, max_epochs=20, dtype=request.param)


@pytest.mark.parametrize("engine", ENGINES)
def test_predictions_are_those_of_the_network(result, engine):
    Y = result.predict(NEW.X, engine=engine, n_threads=1)
    assert Y.dtype == result.network.dtype
    np.testing.assert_array_equal(Y, result.network.predict(NEW.X, engine=engine))


@pytest.mark.parametrize("weighted", [False, True])
def test_the_score_is_r2_of_scikit_learn(result, weighted):
    weight = np.arange(25.0) if weighted else None
    T = NEW.T * np.array([[1.0], [1e3], [1e-3]])
    Y = result.predict(NEW.X).astype(np.float64)
    expected = r2_score(T.T, Y.T, sample_weight=weight)
    assert result.score(NEW.X, T, weight) == pytest.approx(expected, rel=1e-9)
    assert isinstance(result.score(NEW.X, T, sample_weight=weight, n_threads=1), float)


def test_the_score_of_the_training_data_is_r2(result):
    assert result.score(CASE.X, CASE.T) == pytest.approx(result.r2, rel=1e-5)


def test_a_constant_target_counts_as_scikit_learn_counts_it(result):
    T = NEW.T.copy()
    T[1] = 4.0
    expected = r2_score(T.T, result.predict(NEW.X).astype(np.float64).T)
    assert result.score(NEW.X, T) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weight", [None, np.r_[1.0, np.zeros(24)]])
def test_one_sample_has_no_score(result, weight):
    n = 1 if weight is None else 25
    with pytest.warns(UserWarning, match="at least 2 samples; got 1") as caught:
        assert math.isnan(result.score(NEW.X[:, :n], NEW.T[:, :n], weight))
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("X", "T", "text"),
    [
        (NEW.X.T, NEW.T.T, r"pass X\.T"),
        (NEW.X, NEW.T[0], r"T must have shape \(3, 25\).*got shape \(25,\)"),
        (NEW.X, NEW.T[:, :5], "describe the same samples"),
        (NEW.X[:2], NEW.T, r"X must have shape \(3, N\)"),
        (NEW.X, np.full_like(NEW.T, np.nan), "T must be finite"),
    ],
    ids=["rows", "flat", "lengths", "inputs", "nan"],
)
def test_tables_that_do_not_fit_are_refused(result, X, T, text):
    with pytest.raises(ValueError, match=text):
        result.score(X, T)


def test_weights_that_do_not_fit_are_refused(result):
    with pytest.raises(ValueError, match="sample_weight must be non-negative"):
        result.score(NEW.X, NEW.T, -np.ones(25))


def test_errors_of_each_output(result):
    errors = errors_on(result.network, NEW.X, NEW.T, np.arange(25.0))
    R = result.predict(NEW.X).astype(np.float64) - NEW.T
    np.testing.assert_allclose(
        errors.rmse, np.sqrt(np.average(R**2, axis=1, weights=np.arange(25.0))), rtol=1e-12
    )
