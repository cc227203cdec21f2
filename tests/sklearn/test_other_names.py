"""Names and values of ``MLPRegressor``'s parameters: one sentence says what to pass here."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor

from batchprop import train
from batchprop.sklearn import BatchMLPRegressor
from batchprop.sklearn.other_names import OTHER_NAMES

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X[:, 0] * X[:, 1]
OURS = set(BatchMLPRegressor().get_params())
THEIRS = set(MLPRegressor().get_params())
OF_FIT = {"network", "X", "T", "X_val", "T_val", "sample_weight", "sample_weight_val", "callback",
          "callback_every", "checkpoint", "checkpoint_seconds"}  # fmt: skip
OF_FILES = {"inputs", "targets"}


def test_every_other_name_is_known():
    assert THEIRS - OURS <= set(OTHER_NAMES)
    assert set(inspect.signature(train).parameters) - OURS - OF_FIT - OF_FILES <= set(OTHER_NAMES)
    assert not OURS & set(OTHER_NAMES)


@pytest.mark.parametrize("name", sorted(OTHER_NAMES))
def test_one_sentence_says_what_to_pass(name):
    with pytest.raises(TypeError) as raised:
        BatchMLPRegressor(**{"hidden_size": 3, name: 1})
    assert str(raised.value) == f"BatchMLPRegressor has no parameter {name!r}. {OTHER_NAMES[name]}"
    with pytest.raises(ValueError, match=f"no parameter {name!r}"):
        BatchMLPRegressor().set_params(**{name: 1})
    named = [word for word in OURS if word in OTHER_NAMES[name]]
    assert named or OTHER_NAMES[name].startswith("Leave it out") or "fit" in OTHER_NAMES[name]


def test_spelling_and_names_that_nobody_knows():
    with pytest.raises(TypeError, match="Did you mean 'hidden_size'"):
        BatchMLPRegressor(hiden_size=5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        BatchMLPRegressor(colour=5)
    with pytest.raises(ValueError, match="Valid parameters are"):
        BatchMLPRegressor().set_params(colour=5)


def test_a_search_over_another_name():
    search = GridSearchCV(BatchMLPRegressor(), {"hidden_layer_sizes": [(5,), (10,)]})
    with pytest.raises(ValueError, match="Pass hidden_size, one integer"):
        search.fit(X, Y)


def test_the_signature_is_that_of_the_parameters():
    assert set(inspect.signature(BatchMLPRegressor).parameters) == OURS
    model = BatchMLPRegressor(hidden_size=7)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(hidden_size=8) is model


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"hidden_size": (50,)}, r"^hidden_size must be one integer, .* Pass hidden_size=50\.$"),
        ({"hidden_size": [20, 30]}, "^hidden_size must be one integer, .* Add the sizes up"),
        ({"learning_rate": "constant"}, "^learning_rate must .* MLPRegressor's learning_rate_init"),
        ({"learning_rate": "adaptive"}, "^learning_rate must .* MLPRegressor's learning_rate_init"),
        ({"solver": "sgd"}, "^solver must be one of .* Did you mean 'gd'"),
        ({"n_iter_no_change": -np.inf}, "^n_iter_no_change must be an integer"),
        ({"n_iter_no_change": 2.5}, "^n_iter_no_change must be an integer"),
    ],
)
def test_values_that_mlp_regressor_takes(options, expected):
    with pytest.raises((TypeError, ValueError), match=expected):
        BatchMLPRegressor(**options).fit(X, Y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_infinite_number_of_iterations_without_change(early_stopping):
    options = {"hidden_size": 3, "solver": "gd", "learning_rate": 1e-6, "random_state": 0}
    options |= {"early_stopping": early_stopping, "tol": 0.5, "max_iter": 60}
    model = BatchMLPRegressor(**options, n_iter_no_change=np.inf).fit(X, Y)
    assert (model.n_iter_, model.stop_reason_) == (60, "max_epochs")
    if not early_stopping:
        assert BatchMLPRegressor(**options, n_iter_no_change=3).fit(X, Y).n_iter_ == 3
