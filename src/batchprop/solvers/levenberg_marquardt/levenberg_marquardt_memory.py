"""Levenberg–Marquardt: its memory between iterations, its work space, and its settings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.linalg.cholesky import WORK, matrix_memory
from batchprop.threads.cancellation import Cancellation, Token, leader_token

Array = npt.NDArray[Any]


class LevenbergMarquardtSettings(NamedTuple):
    """The numbers of Levenberg–Marquardt.

    Attributes
    ----------
    damping : float
        λ of the first step, relative to d, the mean of A's diagonal (MATLAB's ``mu``).
    max_damping : float
        Stop when no step is acceptable with a λ up to this (MATLAB's ``mu_max``).
    step_tol : float
        Stop when a step is not longer than ``step_tol`` · (‖θ‖ + ``step_tol``); 0 switches it off.
    max_correction : float
        Add the second-order correction q to a step p (geodesic acceleration); the step is too long
        if 2‖q‖ is more than this share of ‖p‖.  0 switches the correction off.
    """

    damping: float = 1e-3
    max_damping: float = 1e10
    step_tol: float = 1e-15
    max_correction: float = 0.75


class Memory(NamedTuple):
    """What an iteration passes on to the next: part of a run's state.

    Attributes
    ----------
    damping : ndarray, shape (1,), float64
        λ.
    growth : ndarray, shape (1,), float64
        Factor by which λ grows if the next trial is rejected.
    """

    damping: Array
    growth: Array


class Work(NamedTuple):
    """Work space of one iteration; no checkpoint stores it.

    Attributes
    ----------
    gradient : ndarray, shape (P,), float64
        g = ∂F/∂θ.
    matrix : ndarray, shape (P, P), float64
        A = JᵀJ + penalty, the lower triangle.
    factor, tile : ndarray, float64
        Cholesky factor of A + λ d I, and memory to compute it in.
    step : ndarray, shape (P,), float64
        p.
    points : ndarray, shape (3 P,), float64
        θ, θ + p and θ − p.
    correction : ndarray, shape (P,), float64
        Jᵀ y″, then q.
    trial : ndarray, shape (P,), float64
        θ + p or θ + p + q.
    F, predicted_decrease : ndarray, shape (1,), float64
        F(θ), and the decrease of F that the model predicts for p.
    mean_diagonal : ndarray, shape (1,), float64
        d.
    initial_damping, initial_growth : ndarray, shape (1,), float64
        The memory when the iteration began.
    initial_calls : ndarray, shape (1,), int64
        ``State.calls`` when the iteration began.
    token : Token
        Whether the run is cancelled.
    """

    gradient: Array
    matrix: Array
    factor: Array
    tile: Array
    step: Array
    points: Array
    correction: Array
    trial: Array
    F: Array
    predicted_decrease: Array
    mean_diagonal: Array
    initial_damping: Array
    initial_growth: Array
    initial_calls: Array
    token: Token


def memory(settings: LevenbergMarquardtSettings) -> Memory:
    """Return the memory of a run that has not begun."""
    return Memory(np.full(1, settings.damping), np.full(1, 2.0))


def work(n_parameters: int, cancellation: Cancellation | None = None) -> Work:
    """Return the work space for P parameters."""
    n = n_parameters
    return Work(
        gradient=np.zeros(n),
        matrix=np.zeros((n, n)),
        factor=matrix_memory(n),
        tile=np.zeros(WORK),
        step=np.zeros(n),
        points=np.zeros(3 * n),
        correction=np.zeros(n),
        trial=np.zeros(n),
        F=np.zeros(1),
        predicted_decrease=np.zeros(1),
        mean_diagonal=np.zeros(1),
        initial_damping=np.zeros(1),
        initial_growth=np.zeros(1),
        initial_calls=np.zeros(1, np.int64),
        token=leader_token(cancellation),
    )
