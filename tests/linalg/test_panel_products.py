"""Products over panels of samples against NumPy, for any sizes, each sample by itself."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.linalg.matmul import NO_BIAS
from batchprop.linalg.panel_products import (
    BAND_SIZE,
    WIDTH,
    add_products,
    affine_panels,
    squared_norms,
)

RNG = np.random.default_rng(0)


def panels(n_panels, rows):
    return RNG.normal(size=(n_panels, rows, WIDTH))


@pytest.mark.parametrize("n_rows", [1, 2, 7, 40])
@pytest.mark.parametrize("n_columns", [1, 5, 33])
@pytest.mark.parametrize("with_bias", [True, False])
def test_affine(n_rows, n_columns, with_bias):
    numbers, X = RNG.normal(size=3 + n_rows * n_columns + n_rows), panels(3, n_columns)
    out = np.empty((3, n_rows, WIDTH))
    W = numbers[3 : 3 + n_rows * n_columns].reshape(n_rows, n_columns)
    b, at = numbers[3 + W.size :], 3 + W.size if with_bias else NO_BIAS
    affine_panels(numbers, 3, at, n_rows, n_columns, X.reshape(-1), 3, out.reshape(-1))
    expected = W @ X + (b[:, np.newaxis] if with_bias else 0.0)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 100])
def test_squared_norms(n):
    factor, J = np.tril(RNG.normal(size=(n, n))), panels(4, n)
    out = np.full(4 * WIDTH, np.nan)
    squared_norms(factor.reshape(-1), n, J.reshape(-1), 4, np.empty(BAND_SIZE), out)
    expected = np.square(factor @ J).sum(axis=1)
    np.testing.assert_allclose(out.reshape(4, WIDTH), expected, rtol=1e-12)
    alone = np.empty(WIDTH)
    one = np.ascontiguousarray(J[2:3])
    squared_norms(factor.reshape(-1), n, one.reshape(-1), 1, np.empty(BAND_SIZE), alone)
    np.testing.assert_array_equal(alone, out[2 * WIDTH : 3 * WIDTH])


@pytest.mark.parametrize("n", [1, 3, 32, 70])
def test_products_are_added(n):
    A, B = panels(3, n), panels(3, n)
    G = RNG.normal(size=(n, n))
    expected = G + np.einsum("piw,pjw->ij", A, B)
    add_products(A.reshape(-1), B.reshape(-1), n, 3, G.reshape(-1))
    np.testing.assert_allclose(np.tril(G), np.tril(expected), rtol=1e-12, atol=1e-12)
