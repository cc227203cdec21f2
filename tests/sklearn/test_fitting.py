"""A fit that fails or is interrupted: what it leaves behind, and what it passes on."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from batchprop.sklearn import BatchMLPRegressor, fitting

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.sin(2 * X[:, 0]) + X[:, 1]
SMALL = {"alpha": 0.0, "hidden_size": 4, "max_iter": 20, "random_state": 0, "n_threads": 1}
pytestmark = pytest.mark.filterwarnings("ignore:Stopped by max_iter")


def interrupting_at(epoch):
    """Return a callback that Ctrl-C interrupts."""

    def callback(progress):
        if progress.epoch >= epoch:
            raise KeyboardInterrupt
        return False

    return callback


def failing(progress):
    raise RuntimeError("of the callback")


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize(
    ("x", "y", "fit", "error"),
    [
        (X[:, :2], np.full(60, np.nan), {}, ValueError),
        (pd.DataFrame(X[:, :2], columns=["a", "b"]), Y, {"callback": failing}, RuntimeError),
        (X[:, :2], Y, {"X_val": X, "y_val": Y}, ValueError),
        (X[:, :2], np.column_stack([Y, Y]), {"callback": interrupting_at(0)}, KeyboardInterrupt),
    ],
)
def test_a_failed_fit_leaves_the_model_as_it_was(x, y, fit, error, warm_start):
    frame = pd.DataFrame(X, columns=["x", "y", "z"])
    model = BatchMLPRegressor(**SMALL, warm_start=warm_start).fit(frame, Y)
    attributes, predicted = dict(vars(model)), model.predict(frame)
    with pytest.raises(error):
        model.fit(x, y, **fit)
    assert vars(model) == attributes
    assert model.n_features_in_ == 3
    assert list(model.feature_names_in_) == ["x", "y", "z"]
    np.testing.assert_array_equal(model.predict(frame), predicted)
    if warm_start:
        assert model.fit(frame, Y).n_iter_ == 40


def test_a_model_that_was_never_fitted_stays_so():
    model = BatchMLPRegressor(**SMALL)
    with pytest.raises(RuntimeError, match="of the callback"):
        model.fit(X, Y, callback=failing)
    assert vars(model).keys() == model.get_params().keys()


def test_a_warning_that_is_an_error_is_one():
    model = BatchMLPRegressor(**SMALL).fit(X, Y)
    theta = model.network_.theta.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="Stopped by max_iter"):
            model.set_params(random_state=1).fit(X, Y)
    np.testing.assert_array_equal(model.network_.theta, theta)


def test_ctrl_c_is_passed_on_and_the_best_network_kept():
    model = BatchMLPRegressor(**SMALL)
    with pytest.raises(KeyboardInterrupt, match="the estimator has the best network so far"):
        model.fit(X, Y, callback=interrupting_at(7))
    assert model.stop_reason_ == "interrupted"
    assert model.n_iter_ == 7
    expected = BatchMLPRegressor(**SMALL | {"max_iter": 7}).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), expected.predict(X))


def test_a_warm_start_goes_on_after_ctrl_c():
    model = BatchMLPRegressor(**SMALL, warm_start=True)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, callback=interrupting_at(7))
    model.set_params(max_iter=13).fit(X, Y)
    expected = BatchMLPRegressor(**SMALL).fit(X, Y)
    np.testing.assert_array_equal(model.loss_curve_, expected.loss_curve_)


def test_ctrl_c_ends_a_cross_validation():
    fits = []

    def callback(progress):
        if progress.epoch == 0:
            fits.append(progress)
        return interrupting_at(3)(progress)

    pipeline = make_pipeline(StandardScaler(), BatchMLPRegressor(**SMALL))
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(pipeline, X, Y, cv=5, params={"batchmlpregressor__callback": callback})
    assert len(fits) == 1


def test_a_pipeline_can_be_used_after_ctrl_c():
    pipeline = make_pipeline(StandardScaler(), BatchMLPRegressor(**SMALL))
    with pytest.raises(KeyboardInterrupt):
        pipeline.fit(X, Y, batchmlpregressor__callback=interrupting_at(7))
    assert pipeline.predict(X).shape == (60,)


def test_partial_fit_passes_it_on(monkeypatch):
    model = BatchMLPRegressor(**SMALL).partial_fit(X, Y)
    attributes = dict(vars(model))

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "trained", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X[::2], Y[::2])
    assert vars(model) == attributes
