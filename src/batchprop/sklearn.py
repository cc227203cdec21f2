"""The scikit-learn estimator; rows are samples here.  The only file that imports scikit-learn."""

from __future__ import annotations

import numbers
import warnings
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.network import Network
from batchprop.training import train

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "batchprop.sklearn needs scikit-learn 1.6 or newer, which is not installed here. Install "
        'it with: pip install "batchprop[sklearn]"'
    ) from error

Array = npt.NDArray[Any]

_FLOATS = (np.float64, np.float32)  # kept; anything else becomes the first


class BatchMLPRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A network with one hidden layer, trained full batch: y = W_y σ(W_h x + b_h) + b_y.

    Inputs and targets may have any units: by default they are standardised inside, and the fitted
    network takes and gives those of X and y.

    Parameters
    ----------
    hidden_size : int, default=50
        m, the number of hidden units.
    activation : str, default="tanh"
        σ: identity, logistic, tanh, relu, softplus, elu or softsign.
    solver : {"adam", "gd", "momentum", "nesterov"}, default="adam"
        How the parameters move along the gradient.
    alpha : float, default=0.0
        L2 penalty on weights: the same number means the same as in ``MLPRegressor`` on
        standardised data.
    scale : bool, default=True
        Standardise inputs and targets inside.
    n_init : int, default=1
        Starts to train; the best is kept.
    learning_rate : float or None, default=None
        Step size; None chooses one from the size of the network, see ``batchprop.train``.
    max_iter : int, default=1000
        Steps at most, each over all samples.
    tol : float, default=1e-6
        Stop when the loss has not fallen by this share of itself within ``n_iter_no_change``
        iterations; 0 switches the rule off.
    n_iter_no_change : int, default=100
        See ``tol``; with validation data, the iterations without a new minimum of the validation
        loss after which training stops.
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
        Start ``fit`` from the network of the previous one if it has the same sizes and activation
        (its parameters only: the solver's memory starts anew).
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
        outputs s times what ``mean_squared_error`` gives.
    best_loss_ : float
        Lowest training loss seen; larger than it ``loss_`` is only with validation data.
    loss_curve_ : ndarray, shape (n_iter_ + 1,)
        Training loss before each step and after the last one.
    validation_loss_curve_ : ndarray, shape (n_iter_ + 1,), or None
        The same on the validation data, None without any.
    n_iter_ : int
        Steps taken.
    stop_reason_ : str
        Why training stopped, see ``batchprop.result.TrainResult``.
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
        solver: str = "adam",
        alpha: float = 0.0,
        scale: bool = True,
        n_init: int = 1,
        learning_rate: float | None = None,
        max_iter: int = 1000,
        tol: float = 1e-6,
        n_iter_no_change: int = 100,
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
        self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None
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

        Returns
        -------
        BatchMLPRegressor
            The estimator itself.
        """
        max_iter = validation.count("max_iter", self.max_iter)
        window = validation.count("n_iter_no_change", self.n_iter_no_change)
        tol = validation.number("tol", self.tol, least=0)
        shown = self.verbose
        if not isinstance(shown, bool):
            shown = validation.count("verbose", shown, least=0) > 0
        X, y = self._checked(X, y, reset=True)
        targets = y.reshape(X.shape[0], -1)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        random = check_random_state(self.random_state)
        held_out = self._given(X_val, y_val, targets.shape[1])
        if held_out is None and validation.flag("early_stopping", self.early_stopping):
            X, targets, sample_weight, held_out = self._set_aside(X, targets, sample_weight, random)
        X_val, T_val = (None, None) if held_out is None else (held_out[0].T, held_out[1].T)

        previous = self._previous(X.shape[1], targets.shape[1])
        result = train(
            X.T,
            targets.T,
            hidden_size=self.hidden_size,
            network=previous,
            activation=self.activation,
            solver=self.solver,
            engine=self.engine,
            alpha=self.alpha,
            scale=self.scale,
            n_init=self.n_init if previous is None else 1,
            learning_rate=self.learning_rate,
            max_epochs=max_iter,
            tol=tol if held_out is None else None,
            n_epochs_no_change=window,
            X_val=X_val,
            T_val=T_val,
            patience=None if held_out is None else window,
            max_seconds=self.max_seconds,
            progress=shown,
            seed=_seed(self.random_state, random),
            dtype=X.dtype,
            n_threads=self.n_threads,
            sample_weight=sample_weight,
        )
        self.network_ = result.network
        self.loss_ = result.loss
        self.loss_curve_ = result.loss_curve
        self.best_loss_ = float(np.min(result.loss_curve))
        self.validation_loss_curve_ = None if held_out is None else result.validation_loss_curve
        self.n_iter_ = result.n_epochs
        self.stop_reason_ = result.stop_reason
        self.n_outputs_ = targets.shape[1]
        self._one_dimensional = y.ndim == 1
        self.n_layers_, self.out_activation_ = 3, "identity"
        self._warn(max_iter, tol, held_out is not None)
        return self

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
        X = validate_data(self, X, reset=False, dtype=_FLOATS)
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

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        checked: tuple[Array, Array] = validate_data(
            self, X, y, reset=reset, dtype=_FLOATS, multi_output=True, y_numeric=True
        )
        return checked

    def _given(self, X_val: Any, y_val: Any, n_outputs: int) -> tuple[Array, Array] | None:
        """Return the validation data that were given, checked."""
        if (X_val is None) != (y_val is None):
            raise ValueError(
                "X_val and y_val must be given together; got one of them. Pass both, or neither."
            )
        if X_val is None:
            return None
        X_val, y_val = self._checked(X_val, y_val, reset=False)
        T_val = y_val.reshape(X_val.shape[0], -1)
        if T_val.shape[1] != n_outputs:
            raise ValueError(
                f"y_val must have as many outputs as y; got {T_val.shape[1]} instead of "
                f"{n_outputs}. Pass the same columns in both."
            )
        return X_val, T_val

    def _set_aside(
        self, X: Array, targets: Array, weight: Array | None, random: np.random.RandomState
    ) -> tuple[Array, Array, Array | None, tuple[Array, Array]]:
        """Split the samples into those to train on and those to stop on."""
        share = validation.number("validation_fraction", self.validation_fraction, above=0, below=1)
        rows, others = train_test_split(np.arange(X.shape[0]), test_size=share, random_state=random)
        kept = None if weight is None else weight[rows]
        return X[rows], targets[rows], kept, (X[others], targets[others])

    def _previous(self, n_inputs: int, n_outputs: int) -> Network | None:
        """Return the network to go on from: of an earlier fit of the same sizes and activation."""
        if not validation.flag("warm_start", self.warm_start) or not hasattr(self, "network_"):
            return None
        network: Network = self.network_
        same = network.shape == (n_inputs, self.hidden_size, n_outputs)
        return network if same and network.activation == self.activation else None

    def _warn(self, max_iter: int, tol: float, validated: bool) -> None:
        """Say so if training ended before its time."""
        if self.stop_reason_ == "interrupted":
            warnings.warn("Interrupted; the best network so far is kept.", stacklevel=3)
        elif self.stop_reason_ == "max_epochs" and (validated or tol > 0):
            warnings.warn(
                f"max_iter={max_iter} was reached before the loss settled (it is {self.loss_:.4g} "
                f"now). Raise max_iter, or try another solver or learning_rate.",
                ConvergenceWarning,
                stacklevel=3,
            )


def _read_only(*arrays: Array) -> list[Array]:
    for array in arrays:
        array.setflags(write=False)
    return list(arrays)


def _seed(random_state: Any, random: np.random.RandomState) -> int:
    """Return the seed of the start: an integer as it is, as ``batchprop.train`` takes it."""
    if isinstance(random_state, numbers.Integral):
        return int(random_state)
    return int(random.randint(np.iinfo(np.int32).max))
