"""``State``, everything that changes while a solver runs, and where in an epoch a run is.

An epoch evaluates θ, judges the evaluation (``stopping.judge``) and then takes a step.  ``epoch``
counts steps and ``evaluations`` counts judged evaluations, so comparing the two tells what is next.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from batchprop.compiler.jit import helper, returning

Array = npt.NDArray[Any]


class State(NamedTuple):
    """The state of a run.  The names of the fields are keys of checkpoint files.

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


def initial_state(theta: Array, memory: Any) -> State:
    """Return the state of a run that has not begun; ``memory`` is the solver's."""
    return State(
        theta=theta.copy(),
        previous=theta.copy(),
        best=theta.copy(),
        memory=memory,
        best_score=np.array([np.inf]),
        best_loss=np.array([np.nan]),
        reference=np.array([np.inf]),
        epoch=np.zeros(1, np.int64),
        best_epoch=np.zeros(1, np.int64),
        reference_epoch=np.zeros(1, np.int64),
        evaluations=np.zeros(1, np.int64),
        calls=np.zeros(1, np.int64),
        gradient_norm=np.array([np.nan]),
        step=np.array([np.nan]),
    )


def is_judged(state: State) -> bool:
    """Return whether θ has been judged and no step has been taken from there."""
    return bool(state.evaluations[0] > state.epoch[0])


def is_ahead(state: State) -> bool:
    """Return whether θ has moved since its last evaluation: its values may have overflown."""
    return bool(0 < state.evaluations[0] <= state.epoch[0])


def uncount_last_evaluation(state: State) -> None:
    """Take the last evaluation out of the counts, if a rule stopped the run after it.

    A resumed run evaluates θ again, because its next step needs the gradient, and the evaluation
    must not count twice.  Evaluation and judgement have the same bits both times.
    """
    if is_judged(state):
        state.evaluations[0] -= 1
        state.calls[0] -= 1


def undo_step(state: State) -> None:
    """Go back to θ before the last step, if there was one; only once, as θ before that is lost."""
    if state.epoch[0] > 0:
        for i in range(state.theta.size):
            state.theta[i] = state.previous[i]
        state.epoch[0] -= 1


# The same functions for kernels.
is_judged_helper = returning(types.boolean)(is_judged)
undo_step_helper = helper(undo_step)
