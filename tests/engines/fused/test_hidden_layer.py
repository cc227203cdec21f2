"""Activations and deltas of the hidden layer against NumPy, on odd sizes."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused.hidden_layer import N_LONG
from batchprop.parameters import Shape, split
from tests.engines.fused import kernels
from tests.engines.fused.kernels import (
    hidden_layer_memory,
    integers,
    one_panel,
    panels,
    sample_counts,
    step_of,
    unpacked,
    view,
    width_of,
)

pytestmark = pytest.mark.parametrize("dtype", kernels.DTYPES)


@pytest.mark.parametrize("name", ["relu", "softsign"])
@pytest.mark.parametrize("rows", [1, 3])
def test_activate_as_far_as_there_are_samples(dtype, rows, name):
    width, step = width_of(dtype), step_of(dtype)
    for valid in range(1, width + 1):
        Z = integers(2 + rows * width).astype(dtype)
        expected = Z[2:].reshape(rows, width).copy()
        ACTIVATIONS[name].sigma(expected[:, :valid].copy(), expected[:, :valid])
        H = one_panel(Z, 2, rows, valid)
        kernels.call_activate(ACTIVATIONS[name].code, False, Z, 0, 0, H, H)
        found = Z[2:].reshape(rows, width)
        np.testing.assert_allclose(found[:, :valid], expected[:, :valid], rtol=1e-6)
        untouched = -(-valid // step) * step
        np.testing.assert_array_equal(found[:, untouched:], expected[:, untouched:])


@pytest.mark.parametrize("name", ["relu", "tanh"])
@pytest.mark.parametrize("rows", [N_LONG, N_LONG + 1, 6, 7])
def test_activate_from_a_single_input(dtype, rows, name):
    """What was in H does not matter, and rows between panels are left as they are."""
    width = width_of(dtype)
    theta = np.concatenate([np.full(3, np.nan), integers(2 * rows)]).astype(dtype)
    w, b = theta[3 : 3 + rows, np.newaxis], theta[3 + rows :, np.newaxis]
    for n_samples in sample_counts(dtype):
        x = integers(1, n_samples, seed=1) / 4
        flat = np.full(-(-n_samples // width) * (rows + 2) * width, 7.0, dtype)
        X, H = view(panels(x, dtype), 1, n_samples), view(flat, rows, n_samples, rows + 2)
        kernels.call_activate(ACTIVATIONS[name].code, True, theta, 3, 3 + rows, X, H)
        found = flat.reshape(-1, rows + 2, width)
        expected = (w * x.astype(dtype) + b).astype(dtype)
        ACTIVATIONS[name].sigma(expected.copy(), expected)
        h = found[:, :rows].transpose(1, 0, 2).reshape(rows, -1)[:, :n_samples]
        np.testing.assert_allclose(h, expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_array_equal(found[:, rows:], 7.0)


@pytest.mark.parametrize("sums_in_strips", [False, True])
@pytest.mark.parametrize("s", [1, 2, 3, 7])
@pytest.mark.parametrize("e", [1, 2, 5])
@pytest.mark.parametrize("m", [1, 2, 3, 4, 5, 6, 7, 9, 13])
def test_the_backward_pass(dtype, m, e, s, sums_in_strips):
    """With relu σ′ is 0 or 1, and all numbers are small integers: all sums are exact.

    With one output the factor W_y is left out.
    """
    for n_samples in sample_counts(dtype):
        H, X = integers(m, n_samples), integers(e, n_samples, seed=3)
        R, W_y = integers(s, n_samples, seed=1), integers(s, m, seed=2)
        delta_h = (H > 0) * (W_y.T @ R if s > 1 else R)
        n_hidden = m * e + m
        theta = np.concatenate([np.full(n_hidden, np.nan), W_y.ravel(), np.full(s, np.nan)])
        G, flat = np.zeros(theta.size), panels(H, dtype)
        problem, scratch = hidden_layer_memory(
            "relu", (e, m, s), flat, panels(R, dtype), panels(X, dtype), sums_in_strips
        )
        kernels.backward(problem, theta.astype(dtype), n_samples, scratch, G)
        found = split(G, Shape(e, m, s))
        np.testing.assert_array_equal(found[1], delta_h.sum(axis=1))
        np.testing.assert_array_equal(found[2], R @ H.T)
        assert not found[3].any()
        if sums_in_strips and (e > 1 or s > 1):
            assert not found[0].any()
        else:
            np.testing.assert_array_equal(found[0], delta_h @ X.T)
        if e > 1 or s > 1:
            found = unpacked(scratch.fields.H[: flat.size], m, n_samples, dtype)
            np.testing.assert_array_equal(found, delta_h)


@pytest.mark.parametrize("name", ["tanh", "softplus", "identity"])
@pytest.mark.parametrize("s", [1, 2])
def test_delta_with_other_activations(dtype, name, s):
    m, n_samples = 7, 2 * width_of(dtype) + 1
    rng = np.random.default_rng(0)
    Z, R = rng.normal(size=(m, n_samples)), rng.normal(size=(s, n_samples))
    W_y, H, slope = rng.normal(size=(s, m)), np.empty_like(Z), np.empty_like(Z)
    ACTIVATIONS[name].sigma(Z, H)
    ACTIVATIONS[name].sigma_prime(H, slope)
    theta = np.concatenate([np.zeros(3 * m), W_y.ravel(), np.zeros(s)]).astype(dtype)
    flat = panels(H, dtype)
    problem, scratch = hidden_layer_memory(
        name, (2, m, s), flat, panels(R, dtype), panels(rng.normal(size=(2, n_samples)), dtype)
    )
    kernels.backward(problem, theta, n_samples, scratch, np.zeros(theta.size))
    expected = slope * (W_y.T @ R if s > 1 else R)
    found = unpacked(scratch.fields.H[: flat.size], m, n_samples, dtype)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-13)
