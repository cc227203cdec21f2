"""The vectorized engine: buffers, memory orders, what it keeps and what it copies."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from batchprop.activations import ACTIVATIONS
from batchprop.engines import vectorized
from tests.problems import problem, relative_errors

DTYPES = ("float64", "float32")


def objective_of(data):
    net, X, T, weight = data
    return vectorized.ArrayObjective(X, T, weight, net.shape, net.activation, net.dtype)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_output_and_many_are_the_same_formula(activation, dtype, weighted):
    """A second output of weight 0 and target 0 changes nothing but the path that is taken."""
    net, X, T, weight = problem(3, 5, 1, 30, activation, dtype, weighted)
    one, many = np.empty_like(net.theta), np.empty(32, dtype)
    theta = np.concatenate([net.theta[:25], np.zeros(5, dtype), net.theta[25:], np.zeros(1, dtype)])
    data = X, np.vstack([T, 0 * T]), weight
    loss = objective_of((net, X, T, weight)).loss_and_gradient(net.theta, one)
    two = vectorized.ArrayObjective(*data, net.shape._replace(n_outputs=2), activation, dtype)
    assert two.loss_and_gradient(theta, many) == pytest.approx(loss, rel=1e-6)
    both = np.concatenate([many[:25], many[30:31]])
    errors = relative_errors(both, one, net.shape)
    assert max(errors.values()) < (1e-13 if dtype == "float64" else 1e-5), errors


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("s", [1, 2])
def test_calls_leave_nothing_behind(s, weighted):
    """The same θ gives the same bits, whatever was computed in between."""
    data = problem(s=s, weighted=weighted)
    theta = data.network.theta
    objective = objective_of(data)
    first, again, other = (np.empty_like(theta) for _ in range(3))
    loss = objective.loss_and_gradient(theta, first)
    objective.loss_and_gradient(3 * theta, other)
    assert objective.loss(theta) == loss
    assert objective.loss_and_gradient(theta, again) == loss
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("s", [1, 3])
def test_a_step_allocates_nothing_that_grows_with_n(s, activation):
    data = problem(4, 16, s, 20_000, activation, weighted=True)
    gradient = np.empty_like(data.network.theta)
    objective = objective_of(data)
    objective.loss_and_gradient(data.network.theta, gradient)
    tracemalloc.start()
    try:
        objective.loss_and_gradient(data.network.theta, gradient)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # these need z twice, hence one array of the size of H; the others less than a row
    n_rows = 16.5 if activation in ("elu", "softplus", "softsign") else 1
    assert peak < n_rows * 20_000 * 8


@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray])
def test_data_of_its_dtype_is_not_copied(order):
    net, X, T, _ = problem()
    X, T = order(X), order(T)
    objective = objective_of((net, X, T, None))
    assert objective.X is X
    assert objective.T is T


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_scales_come_from_the_weights_in_float64(dtype):
    net, X, T, weight = problem(n_samples=1000, dtype=dtype, weighted=True)
    scales = objective_of((net, X, T, weight)).scales
    assert scales.loss == pytest.approx(1 / weight.sum(), rel=1e-15)
    assert scales.gradient == pytest.approx(2 / weight.sum(), rel=1e-15)
    assert objective_of((net, X, T, None)).scales == (1 / 1000, 2 / 1000)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_extreme_values_raise_no_warning(activation, dtype):
    """Pre-activations of ±1000 saturate; they do not overflow (warnings are errors here)."""
    net, X, T, _ = problem(2, 4, 1, 20, activation, dtype)
    net.W_h[:] = [[1000, 0], [-1000, 0], [0, 1000], [0, -1000]]
    X = np.sign(X).astype(dtype)
    gradient = np.empty_like(net.theta)
    loss = objective_of((net, X, T, None)).loss_and_gradient(net.theta, gradient)
    assert np.isfinite(loss)
    assert np.isfinite(gradient).all()
