"""Products of panels against NumPy, in small integers: exact in any order."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.linalg.matmul import NO_BIAS
from batchprop.linalg.views import Bands, Matrix, Transpose
from batchprop.simd.register_tiles import TILE_ROWS
from tests.engines.fused import kernels
from tests.engines.fused.kernels import (
    integers,
    panels,
    sample_counts,
    step_of,
    transposed,
    unpacked,
    view,
    width_of,
)

pytestmark = pytest.mark.parametrize("dtype", kernels.DTYPES)
SIZES = [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13]


def padded_rows(n_rows):
    return -(-n_rows // TILE_ROWS) * TILE_ROWS


def packed_bands(W):
    """Return W (m, e) in bands of six rows, whose last one is filled up with NaN."""
    rows = np.full((padded_rows(len(W)), W.shape[1]), np.nan)
    rows[: len(W)] = W
    return rows.reshape(-1, TILE_ROWS, W.shape[1]).transpose(0, 2, 1).ravel()


def forms_of(W):
    """Return W in the forms that it is multiplied in: the numbers, and the strides of ``Bands``."""
    m, e = W.shape
    return {
        "by rows": (W.ravel(), (TILE_ROWS * e, e, 1)),
        "transposed": (W.T.ravel(), (TILE_ROWS, 1, m)),
        "packed": (packed_bands(W), (TILE_ROWS * e, 1, TILE_ROWS)),
    }


@pytest.mark.parametrize("form", ["by rows", "transposed", "packed"])
@pytest.mark.parametrize("n_inner", [1, 2, 4, 7])
@pytest.mark.parametrize("n_rows", SIZES)
def test_affine(dtype, n_rows, n_inner, form):
    """All of W at once, and W cut into parts: the columns first, then bands of rows."""
    width = width_of(dtype)
    W, b = integers(n_rows, n_inner), integers(n_rows, seed=1)
    numbers, strides = forms_of(W)[form]
    flat = np.concatenate([[99, 99], numbers, b]).astype(dtype)
    for n_samples in (1, width, 2 * width + 1):
        X = integers(n_inner, n_samples, seed=2)
        n_panels = -(-n_samples // width)
        for bias, least in (
            (2 + numbers.size, -np.inf),
            (2 + numbers.size, 5.0),
            (NO_BIAS, -np.inf),
        ):
            expected = W @ X + (b[:, None] if bias >= 0 else 0)
            for cache_rows, cache_columns in ((padded_rows(n_rows), n_inner), (6, 3), (12, 1)):
                out = np.full((n_rows + 1) * n_panels * width, np.nan, dtype)
                kernels.call_affine(
                    Bands(flat, 2, n_rows, n_inner, *strides),
                    bias,
                    least,
                    view(panels(X, dtype), n_inner, n_samples),
                    view(out, n_rows, n_samples, n_rows + 1),
                    cache_rows,
                    cache_columns,
                )
                found = unpacked(out, n_rows + 1, n_samples, dtype)
                np.testing.assert_array_equal(found[:-1], np.maximum(expected, least))
                assert np.isnan(found[-1]).all()


@pytest.mark.parametrize("n_columns", [1, 5, 8, 16, 19, 40])
@pytest.mark.parametrize("n_rows", SIZES)
def test_packing_bands(dtype, n_rows, n_columns):
    W, stride = integers(n_rows, n_columns).astype(dtype), n_columns + 3
    array = np.full((n_rows + 1, stride), np.nan, dtype)
    array[:-1, :n_columns] = W
    out = np.full(2 + n_columns * padded_rows(n_rows), np.nan, dtype)
    kernels.call_pack_bands(
        Matrix(array.ravel(), 0, n_rows, n_columns, stride, 1),
        Bands(out, 1, n_rows, n_columns, TILE_ROWS * n_columns, 1, TILE_ROWS),
    )
    np.testing.assert_array_equal(out[1:-1], packed_bands(W))
    assert np.isnan(out[[0, -1]]).all()


@pytest.mark.parametrize("n_b", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("n_a", SIZES)
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


@pytest.mark.parametrize("n_strips", [1, 2, 3, 4, 5, 7, 9])
@pytest.mark.parametrize("n_a", SIZES)
def test_outer_products_with_a_transpose(dtype, n_a, n_strips):
    step, width = step_of(dtype), width_of(dtype)
    for n_samples in (1, width - 1, width, 2 * width + 1):
        A, B = integers(n_a, n_samples), integers(n_strips * step, n_samples, seed=1)
        sums = integers(n_a, n_strips * step, seed=2)
        expected = sums + A @ B.T
        behind = np.full(TILE_ROWS * width, np.nan, dtype)  # is read, and must not matter
        for cache_rows in (6, padded_rows(n_a)):
            found = np.zeros((padded_rows(n_a), n_strips * step), dtype)
            found[:n_a] = sums
            kernels.call_add_outer_transposed(
                view(np.concatenate([panels(A, dtype), behind]), n_a, n_samples),
                Transpose(transposed(B, dtype, 3 * width), n_strips, 3 * width),
                Matrix(found.reshape(-1), 0, n_a, n_strips * step, n_strips * step, 1),
                cache_rows,
            )
            np.testing.assert_array_equal(found[:n_a], expected)
