"""``Predictive``: predictions with standard deviations and intervals."""

from __future__ import annotations

import os
from dataclasses import dataclass
from math import isfinite
from statistics import NormalDist
from typing import Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt

from batchprop import summary_table, validation
from batchprop.network import Network
from batchprop.predictive import conformal, predictive_file
from batchprop.predictive.calibration import Calibration
from batchprop.predictive.posterior import Posterior, claimed_variance
from batchprop.validation.error_text import message
from batchprop.version import DOCS

Array = npt.NDArray[Any]

LAPLACE, CONFORMAL, NORMALISED = "laplace", "conformal", "conformal-normalised"
METHODS = (LAPLACE, CONFORMAL, NORMALISED)
_VARYING = {
    "full": "all parameters",
    "last-layer": "the parameters of the output layer",
    "constant": "no parameter: the variance is the same everywhere",
}


@dataclass(frozen=True, eq=False)  # arrays have no single truth value
class Predictive:
    """A trained network with what is known about its errors on new samples.

    ``train(..., uncertainty="laplace")`` makes it: ``result.predictive``.  It can be pickled.

    Parameters
    ----------
    network : Network
        Predicts.
    posterior : Posterior
        v = J K⁻¹ Jᵀ of Laplace's approximation, and the spread of averaged networks.
    calibration : Calibration
        a and b of each output, and the residuals of samples that were left out.
    noise_variance : ndarray, shape (s,)
        ν_o for standardised targets.
    n_effective : float
        γ, the number of parameters that the data determine; for an average the mean over its
        networks.  NaN if no parameter varies.

    Notes
    -----
    The variance of a new standardised target is a_o + b_o (ν_o v_oo(x) + spread_o(x)).
    Where it comes from, what it costs, and when it is wrong:
    https://batchprop.readthedocs.io/en/latest/uncertainty.html

    Examples
    --------
    >>> import numpy as np
    >>> from batchprop import train
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2.0, 2.0, (1, 200))
    >>> T = np.sin(X) + 0.1 * rng.standard_normal(X.shape)
    >>> result = train(X, T, hidden_size=5, alpha=0.01, uncertainty="laplace")
    >>> predictive = result.predictive
    >>> predictive
    Predictive(Network(1-5-1, activation='tanh', dtype=float64), full, calibrated by folds)
    >>> Y, std = predictive.predict([[0.0, 1.0]], return_std=True)
    >>> Y.shape, std.shape, bool((abs(std - 0.1) < 0.03).all())
    ((1, 2), (1, 2), True)
    >>> lower, upper = predictive.interval([[0.0, 1.0]], 0.9, method="conformal")
    >>> bool((lower < Y).all() and (Y < upper).all())
    True
    """

    network: Network
    posterior: Posterior
    calibration: Calibration
    noise_variance: Array
    n_effective: float

    @property
    def noise_std(self) -> Array:
        """√ν_o (s,): estimated standard deviation of the noise of each output, in units of T."""
        return self._units * np.sqrt(self.noise_variance)

    @property
    def error_std(self) -> Array:
        """Root mean squared error (s,) on samples that were left out, in units of T.

        It estimates the error on new samples.  NaN if nothing calibrated the standard deviations.
        """
        return self._units * np.sqrt(self.calibration.mean_square)

    @property
    def approximation(self) -> str:
        """Which parameters vary: "full", all; "last-layer", W_y and b_y; "constant", none."""
        return self.posterior.approximation

    @overload
    def predict(
        self,
        X: npt.ArrayLike,
        return_std: Literal[False] = False,
        *,
        n_threads: int | None = None,
    ) -> Array: ...

    @overload
    def predict(
        self, X: npt.ArrayLike, return_std: Literal[True], *, n_threads: int | None = None
    ) -> tuple[Array, Array]: ...

    def predict(
        self, X: npt.ArrayLike, return_std: bool = False, *, n_threads: int | None = None
    ) -> Array | tuple[Array, Array]:
        """Predict, with the standard deviation of a new target if asked for.

        Parameters
        ----------
        X : array_like, shape (e, N)
            Inputs, one sample per column, in C or Fortran order.
        return_std : bool
            Return standard deviations, too.
        n_threads : int or None
            Maximum number of threads; None takes the CPUs that the process may use.

        Returns
        -------
        Y : ndarray, shape (s, N)
            Predictions in the network's dtype, those of ``network.predict``.
        std : ndarray, shape (s, N)
            Only with ``return_std``: standard deviation of a new target, noise included, in units
            of T.

        Raises
        ------
        TypeError, ValueError
            ``X`` does not consist of real numbers, has another shape than (e, N), is empty, or
            contains NaN or inf; or ``return_std`` is no bool.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import train
        >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
        >>> result = train(X, X**2, hidden_size=3, alpha=0.1, uncertainty="laplace")
        >>> Y, std = result.predictive.predict([[0.0, 3.0]], return_std=True)
        >>> bool(std[0, 1] > std[0, 0])  # far outside
        True
        """
        inputs = self._checked(X)
        with_std, threads = validation.flag("return_std", return_std), self._threads(n_threads)
        Y = self.network.predict(inputs, n_threads=threads)
        if not with_std:
            return Y
        return Y, self._std(inputs, threads).astype(Y.dtype)

    def interval(
        self,
        X: npt.ArrayLike,
        level: float = 0.9,
        method: str = LAPLACE,
        *,
        n_threads: int | None = None,
    ) -> tuple[Array, Array]:
        """Return intervals that should contain a new target with a given probability.

        Parameters
        ----------
        X : array_like, shape (e, N)
            Inputs, one sample per column.
        level : float
            The probability, between 0 and 1.
        method : {"laplace", "conformal", "conformal-normalised"}
            Normal quantiles of the standard deviation; the quantile of the residuals of samples
            left out, which has the same width everywhere; or their quantile in units of the
            standard deviation.
        n_threads : int or None
            Maximum number of threads.

        Returns
        -------
        lower, upper : ndarray, shape (s, N)
            Bounds of each output by itself, in the network's dtype.

        Raises
        ------
        TypeError, ValueError
            As for ``predict``, or ``level`` is not between 0 and 1, ``method`` is unknown, or there
            are too few residuals for this level: a conformal interval of 90 % needs nine.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import train
        >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
        >>> result = train(X, X**2, hidden_size=3, alpha=0.1, uncertainty="laplace")
        >>> lower, upper = result.predictive.interval([[0.0, 0.5]], level=0.5)
        >>> lower.shape, bool((lower < upper).all())
        ((1, 2), True)
        """
        inputs, threads = self._checked(X), self._threads(n_threads)
        level = validation.number("level", level, above=0, below=1)
        validation.choice("method", method, METHODS)
        factor = self._factor(level, method)[:, np.newaxis]
        Y = self.network.predict(inputs, n_threads=threads)
        if method == CONFORMAL:
            widths = factor * self._units[:, np.newaxis]
        else:
            widths = factor * self._std(inputs, threads)
        centre = Y.astype(np.float64)
        return (centre - widths).astype(Y.dtype), (centre + widths).astype(Y.dtype)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to an .npz file, atomically, for ``Predictive.load``.

        Parameters
        ----------
        path : str or path-like
            The file's name, used as it is.  An existing file is replaced.

        Raises
        ------
        TypeError, ValueError
            ``path`` is not a file name.
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Predictive, train
        >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
        >>> result = train(X, X**2, hidden_size=3, alpha=0.1, uncertainty="laplace")
        >>> result.predictive.save("predictive.npz")
        >>> Predictive.load("predictive.npz").noise_std == result.predictive.noise_std
        array([ True])
        """
        content = predictive_file.Content(
            self.network, self.posterior, self.calibration, self.noise_variance, self.n_effective
        )
        predictive_file.write(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what ``save`` wrote.

        No code in the file is executed, and its contents are checked before memory is allocated.

        Parameters
        ----------
        path : str or path-like
            The file's name.

        Raises
        ------
        TypeError
            ``path`` is not a file name.
        OSError
            The file cannot be opened.
        ValueError
            The file is something else, is damaged, or has a newer format.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Predictive, train
        >>> X = np.linspace(-1.0, 1.0, 50)[np.newaxis]
        >>> train(X, X**2, hidden_size=3, alpha=0.1, uncertainty="laplace").predictive.save("p.npz")
        >>> Predictive.load("p.npz").predict([[0.5]]).round(1)
        array([[0.2]])
        """
        return cls(*predictive_file.read(path))

    def _checked(self, X: npt.ArrayLike) -> Array:
        return validation.inputs(X, self.network.shape.n_inputs, dtype=self.network.dtype)

    def _threads(self, n_threads: int | None) -> int | None:
        return validation.n_threads(n_threads)

    @property
    def _units(self) -> Array:
        """Factor (s,) from standardised targets to units of T."""
        return self.posterior.scaling.t_scale

    def _std(self, X: Array, n_threads: int | None) -> Array:
        """Return the standard deviation of a new target (s, N), in units of T."""
        u = claimed_variance(self.posterior, self.noise_variance, X, n_threads)
        return self._units[:, np.newaxis] * np.sqrt(self.calibration.variance(u))

    def _factor(self, level: float, method: str) -> Array:
        """Return half the width of an interval (s,), standardised or over the deviation."""
        calibration = self.calibration
        if method == LAPLACE:
            quantile = NormalDist().inv_cdf(0.5 + level / 2)
            return np.full(self.noise_variance.size, quantile)
        scores = np.abs(calibration.residuals)
        if method == NORMALISED:
            std = np.sqrt(calibration.variance(calibration.claimed))
            scores = np.divide(scores, std, out=np.zeros_like(scores), where=std > 0)
        factor = conformal.quantile(scores, calibration.weight, level)
        if not np.isfinite(factor).all():
            needed, total = conformal.fewest(level), float(calibration.weight.sum())
            expected = (
                f"come from at least {needed} residuals of samples left out for level={level}"
            )
            remedy = (
                "Use method='laplace', a lower level, or train on more samples "
                f"({DOCS}uncertainty.html)."
            )
            raise ValueError(message(f"method={method!r}", expected, f"{total:g}", remedy))
        return factor

    def _rows(self) -> dict[str, str]:
        """Return the lines of the summary, by their labels."""
        source, network = self.calibration.source, self.network
        n_parameters = f"{network.theta.size:,} parameters"
        errors, effective = self.error_std, self.n_effective
        return {
            "network": f"{network.shape}, {network.activation}, {network.dtype}, {n_parameters}",
            "varying": _VARYING[self.approximation],
            "effective": f"γ = {effective:.3g} of {n_parameters}" if isfinite(effective) else "",
            "calibrated by": "nothing" if source == "none" else source,
            "error left out": f"RMSE {_listed(errors)}" if np.isfinite(errors).all() else "",
            "noise": f"standard deviation {_listed(self.noise_std)}",
        }

    def __str__(self) -> str:
        return summary_table.text(self._rows())

    def _repr_html_(self) -> str:
        return summary_table.html("Predictive", self._rows())

    def __repr__(self) -> str:
        source = self.calibration.source
        calibrated = "not calibrated" if source == "none" else f"calibrated by {source}"
        return f"Predictive({self.network}, {self.approximation}, {calibrated})"


def _listed(values: Array) -> str:
    """Return a number for each output as text."""
    return ", ".join(f"{value:.4g}" for value in values)
