"""``train``: trains a network and returns the best one seen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from batchprop.blocks.blocks import Blocks
from batchprop.network import Network
from batchprop.training import limits
from batchprop.training.call import trained
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.data_source import builder_of
from batchprop.training.options import Callback, TrainOptions
from batchprop.training.result import TrainResult

_DEFAULTS = TrainOptions()


def train(
    X: npt.ArrayLike | Blocks | str | os.PathLike[str],
    T: npt.ArrayLike | None = None,
    *,
    inputs: str | Sequence[str] | None = None,
    targets: str | Sequence[str] | None = None,
    hidden_size: int | None = _DEFAULTS.hidden_size,
    network: Network | None = _DEFAULTS.network,
    activation: str | None = _DEFAULTS.activation,
    solver: str = _DEFAULTS.solver,
    engine: str = _DEFAULTS.engine,
    learning_rate: float | None = _DEFAULTS.learning_rate,
    momentum: float = _DEFAULTS.momentum,
    beta_1: float = _DEFAULTS.beta_1,
    beta_2: float = _DEFAULTS.beta_2,
    epsilon: float = _DEFAULTS.epsilon,
    history_size: int | None = _DEFAULTS.history_size,
    max_evaluations: int | None = _DEFAULTS.max_evaluations,
    damping: float = _DEFAULTS.damping,
    max_damping: float = _DEFAULTS.max_damping,
    step_tol: float | None = _DEFAULTS.step_tol,
    method: str = _DEFAULTS.method,
    method_options: dict[str, Any] | None = _DEFAULTS.method_options,
    scale: bool = _DEFAULTS.scale,
    alpha: float | tuple[float, float] | str = _DEFAULTS.alpha,
    n_init: int = _DEFAULTS.n_init,
    combine: str = _DEFAULTS.combine,
    uncertainty: str | None = _DEFAULTS.uncertainty,
    max_epochs: int | str | None = _DEFAULTS.max_epochs,
    target_loss: float | None = _DEFAULTS.target_loss,
    gradient_tol: float | None = _DEFAULTS.gradient_tol,
    tol: float | None = _DEFAULTS.tol,
    n_epochs_no_change: int | str = _DEFAULTS.n_epochs_no_change,
    X_val: npt.ArrayLike | None = _DEFAULTS.X_val,
    T_val: npt.ArrayLike | None = _DEFAULTS.T_val,
    sample_weight_val: npt.ArrayLike | None = _DEFAULTS.sample_weight_val,
    patience: int | str | None = _DEFAULTS.patience,
    max_seconds: float | None = _DEFAULTS.max_seconds,
    callback: Callback | None = _DEFAULTS.callback,
    callback_every: int = _DEFAULTS.callback_every,
    progress: bool | None = _DEFAULTS.progress,
    seed: int | None = _DEFAULTS.seed,
    dtype: npt.DTypeLike | None = _DEFAULTS.dtype,
    n_threads: int | None = _DEFAULTS.n_threads,
    sample_weight: npt.ArrayLike | None = _DEFAULTS.sample_weight,
    resume: TrainResult | Checkpoint | str | os.PathLike[str] | None = _DEFAULTS.resume,
    checkpoint: str | os.PathLike[str] | None = _DEFAULTS.checkpoint,
    checkpoint_seconds: float = _DEFAULTS.checkpoint_seconds,
) -> TrainResult:
    """Train a network with one hidden layer, using all samples at each step.

    The solver minimises F = L̃ + (1/Σw) (α_h ‖W̃_h‖² + α_y ‖W̃_y‖²).  L̃ is the loss
    L = (1/N) Σ_i ‖y_i − t_i‖² (a sum over outputs, a mean over samples; weighted if
    ``sample_weight`` is given) of the standardised data, and W̃ are the weights for those.  With
    ``scale=False`` and ``alpha=0``, F is L itself.  The returned network takes inputs and predicts
    targets in the user's units.

    Parameters
    ----------
    X : array_like, shape (e, N); Blocks; or path-like
        Inputs, one sample a column, in either memory order.  Only small tables are copied as a
        whole, up to 4 MiB in the network's dtype: ``x.T`` of a row-major table and a read-only
        memory map cost nothing extra.  If the rows of your table are samples, pass ``X.T``.  The
        data must not change during the call.  Data that do not fit into memory come as
        ``batchprop.Blocks``, or as the name of a file, a folder or a pattern such as
        ``"data/*.parquet"`` (https://batchprop.readthedocs.io/en/latest/larger-than-memory.html).
        The result has the same bits.
    T : array_like, shape (s, N), or None
        Targets; None where X is ``Blocks`` or names files, which have the targets, too.
    inputs, targets : sequence of str, or str, or None
        Columns of the files that X names.  ``inputs`` None means all that have no other role.
    hidden_size : int or None
        m, the number of hidden units; None is 50, or that of ``network``.
    network : Network or None
        Start from this network, which is not changed; None draws a start from ``seed``.
    activation : str or None
        σ of the hidden layer: identity, logistic, tanh, relu, softplus, elu or softsign; None is
        tanh, or that of ``network``.
    solver : {"auto", "lbfgs", "lm", "scipy", "gd", "momentum", "nesterov", "adam"}
        How θ moves: by quasi-Newton steps (lbfgs), by Levenberg–Marquardt steps (lm), by a method
        of ``scipy.optimize.minimize`` (scipy), or by steps along the gradient (the others).
        "auto" chooses between lbfgs and lm by the sizes of the problem and the penalty
        (https://batchprop.readthedocs.io/en/latest/solvers.html).
    engine : {"fused", "vectorized", "naive"}
        The implementation that computes loss and gradient.
    learning_rate : float or None
        η > 0; None is 0.5/(m + e + 5) for gd, half of that for momentum and nesterov, and
        1/(m + e + 50) for adam.  These rates suit standardised data and networks of any size.
    momentum : float
        μ in [0, 1) of momentum and nesterov.
    beta_1, beta_2, epsilon : float
        Adam's decay rates in [0, 1) and its small constant > 0.
    history_size : int or None
        Pairs (Δθ, Δg) of steps and changes of the gradient that lbfgs keeps; None is 80, fewer for
        very large networks.
    max_evaluations : int or None
        Largest number of evaluations of loss and gradient by lbfgs and scipy, line searches
        included.
    damping, max_damping : float
        For lm: λ of the first step, as a share of the mean of the diagonal of JᵀJ (MATLAB's
        ``mu``), and the largest λ that is tried (``mu_max``).
    step_tol : float or None
        For lm: stop when a step is not longer than this share of ‖θ‖.
    method, method_options : str, and dict or None
        For scipy: ``method`` and ``options`` of ``scipy.optimize.minimize``.
    scale : bool
        Standardise inputs and targets for training, and fold the scaling into the returned weights
        (https://batchprop.readthedocs.io/en/latest/scaling.html).  False trains on the
        data as they are.
    alpha : float, pair of floats, "auto", "evidence" or "cv"
        α ≥ 0, the L2 penalty on weights, not biases.  The same number means the same as
        scikit-learn's ``alpha`` on standardised data, and as R's ``decay``, which penalises biases
        as well.  In a pair (α_h, α_y), α_h is for W_h and α_y for W_y; 0 is no penalty.
        "evidence" chooses a pair from the data in a fraction of a second, "cv" by cross-validation
        (https://batchprop.readthedocs.io/en/latest/penalty.html).  "auto" is "evidence" for lm,
        lbfgs and scipy.  For gd, momentum, nesterov and adam, and with ``max_epochs=0``, it is 0.
    n_init : int
        Train this many starts side by side, with seeds ``seed``, ``seed + 1``, ….
        ``result.starts`` has all of them.
    combine : {"best", "mean"}
        What to return of several starts: the best, or their mean as one network of ``n_init`` times
        as many hidden units (https://batchprop.readthedocs.io/en/latest/many.html).  On noisy
        tables the mean usually predicts better.  ``alpha`` penalises each start by itself.
    uncertainty : {"laplace"} or None
        "laplace": ``result.predictive`` says how sure the network is, with standard deviations and
        intervals.  They are calibrated by five further networks, each trained on four fifths of
        the samples, or by the validation data
        (https://batchprop.readthedocs.io/en/latest/uncertainty.html).
    max_epochs : int, None or "auto"
        Largest number of steps.  0 only evaluates, None sets no limit, "auto" is the solver's own
        number (``batchprop.solvers.settings.LIMITS``).
    target_loss : float or None
        Stop when L is at most this, in squared units of T.  The returned network has to reach it.
    gradient_tol : float or None
        Stop when ‖∂F/∂θ‖ is at most this; None or 0 switches the rule off.
    tol : float or None
        Stop when F has not fallen by this share of itself within ``n_epochs_no_change`` epochs;
        None or 0 switches the rule off.  With ``max_epochs="auto"`` the share grows in long runs
        (https://batchprop.readthedocs.io/en/latest/solvers.html).
    n_epochs_no_change : int or "auto"
        See ``tol``.
    X_val, T_val : array_like, shapes (e, N_val) and (s, N_val), or None
        Validation data; Blocks or files as for X and T are allowed where X is not an array.  The
        network with the lowest validation loss is returned.
    sample_weight_val : array_like, shape (N_val,), or None
        Weights of the validation data, with the meaning of ``sample_weight``.
    patience : int, None or "auto"
        Stop when the validation loss has had no new minimum for this many epochs; "auto" is the
        solver's own ``n_epochs_no_change``.
    max_seconds : float or None
        Stop after this many seconds.  The clock is checked about every 0.02 s, also within an
        iteration; an iteration that is given up leaves no trace.  A small first evaluation is
        always made; if there is no time for a large one, the start is returned, with a loss of NaN.
    callback : callable or None
        ``callback(progress)`` is called with the progress of the run (see
        ``batchprop.result.Progress``).  A true answer stops the run, with all its starts.  An
        exception ends the run and is passed on.  During the search for a penalty, the
        callback is called about twice a second with the progress of the search in ``search``; a
        true answer then ends the search and the run.
    callback_every : int
        The callback is called at epoch 0, after every ``callback_every`` epochs and at the end.  A
        larger number leaves longer stretches to compiled code.
    progress : bool or None
        None shows a progress line on standard error if the call takes longer than two seconds and
        somebody watches: standard error is a terminal, or the process is a notebook's kernel.
        There it also says, once per process, that kernels are being compiled.  The line is removed
        at the end.  It is not shown to a ``callback``'s user, in worker processes, or if the
        environment variable ``CI`` is set.  True shows the line at once and everywhere, and keeps
        its last state; in files and pipes it is a new line every five seconds.  False shows
        nothing.  Notebooks with tqdm and ipywidgets show a bar.
    seed : int or None
        Seed of the start.  The same seed gives the same start on every engine.
    dtype : {"float32", "float64"} or None
        Type of θ and of the arithmetic; None takes that of ``network``, or else that of X.
    n_threads : int or None
        Largest number of threads (fused engine); None lets the amount of work and the process's
        CPUs decide.  Results have the same bits for any number.
    sample_weight : array_like, shape (N,), or str, or None
        Non-negative weights: 2 equals a repeated sample, 0 a missing one.  If X names files, the
        name of a column.
    resume : TrainResult, Checkpoint, path-like or None
        Resume this run for ``max_epochs`` further epochs.  The outcome is, to the last bit, that of
        one run of all these epochs (https://batchprop.readthedocs.io/en/latest/resume.html).  The
        data must be the same.  Solver and settings, network, dtype, scaling and ``alpha`` come from
        the resumed run; so do stopping rules that this call leaves out.
    checkpoint : path-like or None
        Write checkpoints to this file, during the run and at its end, however it ends.  Each write
        is atomic.  ``resume`` takes the file.
    checkpoint_seconds : float
        Seconds from one checkpoint to the next; more if writing took more than a tenth of them.

    Returns
    -------
    TrainResult
        The best network seen, its loss, the history and the reason for stopping.

    Raises
    ------
    TypeError, ValueError
        An argument is wrong.  This is raised before any work is done.

    Warns
    -----
    UserWarning
        - Rows of X and T seem to be samples: both tables have the same shape, with more than twice
          as many rows as columns, and neither ``network`` nor ``resume`` confirms the sizes.
        - A column is constant, or too far from zero for the network's dtype.
        - A penalty was chosen for data that are far from standardised, with ``scale=False``.
        - The run came to rest where it is probably not at a minimum (``TrainResult.converged``).
        - The network has probably learnt noise: R² is much lower on the validation data than on
          the training data, or the training error is far below the noise that "evidence" estimates.
        - ``max_evaluations``, or the solver's own ``max_epochs``, ended the run; or ``max_seconds``
          ended it before the first step.
        - ``uncertainty`` could not be calibrated: there was no time, or samples are few.
    RuntimeWarning
        - Loss or gradient became NaN or infinite.  The last finite network is kept, and the message
          names the likely cause.
        - A checkpoint could not be written.  Training goes on.

    Notes
    -----
    Ctrl-C ends the run as quickly as the clock would and returns the best network so far, with
    ``stop_reason`` "interrupted".
    https://batchprop.readthedocs.io/en/latest/derivation.html derives the gradient;
    ``solvers/first_order/update_rules.py`` has the steps of the first-order solvers.
    An unevaluated final step is discarded.

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

    The penalty is chosen by evidence; validation data choose the network and end the run:

    >>> rng = np.random.default_rng(0)
    >>> noisy = T + 0.1 * rng.standard_normal(T.shape)
    >>> result = train(X, noisy, hidden_size=5)
    >>> result.alpha == (result.alpha[0], 5 * result.alpha[0]), result.alpha[0] > 1e-6
    (True, True)
    >>> result.loss < 0.015  # the variance of the noise is 0.01
    True
    >>> result = train(X[:, ::2], noisy[:, ::2], X_val=X[:, 1::2], T_val=noisy[:, 1::2],
    ...                hidden_size=5, alpha=0.0, patience=20)
    >>> result.validation_loss < 0.02
    True
    """
    options = TrainOptions(
        hidden_size=hidden_size,
        network=network,
        activation=activation,
        solver=solver,
        engine=engine,
        learning_rate=learning_rate,
        momentum=momentum,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
        history_size=history_size,
        max_evaluations=max_evaluations,
        damping=damping,
        max_damping=max_damping,
        step_tol=step_tol,
        method=method,
        method_options=method_options,
        scale=scale,
        alpha=alpha,
        n_init=n_init,
        combine=combine,
        uncertainty=uncertainty,
        max_epochs=max_epochs,
        target_loss=target_loss,
        gradient_tol=gradient_tol,
        tol=tol,
        n_epochs_no_change=n_epochs_no_change,
        X_val=X_val,
        T_val=T_val,
        sample_weight_val=sample_weight_val,
        patience=patience,
        max_seconds=max_seconds,
        callback=callback,
        callback_every=callback_every,
        progress=progress,
        seed=seed,
        dtype=dtype,
        n_threads=n_threads,
        sample_weight=sample_weight,
        resume=resume,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
    )
    builder, options = builder_of(X, T, inputs, targets, options)
    result = trained(builder, options, stacklevel=2, shows_long_calls=True)
    limits.warn(options, result, stacklevel=2)
    return result
