"""The stopping rules, and the judgement that applies them: the same for every solver."""

from __future__ import annotations

import math
from typing import NamedTuple

from numba import types

from batchprop.compiler.jit import returning
from batchprop.solvers.run_state import State
from batchprop.solvers.vector_ops import copy, gradient_norm

RUNNING, MAX_EPOCHS, TARGET_LOSS, GRADIENT_NORM, STAGNATION, PATIENCE, NON_FINITE = range(7)
LINE_SEARCH, MAX_EVALUATIONS, DAMPING, STEP, METHOD, METHOD_GAVE_UP = range(7, 13)
CANCELLED = 13  # by the caller; not a stop reason
NEVER = 2**62  # an epoch that no run reaches
REASONS = {
    RUNNING: "running",
    MAX_EPOCHS: "max_epochs",
    TARGET_LOSS: "target_loss",
    GRADIENT_NORM: "gradient_norm",
    STAGNATION: "stagnation",
    PATIENCE: "patience",
    NON_FINITE: "non_finite",
    LINE_SEARCH: "line_search",
    MAX_EVALUATIONS: "max_evaluations",
    DAMPING: "damping",
    STEP: "step",
    METHOD: "method",
    METHOD_GAVE_UP: "method_gave_up",
}
CONVERGED = frozenset(
    {"target_loss", "gradient_norm", "stagnation", "line_search", "damping", "step", "method"}
)


class Rules(NamedTuple):
    """The stopping rules.  A rule that is switched off has a bound that is never reached.

    Attributes
    ----------
    max_epochs : int
        Steps at most; NEVER switches it off.
    target_loss : float
        Stop when L is at most this; −inf switches it off.
    gradient_tol : float
        Stop when ‖∂F/∂θ‖ is at most this; negative switches it off.
    tol : float
        Stop when F has not decreased by this fraction within ``window`` epochs; 0 switches it off.
    window : int
        Epochs to look back for stagnation.
    patience : int
        Stop when the validation loss has had no new minimum for so many epochs; a negative number
        switches it off.
    validating : bool
        Whether the best network is the one of the lowest validation loss.
    long_run : int
        From this epoch on, ``tol`` grows with the cube of the epochs; NEVER keeps it constant.

    Notes
    -----
    Without noise F often falls like a power of the epochs, k⁻ᵖ, and has no end: in w epochs it
    falls by the share p·w/k.  A constant tolerance is reached after p·w/tol epochs, millions; the
    growing one, tol (k/k₀)³, soon after k₀, at (p·w k₀³/tol)^¼, which hardly depends on p.
    """

    max_epochs: int
    target_loss: float
    gradient_tol: float
    tol: float
    window: int
    patience: int
    validating: bool
    long_run: int = NEVER


def is_last(rules: Rules, state: State) -> bool:
    """Return whether no step follows the evaluation at θ, so that it needs no gradient."""
    return bool(state.epoch[0] >= rules.max_epochs)


is_last_helper = returning(types.boolean)(is_last)  # the same function for kernels


@returning(types.float64)
def tolerance(rules, epoch):
    """Return the share of itself by which F has to fall within ``window`` epochs."""
    if epoch <= rules.long_run:
        return rules.tol
    growth = epoch / rules.long_run
    return rules.tol * growth * growth * growth


@returning(types.int64)
def judge(rules, state, F, loss, validation_loss, gradient):
    """Record an evaluation at ``state.theta``; return RUNNING, or the reason to stop.

    ``F`` is in standardised units, ``loss`` and ``validation_loss`` are in the user's.  The
    evaluation after the last step has no gradient, so ``state.gradient_norm`` keeps its value.
    """
    norm = gradient_norm(gradient, state.theta)
    epoch = state.epoch[0]
    score = validation_loss if rules.validating else F
    if not (
        math.isfinite(F) and math.isfinite(loss) and math.isfinite(norm) and math.isfinite(score)
    ):
        return NON_FINITE
    state.evaluations[0] += 1
    last = is_last_helper(rules, state)
    if not last:
        state.gradient_norm[0] = norm
    if score < state.best_score[0]:
        state.best_score[0] = score
        state.best_loss[0] = validation_loss if rules.validating else loss
        state.best_epoch[0] = epoch
        copy(state.theta, state.best)
    if F < state.reference[0] * (1.0 - tolerance(rules, epoch)) or epoch == 0:
        state.reference[0] = F
        state.reference_epoch[0] = epoch
    if loss <= rules.target_loss:
        return TARGET_LOSS
    if norm <= rules.gradient_tol and not last:
        return GRADIENT_NORM
    if rules.tol > 0 and epoch - state.reference_epoch[0] >= rules.window:
        return STAGNATION
    if rules.patience >= 0 and epoch - state.best_epoch[0] >= rules.patience:
        return PATIENCE
    if last:
        return MAX_EPOCHS
    return RUNNING
