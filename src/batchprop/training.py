"""Training: the loop around a solver, with its history, its best network and its ways to end."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import engines, options, validation
from batchprop.network import Network
from batchprop.progress import ProgressLine
from batchprop.result import Progress, TrainResult
from batchprop.solvers.names import Settings
from batchprop.solvers.stopping import (
    CONVERGED,
    NON_FINITE,
    REASONS,
    RUNNING,
    Rules,
    State,
    start,
)

Array = npt.NDArray[Any]
Callback = Callable[[Progress], object]

_BURST_SECONDS = 0.05  # compiled epochs between two looks at the clock, at Ctrl-C and the like


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
    max_epochs: int = 1000,
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
        η > 0; None is 0.01 for gd and adam, 0.005 for momentum and nesterov.
    momentum : float
        μ in [0, 1) of momentum and nesterov.
    beta_1, beta_2, epsilon : float
        Adam's decay rates in [0, 1) and its small constant > 0.
    max_epochs : int
        Steps at most.
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
        ``callback(progress)`` is called after evaluations; a true answer stops the run.
    callback_every : int
        Call it after every so many epochs; more leaves longer stretches to compiled code.
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
        Loss or gradient became NaN or infinite; the last finite network is kept.

    Notes
    -----
    Ctrl-C ends the run and returns the best network so far, with ``stop_reason`` "interrupted".
    The gradient is that of ``docs/derivation.md``; the steps are in ``solvers/first_order.py``.
    """
    began = time.perf_counter()
    if network is not None:
        validation.network(network, Network)
    samples = options.data(X, T, sample_weight, X_val, T_val, network)
    first = options.start_network(network, samples, hidden_size, activation, seed, dtype)
    settings = options.settings(solver, learning_rate, momentum, beta_1, beta_2, epsilon)
    rules = options.rules(
        max_epochs, target_loss, gradient_tol, tol, n_epochs_no_change, patience,
        samples.X_val is not None,
    )  # fmt: skip
    name = options.engine(engine)
    threads = validation.n_threads(n_threads)
    limit = options.seconds(max_seconds)
    validation.function("callback", callback)
    every = validation.count("callback_every", callback_every)
    line = ProgressLine(rules.max_epochs) if validation.flag("progress", progress) else None

    state = start(first.theta)
    with ExitStack() as stack:
        run = _run(name, settings, rules, state, samples, first, threads, stack)
        history, reason = _advance(
            run, rules, state, began, limit, callback, every if callback else None, line
        )
    if reason == REASONS[NON_FINITE]:
        _warn_non_finite(samples.X, settings, state)
    return _result(first, rules, state, history, reason, began)


def _run(
    engine: str,
    settings: Settings,
    rules: Rules,
    state: State,
    samples: options.Data,
    first: Network,
    threads: int | None,
    stack: ExitStack,
) -> Any:
    """Prepare the data for an engine and return its loop; ``stack`` closes what it opens."""
    from batchprop.solvers.descent import FusedRun, InterpretedRun  # loads numba

    module = engines.load(engine)
    form = first.shape, first.activation, first.dtype, threads
    objective: Any = stack.enter_context(
        module.Objective(samples.X, samples.T, samples.sample_weight, *form)
    )
    held_out: Any = None
    if samples.X_val is not None and samples.T_val is not None:
        held_out = stack.enter_context(module.Objective(samples.X_val, samples.T_val, None, *form))
    kind = FusedRun if engine == "fused" else InterpretedRun
    return kind(settings, rules, state, objective, held_out)


def _advance(
    run: Any,
    rules: Rules,
    state: State,
    began: float,
    limit: float,
    callback: Callback | None,
    every: int | None,
    line: ProgressLine | None,
) -> tuple[list[tuple[Array, Array]], str]:
    """Run in bursts until a rule, the clock, the callback or Ctrl-C ends it.

    The curves of each burst are listed before it runs: an interruption loses none of its entries.
    """
    curves: list[tuple[Array, Array]] = []
    burst, seen, reason = 1, None, REASONS[RUNNING]
    try:
        while reason == REASONS[RUNNING]:
            left = rules.max_epochs + 1 - int(state.epoch[0])
            size = min(burst if every is None else every if curves else 1, left)
            curves.append((np.empty(size), np.empty(size)))
            started = time.perf_counter()
            code, count = run.advance(*curves[-1])
            now = time.perf_counter()
            reason = REASONS[code]
            burst = int(np.clip(_BURST_SECONDS * count / (now - started), 1, 4 * burst))
            if code == NON_FINITE:
                break
            losses, validation_losses = curves[-1]
            seen = Progress(
                sum(done.size for done, _ in curves[:-1]) + count - 1,
                float(losses[count - 1]),
                float(validation_losses[count - 1]),
                float(state.best_score[0]),
                float(state.gradient_norm[0]),
                now - began,
            )
            if line is not None:
                line.show(seen)
            stop = callback is not None and callback(seen)
            if reason == REASONS[RUNNING] and (stop or now - began >= limit):
                reason = "callback" if stop else "max_seconds"
    except KeyboardInterrupt:
        reason = "interrupted"
    if line is not None and seen is not None:
        line.show(seen, last=True)
    return curves, reason


def _result(
    first: Network,
    rules: Rules,
    state: State,
    curves: list[tuple[Array, Array]],
    reason: str,
    began: float,
) -> TrainResult:
    """Put together what the run has come to."""
    if reason in ("callback", "max_seconds", "interrupted") and state.epoch[0] > 0:
        # the last step led to a place that was not evaluated any more: it does not count
        state.theta[:] = state.previous
        state.epoch[0] -= 1
    n_epochs, best_epoch = int(state.epoch[0]), int(state.best_epoch[0])
    seen = n_epochs + 1 if np.isfinite(state.best_score[0]) else 0
    losses, validation_losses = (
        np.concatenate([curve[which] for curve in curves])[:seen] for which in (0, 1)
    )

    def network(theta: Array) -> Network:
        return Network.from_theta(theta, first.shape, first.activation)

    return TrainResult(
        network=network(state.best),
        loss=float(losses[best_epoch]) if seen else float("nan"),
        validation_loss=float(validation_losses[best_epoch]) if seen else float("nan"),
        last_network=network(state.theta),
        loss_curve=losses,
        validation_loss_curve=validation_losses if rules.validating else np.empty(0),
        n_epochs=n_epochs,
        best_epoch=best_epoch,
        stop_reason=reason,
        converged=reason in CONVERGED,
        seconds=time.perf_counter() - began,
    )


def _warn_non_finite(X: Array, settings: Settings, state: State) -> None:
    """Say once what happened, what was kept and what most likely caused it."""
    sizes = np.maximum(np.abs(X.min(axis=1)), np.abs(X.max(axis=1)))
    row = int(sizes.argmax())
    cause = (
        f"row {row} of X reaches {sizes[row]:.3g}: standardise the inputs and targets"
        if sizes[row] > 30
        else f"learning_rate={settings.learning_rate:g} is too large for these data: try "
        f"{settings.learning_rate / 10:g}"
    )
    warnings.warn(
        f"Loss or gradient became NaN or infinite after {int(state.epoch[0])} finite epochs; the "
        f"last finite network was kept and the best one is returned. Most likely {cause}.",
        RuntimeWarning,
        stacklevel=3,
    )
