"""The cause that is named when a run leaves the finite numbers is the one that was put in."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from batchprop import ENGINES, Network, train

RNG = np.random.default_rng(0)
X = RNG.normal(size=(3, 60))
T = X[:1] * X[1:2] + np.array([[1.0], [2.0]]) * X[2]
V, U = X[:, :20].copy(), T[:, :20].copy()
SMALL = {"alpha": 0.0, "hidden_size": 4, "n_threads": 1, "max_epochs": 60}


def cause(X=X, T=T, **options):
    """Train; return what the one warning blames."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = train(X, T, **SMALL | options)
    assert result.stop_reason == "non_finite"
    assert [one.category for one in caught] == [RuntimeWarning]
    text = str(caught[0].message)
    assert ("at the start" in text) == (result.checkpoint.state.evaluations[0] == 0)
    return text.split("Most likely cause: ")[1]


def with_entry(table, row, sample, value):
    changed = table.copy()
    changed[row, sample] = value
    return changed


@pytest.mark.parametrize("solver", ["lbfgs", "lm", "adam", "scipy"])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("value", [1e200, -np.finfo(float).max])
@pytest.mark.parametrize(("table", "row"), [("X_val", 0), ("X_val", 2), ("T_val", 1)])
def test_an_entry_of_the_validation_data(solver, scale, value, table, row):
    held_out = {"X_val": V, "T_val": U}
    held_out[table] = with_entry(held_out[table], row, 7, value)
    told = cause(**held_out, solver=solver, scale=scale, activation="relu")
    assert told.startswith(f"the validation data: row {row} of {table} ")
    assert f"reaches {abs(value):.3g} at {table}[{row}, 7]" in told


@pytest.mark.parametrize("engine", ENGINES)
def test_the_validation_data_alone_need_not_be_the_cause(engine):
    """A rate that diverges shows first where residuals are largest; no entry is to blame."""
    told = cause(
        X_val=3 * V, T_val=3 * U, solver="gd", learning_rate=1e3, activation="relu", engine=engine,
        tol=None,
    )  # fmt: skip
    assert told.startswith("learning_rate=1e+03")


@pytest.mark.parametrize("alpha", [1e300, (0.0, 1e300), (1e290, 0.0), np.finfo(float).max])
@pytest.mark.parametrize("solver", ["lbfgs", "adam", "scipy"])
def test_a_penalty_that_overflows(alpha, solver):
    assert cause(alpha=alpha, solver=solver).startswith("alpha=")


@pytest.mark.parametrize("weight", [None, np.full(60, 5.0)])
@pytest.mark.parametrize("solver", ["gd", "momentum", "nesterov"])
def test_a_penalty_that_drives_weights_up(solver, weight):
    total = 60.0 if weight is None else weight.sum()
    options = {"solver": solver, "learning_rate": 0.01, "sample_weight": weight, "tol": None}
    told = cause(alpha=1e3 * total / 0.01, max_epochs=1000, **options)
    assert "with learning_rate=0.01" in told
    bound = float(told.split("Choose alpha below ")[1].split(",")[0])
    assert bound == pytest.approx(total / 0.01, rel=0.05)
    if solver == "gd":  # the remedy helps
        result = train(X, T, **SMALL | options | {"alpha": bound / 2})
        assert result.stop_reason != "non_finite"


def test_the_unit_of_the_targets():
    told = cause(T=T * 1e200)
    assert told.startswith("the unit of T")
    power = float(told.split("Divide T by ")[1].rstrip("."))
    assert train(X, T * 1e200 / power, **SMALL).stop_reason != "non_finite"


@pytest.mark.parametrize("row", range(3))
def test_a_sample_of_small_weight(row):
    weight = np.ones(60)
    weight[11] = 1e-44
    table = with_entry(X, row, 11, 3e38)
    options = {"activation": "relu", "dtype": "float32", "engine": "vectorized"}
    told = cause(X=table, sample_weight=weight, **options)
    assert told.startswith(f"a sample of small weight: row {row} of X ")
    assert f"at X[{row}, 11]" in told
    weight[11] = 0.0  # the remedy helps, and what is missing is not named
    again = train(table, T, **SMALL | options, sample_weight=weight)
    assert again.stop_reason != "non_finite"


@pytest.mark.parametrize("scale", [True, False])
def test_parameters_of_a_size_that_overflows(scale):
    start = Network.initialize(3, 4, 2, activation="relu")
    huge = Network.from_theta(start.theta * 1e120, start.shape, "relu")
    told = cause(network=huge, hidden_size=None, scale=scale)
    assert told.startswith("the size of the network's parameters, up to")
    assert 1e119 < float(told.split("up to ")[1].split(" ")[0]) < 1e122


@pytest.mark.parametrize("factor", [1.5, 3.0, 100.0])
def test_any_penalty_that_a_step_carries_beyond_0(factor):
    """A step multiplies weights by 1 - 2 factor: already just above 1 they grow."""
    options = {"solver": "gd", "learning_rate": 0.01, "tol": None, "max_epochs": 3000}
    told = cause(alpha=factor * 60 / 0.01, **options)
    assert told.startswith("alpha=")
    assert "with learning_rate=0.01" in told


def test_steps_of_adam_do_not_grow_with_the_penalty():
    told = cause(solver="adam", learning_rate=1e100, alpha=1e-60, activation="relu")
    assert told.startswith("learning_rate=1e+100")


def test_a_missing_sample_is_not_named():
    weight = np.ones(60)
    weight[5], weight[11] = 0.0, 1e-44
    table = with_entry(with_entry(X, 1, 11, 3e38), 1, 5, -3.2e38)
    options = {"activation": "relu", "dtype": "float32", "engine": "vectorized"}
    assert "at X[1, 11]" in cause(X=table, sample_weight=weight, **options)


def test_weights_are_those_of_the_training_data():
    weight = np.arange(60.0)
    told = cause(X_val=with_entry(V, 1, 0, 1e200), T_val=U, sample_weight=weight, activation="relu")
    assert "at X_val[1, 0]" in told


def test_validation_data_are_not_to_blame_where_the_training_loss_fails_too():
    """Though one of their entries is far from the rest."""
    told = cause(
        X_val=with_entry(V, 1, 3, 100.0), T_val=U, solver="gd", learning_rate=1e300, tol=None,
        activation="relu",
    )  # fmt: skip
    assert told.startswith("learning_rate=1e+300")


@pytest.mark.parametrize("name", ["X", "T"])
def test_far_from_0_is_not_far_from_the_mean(name):
    tables = {"X": X, "T": T}
    tables[name] = tables[name] + 1e8
    told = cause(
        **tables, sample_weight=np.ones(60), solver="gd", learning_rate=1e300, activation="relu"
    )
    assert told.startswith("learning_rate=1e+300")
