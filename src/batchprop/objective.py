"""The loss of a network and its gradient: one call, any engine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from batchprop import engines, validation
from batchprop.network import Network
from batchprop.parameters import Gradient


def loss_and_gradient(
    network: Network,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    engine: str = "fused",
    n_threads: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> tuple[float, Gradient]:
    """Return L = (1/N) Σ_i ‖y_i − t_i‖² and ∂L/∂θ.

    Parameters
    ----------
    network : Network
        Where to evaluate; its dtype is the dtype of the computation.
    X : array_like, shape (e, N)
        Inputs, one sample a column; either memory order, read-only arrays and memory maps too.
    T : array_like, shape (s, N)
        Targets.
    engine : {"fused", "vectorized", "naive"}
        What computes it.
    n_threads : int or None
        At most so many threads (fused engine only); None lets the size of the work and the
        process's CPUs decide.  The result does not depend on it.
    sample_weight : array_like, shape (N,), or None
        Non-negative weights w: L = Σ_i w_i ‖y_i − t_i‖² / Σ_i w_i.

    Returns
    -------
    loss : float
        L, a sum over outputs and a mean over samples.
    gradient : Gradient
        Its blocks ``W_h``, ``b_h``, ``W_y``, ``b_y`` and all of them flat, ``theta``.

    Raises
    ------
    TypeError, ValueError
        An argument does not fit; the message says which, and what to do.

    Notes
    -----
    Results 7 to 9 of ``docs/derivation.md``.
    """
    validation.network(network, Network)
    e, _, s = network.shape
    X = validation.inputs(X, e, dtype=network.dtype)
    T = validation.targets(T, X, s, dtype=network.dtype)
    weight = validation.sample_weight(sample_weight, X.shape[1])
    module = engines.load(validation.choice("engine", engine, engines.ENGINES))
    threads = validation.n_threads(n_threads)
    flat = np.empty_like(network.theta)
    with module.Objective(
        X, T, weight, network.shape, network.activation, network.dtype, threads
    ) as objective:
        loss = objective.loss_and_gradient(network.theta, flat)
    return loss, Gradient(flat, network.shape)
