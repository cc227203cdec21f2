"""``BatchMLPRegressor``: ``batchprop.train`` as scikit-learn's users know it."""

from __future__ import annotations

import copy
import numbers
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from batchprop import validation
from batchprop.network import Network
from batchprop.sklearn.arguments import arguments_of_train, is_shown
from batchprop.sklearn.fit_warnings import say_how_it_ended, words
from batchprop.sklearn.training_data import (
    FLOATS,
    Samples,
    checked,
    checked_validation,
    checked_weights,
    set_aside,
)
from batchprop.sklearn.warm_start import Before
from batchprop.training.result import Progress, TrainResult
from batchprop.training.train import trained

Array = npt.NDArray[Any]


class BatchMLPRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A network with one hidden layer, trained full batch: y = W_y σ(W_h x + b_h) + b_y.

    Inputs and targets may have any units: by default they are standardised inside, and the fitted
    network takes and gives those of X and y.  The default solver trains to the bottom of the
    training loss; where samples are noisy and few, say what holds it back: ``alpha="auto"``,
    ``early_stopping``, or fewer hidden units.

    Parameters
    ----------
    hidden_size : int, default=50
        m, the number of hidden units.
    activation : str, default="tanh"
        σ: identity, logistic, tanh, relu, softplus, elu or softsign.
    solver : str, default="auto"
        How the parameters move: "lbfgs", "lm", "scipy", "gd", "momentum", "nesterov" or "adam";
        "auto" chooses between the first two by the sizes of the problem.
    alpha : float, pair of floats, or "auto", default=0.0
        L2 penalty on weights, not biases: the same number means the same as ``MLPRegressor``'s
        ``alpha`` where X and y are standardised, which is what ``scale`` does.  There the default
        is 0.0001, here it is none, so that a smooth function is met as closely as it can be.
        A pair has one for W_h and one for W_y; "auto" chooses a pair by cross-validation, or by
        validation data if there are any: the better choice for noisy samples.
    scale : bool, default=True
        Standardise inputs and targets inside.
    n_init : int, default=1
        Starts to train; the best is kept.
    learning_rate : float or None, default=None
        Step size of gd, momentum, nesterov and adam; None chooses one from the size of the
        network, see ``batchprop.train``.
    solver_options : dict or None, default=None
        Further arguments of ``batchprop.train``, by name: momentum, beta_1, beta_2, epsilon,
        history_size, max_evaluations, damping, max_damping, step_tol, method, method_options,
        target_loss, gradient_tol.
    max_iter : int, None or "auto", default="auto"
        Steps at most, each over all samples; None sets no limit, "auto" is the solver's own number.
    tol : float, default=1e-5
        Stop when the loss (with the penalty) has not fallen by this share of itself within
        ``n_iter_no_change`` iterations; 0 switches the rule off, and validation data do.
    n_iter_no_change : int or "auto", default="auto"
        See ``tol``; with validation data, the iterations without a new minimum of the validation
        loss after which training stops.  "auto" is the solver's own number.
    early_stopping : bool, default=False
        Set ``validation_fraction`` of the samples aside, stop on their loss and keep the network
        for which it was lowest; sample weights do not count there.  Samples given to ``fit`` as
        ``X_val`` and ``y_val`` are used instead, whether this is set or not.
    validation_fraction : float, default=0.1
        Share of the samples for ``early_stopping``, between 0 and 1.
    max_seconds : float or None, default=None
        Stop after so many seconds.
    random_state : int, RandomState or None, default=None
        Of the start and of the samples set aside.
    warm_start : bool, default=False
        Let ``fit`` go on from the previous one.  With the same samples and parameters (``max_iter``
        and ``max_seconds`` aside) it continues exactly: two fits of ``max_iter=100`` are one of
        200, to the last bit, and ``n_iter_`` and the curves count both; the estimator keeps the
        solver's memory for that, also in a pickle.  Else it starts from the previous network if
        that has the same sizes and activation.  ``batchprop.train(resume=...)`` is the same
        without an estimator.
    engine : {"fused", "vectorized", "naive"}, default="fused"
        What computes loss and gradient.
    n_threads : int or None, default=None
        At most so many threads; None lets the size of the work and the process's CPUs decide.
        Results have the same bits for any number.
    verbose : bool or int, default=False
        Show a progress line on standard error.

    Attributes
    ----------
    network_ : batchprop.Network
        The fitted network; the best one seen.
    coefs_ : list of two ndarrays, shapes (e, m) and (m, s)
        Its weights as scikit-learn writes them, W_hᵀ and W_yᵀ; read-only views.
    intercepts_ : list of two ndarrays, shapes (m,) and (s,)
        Its biases b_h and b_y; read-only views.
    loss_ : float
        Its training loss, (1/N) Σ_i ‖y_i − t_i‖²: for one output the mean squared error, for s
        outputs s times what ``mean_squared_error`` gives.  The penalty is not in it.
    best_loss_ : float
        Lowest training loss seen; larger than it ``loss_`` can be with validation data or alpha.
    loss_curve_ : ndarray, shape (n_iter_ + 1,)
        Training loss before each step and after the last one.
    validation_loss_curve_ : ndarray, shape (n_iter_ + 1,), or None
        The same on the validation data, None without any.
    start_losses_ : ndarray, shape (n_init,)
        The training loss of each start's best network.
    n_iter_, best_iter_ : int
        Steps taken, and those that led to ``network_``.
    n_evaluations_ : int
        How often loss and gradient were computed, line searches included.
    gradient_norm_ : float
        ‖∂J/∂θ‖ where the run ended, J being what was minimised: loss and penalty of standardised
        samples.
    alpha_ : tuple of two floats
        The penalty on W_h and on W_y, chosen where "auto" was asked for.
    alpha_report_ : batchprop.result.AlphaReport or None
        What "auto" tried.
    solver_ : str
        The solver, chosen where "auto" was asked for.
    stop_reason_, converged_ : str and bool
        Why training stopped, and whether that means it was done, see
        ``batchprop.result.TrainResult``.
    n_features_in_, n_outputs_ : int
        e and s.
    feature_names_in_ : ndarray of str
        Names of the columns, if X had any.
    n_layers_, out_activation_ : int and str
        3 and ``"identity"``, as scikit-learn counts and calls them.
    """

    def __init__(
        self,
        *,
        hidden_size: int = 50,
        activation: str = "tanh",
        solver: str = "auto",
        alpha: float | tuple[float, float] | str = 0.0,
        scale: bool = True,
        n_init: int = 1,
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
    ) -> Self:
        """Train a network.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Inputs; float32 stays float32.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like, shape (n_samples,), default=None
            Non-negative weights: 2 equals a repeated sample, 0 a missing one.
        X_val, y_val : array-like, default=None
            Validation data, in the form of X and y.
        callback : callable, default=None
            ``callback(progress)`` is told where the run stands, see ``batchprop.train``; a true
            answer stops it.
        callback_every : int, default=1
            Iterations from one call to the next.

        Returns
        -------
        BatchMLPRegressor
            The estimator itself.
        """
        options = arguments_of_train(self)
        looking_on: dict[str, Any] = {
            "callback": callback,
            "callback_every": callback_every,
            "progress": is_shown(self.verbose),
            "max_seconds": self.max_seconds,
            "n_threads": self.n_threads,
        }
        X, y = checked(self, X, y, reset=True)
        targets = y.reshape(X.shape[0], -1)
        sample_weight = checked_weights(sample_weight, X)
        random = check_random_state(self.random_state)
        held_out = checked_validation(self, X_val, y_val, targets.shape[1])
        if held_out is not None:
            samples = Samples(X.T, targets.T, sample_weight, *(part.T for part in held_out))
        elif validation.flag("early_stopping", self.early_stopping):
            share = self.validation_fraction
            samples = set_aside(share, X, targets, sample_weight, random)
        else:
            samples = Samples(X.T, targets.T, sample_weight, None, None)
        if samples.validating:  # these rules go together
            options |= {"tol": None, "patience": options["n_epochs_no_change"]}

        parameters = self.get_params(deep=False)
        warm = validation.flag("warm_start", self.warm_start)
        before: Before | None = getattr(self, "_before", None) if warm else None
        if before is not None and before.goes_on(parameters, samples):
            most = options["max_epochs"]
            given = looking_on | {"max_epochs": most, "resume": before.checkpoint}
        else:
            previous = self._previous(samples.X.shape[0], targets.shape[1]) if warm else None
            if previous is None:
                options |= {"n_init": self.n_init}
            options |= {"seed": _seed(self.random_state, random), "dtype": samples.X.dtype}
            given = looking_on | options | {"network": previous}
        tables = samples._asdict()
        X, T, flat = tables.pop("X"), tables.pop("T"), y.ndim == 1
        result = trained(X, T, tables | given, words(flat), stacklevel=2)
        # a dict among the parameters may change later
        self._before = Before(copy.deepcopy(parameters), result.checkpoint) if warm else None
        self._one_dimensional = flat
        self._keep(result, samples.validating)
        say_how_it_ended(result, stacklevel=2)
        return self

    def _previous(self, n_inputs: int, n_outputs: int) -> Network | None:
        """Return the network of an earlier fit, if it has the same sizes and activation."""
        network: Network | None = getattr(self, "network_", None)
        if network is None or network.shape != (n_inputs, self.hidden_size, n_outputs):
            return None
        return network if network.activation == self.activation else None

    def _keep(self, result: TrainResult, validated: bool) -> None:
        """Set the fitted attributes."""
        self.network_ = result.network
        self.loss_ = result.loss
        self.loss_curve_ = result.loss_curve
        self.best_loss_ = float(np.min(result.loss_curve))
        self.validation_loss_curve_ = result.validation_loss_curve if validated else None
        self.start_losses_ = np.array([one.loss for one in result.starts or (result,)])
        self.n_iter_, self.best_iter_ = result.n_epochs, result.best_epoch
        self.n_evaluations_ = result.n_evaluations
        self.gradient_norm_ = result.gradient_norm
        self.alpha_, self.alpha_report_ = result.alpha, result.alpha_report
        self.solver_ = result.solver
        self.stop_reason_, self.converged_ = result.stop_reason, result.converged
        self.n_outputs_ = result.network.shape.n_outputs
        self.n_layers_, self.out_activation_ = 3, "identity"

    def predict(self, X: Any) -> Array:
        """Return the network's outputs.

        Parameters
        ----------
        X : array-like, shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, n_outputs)
            In the form of the y that was fitted, in the network's dtype.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=FLOATS)
        Y: Array = self.network_.predict(X.T, engine=self.engine, n_threads=self.n_threads)
        return Y[0] if self._one_dimensional else Y.T

    @property
    def coefs_(self) -> list[Array]:
        """Weights W_hᵀ (e, m) and W_yᵀ (m, s), read-only views."""
        return _read_only(self.network_.W_h.T, self.network_.W_y.T)

    @property
    def intercepts_(self) -> list[Array]:
        """Biases b_h (m,) and b_y (s,), read-only views."""
        return _read_only(self.network_.b_h, self.network_.b_y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _read_only(*arrays: Array) -> list[Array]:
    for array in arrays:
        array.setflags(write=False)
    return list(arrays)


def _seed(random_state: Any, random: np.random.RandomState) -> int:
    """Return the seed of the start: an integer as it is, as ``batchprop.train`` takes it."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(random.randint(np.iinfo(np.int32).max))
