"""Training: from checked arguments through a solver's run to the best network seen."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import engines, non_finite, options, validation
from batchprop.bursts import Callback, History, Watch, advance
from batchprop.network import Network
from batchprop.progress import ProgressLine
from batchprop.result import TrainResult
from batchprop.solvers.descent import FusedRun, InterpretedRun
from batchprop.solvers.stopping import CONVERGED, NON_FINITE, REASONS, State, start


def train(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    hidden_size: int = 50,
    network: Network | None = None,
    activation: str = "tanh",
    solver: str = "gd",
    engine: str = "fused",
    learning_rate: float | None = None,
    momentum: float = 0.9,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    max_epochs: int | None = 1000,
    target_loss: float | None = None,
    gradient_tol: float | None = 1e-10,
    tol: float | None = 1e-6,
    n_epochs_no_change: int = 100,
    X_val: npt.ArrayLike | None = None,
    T_val: npt.ArrayLike | None = None,
    patience: int | None = None,
    max_seconds: float | None = None,
    callback: Callback | None = None,
    callback_every: int = 1,
    progress: bool = False,
    seed: int | None = 0,
    dtype: npt.DTypeLike | None = None,
    n_threads: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
) -> TrainResult:
    """Train a network with one hidden layer on all samples at each step.

    Minimises L = (1/N) Σ_i ‖y_i − t_i‖² (a sum over outputs, a mean over samples; weighted if
    ``sample_weight`` is given).  Inputs and targets are used as they are: columns of very
    different scale should be standardised first.

    Parameters
    ----------
    X : array_like, shape (e, N)
        Inputs, one sample a column, in either memory order; never copied whole, so that ``x.T`` of
        a row-major table and a read-only memory map are as welcome.  If rows are samples in your
        table, pass ``X.T``.
    T : array_like, shape (s, N)
        Targets.
    hidden_size : int
        m, the number of hidden units.
    network : Network or None
        Start from this one, which is left unchanged; None draws a start from ``seed``.
    activation : str
        σ of the hidden layer: identity, logistic, tanh, relu, softplus, elu or softsign.
    solver : {"gd", "momentum", "nesterov", "adam"}
        How θ moves along the gradient.
    engine : {"fused", "vectorized", "naive"}
        What computes loss and gradient.
    learning_rate : float or None
        η > 0; None is 0.5/(m + e + 5) for gd, half of that for momentum and nesterov, and
        1/(m + e + 50) for adam: rates that suit standardised data, at any size of network.
    momentum : float
        μ in [0, 1) of momentum and nesterov.
    beta_1, beta_2, epsilon : float
        Adam's decay rates in [0, 1) and its small constant > 0.
    max_epochs : int or None
        Steps at most; 0 only evaluates, None sets no limit.
    target_loss : float or None
        Stop when L is at most this.
    gradient_tol : float or None
        Stop when ‖∂L/∂θ‖ is at most this; None or 0 switches the rule off.
    tol : float or None
        Stop when L has not fallen by this share of itself within ``n_epochs_no_change`` epochs;
        None or 0 switches the rule off.
    n_epochs_no_change : int
        See ``tol``.
    X_val, T_val : array_like, shapes (e, N_val) and (s, N_val), or None
        Validation data: the network of the lowest validation loss is returned.
    patience : int or None
        Stop when the validation loss has had no new minimum for so many epochs.
    max_seconds : float or None
        Stop after so many seconds, looked at about every 0.05 s.
    callback : callable or None
        ``callback(progress)`` is told where the run stands (see ``batchprop.result.Progress``); a
        true answer stops it.  What it raises ends the run and is passed on.
    callback_every : int
        It is called at epoch 0, after every so many epochs and at the end; more leaves longer
        stretches to compiled code.
    progress : bool
        Show a progress line on standard error.
    seed : int or None
        Of the start; the same seed gives the same start on every engine.
    dtype : {"float32", "float64"} or None
        Of θ and the arithmetic; None takes the network's, or else that of X.
    n_threads : int or None
        At most so many threads (fused engine); None lets the size of the work and the process's
        CPUs decide.  Results have the same bits for any number.
    sample_weight : array_like, shape (N,), or None
        Non-negative weights: 2 equals a repeated sample, 0 a missing one.

    Returns
    -------
    TrainResult
        The best network seen, its loss, the history and the reason for stopping.

    Raises
    ------
    TypeError, ValueError
        An argument does not fit; raised before any work is done.

    Warns
    -----
    RuntimeWarning
        Loss or gradient became NaN or infinite; the last finite network is kept, and the likely
        cause named.

    Notes
    -----
    Ctrl-C ends the run and returns the best network so far, with ``stop_reason`` "interrupted".
    The gradient is that of ``docs/derivation.md``; the steps are in ``solvers/first_order.py``.
    What was evaluated counts: a step whose end was not evaluated any more is taken back.
    """
    began = time.perf_counter()
    settings = options.settings(solver, learning_rate, momentum, beta_1, beta_2, epsilon)
    rules = options.rules(
        max_epochs, target_loss, gradient_tol, tol, n_epochs_no_change, patience,
        validating=X_val is not None,
    )  # fmt: skip
    name = validation.choice("engine", engine, engines.ENGINES)
    threads = validation.n_threads(n_threads)
    every = validation.count("callback_every", callback_every)
    validation.function("callback", callback)
    line = ProgressLine(max_epochs) if validation.flag("progress", progress) else None
    watch = Watch(began, options.seconds(max_seconds), callback, every, line)
    wanted = options.start(network, hidden_size, activation, seed, dtype)
    data = options.data(X, T, sample_weight, X_val, T_val, wanted)
    first = options.start_network(wanted, data)
    settings = options.with_rate(settings, first.shape)

    state, history = start(first.theta), History()
    try:
        with ExitStack() as stack:
            objective, held_out = _objectives(name, data, first, threads, stack)
            kind = FusedRun if name == "fused" else InterpretedRun
            run = kind(settings, rules, state, objective, held_out)
            reason = advance(run, state, history, watch)
    except KeyboardInterrupt:
        reason = "interrupted"
    if reason == REASONS[NON_FINITE]:
        non_finite.warn(data, settings, int(state.evaluations[0]), stacklevel=2)
    return _result(first, state, history, rules.validating, reason, began)


def _objectives(
    engine: str, data: options.Data, first: Network, n_threads: int | None, stack: ExitStack
) -> tuple[Any, Any]:
    """Prepare training and validation data for an engine; ``stack`` closes what is opened."""
    module = engines.load(engine)
    form = first.shape, first.activation, first.dtype, n_threads
    objective = stack.enter_context(module.Objective(data.X, data.T, data.sample_weight, *form))
    if data.X_val is None or data.T_val is None:
        return objective, None
    return objective, stack.enter_context(module.Objective(data.X_val, data.T_val, None, *form))


def _result(
    first: Network, state: State, history: History, validating: bool, reason: str, began: float
) -> TrainResult:
    """Put together what the run has come to."""
    n_epochs, best_epoch = int(state.epoch[0]), int(state.best_epoch[0])
    last = state.theta
    if 0 < state.evaluations[0] <= n_epochs:  # the last step led to a place not evaluated any more
        n_epochs, last = n_epochs - 1, state.previous
    losses, validation_losses = history.curves(n_epochs + 1)

    def network(theta: npt.NDArray[Any]) -> Network:
        return Network.from_theta(theta, first.shape, first.activation)

    return TrainResult(
        network=network(state.best),
        loss=float(losses[best_epoch]),
        validation_loss=float(validation_losses[best_epoch]),
        last_network=network(last),
        loss_curve=losses,
        validation_loss_curve=validation_losses if validating else np.empty(0),
        n_epochs=n_epochs,
        best_epoch=best_epoch,
        stop_reason=reason,
        converged=reason in CONVERGED,
        seconds=time.perf_counter() - began,
    )
