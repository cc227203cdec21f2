"""Solve A x = b for a symmetric, positive definite A by Cholesky's A = L Lᵀ.

Compiled and on one thread, so that results have the same bits each time: LAPACK's depend on the
threads of the BLAS that it calls.  Eight columns of L are computed at a time, from dot products of
rows of L in register tiles.  After ``PANEL`` columns, their contribution is subtracted from all
columns that follow, so that rows stay in cache.

A is stored in the memory of ``matrix_memory``.  Its row stride keeps vectors aligned and maps rows
to different cache sets; eight extra rows serve tiles that reach beyond the matrix.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import helper, kernel, returning
from batchprop.linalg.micro_kernel import dot_tile
from batchprop.linalg.views import Matrix, Panels
from batchprop.simd.aligned_memory import zeros
from batchprop.simd.load_store import fill
from batchprop.simd.register_tiles import BROAD, FOUR, ONE, SIX
from batchprop.threads.cancellation import READ, check

Array = npt.NDArray[Any]

COLUMNS = 8  # of L that are made together: a multiple of a vector's lanes
TILE_ROWS = len(SIX)
PANEL = 256
WORK = (
    COLUMNS * TILE_ROWS + COLUMNS
)  # length of the work array: one tile, and 1/L_jj of its columns
N_BROAD = len(BROAD)


def matrix_memory(n: int) -> Array:
    """Return zeros for a matrix (n, n): float64, (n + 8, an odd number of cache lines)."""
    stride = 8 * (-(-n // 8) | 1)  # odd, or the rows of a tile would share a few cache sets
    memory: Array = zeros(1, (n + COLUMNS) * stride, np.float64)[0, : (n + COLUMNS) * stride]
    return memory.reshape(n + COLUMNS, stride)


@helper
def _dots(A, i, j, start, stop, work):
    """Write the dot products of rows i … i + 5 with rows j … j + 7 of A over a range of columns."""
    stride, n = A.shape[1], stop - start
    at_i, at_j = i * stride + start, j * stride + start
    fill(work, 0, COLUMNS * TILE_ROWS, 0.0)
    # L[i …] L[j …]ᵀ: columns of A take the place of samples
    rows, columns = Panels(A, at_i, TILE_ROWS, n, stride, 0), Panels(A, at_j, COLUMNS, n, stride, 0)
    for c in range(0, COLUMNS, N_BROAD):
        dot_tile(SIX, BROAD, rows, 0, columns, c, Matrix(work, 0, TILE_ROWS, COLUMNS, COLUMNS, 1))


@helper
def _finish_row(A, i, j, n_columns, row, work):
    """Finish L[i, j …] left of the diagonal; ``work`` has the dot products of columns before j."""
    inverse = COLUMNS * TILE_ROWS
    for c in range(n_columns):
        value = A[i, j + c] - work[row + c]
        for q in range(c):
            value -= A[i, j + q] * A[j + c, j + q]
        A[i, j + c] = value * work[inverse + c]


@returning(types.float64)
def _finish_pivot(A, i, j, diagonal, row, work):
    """Finish L[i, i]; return L[i, i]²/``diagonal``, or 0 unless that is positive and finite."""
    c = i - j
    square = A[i, i] - work[row + c]
    for q in range(c):
        square -= A[i, j + q] * A[i, j + q]
    if not (square > 0.0 and square < math.inf):
        return 0.0
    A[i, i] = math.sqrt(square)
    work[COLUMNS * TILE_ROWS + c] = 1.0 / A[i, i]
    return square / diagonal


@returning(types.float64)
def factor(A, n, work, token):
    """Overwrite the lower triangle of A (n, n) by L, A = L Lᵀ; the upper one is not read.

    Returns the smallest L[i, i]²/A[i, i].  It is 1 if A is diagonal and about the rounding unit if
    two rows are equal.  It is 0, and L is incomplete, if A is not positive definite or not finite,
    or if the run is cancelled.  ``work`` has the length WORK.
    """
    least = 1.0
    diagonal = n + COLUMNS - 1  # the memory's last row keeps it
    for i in range(n):
        A[diagonal, i] = A[i, i]
    for start in range(0, n, PANEL):
        stop = min(start + PANEL, n)
        for j in range(start, stop, COLUMNS):
            n_columns = min(COLUMNS, n - j)
            for i in range(j, n, TILE_ROWS):
                _dots(A, i, j, start, j, work)
                for r in range(min(TILE_ROWS, n - i)):
                    _finish_row(A, i + r, j, min(n_columns, i + r - j), r * COLUMNS, work)
                    if i + r < j + n_columns:
                        ratio = _finish_pivot(A, i + r, j, A[diagonal, i + r], r * COLUMNS, work)
                        if ratio == 0.0:
                            return 0.0
                        least = min(least, ratio)
            if check(token, COLUMNS * (n - j) * (j - start + COLUMNS)):
                return 0.0
        for j in range(stop, n, COLUMNS):
            for i in range(j, n, TILE_ROWS):
                _dots(A, i, j, start, stop, work)
                for r in range(min(TILE_ROWS, n - i)):
                    for c in range(min(COLUMNS, n - j, i + r - j + 1)):
                        A[i + r, j + c] -= work[r * COLUMNS + c]
            if check(token, COLUMNS * (n - j) * (stop - start)):
                return 0.0
    return least


@helper
def solve(A, n, b, work, token):
    """Overwrite b (n,) by the solution of L Lᵀ x = b; A holds L.  Cancelled, b is incomplete."""
    stride = A.shape[1]
    # L z = b, eight rows at a time
    for j in range(0, n, COLUMNS):
        fill(work, 0, COLUMNS, 0.0)
        rows, z = Panels(A, j * stride, COLUMNS, j, stride, 0), Panels(b, 0, 1, j, stride, 0)
        for r in range(0, COLUMNS, 4):
            dot_tile(FOUR, ONE, rows, r, z, 0, Matrix(work, 0, COLUMNS, 1, 1, 1))
        for c in range(min(COLUMNS, n - j)):
            value = b[j + c] - work[c]
            for q in range(c):
                value -= A[j + c, j + q] * b[j + q]
            b[j + c] = value / A[j + c, j + c]
        if check(token, READ * COLUMNS * j):
            return
    # Lᵀ x = z, from the last row to the first
    for k in range(n):
        i = n - 1 - k
        b[i] /= A[i, i]
        for q in range(i):
            b[q] -= A[i, q] * b[i]
        if check(token, READ * i):
            return


@kernel
def factor_and_solve(A, n, b, work, token):
    """Python entry point: ``factor``, and ``solve`` if A is positive definite."""
    least = factor(A, n, work, token)
    if least > 0.0:
        solve(A, n, b, work, token)
    return least
