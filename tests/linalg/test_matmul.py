"""Products of panels and strips against NumPy, in small integers: exact in any order."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.linalg.matmul import NO_BIAS
from batchprop.linalg.views import Matrix
from tests.engines.fused import kernels
from tests.engines.fused.kernels import (
    integers,
    one_panel,
    panels,
    sample_counts,
    step_of,
    strips,
    strips_view,
    view,
    width_of,
)

pytestmark = pytest.mark.parametrize("dtype", kernels.DTYPES)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("n_inner", [1, 2, 7])
@pytest.mark.parametrize("n_rows", [1, 2, 3, 4, 5, 7, 8, 11])
def test_affine(dtype, n_rows, n_inner, transposed):
    width = width_of(dtype)
    W, b = integers(n_rows, n_inner), integers(n_rows, seed=1)
    X = integers(n_inner, 2 * width, seed=2)
    stored = W.T if transposed else W
    flat = np.concatenate([[99, 99], stored.ravel(), b]).astype(dtype)
    strides = (1, n_rows) if transposed else (n_inner, 1)
    for bias, least in ((2 + W.size, -np.inf), (2 + W.size, 0.0), (NO_BIAS, -np.inf)):
        out = np.full(5 + (n_rows + 1) * width, np.nan, dtype)
        kernels.call_affine(
            Matrix(flat, 2, n_rows, n_inner, *strides),
            bias,
            least,
            one_panel(panels(X, dtype), n_inner * width, n_inner, width),
            one_panel(out, 5, n_rows, width),
        )
        expected = W @ X[:, width:] + (b[:, None] if bias >= 0 else 0)
        found = out[5:-width].reshape(n_rows, width)
        np.testing.assert_array_equal(found, np.maximum(expected, least))
        assert np.isnan(out[:5]).all()
        assert np.isnan(out[-width:]).all()


@pytest.mark.parametrize("n_b", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("n_a", [1, 2, 3, 4, 5, 7])
def test_outer_products(dtype, n_a, n_b):
    for n_samples in sample_counts(dtype):
        A, B = integers(n_a, n_samples), integers(n_b, n_samples, seed=1)
        G = integers(3 + n_a * n_b + 3, seed=2).astype(np.float64)
        expected = G.copy()
        expected[3:-3] += (A @ B.T).ravel()
        kernels.call_add_outer(
            view(panels(A, dtype, n_a + 1), n_a, n_samples, n_a + 1),
            view(panels(B, dtype, n_b + 2), n_b, n_samples, n_b + 2),
            Matrix(G, 3, n_a, n_b, n_b, 1),
        )
        np.testing.assert_array_equal(G, expected)


@pytest.mark.parametrize("n_strips", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("n_a", [1, 3, 4, 6])
def test_outer_products_by_strips(dtype, n_a, n_strips):
    width, step = width_of(dtype), step_of(dtype)
    for samples in (1, step, width - 1, width):
        A, B = integers(n_a, width), integers(n_strips * step, width, seed=1)
        sums = integers(n_a, n_strips * step, seed=2).astype(dtype)
        expected = sums + A[:, :samples] @ B[:, :samples].T
        flat = np.concatenate([[99, 99], A.ravel()]).astype(dtype)
        kernels.call_add_outer_strips(
            one_panel(flat, 2, n_a, samples),
            strips_view(strips(B, dtype), n_strips),
            Matrix(sums.reshape(-1), 0, n_a, n_strips * step, n_strips * step, 1),
        )
        np.testing.assert_array_equal(sums, expected)
