"""The estimator inside scikit-learn's tools: pipelines, searches, copies."""

from __future__ import annotations

import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from batchprop.sklearn import BatchMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
Y = np.column_stack([np.sin(2 * X[:, 0]) + X[:, 1], X[:, 1] * X[:, 2]])
# these fits end by max_iter, which the estimator says
pytestmark = pytest.mark.filterwarnings("ignore:Stopped by max_iter")
SMALL = {"alpha": 0.0, "hidden_size": 8, "max_iter": 60, "tol": 0, "random_state": 0}


def scaled(**options):
    model = BatchMLPRegressor(**SMALL | options)
    return TransformedTargetRegressor(
        make_pipeline(StandardScaler(), model), transformer=StandardScaler()
    )


def test_pipelines_that_scale():
    raw, y = 1e5 + 1e4 * X, 1e-3 * Y - 7
    model = scaled(max_iter=600, alpha=0.1).fit(raw, y)
    assert model.predict(raw).shape == y.shape
    assert model.score(raw, y) > 0.8
    assert cross_val_score(scaled(max_iter=300, alpha=0.1), raw, y[:, 0], cv=3).min() > 0.5


def test_a_grid_search_in_processes():
    grid = {"batchmlpregressor__hidden_size": [4, 12], "batchmlpregressor__activation": ["tanh"]}
    search = GridSearchCV(
        make_pipeline(StandardScaler(), BatchMLPRegressor(**SMALL)),
        grid,
        cv=2,
        n_jobs=2,
    ).fit(X, Y)
    alone = GridSearchCV(search.estimator, grid, cv=2).fit(X, Y)
    for name in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(search.cv_results_[name], alone.cv_results_[name])
    np.testing.assert_array_equal(search.predict(X), alone.predict(X))


def test_bagging_with_weights():
    model = BaggingRegressor(BatchMLPRegressor(**SMALL), n_estimators=3, random_state=0)
    assert model.fit(X, Y[:, 0], sample_weight=np.ones(120)).score(X, Y[:, 0]) > 0.3


def test_clones_start_anew():
    model = BatchMLPRegressor(**SMALL, learning_rate=0.02).fit(X, Y)
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "network_")
    np.testing.assert_array_equal(twin.fit(X, Y).predict(X), model.predict(X))


def test_a_fitted_model_can_be_sent():
    model = BatchMLPRegressor(**SMALL).fit(X, Y)
    expected = model.predict(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).predict(X), expected)
