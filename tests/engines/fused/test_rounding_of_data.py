"""Data are standardised before they are rounded, and weights of any size only compare."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop import ENGINES, engines, gauss_newton, loss_and_gradient, train
from batchprop.engines.samples import Samples
from batchprop.scaling import Scaling
from tests.problems import problem, relative_error

ORDERS = {"C": np.ascontiguousarray, "F": np.asfortranarray}


def offset_case(e, dtype, n_samples=301):
    """A float32 network, and data with a mean of 100 000 deviations."""
    case = problem(e, 5, 2, n_samples, "tanh", "float32")
    X, T = (1e5 + table.astype("f8") for table in (case.X, case.T))
    return case, X.astype(dtype), T.astype(dtype)


def evaluated(objective, theta):
    gradient = np.empty_like(theta)
    with objective:
        return objective.loss_and_gradient(theta, gradient), gradient


@pytest.mark.parametrize("e", [1, 3, 19])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_offset_costs_no_digits(dtype, order, e):
    """Rounding x itself to float32 would be off by up to 1/256 of a deviation."""
    case, X, T = offset_case(e, dtype)
    by = Scaling.of(X, T)
    form, arrange = (case.network.shape, "tanh"), ORDERS[order]
    vectorized, fused = engines.load("vectorized"), engines.load("fused")
    expected = evaluated(
        vectorized.Objective(Samples(X, T, scaling=by), *form, "float64"),
        case.network.theta.astype("f8"),
    )
    samples = Samples(arrange(X), arrange(T), scaling=by)
    found = evaluated(fused.Objective(samples, *form, "float32", 1), case.network.theta)
    assert found[0] == pytest.approx(expected[0], rel=2e-6)
    assert relative_error(found[1], expected[1]) < 5e-6


@pytest.mark.parametrize("engine", ENGINES)
def test_a_float32_network_of_float64_data_fits_as_well_as_of_standardised_ones(engine):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (1, 100))
    t = np.tanh(2 * x)
    X = 500.0 + x
    options = {"hidden_size": 3, "solver": "lbfgs", "max_epochs": 60, "engine": engine}
    offset = train(X, t, dtype="float32", **{"alpha": 0.0} | options)
    plain = train(x, t, dtype="float32", **{"alpha": 0.0} | options)
    curves = offset.loss_curve[:10], plain.loss_curve[:10]
    np.testing.assert_allclose(*curves, rtol=1e-4)


@pytest.mark.parametrize("factor", [1e-300, 1e-100, 1e-30, 1e30, 1e100, 1e300])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("engine", ENGINES)
def test_weights_of_any_size_only_compare(engine, dtype, factor):
    case = problem(dtype=dtype, weighted=True)
    rest = {"engine": engine}
    loss, gradient = loss_and_gradient(*case[:3], sample_weight=case.weight, **rest)
    other = loss_and_gradient(*case[:3], sample_weight=case.weight * factor, **rest)
    digits = 1e-5 if dtype == "float32" else 1e-12
    assert other[0] == pytest.approx(loss, rel=digits)
    assert relative_error(other[1].theta, gradient.theta) < digits


@pytest.mark.parametrize("factor", [1e-200, 1e200])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_weights_of_any_size_train_and_score_alike(dtype, factor):
    case = problem(dtype=dtype, weighted=True)
    options = {"network": case.network, "solver": "lbfgs", "max_epochs": 5}
    plain, other = (
        train(case.X, case.T, sample_weight=weight, **{"alpha": 0.0} | options)
        for weight in (case.weight, case.weight * factor)
    )
    np.testing.assert_allclose(other.loss_curve, plain.loss_curve, rtol=1e-4)
    full = gauss_newton(*case[:3], sample_weight=case.weight)
    scaled = gauss_newton(*case[:3], sample_weight=case.weight * factor)
    assert relative_error(scaled.JTJ, full.JTJ) < 1e-12


def test_a_penalty_is_divided_by_the_sum_of_the_weights():
    case = problem(weighted=True)
    options = {"network": case.network, "solver": "lbfgs", "max_epochs": 3, "scale": False}
    ordinary = train(case.X, case.T, sample_weight=case.weight * 8, alpha=8.0, **options)
    plain = train(case.X, case.T, sample_weight=case.weight, alpha=1.0, **options)
    np.testing.assert_allclose(ordinary.loss_curve, plain.loss_curve, rtol=1e-12)
