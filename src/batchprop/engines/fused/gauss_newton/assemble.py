"""Assemble JᵀJ from the sums Q_hh, Q_hy and Q_yy of ``row_product_layout``.

    W_h, W_h:  Σ J_kj J_lj′ = C[k, l] Q_hh[k, (j, j′), l]      C = W_yᵀ W_y
    W_y, W_h:  Σ J_ol J_kj  = W_y[o, k] Q_hy[k, j, l]
    W_y, W_y:  Σ J_ol J_ol′ = Q_yy[l, l′], and 0 between two outputs

where the biases are column e of W_h and column m of W_y.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import helper, kernel, returning
from batchprop.engines.fused.evaluation import evaluate
from batchprop.engines.fused.gauss_newton.row_product_layout import (
    ROWS,
    columns_of,
    pairs_of,
    products_start,
)
from batchprop.engines.fused.task import GRADIENT
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
def _hidden_block(problem, total, start, scale, JTJ, token):
    """Write the rows and columns of W_h and b_h; C[k, l] stands at JᵀJ[W_y + k, W_y + l]."""
    e, m, b_h, W_y = problem.e, problem.m, problem.b_h, problem.W_y
    pairs = pairs_of(e)
    tile = start
    k = j = other = 0
    for row in range(0, m * pairs, ROWS):
        first = k
        n = columns_of(m - first)
        for r in range(min(ROWS, m * pairs - row)):
            Q_hh = tile + r * n - first
            kj = k * e + j if j < e else b_h + k
            # J_kj J_lj′ = C[k, l] Q_hh[k, (j, j′), l]
            if other == e:  # b_h's columns, and, transposed, b_h's rows
                for l in range(k, m):
                    value = scale * JTJ[W_y + k, W_y + l] * total[Q_hh + l]
                    JTJ[kj, b_h + l] = value
                    if j < e:
                        JTJ[l * e + j, b_h + k] = value
            else:
                k_other = k * e + other
                for l in range(k, m):
                    value = scale * JTJ[W_y + k, W_y + l] * total[Q_hh + l]
                    JTJ[kj, l * e + other] = value
                    JTJ[k_other, l * e + j] = value
            other += 1
            if other > e:
                j += 1
                other = j
            if j > e:
                k += 1
                j = other = 0
        tile += ROWS * n
        if check(token, SCATTERED * ROWS * n):
            return


@helper
def _cross_block(problem, theta, total, start, scale, JTJ, token):
    """Write the columns of W_y and b_y in the rows of W_h and b_h."""
    e, m, s, W_y, b_y = problem.e, problem.m, problem.s, problem.W_y, problem.b_y
    n = columns_of(m + 1)
    for row in range(m * (e + 1)):
        k, j = row // (e + 1), row % (e + 1)
        kj, Q_hy = k * e + j if j < e else problem.b_h + k, start + row * n
        for o in range(s):
            # J_kj J_ol = W_y[o, k] Q_hy[k, j, l]
            factor = scale * theta[W_y + o * m + k]
            for l in range(m):
                JTJ[kj, W_y + o * m + l] = factor * total[Q_hy + l]
            JTJ[kj, b_y + o] = factor * total[Q_hy + m]
        if check(token, WRITTEN * s * m):
            return


@helper
def _output_block(problem, total, start, scale, JTJ, token):
    """Write the rows and columns of W_y and b_y: the same block for each output."""
    m, s, W_y, b_y = problem.m, problem.s, problem.W_y, problem.b_y
    for row in range(W_y, b_y + s):
        for column in range(row, b_y + s):
            JTJ[row, column] = 0.0
        if check(token, WRITTEN * (b_y + s - row)):
            return
    tile = start
    for row in range(0, m + 1, ROWS):
        n = columns_of(m + 1 - row)
        for k in range(row, min(row + ROWS, m + 1)):
            Q_yy = tile + (k - row) * n - row
            for o in range(s):
                # J_ok J_ol = Q_yy[k, l]
                ok = W_y + o * m + k if k < m else b_y + o
                for l in range(k, m):
                    JTJ[ok, W_y + o * m + l] = scale * total[Q_yy + l]
                JTJ[ok, b_y + o] = scale * total[Q_yy + m]
            if check(token, WRITTEN * s * m):
                return
        tile += ROWS * n


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


@helper
def assemble(problem, theta, total, scale, JTJ, token):
    """Write ``scale`` · JᵀJ from the sums that follow those of gradient and loss in ``total``."""
    e, m, s, W_y = problem.e, problem.m, problem.s, problem.W_y
    pairs = pairs_of(e)
    if theta.size >= PAGE:
        _touch(theta.size, JTJ, token)
    # C = W_yᵀ W_y, kept in W_y's block of JᵀJ until that is written
    for k in range(m):
        for l in range(k, m):
            c = 0.0
            for o in range(s):
                c += theta[W_y + o * m + k] * theta[W_y + o * m + l]
            JTJ[W_y + k, W_y + l] = c
        if check(token, WRITTEN * s * (m - k)):
            return
    start = products_start(problem)
    _hidden_block(problem, total, start, scale, JTJ, token)
    for row in range(0, m * pairs, ROWS):
        start += ROWS * columns_of(m - row // pairs)
    _cross_block(problem, theta, total, start, scale, JTJ, token)
    start += (m * (e + 1) + ROWS - 1) // ROWS * ROWS * columns_of(m + 1)
    _output_block(problem, total, start, scale, JTJ, token)
    _mirror(theta.size, JTJ, token)


@returning(types.float64)
def gauss_newton(task, JTJ):
    """Return L at ``task.theta``; write ∂L/∂θ to ``task.gradient`` and Σ w JᵀJ / Σ w to ``JTJ``."""
    loss = evaluate(task, GRADIENT)
    token = task.scratch.token
    if not is_cancelled(token):
        assemble(task.problem, task.theta, task.total, task.loss_scale, JTJ, token)
    return loss


@kernel
def gauss_newton_once(task, JTJ):
    """Python entry point of ``gauss_newton``."""
    return gauss_newton(task, JTJ)
