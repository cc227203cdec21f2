"""How often a call of ``train`` reads the data, and what it does not measure twice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from batchprop import train
from batchprop.scaling import moments, standardisation
from batchprop.training import run_result
from batchprop.validation import arrays, samples
from tests.problems import problem

CASE = problem(e=3, m=4, s=2, n_samples=40)
OTHER = problem(e=3, m=4, s=2, n_samples=25)
OPTIONS = {"hidden_size": 4, "alpha": 0.0, "solver": "gd", "max_epochs": 3, "tol": None}


@pytest.fixture
def reads(monkeypatch):
    """Count the passes over each table before training, by its shape."""
    counts: Counter[tuple[int, ...]] = Counter()
    finite, measured = arrays.finite, moments.moments

    def counted_finite(name, array, *remedy):
        counts[array.shape] += 1
        finite(name, array, *remedy)

    def counted_moments(table, weight):
        counts[table.shape] += 1
        return measured(table, weight)

    for module in (arrays, samples):
        monkeypatch.setattr(module, "finite", counted_finite)
    monkeypatch.setattr("batchprop.validation.finite", counted_finite)
    monkeypatch.setattr(standardisation, "moments", counted_moments)
    return counts


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("validating", [False, True])
def test_each_table_is_read_once_before_the_first_step(reads, scale, validating):
    held_out = {"X_val": OTHER.X, "T_val": OTHER.T} if validating else {}
    train(CASE.X, CASE.T, scale=scale, **OPTIONS, **held_out)
    tables = [CASE.X, CASE.T, *held_out.values()]
    assert reads == {table.shape: 1 for table in tables}


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("name", ["X", "T", "X_val", "T_val"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_not_finite_is_refused_before_any_warning(scale, name, value, weighted):
    tables = {"X": CASE.X, "T": CASE.T, "X_val": OTHER.X, "T_val": OTHER.T}
    tables[name] = tables[name].copy()
    tables[name][1, 2] = value
    weight = np.ones(40) if weighted else None
    with pytest.raises(ValueError, match=rf"^{name} must be finite; got {value} at {name}\[1, 2\]"):
        train(**tables, scale=scale, sample_weight=weight, **OPTIONS)


@pytest.mark.parametrize("validating", [False, True])
def test_the_last_evaluation_tells_the_errors_of_outputs(monkeypatch, validating):
    """They need no forward pass of their own where the best network was evaluated last."""
    held_out = {"X_val": CASE.X, "T_val": CASE.T} if validating else {}
    options = OPTIONS | held_out | {"scale": False, "learning_rate": 1e-3}
    measured = train(CASE.X, CASE.T, engine="vectorized", **options)

    def unexpected(*_, **__):
        raise AssertionError("the network was measured")

    monkeypatch.setattr(run_result, "output_losses", unexpected)
    result = train(CASE.X, CASE.T, **options)
    assert result.best_epoch == result.n_epochs == 3
    np.testing.assert_allclose(result.training_errors.rmse, measured.training_errors.rmse)
    assert sum(np.square(result.training_errors.rmse)) == pytest.approx(result.loss, rel=1e-12)
    if validating:
        assert result.validation_errors.rmse == result.training_errors.rmse


def test_the_errors_of_an_earlier_network_are_measured():
    """With steps that are too long, the best network is not the last."""
    result = train(
        CASE.X, CASE.T, scale=False, learning_rate=5.0, network=CASE.network, **_without_size()
    )
    assert result.best_epoch < result.n_epochs
    residuals = result.network.predict(CASE.X) - CASE.T
    expected = np.sqrt(np.mean(residuals**2, axis=1))
    np.testing.assert_allclose(result.training_errors.rmse, expected, rtol=1e-10)


def _without_size():
    return {name: value for name, value in OPTIONS.items() if name != "hidden_size"}


def test_networks_of_the_same_parameters_are_one():
    result = train(CASE.X, CASE.T, **OPTIONS | {"learning_rate": 1e-3})
    assert result.best_epoch == result.n_epochs
    assert result.last_network is result.network
