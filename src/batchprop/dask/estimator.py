"""``DaskBatchMLPRegressor``: ``batchprop.dask.train`` as an estimator for Dask collections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import dask
import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from batchprop.dask.call import ClusterData, trained_on_cluster
from batchprop.dask.clients import client_of, thread_of_the_pool_released
from batchprop.dask.cluster_samples import ClusterSamples
from batchprop.dask.predict import predict
from batchprop.dask.sources import source_of
from batchprop.dask.waiting import TIMEOUT
from batchprop.network import Network
from batchprop.sklearn.arguments import seed_of, train_options
from batchprop.sklearn.caller import user_stacklevel
from batchprop.sklearn.estimator import BatchMLPRegressor
from batchprop.sklearn.fit_warnings import (
    INTERRUPTED,
    INTERRUPTED_AT_THE_START,
    warn_if_not_converged,
    was_interrupted,
    words,
)
from batchprop.sklearn.fitted_attributes import set_fitted
from batchprop.sklearn.unchanged import unchanged_on_error
from batchprop.training.fit_errors import of_output_losses
from batchprop.training.initial_network import ACTIVATION, HIDDEN_SIZE
from batchprop.training.result import Progress
from batchprop.validation.error_text import message


class DaskBatchMLPRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A network with one hidden layer, trained full batch on a Dask cluster.

    The fitted network has the same bits as ``BatchMLPRegressor`` has for the same samples in
    memory, for any number of workers and partitions, also if workers die.

    Parameters
    ----------
    hidden_size, activation, solver, alpha, scale, n_init, combine, learning_rate, solver_options
        As for ``BatchMLPRegressor``; ``alpha="cv"`` is not available.
    max_iter, tol, n_iter_no_change, max_seconds, random_state, verbose
        As for ``BatchMLPRegressor``.
    n_threads : int or None, default=None
        Largest number of threads on each worker; None is the worker's own number.
    timeout : float, default=60
        Give up after so many seconds without a running worker.
    client : distributed.Client or None, default=None
        The cluster; None is the current client.  It is an attribute and no parameter of searches:
        ``get_params``, ``clone`` and pickles leave it out.

    Attributes
    ----------
    network_ : batchprop.Network
        The fitted network.
    n_features_in_ : int
        Number of inputs.
    feature_names_in_ : ndarray of str
        Names of the columns of X, if it has any.
    loss_, n_iter_, alpha_, stop_reason_, and others
        As for ``BatchMLPRegressor``.

    Examples
    --------
    >>> import dask.array as da
    >>> import distributed
    >>> from batchprop.dask import DaskBatchMLPRegressor
    >>> options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    >>> client = distributed.Client(processes=False, **options)
    >>> X = da.random.default_rng(0).uniform(-1.0, 1.0, (300, 2), chunks=(100, 2))
    >>> y = X[:, 0] * X[:, 1]
    >>> settings = {"hidden_size": 10, "solver": "lm", "alpha": 0.001, "tol": 0.01}
    >>> model = DaskBatchMLPRegressor(**settings, random_state=0, client=client)
    >>> model.fit(X, y).score(X, y) > 0.99
    True
    >>> model.predict(X)
    dask.array<getitem, shape=(300,), dtype=float64, chunksize=(100,), chunktype=numpy.ndarray>
    >>> model.to_local().predict([[0.5, 0.6]]).round(1)
    array([0.3])
    >>> client.close()
    """

    engine, uncertainty = "fused", None  # what the estimator in one process has as parameters
    network_: Network
    feature_names_in_: npt.NDArray[Any]
    _one_dimensional: bool

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
        learning_rate: float | None = None,
        solver_options: dict[str, Any] | None = None,
        max_iter: int | str | None = "auto",
        tol: float = 1e-5,
        n_iter_no_change: int | str = "auto",
        max_seconds: float | None = None,
        random_state: Any = None,
        n_threads: int | None = None,
        verbose: bool | int = False,
        timeout: float = TIMEOUT,
        client: Any = None,
    ) -> None:
        self.hidden_size = hidden_size
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.scale = scale
        self.n_init = n_init
        self.combine = combine
        self.learning_rate = learning_rate
        self.solver_options = solver_options
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.max_seconds = max_seconds
        self.random_state = random_state
        self.n_threads = n_threads
        self.verbose = verbose
        self.timeout = timeout
        self.client = client

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return [name for name in super()._get_param_names() if name != "client"]

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"client": None}  # type: ignore[no-any-return]

    def fit(
        self,
        X: Any,
        y: Any = None,
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
        X : dask array, shape (n_samples, n_features), dask DataFrame, list of delayed, or Blocks
            Inputs.
        y : dask array, shape (n_samples,) or (n_samples, n_outputs), DataFrame, Series or list
            Targets; None where X is ``batchprop.Blocks``.
        sample_weight : dask array, shape (n_samples,), Series or list, default=None
            Non-negative weights.
        X_val, y_val, sample_weight_val : like X, y and sample_weight, or arrays, default=None
            Validation data: training stops after ``n_iter_no_change`` iterations without a new
            minimum of their loss, and the network with the lowest is kept.
        callback, callback_every
            As for ``BatchMLPRegressor.fit``.

        Returns
        -------
        DaskBatchMLPRegressor
            The fitted estimator itself.

        Raises
        ------
        TypeError, ValueError
            A parameter or a table is wrong.  The estimator is as it was before the call.
        batchprop.dask.ClusterError
            The cluster cannot go on.  Likewise.
        KeyboardInterrupt
            After Ctrl-C.  The estimator has the best network so far.
        """
        stacklevel = user_stacklevel()
        with unchanged_on_error(self):
            validating = X_val is not None
            options = replace(
                train_options(self, callback, callback_every),
                n_init=self.n_init,
                combine=self.combine,
                seed=seed_of(self.random_state, check_random_state(self.random_state)),
            )
            if validating:  # patience replaces tol
                options = replace(options, tol=None, patience=options.n_epochs_no_change)
            data = ClusterData(
                (X, y, sample_weight),
                (X_val, y_val, sample_weight_val),
                self.client,
                self.timeout,
            )
            vocabulary = words(flat=getattr(y, "ndim", 2) == 1)
            result, flat = trained_on_cluster(data, options, vocabulary, stacklevel)
            if was_interrupted(result) and result.n_epochs == 0:
                raise KeyboardInterrupt(INTERRUPTED_AT_THE_START)
            set_fitted(self, result, flat, validating)
            self.n_features_in_ = result.network.shape.n_inputs
            self._set_feature_names(X)
            warn_if_not_converged(result, stacklevel)
        if was_interrupted(result):
            raise KeyboardInterrupt(INTERRUPTED)
        return self

    def predict(self, X: Any) -> Any:
        """Predict the targets of samples; a collection is not computed yet.

        Parameters
        ----------
        X : dask array, shape (n_samples, n_features), or dask DataFrame; or an array
            Inputs.  Predictions of an array in memory are an array.

        Returns
        -------
        y : dask array, DataFrame or Series; or ndarray
            Predictions with the chunks or the index of X, and with as many dimensions as y had in
            ``fit``.
        """
        check_is_fitted(self)
        if not dask.is_dask_collection(X):
            return self.to_local().predict(X)
        self._check_feature_names(X)
        Y = predict(self.network_, X)
        if not self._one_dimensional:
            return Y
        return Y[0] if hasattr(Y, "columns") else Y[:, 0]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R² on samples of the cluster, the mean over outputs.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``.

        Returns
        -------
        float
            R², as scikit-learn defines it.
        """
        check_is_fitted(self)
        self._check_feature_names(X)
        vocabulary = words(flat=self._one_dimensional)
        source = source_of(X, y, sample_weight, vocabulary, small=True)
        samples = ClusterSamples(source, client_of(self.client), self.timeout, self.n_threads)
        with thread_of_the_pool_released():
            return self._r2(samples)

    def _r2(self, samples: ClusterSamples) -> float:
        """Return R² on the samples, the mean over outputs."""
        summary = samples.summarise(("X", "y", "sample_weight"), self.network_.dtype)
        sizes = summary.n_inputs, summary.n_outputs
        for name, size, expected in zip("Xy", sizes, self.network_.shape[::2], strict=True):
            if size != expected:
                columns = f"have {expected} columns, as in fit"
                raise ValueError(message(name, columns, f"{size}", "Pass the same columns."))
        losses = samples.output_losses(summary, self.network_, self.n_threads)
        return of_output_losses(losses, summary.target_std).r2

    def to_local(self) -> BatchMLPRegressor:
        """Return a fitted ``BatchMLPRegressor``, which needs neither Dask nor a cluster."""
        check_is_fitted(self)
        parameters = self.get_params(deep=False)
        del parameters["timeout"]
        local = BatchMLPRegressor(**parameters)
        fitted = {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_")
        }
        fitted |= {"_one_dimensional": self._one_dimensional, "_previous_fit": None}
        for name, value in fitted.items():
            setattr(local, name, value)
        return local

    def _set_feature_names(self, X: Any) -> None:
        """Keep the names of columns, as scikit-learn does."""
        if hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        names = getattr(X, "columns", None)
        names = getattr(X, "input_names", None) if names is None else names
        if names is not None and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.asarray(names, dtype=object)

    def _check_feature_names(self, X: Any) -> None:
        """Refuse a table whose columns have other names than those of ``fit``."""
        known, names = getattr(self, "feature_names_in_", None), getattr(X, "columns", None)
        if known is None or names is None or list(names) == list(known):
            return
        expected = f"have the columns of fit, {', '.join(known)}"
        got, remedy = ", ".join(map(str, names)), "Choose these columns, in this order."
        raise ValueError(message("X", expected, got, remedy))
