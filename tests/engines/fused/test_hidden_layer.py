"""Activations and deltas of the hidden layer against NumPy, on odd sizes."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.activations import ACTIVATIONS
from tests.engines.fused import kernels
from tests.engines.fused.kernels import (
    hidden_layer_memory,
    integers,
    one_panel,
    panels,
    sample_counts,
    step_of,
    unpacked,
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
        kernels.call_activate(ACTIVATIONS[name].code, one_panel(Z, 2, rows, valid))
        found = Z[2:].reshape(rows, width)
        np.testing.assert_allclose(found[:, :valid], expected[:, :valid], rtol=1e-6)
        untouched = -(-valid // step) * step
        np.testing.assert_array_equal(found[:, untouched:], expected[:, untouched:])


@pytest.mark.parametrize("single_input", [False, True])
@pytest.mark.parametrize("m", [1, 3, 4, 5, 9])
def test_delta_of_one_output(dtype, m, single_input):
    """With relu σ′ is 0 or 1, so that all sums are exact."""
    for n_samples in sample_counts(dtype):
        H, x = integers(m, n_samples), integers(1, n_samples, seed=1)
        r = integers(1, n_samples, seed=2)
        expected = (H > 0) * r
        G = np.zeros(3 * m)
        flat = panels(H, dtype)
        shape = (1 if single_input else 2, m, 1)
        memory = hidden_layer_memory(
            "relu", shape, flat, panels(r, dtype), panels(x, dtype), (m, 2 * m, 0)
        )
        kernels.call_delta_one_output(*memory, n_samples, G)
        np.testing.assert_array_equal(G[m : 2 * m], expected.sum(axis=1))
        np.testing.assert_array_equal(G[2 * m :], (H * r).sum(axis=1))
        if single_input:
            np.testing.assert_array_equal(G[:m], (expected * x).sum(axis=1))
        else:
            np.testing.assert_array_equal(unpacked(flat, m, n_samples, dtype), expected)
            assert not G[:m].any()


@pytest.mark.parametrize("s", [2, 3, 7])
@pytest.mark.parametrize("m", [1, 3, 4, 5, 9])
def test_delta_of_many_outputs(dtype, m, s):
    """Likewise exact: W_y and R are small integers."""
    for n_samples in sample_counts(dtype):
        H, R, W_y = integers(m, n_samples), integers(s, n_samples, seed=1), integers(s, m, seed=2)
        expected = (H > 0) * (W_y.T @ R)
        theta = np.concatenate([np.full(2, np.nan), W_y.ravel()]).astype(dtype)
        G, flat = np.zeros(2 * m), panels(H, dtype)
        problem, scratch = hidden_layer_memory(
            "relu", (2, m, s), flat, panels(R, dtype), offsets=(m, 2, 0)
        )
        kernels.call_delta_several_outputs(problem, theta, scratch, n_samples, G)
        np.testing.assert_array_equal(G[m:], expected.sum(axis=1))
        assert not G[:m].any()
        np.testing.assert_array_equal(unpacked(flat, m, n_samples, dtype), expected)
