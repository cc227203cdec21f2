"""What train_many refuses, before anything is trained, and what it warns of."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import train_many
from batchprop.engines.fused.objective import Objective
from tests.bad_input import FORM
from tests.problems import problem

CASE = problem(n_samples=30)
HELD_OUT = {"X_val": CASE.X, "T_val": CASE.T}


def many(configurations, **options):
    return train_many(
        CASE.X,
        CASE.T,
        configurations,
        **{"alpha": 0.0, "max_epochs": 2, "solver": "gd"} | options,
    )


@pytest.fixture
def idle(monkeypatch):
    """Fail where a network is evaluated."""

    def begun(*arguments, **options):
        raise AssertionError("work was begun with bad input")

    monkeypatch.setattr(Objective, "__init__", begun)


WRONG = [
    ({"seed": -1}, ValueError, "seed must be"),
    ({"alpha": "much"}, TypeError, "alpha must be"),
    ({"hidden_size": 0}, ValueError, "hidden_size must be"),
    ({"activation": "tang"}, ValueError, "Did you mean 'tanh'"),
    ({"sample_weight": np.ones(29)}, ValueError, "sample_weight must have shape"),
    ({"sample_weight": np.full(30, np.nan)}, ValueError, "sample_weight must be finite"),
    ({"sample_weight_val": np.ones(3)}, ValueError, "sample_weight_val must come with validation"),
    (HELD_OUT | {"sample_weight_val": np.ones(3)}, ValueError, "sample_weight_val must have shape"),
    (HELD_OUT | {"sample_weight_val": -np.ones(30)}, ValueError, "sample_weight_val must be non-n"),
    (HELD_OUT | {"sample_weight_val": np.zeros(30)}, ValueError, "sample_weight_val must have a p"),
    ({"X_val": CASE.X}, ValueError, "X_val and T_val must be given together"),
    ({"max_seconds": 0}, ValueError, "max_seconds must be"),
    ({"callback": 3}, TypeError, "callback must be"),
    ({"patience": 4}, ValueError, "patience must come with validation data"),
]


@pytest.mark.parametrize(("own", "error", "told"), WRONG)
@pytest.mark.parametrize("k", [0, 2])
def test_a_wrong_argument_is_told_with_its_place(idle, own, error, told, k):
    configurations = [{}, {"seed": 1}, {}]
    configurations[k] = own
    with pytest.raises(error, match=told) as raised:
        many(configurations)
    assert raised.value.__notes__ == [f"in configurations[{k}]"]
    assert FORM.match(str(raised.value))


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"sed": 1}, "configurations[1] must hold arguments of train; got 'sed'"),
        ({"X": CASE.X}, "configurations[1] must hold arguments of train; got 'X'"),
        ({"n_threads": 1}, "configurations[1] must not hold 'n_threads'"),
        ({"n_init": 2}, "configurations[1] must not hold 'n_init'"),
        ({"combine": "mean"}, "configurations[1] must not hold 'combine': average the networks"),
        ({3: 4}, "configurations[1] must hold arguments of train; got 3"),
        ("seed", "configurations[1] must be a dict of arguments of train; got 'seed'"),
        (None, "configurations[1] must be a dict of arguments of train; got None"),
    ],
)
def test_what_no_configuration_can_hold(idle, own, told):
    with pytest.raises(TypeError) as raised:
        many([{}, own])
    assert told in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    ("common", "told"),
    [({"sed": 1}, "got 'sed'"), ({"n_init": 2}, "write one configuration for each seed")],
)
def test_what_all_cannot_share(idle, common, told):
    with pytest.raises(TypeError, match=told):
        many([{}], **common)


@pytest.mark.parametrize("given", [None, 3, {"seed": 1}, "seed", train_many])
def test_configurations_are_a_list(idle, given):
    with pytest.raises(TypeError, match="configurations must be a list of dicts") as raised:
        many(given)
    assert FORM.match(str(raised.value))


@pytest.mark.parametrize("given", [[], (), iter([])])
def test_there_is_at_least_one(idle, given):
    with pytest.raises(ValueError, match="configurations must hold at least one") as raised:
        many(given)
    assert FORM.match(str(raised.value))


def test_wrong_data_and_threads(idle):
    with pytest.raises(ValueError, match="T must have shape"):
        train_many(CASE.X, CASE.T[:, 1:], [{}], alpha=0.0)
    with pytest.raises(ValueError, match="n_threads must be"):
        many([{}], n_threads=0)


def test_the_error_of_a_generator_is_its_own(idle):
    def configurations():
        yield {}
        raise LookupError("the generator's own")

    with pytest.raises(LookupError, match="the generator's own"):
        many(configurations())


@pytest.mark.parametrize("n_threads", [1, 3])
def test_one_warning_for_each_network_that_leaves_the_finite_numbers(n_threads):
    rates = [1e-3, 1e8, 1e-3, 1e9]
    with pytest.warns(RuntimeWarning, match="NaN or infinite") as told:
        results = many(
            [{"learning_rate": rate} for rate in rates],
            max_epochs=300, activation="relu", tol=None, n_threads=n_threads,
        )  # fmt: skip
    assert [result.stop_reason for result in results] == [
        "max_epochs", "non_finite", "max_epochs", "non_finite"
    ]  # fmt: skip
    assert [warning.filename for warning in told] == [__file__] * 2
    for rate, warning in zip((1e8, 1e9), told, strict=True):
        assert f"learning_rate={rate:.3g}" in str(warning.message)
    for result in results:
        assert np.isfinite(result.network.theta).all()


def test_a_constant_column_is_told_once():
    X = CASE.X.copy()
    X[1] = 7.0
    with pytest.warns(UserWarning, match="row 1 of X") as told:
        train_many(X, CASE.T, [{"seed": k} for k in range(5)], max_epochs=1, alpha=0.0)
    assert [warning.filename for warning in told] == [__file__]
