"""JᵀJ from the sums A, D and B of ``layout``, for any number of outputs.

    W_h, W_h:  Σ J_kj J_lj′ = C[k, l] A[k, (j, j′), l]      C = W_yᵀ W_y
    W_y, W_h:  Σ J_ol J_kj  = W_y[o, k] D[k, j, l]
    W_y, W_y:  Σ J_ol J_ol′ = B[l, l′], and 0 between two outputs

where the biases are column e of W_h and column m of W_y.
"""

from __future__ import annotations

from numba import types

from batchprop.compiler.jit import helper, kernel, returning
from batchprop.engines.fused.gauss_newton.row_product_layout import ROWS, columns_of, pairs_of
from batchprop.engines.fused.thread_team import GRADIENT, evaluate
from batchprop.threads.cancellation import READ, WRITTEN, check, is_cancelled

FAR = 2 * WRITTEN  # one number of a row and one of a column
PAGE = 512  # numbers
TURNED = 16  # rows and columns of the squares that are mirrored one after the other


@helper
def _touch(n, A, token):
    """Write to each page of A, row after row.

    The system gives memory away, a large page at a time, where it is written to first.  One column
    would be enough to make it clear all of the memory at once.
    """
    for i in range(n):
        for j in range(0, n, PAGE):
            A[i, j] = 0.0
        if check(token, WRITTEN * n):
            return


@helper
def _hidden_block(e, m, pairs, total, start, scale, C, JTJ, token):
    """Write the rows and columns of W_h and b_h; C[k, l] stands in JᵀJ from (C, C) on."""
    b_h = m * e
    to = start
    k = j = other = 0
    for row in range(0, m * pairs, ROWS):
        from_unit = k
        n = columns_of(m - from_unit)
        for r in range(min(ROWS, m * pairs - row)):
            at = to + r * n - from_unit
            one = k * e + j if j < e else b_h + k
            if other == e:  # b_h's columns, and, transposed, b_h's rows
                for l in range(k, m):
                    value = scale * JTJ[C + k, C + l] * total[at + l]
                    JTJ[one, b_h + l] = value
                    if j < e:
                        JTJ[l * e + j, b_h + k] = value
            else:
                two = k * e + other
                for l in range(k, m):
                    value = scale * JTJ[C + k, C + l] * total[at + l]
                    JTJ[one, l * e + other] = value
                    JTJ[two, l * e + j] = value
            other += 1
            if other > e:
                j += 1
                other = j
            if j > e:
                k += 1
                j = other = 0
        to += ROWS * n
        if check(token, FAR * ROWS * n):
            return


@helper
def _cross_block(e, m, s, theta, total, start, scale, JTJ, token):
    """Write the columns of W_y and b_y in the rows of W_h and b_h."""
    W_y = m * e + m
    b_y = W_y + s * m
    n = columns_of(m + 1)
    for row in range(m * (e + 1)):
        k, j = row // (e + 1), row % (e + 1)
        at, found = k * e + j if j < e else m * e + k, start + row * n
        for o in range(s):
            factor = scale * theta[W_y + o * m + k]
            for l in range(m):
                JTJ[at, W_y + o * m + l] = factor * total[found + l]
            JTJ[at, b_y + o] = factor * total[found + m]
        if check(token, WRITTEN * s * m):
            return


@helper
def _output_block(e, m, s, total, start, scale, JTJ, token):
    """Write the rows and columns of W_y and b_y: the same block for each output."""
    W_y = m * e + m
    b_y = W_y + s * m
    for row in range(W_y, b_y + s):
        for column in range(row, b_y + s):
            JTJ[row, column] = 0.0
        if check(token, WRITTEN * (b_y + s - row)):
            return
    to = start
    for row in range(0, m + 1, ROWS):
        n = columns_of(m + 1 - row)
        for k in range(row, min(row + ROWS, m + 1)):
            found = to + (k - row) * n - row
            for o in range(s):
                at = W_y + o * m + k if k < m else b_y + o
                for l in range(k, m):
                    JTJ[at, W_y + o * m + l] = scale * total[found + l]
                JTJ[at, b_y + o] = scale * total[found + m]
            if check(token, WRITTEN * s * m):
                return
        to += ROWS * n


@helper
def _mirror(n, A, token):
    """Write the lower triangle from the upper one, in squares that stay in cache."""
    for i in range(0, n, TURNED):
        for j in range(0, i + 1, TURNED):
            for row in range(i, min(i + TURNED, n)):
                for column in range(j, min(j + TURNED, row)):
                    A[row, column] = A[column, row]
        if check(token, 4 * READ * TURNED * i):
            return


@helper
def assemble(problem, theta, total, scale, JTJ, token):
    """Write ``scale`` · JᵀJ from the sums that follow those of gradient and loss in ``total``."""
    e, m, s = problem.e, problem.m, problem.s
    pairs = pairs_of(e)
    W_y = m * e + m
    if theta.size >= PAGE:
        _touch(theta.size, JTJ, token)
    for k in range(m):  # C, for the time being where W_y's own block will stand
        for l in range(k, m):
            c = 0.0
            for o in range(s):
                c += theta[W_y + o * m + k] * theta[W_y + o * m + l]
            JTJ[W_y + k, W_y + l] = c
        if check(token, WRITTEN * s * (m - k)):
            return
    start = theta.size + s
    _hidden_block(e, m, pairs, total, start, scale, W_y, JTJ, token)
    for row in range(0, m * pairs, ROWS):
        start += ROWS * columns_of(m - row // pairs)
    _cross_block(e, m, s, theta, total, start, scale, JTJ, token)
    start += (m * (e + 1) + ROWS - 1) // ROWS * ROWS * columns_of(m + 1)
    _output_block(e, m, s, total, start, scale, JTJ, token)
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
    """The same, called from Python."""
    return gauss_newton(task, JTJ)
