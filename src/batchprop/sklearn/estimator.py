"""``BatchMLPRegressor``: ``batchprop.train`` as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.metaestimators import available_if

from batchprop.sklearn.caller import user_stacklevel
from batchprop.sklearn.fitted_network import FittedNetwork
from batchprop.sklearn.fitting import train_estimator, train_on_batch
from batchprop.sklearn.other_names import advice, explains_other_names
from batchprop.sklearn.training_data import Tables
from batchprop.training.initial_network import ACTIVATION, HIDDEN_SIZE
from batchprop.training.result import Progress
from batchprop.version import DOCS


def _can_be_fitted_in_parts(estimator: BatchMLPRegressor) -> bool:
    """Return whether ``partial_fit`` is there, or raise AttributeError that says why not."""
    remedy = "Leave it out, or use fit with warm_start=True."
    if estimator.early_stopping:
        raise AttributeError(f"partial_fit must be used without early_stopping; got True. {remedy}")
    if estimator.uncertainty is not None:
        raise AttributeError(
            f"partial_fit must be used without uncertainty, which no single batch tells; got "
            f"uncertainty={estimator.uncertainty!r}. {remedy}"
        )
    if estimator.combine == "mean" and estimator.n_init != 1:
        raise AttributeError(
            "partial_fit must be used with combine='best', as the mean of several networks cannot "
            "be continued; got combine='mean'. Leave it out."
        )
    return True


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
    n_iter_no_change : int, infinity or "auto", default="auto"
        See ``tol``.  With validation data, training stops after this many iterations without a new
        minimum of the validation loss.  "auto" uses the solver's default, ``numpy.inf`` disables
        both rules.
    early_stopping : bool, default=False
        Hold out ``validation_fraction`` of the samples, stop by their loss, and keep the network
        with the lowest validation loss.  At least two samples are held out.  Equal rows stay
        together, so that a row of weight 2 is held out as two equal rows are.  ``X_val`` and
        ``y_val``, if passed to ``fit``, are used instead, whether this is set or not.
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
    best_validation_score_ : float or None
        R² of ``network_`` on the validation data, mean over outputs; None if there are none.
    start_losses_ : ndarray
        Training loss of the best network of each start.  If there are several, curves, counts and
        ``gradient_norm_`` are those of one of them
        (https://batchprop.readthedocs.io/en/latest/many.html).
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

    _doc_link_module = "batchprop"
    _doc_link_template = f"{DOCS}sklearn.html"

    @explains_other_names
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
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Inputs; float32 data are trained in float32.  A sparse matrix is converted to a dense
            array, which may take 1 GiB.
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

        Raises
        ------
        TypeError, ValueError
            A parameter or a table is wrong.  The estimator is as it was before the call.
        KeyboardInterrupt
            After Ctrl-C, so that a search or a script ends as well.  The estimator has the best
            network so far and can be used; it is unchanged if no iteration had been made, as while
            the penalty is chosen.
        """
        tables = Tables(X, y, sample_weight, X_val, y_val, sample_weight_val)
        train_estimator(self, tables, callback, callback_every, user_stacklevel())
        return self

    @available_if(_can_be_fitted_in_parts)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one iteration on a batch of samples, from where the last call ended.

        With the same samples in every call, it is ``fit`` with ``warm_start=True`` and
        ``max_iter=1``, to the same bits.  With other samples, "gd", "momentum", "nesterov" and
        "adam" go on with their velocities or moments; "lbfgs", "lm" and "scipy" begin a run from
        ``network_``, and their step suits this batch alone.  The first batch sets the scaling, for
        the former solvers, and the penalty, if that is chosen.

        Not available with ``early_stopping``, ``uncertainty`` or ``combine="mean"``.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Inputs of the batch.
        y : array-like, shape (n_samples,) or (n_samples, n_outputs)
            Targets of the batch.
        sample_weight : array-like, shape (n_samples,), default=None
            Non-negative weights.

        Returns
        -------
        BatchMLPRegressor
            The estimator itself.  ``network_`` is the network before or after the iteration:
            the one with the lower loss on this batch.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop.sklearn import BatchMLPRegressor
        >>> rng = np.random.default_rng(0)
        >>> model = BatchMLPRegressor(hidden_size=5, solver="adam", random_state=0)
        >>> for _ in range(100):
        ...     X = rng.uniform(-1.0, 1.0, (100, 2))
        ...     model = model.partial_fit(X, X[:, 0] - X[:, 1])
        >>> model.n_iter_, model.score(X, X[:, 0] - X[:, 1]) > 0.9
        (100, True)
        """
        train_on_batch(self, Tables(X, y, sample_weight), user_stacklevel())
        return self

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also those of a ``clone`` in a search.

        Parameters
        ----------
        **params : object
            New values by name.

        Returns
        -------
        BatchMLPRegressor
            The estimator itself.
        """
        names = self._get_param_names()
        for name in params:
            if name not in names and (sentence := advice(name, names)):
                raise ValueError(sentence)
        super().set_params(**params)
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        return tags
