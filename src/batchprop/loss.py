"""The loss of a network, its gradient and its Gauss–Newton matrix: one call, any engine."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import engines, penalty, validation
from batchprop.engines.samples import Samples
from batchprop.network import Network
from batchprop.network_loss import network_loss
from batchprop.parameters import Gradient


def loss_and_gradient(
    network: Network,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    engine: str = "fused",
    n_threads: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
    alpha: float | tuple[float, float] = 0.0,
) -> tuple[float, Gradient]:
    """Return L = (1/N) Σ_i ‖y_i − t_i‖² and ∂L/∂θ; with ``alpha``, the penalised F and ∂F/∂θ.

    Parameters
    ----------
    network : Network
        The network to evaluate; its dtype is the dtype of the computation.
    X : array_like, shape (e, N)
        Inputs, one sample per column, in C or Fortran order; read-only arrays and memory maps are
        accepted.
    T : array_like, shape (s, N)
        Targets.  For a float32 network L is computed with float64 targets, and the gradient with
        rounded ones.
    engine : {"fused", "vectorized", "naive"}
        The implementation to use.
    n_threads : int or None
        Maximum number of threads (fused engine only).  None chooses it from the amount of work and
        the CPUs that the process may use.  The result does not depend on it.
    sample_weight : array_like, shape (N,), or None
        Non-negative weights w: L = Σ_i w_i ‖y_i − t_i‖² / Σ_i w_i.
    alpha : float, or pair of floats
        If not 0, return F = L + (α/Σw) (‖W_h‖² + ‖W_y‖²) and its gradient, where Σw = N without
        weights; biases are not penalised.  A pair (α_h, α_y) has one α ≥ 0 for each of W_h and
        W_y.  ``train(..., scale=False, alpha=alpha)`` minimises this F.

    Returns
    -------
    loss : float
        L, the mean over samples of the squared error summed over outputs; F with ``alpha``.
    gradient : Gradient
        The gradient as blocks ``W_h``, ``b_h``, ``W_y``, ``b_y`` and as a flat vector ``theta``.

    Raises
    ------
    TypeError, ValueError
        An argument is invalid; the message says which one and what to do.

    Notes
    -----
    Results 7 to 9 of https://batchprop.readthedocs.io/en/latest/derivation.html

    Examples
    --------
    >>> from batchprop import Network, loss_and_gradient
    >>> network = Network([[1.0]], [0.0], [[2.0]], [1.0], activation="identity")  # y = 2 x + 1
    >>> loss, gradient = loss_and_gradient(network, X=[[0.0, 1.0]], T=[[0.0, 1.0]])
    >>> loss  # ((1 - 0)² + (3 - 1)²) / 2
    2.5
    >>> gradient.b_y, gradient.W_h  # the means of 2 r and of 2 r W_y x
    (array([3.]), array([[4.]]))
    """
    validation.network(network, Network)
    e, _, s = network.shape
    X, T = validation.tables(X, T, e, s, dtype=network.dtype)
    weight = validation.sample_weight(sample_weight, X.shape[1], X.shape[0])
    module = engines.load(validation.choice("engine", engine, engines.names()))
    threads = validation.n_threads(n_threads)
    rates = penalty.rates_of(validation.penalty(alpha), X.shape[1], weight)
    flat = np.empty_like(network.theta)
    samples = Samples(X, T, weight)
    with module.Objective(
        samples, network.shape, network.activation, network.dtype, threads, repeated=False
    ) as objective:
        loss = objective.loss_and_gradient(network.theta, flat)
    if T.dtype.itemsize > network.dtype.itemsize:  # engines round T to the network's dtype
        loss = network_loss(network, X, T, weight, engine=engine, n_threads=threads)
    loss += penalty.add_penalty(rates, network.theta, network.shape, flat)
    return loss, Gradient(flat, network.shape)


class GaussNewton(NamedTuple):
    """Loss, gradient and Gauss–Newton matrix at one θ.

    Attributes
    ----------
    loss : float
        L.
    gradient : Gradient
        ∂L/∂θ, float64.
    JTJ : ndarray, shape (P, P)
        JᵀJ, float64, in the order of θ.
    """

    loss: float
    gradient: Gradient
    JTJ: npt.NDArray[Any]


def gauss_newton(
    network: Network,
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    engine: str = "fused",
    n_threads: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> GaussNewton:
    """Return L, ∂L/∂θ and JᵀJ = (1/N) Σ_i J_iᵀ J_i, where J_i = ∂y_i/∂θ, of shape (s, P).

    Like L, JᵀJ is a mean over samples.  So 2 JᵀJ is the Hessian of L without the terms that
    multiply residuals by second derivatives (the Gauss–Newton approximation), and the gradient of
    L is 2 Jᵀr, also a mean.  Everything is computed in float64, whatever the network's dtype.  The
    fused engine needs memory for a few (P, P) matrices, independent of N.

    Parameters
    ----------
    network : Network
        The network to evaluate.
    X : array_like, shape (e, N)
        Inputs, one sample per column, in C or Fortran order; read-only arrays and memory maps are
        accepted.
    T : array_like, shape (s, N)
        Targets.
    engine : {"fused", "vectorized", "naive"}
        The implementation to use.
    n_threads : int or None
        Maximum number of threads (fused engine only).  None chooses it from the amount of work and
        the CPUs that the process may use.  The result does not depend on it.
    sample_weight : array_like, shape (N,), or None
        Non-negative weights w: JᵀJ = Σ_i w_i J_iᵀ J_i / Σ_i w_i.

    Returns
    -------
    GaussNewton
        ``loss``; ``gradient`` with its blocks; ``JTJ`` (P, P), symmetric, with rows and columns in
        the order of ``network.theta``: W_h, b_h, W_y, b_y, each row-major.

    Raises
    ------
    TypeError, ValueError
        An argument is invalid; the message says which one and what to do.

    Notes
    -----
    https://batchprop.readthedocs.io/en/latest/derivation.html, "The Gauss–Newton matrix".

    Examples
    --------
    >>> from batchprop import Network, gauss_newton
    >>> network = Network([[1.0]], [0.0], [[2.0]], [1.0], activation="identity")  # y = 2 x + 1
    >>> loss, gradient, JTJ = gauss_newton(network, X=[[0.0, 1.0]], T=[[0.0, 1.0]])
    >>> JTJ  # the mean of J_iᵀ J_i, where J_i = (W_y x_i, W_y, h_i, 1)
    array([[2. , 2. , 1. , 1. ],
           [2. , 4. , 1. , 2. ],
           [1. , 1. , 0.5, 0.5],
           [1. , 2. , 0.5, 1. ]])
    """
    validation.network(network, Network)
    e, _, s = network.shape
    X, T = validation.tables(X, T, e, s, dtype=np.float64)
    weight = validation.sample_weight(sample_weight, X.shape[1], X.shape[0])
    module = engines.load(validation.choice("engine", engine, engines.names()))
    threads = validation.n_threads(n_threads)
    theta = network.theta.astype(np.float64)
    flat, JTJ = np.empty_like(theta), np.empty((theta.size, theta.size))
    samples = Samples(X, T, weight)
    with module.GaussNewtonObjective(
        samples, network.shape, network.activation, np.float64, threads, repeated=False
    ) as objective:
        loss = objective.gauss_newton(theta, flat, JTJ)
    return GaussNewton(loss, Gradient(flat, network.shape), JTJ)
