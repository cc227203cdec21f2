"""Cholesky's factor and solve, against NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.linalg.cholesky import WORK, factor_and_solve, matrix_memory
from batchprop.threads import cancellation
from batchprop.threads.cancellation import Cancellation, leader_token
from tests.engines.fused.test_bounds import Guarded
from tests.problems import relative_error

TOKEN = KernelStruct(leader_token(None))
SIZES = (1, 2, 3, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 31, 50, 61, 100, 255, 256, 257, 263, 517)


def solved(S, b):
    """Return x, L and the least pivot; what is above the diagonal is NaN on the way in."""
    n = b.size
    A = matrix_memory(n)
    A[:n, :n] = np.where(np.tri(n, dtype=bool), S, np.nan)
    x = b.copy()
    least = factor_and_solve(A, n, x, np.full(WORK, np.nan), TOKEN)
    return x, np.tril(A[:n, :n]), least


def definite(n, seed=0, scale=True):
    rng = np.random.default_rng((seed, n))
    B = rng.normal(size=(n, 2 * n))
    if scale:  # rows of very different size
        B *= 10.0 ** rng.uniform(-4, 4, (n, 1))
    return B @ B.T, rng.normal(size=n)


@pytest.mark.parametrize("n", SIZES)
def test_factor_and_solution(n):
    for seed in range(3 if n < 100 else 1):
        S, b = definite(n, seed)
        x, L, least = solved(S, b)
        exact = np.linalg.cholesky(S)
        size = np.sqrt(np.diag(S))
        assert np.abs((L - exact) / size[:, np.newaxis]).max() < 1e-13
        assert relative_error(size * x, size * np.linalg.solve(S, b)) < 1e-10
        assert least == pytest.approx((np.diag(exact) ** 2 / np.diag(S)).min(), rel=1e-9)


@pytest.mark.parametrize("n", [1, 7, 64, 300])
def test_a_diagonal_matrix(n):
    x, L, least = solved(np.diag(np.full(n, 4.0)), np.ones(n))
    np.testing.assert_array_equal(x, 0.25)
    np.testing.assert_array_equal(L, 2 * np.eye(n))
    assert least == 1


@pytest.mark.parametrize("n", [2, 9, 50, 300])
def test_near_singular(n):
    """Two rows that are nearly the same: the solution still solves, and the pivot tells."""
    S, b = definite(n, scale=False)
    near = 1e-9
    S[-1], S[:, -1] = S[0], S[:, 0]
    S[-1, -1] = S[0, 0] * (1 + near)
    x, _, least = solved(S, b)
    assert 0 < least < 10 * near
    assert relative_error(S @ x, b) < 1e-4


@pytest.mark.parametrize("place", ["first", "middle", "last"])
@pytest.mark.parametrize("n", [1, 6, 8, 9, 49, 258, 300])
def test_what_is_not_positive_definite_is_reported(n, place):
    at = {"first": 0, "middle": n // 2, "last": n - 1}[place]
    for value in (0.0, -1.0, np.nan, np.inf):
        S, b = definite(n, scale=False)
        S[at, at] = value
        assert solved(S, b)[2] == 0


@pytest.mark.parametrize("n", [3, 20, 270])
def test_indefinite_and_singular(n):
    rng = np.random.default_rng(n)
    B = rng.normal(size=(n, n))
    assert solved(B + B.T, np.ones(n))[2] == 0
    v = rng.normal(size=n)
    assert solved(np.outer(v, v), np.ones(n))[2] < 1e-15 * n  # rank 1: rounding may go either way


def test_a_nan_beside_the_diagonal_is_reported():
    S, b = definite(40, scale=False)
    S[30, 3] = np.nan
    assert solved(S, b)[2] == 0


@pytest.mark.parametrize("n", [1, 7, 8, 9, 61, 257])
def test_nothing_is_written_or_read_beside_the_memory(n):
    S, b = definite(n)
    x, L, _ = solved(S, b)
    guarded = Guarded()
    A = matrix_memory(n)
    A[:n, :n] = S
    A, right, work = guarded(A), guarded(b), guarded(np.full(WORK, np.nan))
    assert factor_and_solve(A, n, right, work, TOKEN) > 0
    np.testing.assert_array_equal(right, x)
    np.testing.assert_array_equal(np.tril(A[:n, :n]), L)
    guarded.check()


def test_same_bits_each_time():
    S, b = definite(301)
    assert len({solved(S, b)[0].tobytes() for _ in range(3)}) == 1


@pytest.mark.parametrize("n", [40, 600])
def test_it_is_asked_after_each_piece_of_work_whether_to_go_on(monkeypatch, n):
    """Pieces are eight columns of the factor, of what follows a panel, and rows of the solution."""
    for name in ("FIRST_INTERVAL", "MIN_INTERVAL", "MAX_INTERVAL"):
        monkeypatch.setattr(cancellation, name, 1)
    S, b = definite(n)
    expected, _, _ = solved(S, b)
    asked, end = [], [0]

    def ended():
        asked.append(None)
        return "max_seconds" if len(asked) == end[0] else ""

    def run():
        asked.clear()
        token = KernelStruct(Cancellation(ended).leader)
        A, x = matrix_memory(n), b.copy()
        A[:n, :n] = S
        return factor_and_solve(A, n, x, np.zeros(WORK), token), x

    factors = -(-n // 8) + sum(-(-(n - stop) // 8) for stop in range(256, n, 256))
    least, x = run()
    assert least > 0
    np.testing.assert_array_equal(x, expected)
    assert len(asked) == factors + (-(-n // 8) - 1) + (n - 1)
    for end[0] in (1, factors // 2, factors):
        assert run()[0] == 0
        assert len(asked) == end[0]
