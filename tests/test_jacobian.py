"""∂Y/∂X: every engine computes what the definition says, and what differences of Y say."""

from __future__ import annotations

import sys
from functools import cache

import numpy as np
import pytest

import batchprop
from batchprop import Network
from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused.jacobian import weight_products
from batchprop.validation import memory_demand
from tests.jacobians import STEP, outputs
from tests.problems import problem

FAST = [name for name in batchprop.ENGINES if name != "naive"]
DTYPES = ("float64", "float32")
ORDERS = (np.ascontiguousarray, np.asfortranarray)
# Times the unit roundoff of the dtype and Σ_k |W_y[o, k] W_h[k, j]|: σ′ ≤ 1 is computed from h.
BOUND = 8


def sizes_of_sums(net):
    """Return Σ_k |W_y[o, k] W_h[k, j]| (s, e, 1), by which rounding errors are measured."""
    return (np.abs(net.W_y.astype(float)) @ np.abs(net.W_h.astype(float)))[:, :, np.newaxis]


def assert_close(net, dY_dX, reference, bound=BOUND):
    assert dY_dX.dtype == net.dtype
    assert dY_dX.shape == reference.shape
    error = np.abs(dY_dX.astype(float) - reference) / sizes_of_sums(net)
    assert error.max() <= bound * np.finfo(net.dtype).eps


@cache
def reference(*arguments):
    data = problem(*arguments)
    return data, data.network.jacobian(data.X, engine="naive")


@pytest.mark.parametrize("n_samples", [1, 2, 7, 64, 65, 1000])
@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("engine", FAST)
def test_engines_agree_with_the_definition(engine, activation, dtype, s, n_samples):
    data, expected = reference(3, 5, s, n_samples, activation, dtype)
    for order in ORDERS:
        assert_close(data.network, data.network.jacobian(order(data.X), engine=engine), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_around_every_block_and_vector(dtype):
    for e in (1, 2, 5, 17, 40):
        for m in (1, 3, 17, 33, 200):
            for s in (1, 2, 4, 9):
                net, X, _, _ = problem(e, m, s, 3 * e + 2 * m + s, "logistic", dtype)
                expected = net.astype("float64").jacobian(X, engine="vectorized")
                assert_close(net, net.jacobian(X), expected, BOUND + m)


@pytest.mark.parametrize("n_samples", [127, 128, 129, 4097, 20_000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_of_samples_around_every_chunk(dtype, n_samples):
    net, X, _, _ = problem(4, 7, 2, n_samples, "softplus", dtype)
    expected = net.astype("float64").jacobian(X, engine="vectorized")
    assert_close(net, net.jacobian(X), expected)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_it_is_the_complex_step_of_the_formula(engine, activation):
    net, X, _, _ = problem(activation=activation)
    dY_dX = net.jacobian(X, engine=engine)
    for j in range(net.shape.n_inputs):
        moved = X.astype(complex)
        moved[j] += 1j * STEP
        derivative = outputs(net.theta, net.shape, activation, moved).imag / STEP
        np.testing.assert_allclose(dY_dX[:, j], derivative, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_it_is_the_slope_of_predictions(engine, activation):
    net, X, _, _ = problem(activation=activation)
    Z = net.W_h @ X + net.b_h[:, np.newaxis]
    smooth = np.abs(Z).min(axis=0) > 1e-3  # no kink between two predictions
    dY_dX, h = net.jacobian(X, engine=engine), 1e-5
    for j in range(net.shape.n_inputs):
        step = np.zeros_like(X)
        step[j] = h
        slope = (net.predict(X + step) - net.predict(X - step)) / (2 * h)
        np.testing.assert_allclose(dY_dX[:, j][:, smooth], slope[:, smooth], rtol=0, atol=1e-8)


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_each_entry_has_its_place(engine):
    W_h, W_y = np.array([[2.0, 3.0], [5.0, 7.0]]), np.array([[11.0, 13.0], [17.0, 19.0]])
    net = Network(W_h, [0.0, 0.0], W_y, [1.0, 2.0], activation="relu")
    X = np.array([[1.0, 1.0, -1.0, 0.0], [1.0, -0.69, -1.0, 0.0]])
    sigma_prime = np.array([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0]])  # 2 − 2.07 < 0 < 5 − 4.83
    expected = np.einsum("ok,ki,kj->oji", W_y, sigma_prime, W_h)
    np.testing.assert_array_equal(net.jacobian(X, engine=engine), expected)


@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_the_kink_of_relu_has_slope_0(engine):
    net = Network([[1.0]], [0.0], [[2.0]], [0.0], activation="relu")
    assert net.jacobian([[-1.0, -0.0, 0.0, 1e-300]], engine=engine).tolist() == [[[0, 0, 0, 2]]]


@pytest.mark.parametrize("factors", [(1e9, 1e-9), (1e-9, 1e9), (1e9, 1e9), (1e-9, 1e-9)])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_units_only_change_the_units(engine, activation, dtype, factors):
    """A network for X in other units has a Jacobian in these units."""
    of_x, of_y = (np.float64(factor).astype(dtype) for factor in factors)
    net, X, _, _ = problem(activation=activation, dtype=dtype)
    other = Network(net.W_h / of_x, net.b_h, net.W_y * of_y, net.b_y * of_y, activation)
    expected = net.astype("float64").jacobian(X, engine="naive") * (float(of_y) / float(of_x))
    dY_dX = other.jacobian(X * of_x, engine=engine)
    assert_close(other, dY_dX, expected, 64)  # inputs and weights in other units are rounded too


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("engine", batchprop.ENGINES)
def test_saturated_units(engine, activation, dtype):
    net = Network(*(np.ones(shape, dtype) for shape in ((1, 1), 1, (1, 1), 1)), activation)
    dY_dX = net.jacobian(np.array([[-1e30, -1e4, 1e4, 1e30]]), engine=engine)
    left, right = {"relu": (0, 1), "softplus": (0, 1), "elu": (0, 1), "identity": (1, 1)}.get(
        activation, (0, 0)
    )
    expected = [[[left, left, right, right]]]
    np.testing.assert_allclose(dY_dX, expected, atol=1e-7)  # (1 − |h|)² = 1e-8 for softsign


def test_bits_do_not_depend_on_threads_or_memory_order():
    net, X, _, _ = problem(8, 20, 3, 5000)
    results = {
        net.jacobian(order(X), n_threads=n).tobytes() for n in (1, 2, 3, None) for order in ORDERS
    }
    assert len(results) == 1


def test_outputs_in_groups_have_the_same_slopes(monkeypatch):
    """Products of weights are formed for a few outputs at a time where all would take too much."""
    net, X, _, _ = problem(5, 20, 7, 300)
    expected = net.jacobian(X, engine="naive")
    module = sys.modules[weight_products.__module__]  # its package has a function of that name
    for n_outputs in (0, 1, 2, 3, 7):
        monkeypatch.setattr(module, "PRODUCTS_BYTES", n_outputs * 5 * 20 * 8)
        assert_close(net, net.jacobian(X), expected, BOUND + 20)


def test_networks_too_large_for_caches():
    net, X, _, _ = problem(90, 700, 6, 400, "tanh", "float32")
    expected = net.astype("float64").jacobian(X, engine="vectorized")
    assert_close(net, net.jacobian(X), expected, BOUND + 700)


@pytest.mark.parametrize("engine", batchprop.ENGINES)
@pytest.mark.parametrize(("dtype", "other"), [DTYPES, DTYPES[::-1]])
def test_the_dtype_of_the_network_is_that_of_the_result(engine, dtype, other):
    net, X, _, _ = problem(dtype=dtype)
    X = X.astype("float32").astype(other)
    assert_close(net, net.jacobian(X, engine=engine), net.jacobian(X.astype(dtype), engine="naive"))


def test_bad_input_is_refused():
    net, X, _, _ = problem()
    with pytest.raises(ValueError, match=r"^X must have shape \(3, N\)"):
        net.jacobian(X.T)
    with pytest.raises(ValueError, match="^X must be finite"):
        net.jacobian(np.where(X == X.max(), np.nan, X))
    with pytest.raises(ValueError, match="^engine must be one of"):
        net.jacobian(X, engine="Fused")
    with pytest.raises(ValueError, match="^n_threads must be"):
        net.jacobian(X, n_threads=0)


def test_a_jacobian_that_does_not_fit_is_refused_before_any_work(monkeypatch):
    monkeypatch.setattr(memory_demand, "available_memory", lambda: 1 << 20)
    net, X, _, _ = problem(8, 2, 8, 1)
    samples = np.broadcast_to(X, (8, 1 << 19))  # 64 · 2¹⁹ numbers of 8 bytes
    expected = (
        r"^X must leave room in memory; got 524288: .*33554432 numbers, 0\.2 GiB where .*fewer"
    )
    with pytest.raises(ValueError, match=expected):
        net.jacobian(samples)
