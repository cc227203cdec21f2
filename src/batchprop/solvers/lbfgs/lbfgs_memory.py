"""The memory of L-BFGS between evaluations, its arrays and their named fields; its settings.

The memory consists of arrays, so that a checkpoint can store it.  ``Search`` and ``Counts`` name
the elements of the arrays ``search`` and ``counts``, in order; ``with_named_fields`` returns views
by these names.  Checkpoints hold the arrays, not these names.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from batchprop.files.pytree import hollow, zeros
from batchprop.solvers.run_state import State

Array = npt.NDArray[Any]
Fields = TypeVar("Fields", bound=NamedTuple)

MAX_PAIRS = 80  # by default

# Counts.phase: what the next evaluation is.
START = 0  # the first of a run
TRIAL = 1  # a trial of the line search
TRIAL_ACCEPTED = 2  # a trial that was accepted already: evaluated again where a run goes on
RETURN_TO_BEST = 3  # the best step of a line search that has ended without an accepted trial
RETURN_AND_STOP = 4  # the same, and the run ends there


class LbfgsSettings(NamedTuple):
    """The numbers of L-BFGS.

    Attributes
    ----------
    history_size : int
        Pairs (Δθ, Δg) to keep.
    c_1, c_2 : float
        c₁ and c₂ of the Wolfe conditions, 0 < c₁ < c₂ < 1.
    max_trials : int
        Points that a line search tries at most.
    max_evaluations : int
        Evaluations of loss and gradient at most.
    """

    history_size: int = MAX_PAIRS
    c_1: float = 1e-4
    c_2: float = 0.9
    max_trials: int = 30
    max_evaluations: int = 2**62


class Search(NamedTuple):
    """The line search along p, φ(a) = F(θ + a p); each field is an ndarray, shape (1,), float64.

    Attributes
    ----------
    step_length
        a, the step length of the next trial.
    start_value, start_slope
        φ(0) and φ′(0).
    noise
        A bound of φ's rounding error.
    low, low_value, low_slope
        a, φ and φ′ of the best trial; at first, those of a = 0.
    high, high_value, high_slope
        The same at the other end of the bracket.
    width
        |high − low| when the last step inside the bracket was chosen.
    first_F
        F at the start of the run.
    idle_reference
        F at its last decrease beyond the noise; an iteration that does not fall below it is idle.
    rounding
        Machine epsilon of θ's dtype.
    """

    step_length: Array
    start_value: Array
    start_slope: Array
    noise: Array
    low: Array
    low_value: Array
    low_slope: Array
    high: Array
    high_value: Array
    high_slope: Array
    width: Array
    first_F: Array
    idle_reference: Array
    rounding: Array


class Counts(NamedTuple):
    """The counters of a run; each field is an ndarray, shape (1,), int64.

    Attributes
    ----------
    phase
        What the next evaluation is: START, TRIAL, …
    n_pairs
        Pairs in the ring.
    newest
        Row of the newest pair.
    n_trials
        Trials of this line search.
    bracketed
        1 if a minimum lies between ``low`` and ``high``, else 0.
    n_idle
        Idle iterations in a row; see ``Search.idle_reference``.
    """

    phase: Array
    n_pairs: Array
    newest: Array
    n_trials: Array
    bracketed: Array
    n_idle: Array


class Memory(NamedTuple):
    """The last steps and the line search.

    Attributes
    ----------
    steps, changes : ndarray, shape (history_size, P), float64
        Δθ = θ₊ − θ and Δg = g₊ − g of the last iterations, in a ring.
    products : ndarray, shape (2, history_size), float64
        1/ΔθᵀΔg of each pair, and the coefficients of the first loop.
    diagonal : ndarray, shape (P,), float64
        D, the diagonal that B⁻¹ starts from.
    direction, gradient : ndarray, shape (P,), float64
        p and g where the line search starts.
    search : ndarray, shape (14,), float64; in kernels a Search
        The line search.
    counts : ndarray, shape (6,), int64; in kernels a Counts
        The counters.
    """

    steps: Array
    changes: Array
    products: Array
    diagonal: Array
    direction: Array
    gradient: Array
    search: Any
    counts: Any


def named(fields: type[Fields], array: Array) -> Fields:
    """Return the elements of ``array`` as views, shape (1,), by the names of a NamedTuple."""
    return fields._make(array[i : i + 1] for i in range(array.size))


def with_named_fields(memory: Memory) -> Memory:
    """Return a memory on the same arrays whose ``search`` and ``counts`` have named fields."""
    search, counts = named(Search, memory.search), named(Counts, memory.counts)
    return memory._replace(search=search, counts=counts)


def kernel_state(state: State) -> State:
    """Return a state on the same arrays, as kernels take it: ``state.memory.search.width[0]``."""
    return state._replace(memory=with_named_fields(state.memory))


def default_history(n_parameters: int) -> int:
    """Return how many pairs to keep: 80, or fewer if 80 would take more than 128 MiB."""
    return max(10, min(MAX_PAIRS, 2**27 // (16 * n_parameters)))


def form(settings: LbfgsSettings, n_parameters: int) -> Memory:
    """Return the shapes and dtypes of the memory, in arrays that take no memory."""
    n, n_rows = n_parameters, settings.history_size
    return Memory(
        steps=hollow((n_rows, n)),
        changes=hollow((n_rows, n)),
        products=hollow((2, n_rows)),
        diagonal=hollow((n,)),
        direction=hollow((n,)),
        gradient=hollow((n,)),
        search=hollow((len(Search._fields),)),
        counts=hollow((len(Counts._fields),), np.int64),
    )


def memory(settings: LbfgsSettings, n_parameters: int) -> Memory:
    """Return the memory of a run that has not begun."""
    return zeros(form(settings, n_parameters))._replace(diagonal=np.ones(n_parameters))
