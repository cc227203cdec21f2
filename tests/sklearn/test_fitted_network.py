"""Standard deviations and intervals of the estimator."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from batchprop.sklearn import BatchMLPRegressor

RNG = np.random.default_rng(0)
X = RNG.uniform(-2.0, 2.0, (80, 2))
Y = np.column_stack([np.sin(X[:, 0]), X[:, 1]]) + RNG.normal(size=(80, 2)) * [0.1, 0.3]
SMALL = {"hidden_size": 4, "alpha": 0.1, "solver": "lbfgs", "random_state": 0}


def fitted(y, **options):
    return BatchMLPRegressor(**SMALL, **options).fit(X, y)


@pytest.mark.parametrize("y", [Y[:, 0], Y[:, :1], Y], ids=["flat", "one", "two"])
def test_answers_have_the_shape_of_y(y):
    model = fitted(y, uncertainty="laplace")
    prediction, std = model.predict(X, return_std=True)
    assert prediction.shape == std.shape == y.shape
    np.testing.assert_array_equal(model.predict(X), prediction)
    for method in ("laplace", "conformal", "conformal-normalised"):
        lower, upper = model.predict_interval(X, 0.8, method)
        assert lower.shape == upper.shape == y.shape
        covered = ((lower <= y) & (y <= upper)).mean()
        assert 0.7 < covered < 0.95
    of_columns = model.predictive_.predict(X.T, return_std=True)[1]
    np.testing.assert_array_equal(std, of_columns[0] if y.ndim == 1 else of_columns.T)
    default = model.predict_interval(X)
    np.testing.assert_array_equal(
        default, model.predict_interval(X, confidence_level=0.9, method="laplace")
    )


def test_without_uncertainty_there_is_one_error():
    model = fitted(Y[:, 0])
    assert model.predictive_ is None
    remedy = r"got a model without it\. Fit with BatchMLPRegressor\(uncertainty='laplace'\)\."
    with pytest.raises(ValueError, match=f"return_std must be used after a fit .*{remedy}"):
        model.predict(X, return_std=True)
    with pytest.raises(ValueError, match=f"predict_interval must be used after a fit .*{remedy}"):
        model.predict_interval(X)
    with pytest.raises(ValueError, match="confidence_level must be a finite real number"):
        model.predict_interval(X, 90)
    with pytest.raises(TypeError, match="return_std must be True or False"):
        model.predict(X, return_std="yes")


def test_a_fit_that_could_not_tell():
    with (
        pytest.warns(UserWarning, match="Constant"),
        pytest.warns(UserWarning, match="uncertainty must"),
    ):
        model = BatchMLPRegressor(**SMALL, uncertainty="laplace").fit([[1.0]], [2.0])
    with pytest.raises(ValueError, match="got a fit without a predictive_"):
        model.predict([[1.0]], return_std=True)


def test_copies_and_pipelines():
    model = fitted(Y[:, 0], uncertainty="laplace")
    copy = pickle.loads(pickle.dumps(model))
    for one, other in zip(model.predict(X, True), copy.predict(X, True), strict=True):
        np.testing.assert_array_equal(one, other)
    assert clone(model).uncertainty == "laplace"
    pipeline = make_pipeline(StandardScaler(), BatchMLPRegressor(**SMALL, uncertainty="laplace"))
    _, std = pipeline.fit(X, Y[:, 0]).predict(X, return_std=True)
    assert std.shape == (80,)


def test_a_warm_start_continues_and_calibrates_at_its_end():
    options = {"max_iter": 10, "tol": 0.0, "warm_start": True}
    with pytest.warns(UserWarning, match="Stopped by max_iter"):
        model = fitted(Y[:, 0], **options)
    model.set_params(uncertainty="laplace")
    with pytest.warns(UserWarning, match="Stopped by max_iter"):
        model.fit(X, Y[:, 0])
    assert model.n_iter_ == 20
    assert model.predictive_.network is model.network_


def test_early_stopping_calibrates_by_what_it_holds_out():
    model = fitted(Y[:, 0], uncertainty="laplace", early_stopping=True, validation_fraction=0.25)
    assert model.predictive_.calibration.source == "validation"
    assert model.predictive_.calibration.weight.size == 20
