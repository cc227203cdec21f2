"""``FittedNetwork``: what a fitted estimator answers: predictions, intervals, parameters."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from batchprop import validation
from batchprop.network import Network
from batchprop.predictive.predictive import Predictive
from batchprop.sklearn.training_data import checked_inputs
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]


class FittedNetwork:
    """A mixin: methods of an estimator that has a ``network_``."""

    network_: Network
    predictive_: Predictive | None
    uncertainty: str | None
    engine: str
    n_threads: int | None
    _one_dimensional: bool

    def predict(self, X: Any, return_std: bool = False) -> Array | tuple[Array, Array]:
        """Predict the targets of samples.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Inputs.
        return_std : bool, default=False
            Return the standard deviations of new targets, too.  The model must have been fitted
            with ``uncertainty="laplace"``.

        Returns
        -------
        y : ndarray, shape (n_samples,) or (n_samples, n_outputs)
            Predictions in the network's dtype, with as many dimensions as y had in ``fit``.
        std : ndarray, shape of y
            Only with ``return_std``: standard deviations, noise included, in units of y.
        """
        check_is_fitted(self)
        X = checked_inputs(self, X)
        Y = self.network_.predict(X.T, engine=self.engine, n_threads=self.n_threads)
        if not validation.flag("return_std", return_std):
            return self._as_targets(Y)
        predictive = self._predictive_for("return_std")
        _, std = predictive.predict(X.T, return_std=True, n_threads=self.n_threads)
        return self._as_targets(Y), self._as_targets(std)

    def predict_interval(
        self, X: Any, confidence_level: float = 0.9, method: str = "laplace"
    ) -> tuple[Array, Array]:
        """Return intervals that should contain a new target with a given probability.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_samples, n_features)
            Inputs.
        confidence_level : float, default=0.9
            The probability, between 0 and 1.
        method : {"laplace", "conformal", "conformal-normalised"}, default="laplace"
            Normal quantiles of the standard deviation, the quantile of the residuals of samples
            left out, or their quantile in units of the standard deviation; see
            ``batchprop.Predictive.interval``.

        Returns
        -------
        lower, upper : ndarray, shape (n_samples,) or (n_samples, n_outputs)
            Bounds, with as many dimensions as y had in ``fit``.
        """
        check_is_fitted(self)
        X = checked_inputs(self, X)
        level = validation.number("confidence_level", confidence_level, above=0, below=1)
        predictive = self._predictive_for("predict_interval")
        lower, upper = predictive.interval(X.T, level, method, n_threads=self.n_threads)
        return self._as_targets(lower), self._as_targets(upper)

    def _as_targets(self, Y: Array) -> Array:
        """Return a table (s, N) in the form of y."""
        return Y[0] if self._one_dimensional else Y.T

    @property
    def coefs_(self) -> list[Array]:
        """Weights W_hᵀ (e, m) and W_yᵀ (m, s); read-only views."""
        return _read_only(self.network_.W_h.T, self.network_.W_y.T)

    @property
    def intercepts_(self) -> list[Array]:
        """Biases b_h (m,) and b_y (s,); read-only views."""
        return _read_only(self.network_.b_h, self.network_.b_y)

    def _predictive_for(self, name: str) -> Predictive:
        """Return the predictive, or raise; ``name`` is what the user asked for."""
        if self.predictive_ is not None:
            return self.predictive_
        expected = "be used after a fit with uncertainty='laplace'"
        got, remedy = "a model without it", "Fit with BatchMLPRegressor(uncertainty='laplace')."
        if self.uncertainty is not None:
            got = "a fit without a predictive_"
            remedy = "Fit with uncertainty='laplace' to finite results and at least two samples."
        raise ValueError(message(name, expected, got, remedy))


def _read_only(*arrays: Array) -> list[Array]:
    for array in arrays:
        array.setflags(write=False)
    return list(arrays)
