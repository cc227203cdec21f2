"""Warnings point to the user's line, whatever of scikit-learn is in between."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from batchprop.sklearn import BatchMLPRegressor
from batchprop.sklearn.caller import user_stacklevel

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = np.column_stack([np.sin(X[:, 0]), X[:, 1]])
MODEL = BatchMLPRegressor(alpha=0.0, hidden_size=3, max_iter=2, random_state=0, n_threads=1)


def fit_all(model):
    return model.fit(X, Y)


CALLS = {
    "alone": lambda: MODEL.fit(X, Y),
    "a pipeline": lambda: make_pipeline(StandardScaler(), MODEL).fit(X, Y),
    "transformed targets": lambda: TransformedTargetRegressor(MODEL).fit(X, Y),
    "outputs": lambda: MultiOutputRegressor(MODEL).fit(X, Y),
    "a search": lambda: GridSearchCV(MODEL, {"alpha": [0.0, 0.1]}, cv=2).fit(X, Y),
    "a search of pipelines": lambda: cross_val_score(
        make_pipeline(StandardScaler(), MODEL), X, Y, cv=2
    ),
    "a function of the user's": lambda: fit_all(make_pipeline(MODEL)),
}


@pytest.mark.parametrize("call", CALLS)
def test_warnings_point_to_the_users_line(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        CALLS[call]()
    assert caught
    assert {warning.category for warning in caught} == {ConvergenceWarning}
    assert {warning.filename for warning in caught} == {__file__}


def test_of_all_kinds_of_warnings():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make_pipeline(MODEL).fit(X, np.full(60, 3.0))
    assert any("Constant" in str(warning.message) for warning in caught)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("package", ["sklearn.somewhere", "threading"])
def test_without_a_line_of_the_users(package):
    code = "from batchprop.sklearn.caller import user_stacklevel\nlevel = user_stacklevel()"
    namespace = {"__name__": package}
    thread = threading.Thread(target=exec, args=(compile(code, "a job", "exec"), namespace))
    thread.start()
    thread.join()
    assert namespace["level"] == 2


def test_a_function_of_the_users_is_its_own_line():
    assert user_stacklevel() == 1
