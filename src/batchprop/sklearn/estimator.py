"""``BatchMLPRegressor``: ``batchprop.train`` as a scikit-learn estimator."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state

from batchprop import validation
from batchprop.sklearn.arguments import resuming, seed_of, train_options
from batchprop.sklearn.fit_warnings import warn_if_not_converged, words
from batchprop.sklearn.fitted_network import FittedNetwork
from batchprop.sklearn.hold_out import hold_out
from batchprop.sklearn.training_data import (
    Samples,
    checked,
    checked_validation,
    checked_weights,
)
from batchprop.sklearn.warm_start import PreviousFit, previous_network
from batchprop.training.call import trained
from batchprop.training.initial_network import ACTIVATION, HIDDEN_SIZE
from batchprop.training.result import BEST, Progress, TrainResult

Array = npt.NDArray[Any]


class BatchMLPRegressor(FittedNetwork, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A network with one hidden layer, trained full batch: y = W_y σ(W_h x + b_h) + b_y.

    Inputs and targets may have any units: by default they are standardised internally, and the
    fitted network works in the units of X and y.  The default solver minimises training loss and
    penalty to convergence.  The penalty that suits the noise of the samples is chosen from them.

    Parameters
    ----------
    hidden_size : int, default=50
        Number of hidden units m.
    activation : str, default="tanh"
        Activation σ: "identity", "logistic", "tanh", "relu", "softplus", "elu" or "softsign".
    solver : str, default="auto"
        Training algorithm: "lbfgs", "lm" (Levenberg-Marquardt), "scipy", "gd", "momentum",
        "nesterov" or "adam".  "auto" chooses "lbfgs" or "lm" by the sizes of the problem.
    alpha : float, pair of floats, "auto", "evidence" or "cv", default="auto"
        L2 penalty on the weights, not on the biases.  With standardised X and y, which ``scale``
        provides, a value means the same as ``MLPRegressor``'s ``alpha``.  A pair has one value for
        W_h and one for W_y.  "evidence" chooses a pair from the samples, "cv" by cross-validation,
        which takes much longer.  "auto" is "evidence" for "lm", "lbfgs" and "scipy".  For "gd",
        "momentum", "nesterov" and "adam" it is 0, no penalty.
    scale : bool, default=True
        Standardise inputs and targets internally.
    n_init : int, default=1
        Number of random starts to train.
    combine : {"best", "mean"}, default="best"
        What to keep of several starts: the best network, or the mean of all networks, which is one
        network of ``n_init`` times as many hidden units; see ``batchprop.train``.
    uncertainty : {"laplace"} or None, default=None
        "laplace" lets ``predict`` return standard deviations, and ``predict_interval`` intervals.
        Five further networks, each fitted to four fifths of the samples, calibrate them; or the
        validation data do.
    learning_rate : float or None, default=None
        Learning rate of "gd", "momentum", "nesterov" and "adam".  None chooses one by the size of
        the network, see ``batchprop.train``.
    solver_options : dict or None, default=None
        Further arguments of ``batchprop.train`` by name: momentum, beta_1, beta_2, epsilon,
        history_size, max_evaluations, damping, max_damping, step_tol, method, method_options,
        target_loss, gradient_tol.
    max_iter : int, None or "auto", default="auto"
        Maximum number of iterations; None sets no limit, "auto" uses the solver's default.
    tol : float, default=1e-5
        Stop when the loss (including the penalty) has decreased by less than this fraction of
        itself within ``n_iter_no_change`` iterations.  0 disables the rule; so do validation data.
    n_iter_no_change : int or "auto", default="auto"
        See ``tol``.  With validation data, training stops after this many iterations without a new
        minimum of the validation loss.  "auto" uses the solver's default.
    early_stopping : bool, default=False
        Hold out ``validation_fraction`` of the samples, stop by their loss, and keep the network
        with the lowest validation loss.  Equal rows stay together, so that a row of weight 2 is
        held out as two equal rows are.  ``X_val`` and ``y_val``, if passed to ``fit``, are used
        instead, whether this is set or not.
    validation_fraction : float, default=0.1
        Fraction of the samples that ``early_stopping`` holds out, between 0 and 1; with sample
        weights the fraction of their sum.
    max_seconds : float or None, default=None
        Time limit in seconds.
    random_state : int, RandomState or None, default=None
        Seed of the random starts and of the held-out samples.
    warm_start : bool, default=False
        Continue from the previous ``fit``.  With the same samples and parameters (except
        ``max_iter``, ``max_seconds``, ``n_threads`` and ``verbose``) the same run continues
        exactly: two fits with ``max_iter=100`` equal one with 200 to the last bit, and ``n_iter_``
        and the curves include both.  For this the estimator keeps the solver's state, also in a
        pickle.  Otherwise training starts from the previous network if it has the same sizes and
        activation.  ``batchprop.train(resume=...)`` does the same without an estimator.  The mean
        of several starts is not continued: each fit trains its starts anew.
    engine : {"fused", "vectorized", "naive"}, default="fused"
        Implementation of loss and gradient.
    n_threads : int or None, default=None
        Maximum number of threads.  None chooses it from the amount of work and the CPUs that the
        process may use.  Results have the same bits for any number of threads.
    verbose : bool or int, default=False
        Show a progress line on standard error.  Without it, fits are silent however long they
        take, but terminals and notebooks say once that kernels are being compiled.

    Attributes
    ----------
    network_ : batchprop.Network
        The fitted network: the best one that training found, or the mean of several starts.  The
        mean of ``n_init`` starts has ``n_init`` times ``hidden_size`` units.
    coefs_ : list of two ndarrays, shapes (e, m) and (m, s)
        Weights in scikit-learn's layout, W_hᵀ and W_yᵀ; read-only views.  m is the number of hidden
        units of ``network_``.
    intercepts_ : list of two ndarrays, shapes (m,) and (s,)
        Biases b_h and b_y; read-only views.
    loss_ : float
        Training loss of ``network_``, (1/N) Σ_i ‖y_i − t_i‖², without the penalty.  For one output
        it is the mean squared error, for s outputs s times ``mean_squared_error``.
    best_loss_ : float
        The lower of ``loss_`` and the lowest loss of ``loss_curve_``.
    loss_curve_ : ndarray, shape (n_iter_ + 1,)
        Training loss before each iteration and after the last one.
    validation_loss_curve_ : ndarray, shape (n_iter_ + 1,), or None
        The same for the validation data; None if there are none.
    start_losses_ : ndarray
        Training loss of the best network of each start.  If there are several, curves, counts and
        ``gradient_norm_`` are those of one of them (``docs/many.md``).
    n_iter_, best_iter_ : int
        Number of iterations, and the iteration that led to ``network_``.
    n_evaluations_ : int
        Number of evaluations of loss and gradient, including line searches.
    gradient_norm_ : float
        ‖∂F/∂θ‖ at the end, where F is the loss of the standardised samples plus the penalty.
    alpha_ : tuple of two floats
        The penalties on W_h and W_y that were used, also if they were chosen.
    alpha_report_ : batchprop.result.AlphaReport or None
        How they were chosen; None if they were not.
    predictive_ : batchprop.Predictive or None
        How sure ``network_`` is, if ``uncertainty`` was asked for.
    solver_ : str
        The solver that was used, also with ``solver="auto"``.
    stop_reason_, converged_ : str and bool
        Why training stopped, and whether it converged; see ``batchprop.result.TrainResult``.
    n_features_in_, n_outputs_ : int
        Number of inputs e and of outputs s.
    feature_names_in_ : ndarray of str
        Names of the columns of X, if it has any.
    n_layers_, out_activation_ : int and str
        3 and ``"identity"``, in scikit-learn's terms.

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop.sklearn import BatchMLPRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1.0, 1.0, (300, 2))
    >>> y = X[:, 0] * X[:, 1] + 0.01 * rng.standard_normal(300)
    >>> model = BatchMLPRegressor(hidden_size=10, early_stopping=True, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.98
    True
    >>> model.predict([[0.5, 0.6]]).round(1)
    array([0.3])
    """

    def __init__(
        self,
        *,
        hidden_size: int = HIDDEN_SIZE,
        activation: str = ACTIVATION,
        solver: str = "auto",
        alpha: float | tuple[float, float] | str = "auto",
        scale: bool = True,
        n_init: int = 1,
        combine: str = "best",
        uncertainty: str | None = None,
        learning_rate: float | None = None,
        solver_options: dict[str, Any] | None = None,
        max_iter: int | str | None = "auto",
        tol: float = 1e-5,
        n_iter_no_change: int | str = "auto",
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        max_seconds: float | None = None,
        random_state: Any = None,
        warm_start: bool = False,
        engine: str = "fused",
        n_threads: int | None = None,
        verbose: bool | int = False,
    ) -> None:
        self.hidden_size = hidden_size
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.scale = scale
        self.n_init = n_init
        self.combine = combine
        self.uncertainty = uncertainty
        self.learning_rate = learning_rate
        self.solver_options = solver_options
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.warm_start = warm_start
        self.engine = engine
        self.n_threads = n_threads
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        callback: Callable[[Progress], object] | None = None,
        callback_every: int = 1,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Inputs; float32 data are trained in float32.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like, shape (n_samples,), default=None
            Non-negative weights.  A weight of 2 equals a repeated sample, 0 a missing one.
        X_val, y_val : array-like, default=None
            Validation data in the form of X and y.
        callback : callable, default=None
            ``callback(progress)`` is called during training, see ``batchprop.train``; if it
            returns a true value, training stops.
        callback_every : int, default=1
            Number of iterations between two calls of ``callback``.
        sample_weight_val : array-like, default=None
            Weights of the validation data.

        Returns
        -------
        BatchMLPRegressor
            The fitted estimator itself.
        """
        options = train_options(self, callback, callback_every)
        X, y = checked(self, X, y, reset=True)
        targets = y.reshape(X.shape[0], -1)
        sample_weight = checked_weights(sample_weight, X)
        random_state = check_random_state(self.random_state)
        held_out = checked_validation(self, X_val, y_val, targets.shape[1])
        samples = Samples(X.T, targets.T, sample_weight, sample_weight_val=sample_weight_val)
        if held_out is not None:
            samples = samples.validated_by(*held_out)
        elif validation.flag("early_stopping", self.early_stopping) and sample_weight_val is None:
            samples = hold_out(samples, self.validation_fraction, random_state)
        options = replace(options, **samples.beside_tables)
        if samples.validating:  # with validation data, patience replaces tol
            options = replace(options, tol=None, patience=options.n_epochs_no_change)

        parameters = self.get_params(deep=False)
        warm_start = validation.flag("warm_start", self.warm_start)
        previous_fit: PreviousFit | None = getattr(self, "_previous_fit", None)
        if (
            warm_start
            and previous_fit is not None
            and previous_fit.is_continued_by(parameters, samples)
        ):
            options = resuming(options, previous_fit.checkpoint)
        else:
            sizes = samples.X.shape[0], targets.shape[1]
            network = previous_network(self, *sizes) if warm_start else None
            options = replace(
                options,
                network=network,
                n_init=self.n_init if network is None else 1,
                combine=self.combine,
                seed=seed_of(self.random_state, random_state),
                dtype=samples.X.dtype,
            )
        flat = y.ndim == 1
        result = trained(samples.X, samples.T, options, words(flat), stacklevel=2)
        # copied because the user may modify a dict among the parameters later
        resumable = warm_start and result.combine == BEST
        self._previous_fit = (
            PreviousFit(copy.deepcopy(parameters), result.checkpoint) if resumable else None
        )
        self._one_dimensional = flat
        self._set_fitted_attributes(result, samples.validating)
        warn_if_not_converged(result, stacklevel=2)
        return self

    def _set_fitted_attributes(self, result: TrainResult, has_validation_data: bool) -> None:
        """Set the fitted attributes."""
        self.network_ = result.network
        self.loss_ = result.loss
        self.loss_curve_ = result.loss_curve
        self.best_loss_ = min(result.loss, float(np.min(result.loss_curve)))
        self.validation_loss_curve_ = result.validation_loss_curve if has_validation_data else None
        self.start_losses_ = np.array([start.loss for start in result.starts or (result,)])
        self.n_iter_, self.best_iter_ = result.n_epochs, result.best_epoch
        self.n_evaluations_ = result.n_evaluations
        self.gradient_norm_ = result.gradient_norm
        self.alpha_, self.alpha_report_ = result.alpha, result.alpha_report
        self.solver_, self.predictive_ = result.solver, result.predictive
        self.stop_reason_, self.converged_ = result.stop_reason, result.converged
        self.n_outputs_ = result.network.shape.n_outputs
        self.n_layers_, self.out_activation_ = 3, "identity"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
