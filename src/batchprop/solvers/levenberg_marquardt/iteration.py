"""One iteration of Levenberg–Marquardt, between evaluations of the network.

With A = Σ w JᵀJ / Σ w + penalty and g = ∂F/∂θ a step p solves

    (A + λ d I) p = −½ g,    d = mean of A's diagonal

by Cholesky's factorisation.  The linear model leaves out how the outputs curve along p.  With the
second difference y″ = y(θ + p) − 2 y(θ) + y(θ − p) the second-order correction q solves

    (A + λ d I) q = −½ Σ w Jᵀ y″ / Σ w

and the trial point is θ + p + q.  This is geodesic acceleration (M. Transtrum and J. Sethna,
Improvements to the Levenberg–Marquardt algorithm for nonlinear least-squares minimization, 2012),
with a second difference over the whole step instead of the second derivative.  If 2‖q‖ > ¾‖p‖, the
step is too long for the model and λ is increased.

The loop calls ``begin`` after an evaluation of F, g and JᵀJ at θ.  Then it calls ``propose``,
``add_correction`` and ``accept`` in turn until a trial is accepted or there is a reason to stop.
"""

from __future__ import annotations

import math

from numba import types

from batchprop.compiler.jit import helper, returning
from batchprop.linalg.cholesky import factor, solve
from batchprop.solvers.levenberg_marquardt.damping import less_damping, more_damping
from batchprop.solvers.penalty_kernel import add_penalty_to_diagonal
from batchprop.solvers.stopping import CANCELLED, DAMPING, RUNNING, STEP
from batchprop.solvers.vector_ops import norm
from batchprop.threads.cancellation import WRITTEN, check, is_cancelled

ROUNDING = 1e-15  # of F, relative to it


@helper
def begin(penalty, state, work, F):
    """Begin an iteration at θ: complete A, compute d, and save what ``undo`` restores."""
    A = work.matrix
    add_penalty_to_diagonal(penalty, A)
    trace = 0.0
    for i in range(A.shape[0]):
        trace += A[i, i]
    work.mean_diagonal[0] = trace / A.shape[0]
    work.F[0] = F
    work.initial_damping[0] = state.memory.damping[0]
    work.initial_growth[0] = state.memory.growth[0]
    work.initial_calls[0] = state.calls[0]


@helper
def undo(state, work):
    """Restore the state of when the iteration began, so that a resumed run can begin it again."""
    state.memory.damping[0] = work.initial_damping[0]
    state.memory.growth[0] = work.initial_growth[0]
    state.calls[0] = work.initial_calls[0]


@returning(types.boolean)
def _factorise(work, damping):
    """Factorise A + λ d I; return False if that fails."""
    A, factor_matrix = work.matrix, work.factor
    shift = damping * work.mean_diagonal[0]
    for row in range(A.shape[0]):
        for column in range(row + 1):
            factor_matrix[row, column] = A[row, column]
        factor_matrix[row, row] += shift
        if check(work.token, WRITTEN * row):
            return False
    return factor(factor_matrix, A.shape[0], work.tile, work.token) > 0.0


@returning(types.int64)
def propose(settings, memory, work, theta):
    """Compute p and the points θ, θ + p and θ − p; return RUNNING, or the reason to stop.

    After CANCELLED, from here or from an evaluation that follows, the caller calls ``undo``.
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
    n = p.size
    # (A + λ d I) p = −½ g
    for i in range(n):
        p[i] = -0.5 * gradient[i]
    solve(work.factor, n, p, work.tile, work.token)
    if is_cancelled(work.token):
        return CANCELLED
    # The model F(θ) + gᵀp + pᵀA p predicts a decrease of pᵀ (λ d p − ½ g).
    shift, predicted = memory.damping[0] * work.mean_diagonal[0], 0.0
    for i in range(n):
        predicted += p[i] * (shift * p[i] - 0.5 * gradient[i])
        points[i] = theta[i]
        points[n + i] = trial[i] = theta[i] + p[i]
        points[2 * n + i] = theta[i] - p[i]
    work.predicted_decrease[0] = predicted
    if norm(p) <= settings.step_tol * (norm(theta) + settings.step_tol):
        return STEP
    return RUNNING


@returning(types.boolean)
def add_correction(settings, memory, work, uses_acceleration):
    """Add q to the trial point; return False if the step is too long for a trial.

    ``work.correction`` holds Σ w Jᵀ y″ / Σ w if ``uses_acceleration``;
    otherwise the trial is θ + p.
    """
    if not uses_acceleration:
        return True
    q, trial = work.correction, work.trial
    # (A + λ d I) q = −½ Σ w Jᵀ y″ / Σ w
    for i in range(q.size):
        q[i] *= -0.5
    solve(work.factor, q.size, q, work.tile, work.token)
    if not 2.0 * norm(q) <= settings.max_correction * norm(work.step):
        more_damping(memory)
        return False
    for i in range(q.size):
        trial[i] += q[i]
    return True


@returning(types.boolean)
def accept(memory, work, F):
    """Return whether ``F``, that of the trial, is low enough, and adapt λ.

    Once the possible decrease is below the rounding error of F, the model is trusted instead:
    the gradient can still become smaller.
    """
    decrease, predicted = work.F[0] - F, work.predicted_decrease[0]
    rounding = ROUNDING * work.F[0]
    gain = decrease / predicted  # ρ
    if predicted <= rounding and abs(decrease) <= rounding:
        gain = 1.0
    if gain > 0.0 and math.isfinite(F):
        less_damping(memory, gain)
        return True
    more_damping(memory)
    return False
