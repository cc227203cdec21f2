"""JᵀJ from the sums A, D and B of ``layout``, for any number of outputs.

    W_h, W_h:  Σ J_kj J_lj′ = C[k, l] A[k, (j, j′), l]      C = W_yᵀ W_y
    W_y, W_h:  Σ J_ol J_kj  = W_y[o, k] D[k, j, l]
    W_y, W_y:  Σ J_ol J_ol′ = B[l, l′], and 0 between two outputs

where the biases are column e of W_h and column m of W_y.
"""

from __future__ import annotations

from numba import types

from batchprop.engines.fused.gram.layout import ROWS, columns_of, pairs_of
from batchprop.engines.fused.jit import helper, kernel, returning
from batchprop.engines.fused.team import GRADIENT, evaluate, scratch_of


@returning(types.int64)
def _hidden(e, m, k, j):
    """Return the place in θ of W_h[k, j], or of b_h[k] for j = e."""
    return k * e + j if j < e else m * e + k


@returning(types.int64)
def _output(e, m, s, o, l):
    """Return the place in θ of W_y[o, l], or of b_y[o] for l = m."""
    W_y = m * e + m
    return W_y + o * m + l if l < m else W_y + s * m + o


@helper
def _hidden_block(e, m, pairs, total, start, scale, C, JTJ):
    """Write the rows and columns of W_h and b_h; C[l, k] stands in JᵀJ from ``C`` on."""
    to = start
    k = j = other = 0
    for row in range(0, m * pairs, ROWS):
        from_unit = k
        n = columns_of(m - from_unit)
        for r in range(min(ROWS, m * pairs - row)):
            one, two = _hidden(e, m, k, j), _hidden(e, m, k, other)
            JTJ[max(one, two), min(one, two)] = (
                scale * JTJ[C + k, C + k] * total[to + r * n + k - from_unit]
            )
            for l in range(k + 1, m):
                value = scale * JTJ[C + l, C + k] * total[to + r * n + l - from_unit]
                left, right = _hidden(e, m, l, other), _hidden(e, m, l, j)
                JTJ[max(one, left), min(one, left)] = value
                JTJ[max(two, right), min(two, right)] = value
            other += 1
            if other > e:
                j += 1
                other = j
            if j > e:
                k += 1
                j = other = 0
        to += ROWS * n


@helper
def _cross_block(e, m, s, theta, total, start, scale, JTJ):
    """Write the rows of W_y and b_y in the columns of W_h and b_h."""
    W_y = m * e + m
    n = columns_of(m + 1)
    for row in range(m * (e + 1)):
        k, j = row // (e + 1), row % (e + 1)
        at = _hidden(e, m, k, j)
        for o in range(s):
            factor = scale * theta[W_y + o * m + k]
            for l in range(m + 1):
                JTJ[_output(e, m, s, o, l), at] = factor * total[start + row * n + l]


@helper
def _output_block(e, m, s, total, start, scale, JTJ):
    """Write the rows and columns of W_y and b_y: the same block for each output."""
    W_y = m * e + m
    for row in range(W_y, W_y + s * (m + 1)):
        for column in range(W_y, row + 1):
            JTJ[row, column] = 0.0
    to = start
    for row in range(0, m + 1, ROWS):
        n = columns_of(m + 1 - row)
        for k in range(row, min(row + ROWS, m + 1)):
            for l in range(k, m + 1):
                value = scale * total[to + (k - row) * n + l - row]
                for o in range(s):
                    JTJ[_output(e, m, s, o, l), _output(e, m, s, o, k)] = value
        to += ROWS * n


@helper
def assemble(problem, theta, total, scale, JTJ):
    """Write the lower triangle of ``scale`` · JᵀJ; what is above it is left as it is."""
    e, m, s = problem.e, problem.m, problem.s
    pairs = pairs_of(e)
    W_y = m * e + m
    for l in range(m):  # C, for the time being where W_y's own block will stand
        for k in range(l + 1):
            c = 0.0
            for o in range(s):
                c += theta[W_y + o * m + k] * theta[W_y + o * m + l]
            JTJ[W_y + l, W_y + k] = c
    start = theta.size + s
    _hidden_block(e, m, pairs, total, start, scale, W_y, JTJ)
    for row in range(0, m * pairs, ROWS):
        start += ROWS * columns_of(m - row // pairs)
    _cross_block(e, m, s, theta, total, start, scale, JTJ)
    start += (m * (e + 1) + ROWS - 1) // ROWS * ROWS * columns_of(m + 1)
    _output_block(e, m, s, total, start, scale, JTJ)


@returning(types.float64)
def gauss_newton(task, scratch, JTJ):
    """Return L at ``task.theta``; write ∂L/∂θ to ``task.gradient`` and Σ w JᵀJ / Σ w to ``JTJ``.

    Of the symmetric matrix only the lower triangle is written.
    """
    loss = evaluate(task, scratch, GRADIENT)
    assemble(task.problem, task.theta, task.total, task.loss_scale, JTJ)
    return loss


@kernel
def gauss_newton_once(task, JTJ):
    """The same, called from Python, and the upper triangle as well."""
    loss = gauss_newton(task, scratch_of(task, 0), JTJ)
    for row in range(task.theta.size):
        for column in range(row):
            JTJ[column, row] = JTJ[row, column]
    return loss
