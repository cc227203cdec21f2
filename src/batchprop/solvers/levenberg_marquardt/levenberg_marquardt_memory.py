"""What Levenberg–Marquardt remembers, the memory it computes in, and its numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.linalg.cholesky import WORK, matrix_memory
from batchprop.solvers.state_checks import check_evaluated, check_overflow, require
from batchprop.solvers.stopping import State
from batchprop.threads.cancellation import Cancellation, Token, leader_token

Array = npt.NDArray[Any]


class LmSettings(NamedTuple):
    """The numbers of Levenberg–Marquardt.

    Attributes
    ----------
    damping : float
        μ of the first step, as a share of the mean of JᵀJ's diagonal (MATLAB's ``mu``).
    max_damping : float
        Stop when no step is acceptable with a μ up to this (MATLAB's ``mu_max``).
    step_tol : float
        Stop when a step is not longer than ``step_tol`` · (‖θ‖ + ``step_tol``); 0 switches it off.
    acceleration : float
        Bend a step p by a, the second-order correction, where 2‖a‖ is at most this share of ‖p‖;
        0 switches it off.
    """

    damping: float = 1e-3
    max_damping: float = 1e10
    step_tol: float = 1e-15
    acceleration: float = 0.75


class Memory(NamedTuple):
    """What the next iteration knows of those before: part of a run's state.

    Attributes
    ----------
    damping : ndarray, shape (1,), float64
        μ.
    growth : ndarray, shape (1,), float64
        What μ is multiplied by if the next trial is rejected.
    """

    damping: Array
    growth: Array


class Work(NamedTuple):
    """Memory for one iteration; nothing in it outlives the iteration.

    Attributes
    ----------
    gradient : ndarray, shape (P,), float64
        ∂J/∂θ.
    matrix : ndarray, shape (P, P), float64
        A = JᵀJ and the penalty's part, the lower triangle.
    factor, tile : ndarray, float64
        Cholesky's factor of A + μ D, and memory for making it.
    step : ndarray, shape (P,), float64
        p.
    points : ndarray, shape (3 P,), float64
        θ, θ + p and θ − p.
    bend : ndarray, shape (P,), float64
        Jᵀ y″, then a.
    trial : ndarray, shape (P,), float64
        θ + p or θ + p + a.
    levels : ndarray, shape (6,), float64
        J(θ), the decrease that the model predicts for p, and D; then what the iteration began
        with: μ, its growth, and the number of evaluations.
    token : Token
        Whether the run goes on.
    """

    gradient: Array
    matrix: Array
    factor: Array
    tile: Array
    step: Array
    points: Array
    bend: Array
    trial: Array
    levels: Array
    token: Token


def memory(settings: LmSettings) -> Memory:
    """Return the memory of a run that has not begun."""
    return Memory(np.full(1, settings.damping), np.full(1, 2.0))


def work(n_parameters: int, cancellation: Cancellation | None = None) -> Work:
    """Return the memory for iterations with P parameters."""
    n = n_parameters
    return Work(
        np.zeros(n), np.zeros((n, n)), matrix_memory(n), np.zeros(WORK), np.zeros(n),
        np.zeros(3 * n), np.zeros(n), np.zeros(n), np.zeros(6), leader_token(cancellation),
    )  # fmt: skip


def check(settings: LmSettings, state: State, reason: str) -> None:
    """Check the memory of a state; raise ValueError that names the field."""
    check_evaluated(state)
    check_overflow(state, reason)
    damping, growth = state.memory.damping[0], state.memory.growth[0]
    require(damping > 0, "state.memory.damping", "be greater than 0")  # inf ends the run
    is_power = np.isfinite(growth) and growth >= 2 and np.frexp(growth)[0] == 0.5
    require(is_power, "state.memory.growth", "be 2, 4, 8, …")
