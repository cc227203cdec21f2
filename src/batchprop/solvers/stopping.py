"""The state of a run, the stopping rules and the best network: the same for every solver."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import helper, returning

Array = npt.NDArray[Any]

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
    """

    max_epochs: int
    target_loss: float
    gradient_tol: float
    tol: float
    window: int
    patience: int
    validating: bool


class State(NamedTuple):
    """The state of a run: everything that changes while it runs.

    Attributes
    ----------
    theta, previous, best : ndarray, shape (P,)
        θ, θ before the last step, and θ of the best network.
    memory : ndarray or NamedTuple of ndarrays
        The solver's memory.
    best_score, best_loss : ndarray, shape (1,), float64
        Score and loss of the best network; the score is F, or the validation loss.
    reference : ndarray, shape (1,), float64
        F at its last notable decrease.
    epoch, best_epoch, reference_epoch : ndarray, shape (1,), int64
        Steps that led to θ, to the best network, and to ``reference``.
    evaluations : ndarray, shape (1,), int64
        Epochs 0, 1, … with a finite evaluation so far.
    calls : ndarray, shape (1,), int64
        All evaluations of F, those of line searches included.
    gradient_norm, step : ndarray, shape (1,), float64
        ‖∂F/∂θ‖ at the last evaluation; length of the last step.
    """

    theta: Array
    previous: Array
    best: Array
    memory: Any
    best_score: Array
    best_loss: Array
    reference: Array
    epoch: Array
    best_epoch: Array
    reference_epoch: Array
    evaluations: Array
    calls: Array
    gradient_norm: Array
    step: Array


def start(theta: Array, memory: Any) -> State:
    """Return the state of a run that has not begun; ``memory`` is the solver's."""
    return State(
        theta=theta.copy(),
        previous=theta.copy(),
        best=theta.copy(),
        memory=memory,
        best_score=np.full(1, np.inf),
        best_loss=np.full(1, np.nan),
        reference=np.full(1, np.inf),
        epoch=np.zeros(1, np.int64),
        best_epoch=np.zeros(1, np.int64),
        reference_epoch=np.zeros(1, np.int64),
        evaluations=np.zeros(1, np.int64),
        calls=np.zeros(1, np.int64),
        gradient_norm=np.full(1, np.nan),
        step=np.full(1, np.nan),
    )


def step_back(state: State) -> None:
    """Take the last evaluation out of the counts, if a rule stopped the run after it.

    A resumed run evaluates θ again, because its next step needs the gradient, and the evaluation
    must not count twice.  Evaluation and judgement have the same bits both times.
    """
    if state.evaluations[0] > state.epoch[0]:
        state.evaluations[0] -= 1
        state.calls[0] -= 1


@helper
def copy(source, target):
    """Copy a flat vector; a slice assignment is more code, which shows with 13 parameters."""
    for i in range(source.size):
        target[i] = source[i]


@returning(types.float64)
def gradient_norm(gradient, theta):
    """Return ‖gradient‖; it is NaN or inf if any element of the gradient or of θ is."""
    total = 0.0
    for i in range(gradient.size):
        g = np.float64(gradient[i])
        # 0·θ is 0 unless θ is not finite; the loss need not show that, as tanh(inf) is 1
        total += g * g + 0.0 * theta[i]
    return math.sqrt(total)


@returning(types.boolean)
def is_last(rules, state):
    """Return whether no step follows the evaluation at θ, so that it needs no gradient."""
    return state.epoch[0] >= rules.max_epochs


@returning(types.int64)
def judge(rules, state, objective, loss, validation_loss, gradient):
    """Record an evaluation at ``state.theta``; return RUNNING, or the reason to stop.

    ``objective`` is F; ``loss`` and ``validation_loss`` are in the user's units.  The evaluation
    after the last step has no gradient, so ``state.gradient_norm`` keeps its value.
    """
    norm = gradient_norm(gradient, state.theta)
    epoch = state.epoch[0]
    score = validation_loss if rules.validating else objective
    if not (
        math.isfinite(objective)
        and math.isfinite(loss)
        and math.isfinite(norm)
        and math.isfinite(score)
    ):
        return NON_FINITE
    state.evaluations[0] += 1
    last = epoch >= rules.max_epochs
    if not last:
        state.gradient_norm[0] = norm
    if score < state.best_score[0]:
        state.best_score[0] = score
        state.best_loss[0] = validation_loss if rules.validating else loss
        state.best_epoch[0] = epoch
        copy(state.theta, state.best)
    if objective < state.reference[0] * (1.0 - rules.tol) or epoch == 0:
        state.reference[0] = objective
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
