"""One iteration of Levenberg–Marquardt, between evaluations of the network.

With A = Σ w JᵀJ / Σ w and g = ∂J/∂θ a step p solves

    (A + μ D) p = −½ g,    D = mean of A's diagonal

by Cholesky's factors.  Along p the outputs are curved, which the linear model leaves out.  With y″,
the second difference y(θ + p) − 2 y(θ) + y(θ − p), the step is bent by the a that solves

    (A + μ D) a = −½ Σ w Jᵀ y″ / Σ w

(geodesic acceleration: M. Transtrum and J. Sethna, Improvements to the Levenberg–Marquardt
algorithm for nonlinear least-squares minimization, 2012; y″ is a derivative there, and here the
curvature over the whole step).  A step with 2‖a‖ > ¾‖p‖ is too long to be trusted, and damped more.

The loop calls ``begin`` after an evaluation of J, its gradient and A at θ, and then in turn
``propose``, ``bend`` and ``accept`` until a trial is accepted or there is a reason to stop.
"""

from __future__ import annotations

import math

import numpy as np
from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.linalg.cholesky import factor, solve
from batchprop.solvers.levenberg_marquardt.damping import less_damping, more_damping
from batchprop.solvers.stopping import CANCELLED, DAMPING, RUNNING, STEP
from batchprop.threads.cancellation import WRITTEN, check, is_cancelled

ROUNDING = 1e-15  # of J, as a share of it


@helper
def begin(penalty, state, work, loss):
    """Take note of J(θ) and of where the iteration begins, and add the penalty's part to A."""
    A, levels = work.matrix, work.levels
    W_h = penalty.m * penalty.e
    for i in range(W_h):
        A[i, i] += penalty.rate_h
    W_y = W_h + penalty.m
    for i in range(W_y, W_y + penalty.s * penalty.m):
        A[i, i] += penalty.rate_y
    diagonal = 0.0
    for i in range(A.shape[0]):
        diagonal += A[i, i]
    levels[0] = loss
    levels[2] = diagonal / A.shape[0]
    levels[3], levels[4] = state.memory.damping[0], state.memory.growth[0]
    levels[5] = state.calls[0]


@helper
def take_back(state, work):
    """Leave the state as it was when the iteration began: the run can go on from there."""
    state.memory.damping[0], state.memory.growth[0] = work.levels[3], work.levels[4]
    state.calls[0] = np.int64(work.levels[5])


@returning(types.boolean)
def _factorise(work, damping):
    """Factorise A + μ D; return False where that fails."""
    A, L = work.matrix, work.factor
    shift = damping * work.levels[2]
    for row in range(A.shape[0]):
        for column in range(row + 1):
            L[row, column] = A[row, column]
        L[row, row] += shift
        if check(work.token, WRITTEN * row):
            return False
    return factor(L, A.shape[0], work.tile, work.token) > 0.0


@returning(types.float64)
def _norm(vector):
    """Return ‖vector‖."""
    total = 0.0
    for i in range(vector.size):
        total += vector[i] * vector[i]
    return math.sqrt(total)


@returning(types.float64)
def distance(one, other):
    """Return ‖one − other‖."""
    total = 0.0
    for i in range(one.size):
        total += (one[i] - other[i]) ** 2
    return math.sqrt(total)


@returning(types.int64)
def propose(settings, memory, work, theta):
    """Write p and the points θ, θ + p and θ − p; return a reason to stop, or RUNNING.

    After CANCELLED, here or in an evaluation that follows, the caller calls ``take_back``.
    """
    factorised = False
    while not factorised:
        if not memory.damping[0] <= settings.max_damping:
            return DAMPING
        factorised = _factorise(work, memory.damping[0])
        if is_cancelled(work.token):
            return CANCELLED
        if not factorised:
            more_damping(memory)
    p, gradient, points, trial = work.step, work.gradient, work.points, work.trial
    n, mu = p.size, memory.damping[0] * work.levels[2]
    for i in range(n):
        p[i] = -0.5 * gradient[i]
    solve(work.factor, n, p, work.tile, work.token)
    if is_cancelled(work.token):
        return CANCELLED
    predicted = 0.0
    for i in range(n):
        predicted += p[i] * (mu * p[i] - 0.5 * gradient[i])
        points[i] = theta[i]
        points[n + i] = trial[i] = theta[i] + p[i]
        points[2 * n + i] = theta[i] - p[i]
    work.levels[1] = predicted
    if _norm(p) <= settings.step_tol * (_norm(theta) + settings.step_tol):
        return STEP
    return RUNNING


@returning(types.boolean)
def bend(settings, memory, work, accelerated):
    """Complete the trial point; return False if the step is too curved to be worth a trial.

    ``work.bend`` holds Jᵀ y″ if ``accelerated``.
    """
    if not accelerated:
        return True
    a, trial = work.bend, work.trial
    for i in range(a.size):
        a[i] *= -0.5
    solve(work.factor, a.size, a, work.tile, work.token)
    if not 2.0 * _norm(a) <= settings.acceleration * _norm(work.step):
        more_damping(memory)
        return False
    for i in range(a.size):
        trial[i] += a[i]
    return True


@returning(types.boolean)
def accept(memory, work, loss):
    """Judge a trial by its J, and adapt μ.

    Where all that is left to gain would be lost in the rounding of J, the model is trusted: the
    gradient can become smaller still.
    """
    before, predicted = work.levels[0], work.levels[1]
    rounding = ROUNDING * before
    gain = (before - loss) / predicted
    if predicted <= rounding and abs(before - loss) <= rounding:
        gain = 1.0
    if gain > 0.0 and math.isfinite(loss):
        less_damping(memory, gain)
        return True
    more_damping(memory)
    return False
