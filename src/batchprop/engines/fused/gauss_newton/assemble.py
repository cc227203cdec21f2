"""Assemble JᵀJ from the sums Q_hh, Q_hy and Q_yy of ``row_product_layout``.

    W_h, W_h:  Σ w J_kj J_lj′ = C[k, l] Q_hh[k, (j, j′), l]      C = W_yᵀ W_y
    W_y, W_h:  Σ w J_ol J_kj  = W_y[o, k] Q_hy[k, j, l]
    W_y, W_y:  Σ w J_ol J_ol′ = Q_yy[l, l′], and 0 between two outputs

where the biases are column e of W_h and column m of W_y.  Kernels call ``assemble`` by its address.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import call_address, helper, kernel, returning
from batchprop.engines.fused.evaluation import evaluate
from batchprop.engines.fused.gauss_newton.row_product_layout import (
    padded_columns_of,
    pairs_of,
)
from batchprop.engines.fused.task import GRADIENT, products_start
from batchprop.simd.register_tiles import TILE_ROWS
from batchprop.threads.cancellation import READ, WRITTEN, check, is_cancelled

SCATTERED = 2 * WRITTEN  # work of writing a number to a row and one to a column
PAGE = 512  # numbers
SQUARE = 16  # rows and columns of the squares that are mirrored one after the other


@helper
def _touch(n, A, token):
    """Write to each page of A, row after row.

    The system hands out memory, a large page at a time, when it is first written to.  Writing one
    column first would make it clear all of the memory at once.
    """
    for i in range(n):
        for j in range(0, n, PAGE):
            A[i, j] = 0.0
        if check(token, WRITTEN * n):
            return


@helper
def _hidden_block(problem, sums, start, scale, JTJ, token):
    """Write the rows and columns of W_h and b_h; W_y's first block of JᵀJ holds C.

    The rows (k, j, j′) are in the order in which ``row_products`` writes them.
    """
    e, m = problem.e, problem.m
    b_h_start, W_y_start = problem.b_h_start, problem.W_y_start
    pairs = pairs_of(e)
    tile_start = start
    k = j = j_2 = 0
    for row in range(0, m * pairs, TILE_ROWS):
        first = k
        n = padded_columns_of(m - first)
        for r in range(min(TILE_ROWS, m * pairs - row)):
            Q_hh_start = tile_start + r * n - first
            row_index = k * e + j if j < e else b_h_start + k
            # J_kj J_lj′ = C[k, l] Q_hh[k, (j, j′), l]
            if j_2 == e:  # b_h's columns, and, transposed, b_h's rows
                for l in range(k, m):
                    value = scale * JTJ[W_y_start + k, W_y_start + l] * sums[Q_hh_start + l]
                    JTJ[row_index, b_h_start + l] = value
                    if j < e:
                        JTJ[l * e + j, b_h_start + k] = value
            else:
                row_index_2 = k * e + j_2
                for l in range(k, m):
                    value = scale * JTJ[W_y_start + k, W_y_start + l] * sums[Q_hh_start + l]
                    JTJ[row_index, l * e + j_2] = value
                    JTJ[row_index_2, l * e + j] = value
            j_2 += 1
            if j_2 > e:
                j += 1
                j_2 = j
            if j > e:
                k += 1
                j = j_2 = 0
        tile_start += TILE_ROWS * n
        if check(token, SCATTERED * TILE_ROWS * n):
            return


@helper
def _cross_block(problem, theta, sums, start, scale, JTJ, token):
    """Write the columns of W_y and b_y in the rows of W_h and b_h."""
    e, m, s = problem.e, problem.m, problem.s
    W_y_start, b_y_start = problem.W_y_start, problem.b_y_start
    n = padded_columns_of(m + 1)
    for row in range(m * (e + 1)):
        k, j = row // (e + 1), row % (e + 1)
        row_index = k * e + j if j < e else problem.b_h_start + k
        Q_hy_start = start + row * n
        for o in range(s):
            # J_kj J_ol = W_y[o, k] Q_hy[k, j, l]
            factor = scale * theta[W_y_start + o * m + k]
            for l in range(m):
                JTJ[row_index, W_y_start + o * m + l] = factor * sums[Q_hy_start + l]
            JTJ[row_index, b_y_start + o] = factor * sums[Q_hy_start + m]
        if check(token, WRITTEN * s * m):
            return


@helper
def _output_block(problem, sums, start, scale, JTJ, token):
    """Write the rows and columns of W_y and b_y: the same block for each output."""
    m, s = problem.m, problem.s
    W_y_start, b_y_start = problem.W_y_start, problem.b_y_start
    for row in range(W_y_start, b_y_start + s):
        for column in range(row, b_y_start + s):
            JTJ[row, column] = 0.0
        if check(token, WRITTEN * (b_y_start + s - row)):
            return
    tile_start = start
    for row in range(0, m + 1, TILE_ROWS):
        n = padded_columns_of(m + 1 - row)
        for k in range(row, min(row + TILE_ROWS, m + 1)):
            Q_yy_start = tile_start + (k - row) * n - row
            for o in range(s):
                # J_ok J_ol = Q_yy[k, l]
                row_index = W_y_start + o * m + k if k < m else b_y_start + o
                for l in range(k, m):
                    JTJ[row_index, W_y_start + o * m + l] = scale * sums[Q_yy_start + l]
                JTJ[row_index, b_y_start + o] = scale * sums[Q_yy_start + m]
            if check(token, WRITTEN * s * m):
                return
        tile_start += TILE_ROWS * n


@helper
def _mirror(n, A, token):
    """Write the lower triangle from the upper one, in squares that stay in cache."""
    for i in range(0, n, SQUARE):
        for j in range(0, i + 1, SQUARE):
            for row in range(i, min(i + SQUARE, n)):
                for column in range(j, min(j + SQUARE, row)):
                    A[row, column] = A[column, row]
        if check(token, 4 * READ * SQUARE * i):
            return


@kernel
def assemble(problem, theta, sums, scale, JTJ, token):
    """Write JᵀJ, with ``scale`` = 1/Σw, from the sums that follow those of gradient and loss."""
    e, m, s, W_y_start = problem.e, problem.m, problem.s, problem.W_y_start
    pairs = pairs_of(e)
    if theta.size >= PAGE:
        _touch(theta.size, JTJ, token)
    # C = W_yᵀ W_y, kept in W_y's block of JᵀJ until that is written
    for k in range(m):
        for l in range(k, m):
            c = 0.0
            for o in range(s):
                c += theta[W_y_start + o * m + k] * theta[W_y_start + o * m + l]
            JTJ[W_y_start + k, W_y_start + l] = c
        if check(token, WRITTEN * s * (m - k)):
            return
    start = products_start(problem)
    _hidden_block(problem, sums, start, scale, JTJ, token)
    for row in range(0, m * pairs, TILE_ROWS):
        start += TILE_ROWS * padded_columns_of(m - row // pairs)
    _cross_block(problem, theta, sums, start, scale, JTJ, token)
    start += (m * (e + 1) + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS * padded_columns_of(m + 1)
    _output_block(problem, sums, start, scale, JTJ, token)
    _mirror(theta.size, JTJ, token)


@returning(types.float64)
def gauss_newton(task, JTJ):
    """Return L̃ at ``task.theta``; write ∂L̃/∂θ to ``task.gradient`` and JᵀJ to ``JTJ``.

    ``JTJ`` is float64 and C-contiguous.
    """
    loss = evaluate(task, GRADIENT)
    token = task.scratch.token
    if not is_cancelled(token):
        problem, sums = task.problem, task.totals
        call_address(task.assembly, (problem, task.theta, sums, task.loss_scale, JTJ, token))
    return loss


@kernel
def gauss_newton_once(task, JTJ):
    """Python entry point of ``gauss_newton``."""
    return gauss_newton(task, JTJ)
