"""The inverse of a Cholesky factor, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.linalg.inverse import inverse_factor


def definite(n):
    B = np.random.default_rng(n).normal(size=(n, n + 3))
    return B @ B.T


@pytest.mark.parametrize("n", [1, 2, 5, 8, 9, 40, 263])
def test_inverse_and_determinant(n):
    A = definite(n)
    inverse = inverse_factor(np.where(np.tri(n, dtype=bool), A, np.nan))  # the lower triangle
    np.testing.assert_array_equal(inverse, np.tril(inverse))
    np.testing.assert_allclose(inverse, np.linalg.inv(np.linalg.cholesky(A)), atol=1e-9)
    log_determinant = -2 * np.log(np.diag(inverse)).sum()
    assert log_determinant == pytest.approx(np.linalg.slogdet(A)[1], rel=1e-10, abs=1e-10)


def test_the_matrix_is_left_as_it_is():
    A = definite(6)
    before = A.copy()
    inverse_factor(A)
    np.testing.assert_array_equal(A, before)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_what_has_no_factor(value):
    A = definite(9)
    A[5, 5] = value
    assert inverse_factor(A) is None
