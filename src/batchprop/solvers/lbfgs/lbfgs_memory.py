"""What L-BFGS remembers between evaluations, all of it in arrays, and its settings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.files.pytree import hollow, zeros

Array = npt.NDArray[Any]

# what the next evaluation is
START, TRIAL, ACCEPTED, RETURN, LAST = range(5)
# places in ``counts``
PHASE, N_PAIRS, NEWEST, TRIALS, BRACKETED, IDLE = range(6)
# places in ``search``
STEP, LOSS, SLOPE, NOISE = range(4)  # of the search: next step; at its start
LOW, LOW_LOSS, LOW_SLOPE, HIGH, HIGH_LOSS, HIGH_SLOPE, WIDTH = range(4, 11)  # the bracket
FIRST_LOSS, REFERENCE, ROUNDING = range(11, 14)  # of the run
SEARCH_SIZE = 14


class LbfgsSettings(NamedTuple):
    """The numbers of L-BFGS.

    Attributes
    ----------
    history_size : int
        Pairs (s, y) to keep; 0 for ``default_history``.
    decrease, curvature : float
        c₁ and c₂ of the Wolfe conditions, 0 < c₁ < c₂ < 1.
    max_trials : int
        Points a line search tries at most.
    max_evaluations : int
        Evaluations of loss and gradient at most.
    """

    history_size: int = 0
    decrease: float = 1e-4
    curvature: float = 0.9
    max_trials: int = 30
    max_evaluations: int = 2**62


class Memory(NamedTuple):
    """The last steps, and where the line search stands.

    Attributes
    ----------
    steps, changes : ndarray, shape (h, P), float64
        s = θ₊ − θ and y = g₊ − g of the last h iterations, in a ring.
    products : ndarray, shape (2, h), float64
        1/sᵀy of each pair, and the coefficients of the first loop.
    diagonal : ndarray, shape (P,), float64
        D, an inverse Hessian's diagonal.
    direction, gradient : ndarray, shape (P,), float64
        d and g where the line search starts.
    search : ndarray, shape (SEARCH_SIZE,), float64
        The line search and the levels of rounding.
    counts : ndarray, shape (6,), int64
        Phase, pairs in the ring, place of the newest, trials, bracketed or not, idle iterations.
    """

    steps: Array
    changes: Array
    products: Array
    diagonal: Array
    direction: Array
    gradient: Array
    search: Array
    counts: Array


def default_history(n_parameters: int) -> int:
    """Return how many pairs to keep: 80, fewer where they would take more than 128 MiB."""
    return max(10, min(80, 2**27 // (16 * n_parameters)))


def form(settings: LbfgsSettings, n_parameters: int) -> Memory:
    """Return the shapes and dtypes of the memory, in arrays that take no room."""
    n = n_parameters
    h = settings.history_size or default_history(n)
    return Memory(
        steps=hollow((h, n)),
        changes=hollow((h, n)),
        products=hollow((2, h)),
        diagonal=hollow((n,)),
        direction=hollow((n,)),
        gradient=hollow((n,)),
        search=hollow((SEARCH_SIZE,)),
        counts=hollow((6,), np.int64),
    )


def memory(settings: LbfgsSettings, n_parameters: int) -> Memory:
    """Return the memory of a run that has not begun."""
    return zeros(form(settings, n_parameters))._replace(diagonal=np.ones(n_parameters))
