"""Training: from a call's arguments to the best network seen."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy.typing as npt

from batchprop.network import Network
from batchprop.training import convergence, divergence, setup
from batchprop.training.alpha_search import chosen
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.checkpoint.resume import resumed
from batchprop.training.loop import Callback
from batchprop.training.parallel import best_of, run_all
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.vocabulary import COLUMNS, Words


def train(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    *,
    hidden_size: int | None = None,
    network: Network | None = None,
    activation: str | None = None,
    solver: str = "auto",
    engine: str = "fused",
    learning_rate: float | None = None,
    momentum: float = 0.9,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    history_size: int | None = None,
    max_evaluations: int | None = None,
    damping: float = 1e-3,
    max_damping: float = 1e10,
    step_tol: float | None = 1e-15,
    method: str = "L-BFGS-B",
    method_options: dict[str, Any] | None = None,
    scale: bool = True,
    alpha: float | tuple[float, float] | str = 0.0,
    n_init: int = 1,
    max_epochs: int | str | None = "auto",
    target_loss: float | None = None,
    gradient_tol: float | None = 1e-10,
    tol: float | None = 1e-5,
    n_epochs_no_change: int | str = "auto",
    X_val: npt.ArrayLike | None = None,
    T_val: npt.ArrayLike | None = None,
    patience: int | str | None = None,
    max_seconds: float | None = None,
    callback: Callback | None = None,
    callback_every: int = 1,
    progress: bool = False,
    seed: int | None = 0,
    dtype: npt.DTypeLike | None = None,
    n_threads: int | None = None,
    sample_weight: npt.ArrayLike | None = None,
    resume: TrainResult | Checkpoint | str | os.PathLike[str] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 60.0,
) -> TrainResult:
    """Train a network with one hidden layer on all samples at each step.

    Minimises J = L̃ + (1/Σw) (α_h ‖W̃_h‖² + α_y ‖W̃_y‖²), where L̃ is the loss
    L = (1/N) Σ_i ‖y_i − t_i‖² (a sum over outputs, a mean over samples; weighted if
    ``sample_weight`` is given) of the standardised data, and W̃ the weights for those; with
    ``scale=False`` and ``alpha=0`` that is L itself.  The network that is returned takes and gives
    raw units.

    Parameters
    ----------
    X : array_like, shape (e, N)
        Inputs, one sample a column, in either memory order; never copied whole, so that ``x.T`` of
        a row-major table and a read-only memory map are as welcome.  If rows are samples in your
        table, pass ``X.T``.
    T : array_like, shape (s, N)
        Targets.
    hidden_size : int or None
        m, the number of hidden units; None is 50, or that of ``network``.
    network : Network or None
        Start from this one, which is left unchanged; None draws a start from ``seed``.
    activation : str or None
        σ of the hidden layer: identity, logistic, tanh, relu, softplus, elu or softsign; None is
        tanh, or that of ``network``.
    solver : {"auto", "lbfgs", "lm", "scipy", "gd", "momentum", "nesterov", "adam"}
        How θ moves: quasi-Newton steps (lbfgs), Levenberg–Marquardt's (lm), as a method of
        ``scipy.optimize.minimize`` wants it (scipy), or along the gradient;
        "auto" chooses between the first two by the sizes of the problem (``docs/solvers.md``).
    engine : {"fused", "vectorized", "naive"}
        What computes loss and gradient.
    learning_rate : float or None
        η > 0; None is 0.5/(m + e + 5) for gd, half of that for momentum and nesterov, and
        1/(m + e + 50) for adam: rates that suit standardised data, at any size of network.
    momentum : float
        μ in [0, 1) of momentum and nesterov.
    beta_1, beta_2, epsilon : float
        Adam's decay rates in [0, 1) and its small constant > 0.
    history_size : int or None
        Pairs of steps and changes of the gradient that lbfgs keeps; None is 80, fewer for very
        large networks.
    max_evaluations : int or None
        Evaluations of loss and gradient by lbfgs and scipy at most, line searches included.
    damping, max_damping : float
        Of lm: μ of the first step, a share of the mean of JᵀJ's diagonal (MATLAB's ``mu``), and the
        largest μ that is tried (``mu_max``).
    step_tol : float or None
        Of lm: stop when a step is not longer than this share of ‖θ‖.
    method, method_options : str, and dict or None
        Of scipy: as in ``scipy.optimize.minimize``.
    scale : bool
        Standardise inputs and targets for training and fold that into the returned weights, see
        ``docs/scaling.md``; False trains on the data as they are.
    alpha : float, pair of floats, or "auto"
        α ≥ 0, the L2 penalty on weights, not biases.  The same number means the same as
        scikit-learn's ``alpha`` on standardised data, and as R's ``decay``, which penalises biases
        as well.  A pair (α_h, α_y) has one for W_h and one for W_y.  "auto" chooses a pair by
        cross-validation, or by the validation data if there are any (``docs/penalty.md``).
    n_init : int
        Train so many starts, of seeds ``seed``, ``seed + 1``, …, side by side; the best is
        returned, and all of them in ``result.starts``.
    max_epochs : int, None or "auto"
        Steps at most; 0 only evaluates, None sets no limit, "auto" is the solver's own number
        (``batchprop.solvers.settings.LIMITS``).
    target_loss : float or None
        Stop when L is at most this, in squared units of T; it is the network that is returned which
        must reach it.
    gradient_tol : float or None
        Stop when ‖∂J/∂θ‖ is at most this; None or 0 switches the rule off.
    tol : float or None
        Stop when J has not fallen by this share of itself within ``n_epochs_no_change`` epochs;
        None or 0 switches the rule off.
    n_epochs_no_change : int or "auto"
        See ``tol``.
    X_val, T_val : array_like, shapes (e, N_val) and (s, N_val), or None
        Validation data: the network of the lowest validation loss is returned.
    patience : int, None or "auto"
        Stop when the validation loss has had no new minimum for so many epochs; "auto" is the
        solver's own ``n_epochs_no_change``.
    max_seconds : float or None
        Stop after so many seconds, looked at about every 0.02 s, also within an iteration; one that
        is given up is as if it had not begun.  A small first evaluation is made in any case; where
        there was no time for a large one the start is returned, with a loss of NaN.
    callback : callable or None
        ``callback(progress)`` is told where the run stands (see ``batchprop.result.Progress``); a
        true answer stops it, with all its starts.  What it raises ends the run and is passed on.
        While ``alpha="auto"`` searches, it is called about twice a second with a progress whose
        ``search`` says how far that is; a true answer ends the search, and the run with it.
    callback_every : int
        It is called at epoch 0, after every so many epochs and at the end; more leaves longer
        stretches to compiled code.
    progress : bool
        Show a progress line on standard error, also of the search of ``alpha="auto"``.
    seed : int or None
        Of the start; the same seed gives the same start on every engine.
    dtype : {"float32", "float64"} or None
        Of θ and the arithmetic; None takes the network's, or else that of X.
    n_threads : int or None
        At most so many threads (fused engine); None lets the size of the work and the process's
        CPUs decide.  Results have the same bits for any number.
    sample_weight : array_like, shape (N,), or None
        Non-negative weights: 2 equals a repeated sample, 0 a missing one.
    resume : TrainResult, Checkpoint, path-like or None
        Go on with this run, for ``max_epochs`` further epochs: the outcome is, to the last bit,
        that of one run of all these epochs (see ``docs/resume.md``).  The data must be the same;
        what the run is (solver and numbers, network, dtype, scaling, ``alpha``) comes from it.
        Stopping rules are those of the run before unless this call has others.
    checkpoint : path-like or None
        Write where the run stands to this file, from which ``resume`` goes on, while it runs and
        at its end, however it ends; the file is always whole.
    checkpoint_seconds : float
        It is written about so often, and never for more than a tenth of the time.

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
    UserWarning
        Rows of X and T seem to be samples: their shapes are the same, with more than twice as many
        rows as columns, and neither ``network`` nor ``resume`` says that this is meant.  Columns
        are constant, or too far from zero for the network's dtype.  The run came to rest where it
        is hardly at the bottom: see ``TrainResult.converged``.
    RuntimeWarning
        Loss or gradient became NaN or infinite; the last finite network is kept, and the likely
        cause named.  Or a checkpoint could not be written; training goes on.

    Notes
    -----
    Ctrl-C ends the run, as soon as the clock would, and returns the best network so far, with
    ``stop_reason`` "interrupted".
    The gradient is that of ``docs/derivation.md``; the steps of the first-order solvers are in
    ``solvers/first_order/update_rules.py``.
    What was evaluated counts: a step whose end was not evaluated any more is taken back.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import train
    >>> x = np.linspace(-3.0, 3.0, 200)
    >>> X, T = x[np.newaxis], np.sin(x)[np.newaxis]  # (1, 200): one sample a column
    >>> result = train(X, T, hidden_size=5, target_loss=1e-6)
    >>> result.stop_reason, result.loss <= 1e-6
    ('target_loss', True)
    >>> result.network.predict([[np.pi / 6, np.pi / 2]]).round(1)
    array([[0.5, 1. ]])

    Validation data choose the network and end the run; the penalty is cross-validated:

    >>> rng = np.random.default_rng(0)
    >>> noisy = T + 0.1 * rng.standard_normal(T.shape)
    >>> result = train(X[:, ::2], noisy[:, ::2], X_val=X[:, 1::2], T_val=noisy[:, 1::2],
    ...                hidden_size=5, patience=20)
    >>> result.validation_loss < 0.02  # the variance of the noise is 0.01
    True
    >>> result = train(X, noisy, hidden_size=5, alpha="auto", max_epochs=20)
    >>> result.alpha == (result.alpha[0], 5 * result.alpha[0])
    True
    """
    given = {name: value for name, value in locals().items() if name not in ("X", "T")}
    return trained(X, T, given, COLUMNS, stacklevel=2)


def trained(
    X: npt.ArrayLike, T: npt.ArrayLike, given: dict[str, Any], words: Words, stacklevel: int
) -> TrainResult:
    """Do what ``train`` does, and speak of it in the caller's words.

    Parameters
    ----------
    X, T : array_like, shapes (e, N) and (s, N)
        As for ``train``.
    given : dict
        Arguments of ``train`` by name; those that are left out have their defaults.
    words : Words
        What the user calls the tables and the arguments.
    stacklevel : int
        Of the user's call, seen from the caller of this function.
    """
    began = time.perf_counter()
    defaults = train.__kwdefaults__ or {}
    given, before = resumed(defaults | given, defaults)
    first, monitor, n_init = setup.starts(X, T, given, before, began, stacklevel + 1, words)
    (first,), (monitor,) = chosen([first], [monitor], first.n_threads)
    starts = setup.Starts(first, given["seed"], n_init)
    results = run_all(starts, monitor, first.n_threads)
    result = best_of(results, began)
    say(first, result, words, stacklevel + 1)
    return result


def say(spec: RunSpecification, result: TrainResult, words: Words, stacklevel: int) -> None:
    """Warn of a run that left the finite numbers, or came to rest in a doubtful place."""
    if result.stop_reason == "non_finite":
        divergence.warn(spec, result, words, stacklevel + 1)
    else:
        convergence.warn(spec, result, words, stacklevel + 1)
