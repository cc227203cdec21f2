"""Errors of predictors on rows that were held out, and the two simplest predictors."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_BLOCK = 65536  # rows that are factorised at once
_SMALLEST = 1e-9  # relative singular value below which columns depend on one another


class Errors(NamedTuple):
    """Errors of predictions of one target.

    Attributes
    ----------
    rmse : float
        Root mean squared error, in the units of the target.
    mae : float
        Mean absolute error.
    r2 : float
        R²: 1 for exact predictions, 0 for the mean of the same rows; NaN for a constant target.
    """

    rmse: float
    mae: float
    r2: float


def errors(T: Array, Y: Array, weights: Array | None = None) -> list[Errors]:
    """Return the errors of predictions, target by target.

    Parameters
    ----------
    T, Y : ndarray, shape (N, s)
        Targets and predictions.
    weights : ndarray, shape (N,), or None
        Weights of the rows.
    """
    residuals = np.asarray(Y, np.float64) - T
    square = np.average(residuals**2, axis=0, weights=weights)
    absolute = np.average(np.abs(residuals), axis=0, weights=weights)
    variance = np.average((T - np.average(T, axis=0, weights=weights)) ** 2, 0, weights=weights)
    return [
        Errors(math.sqrt(s), float(a), 1.0 - float(s) / float(v) if v > 0 else math.nan)
        for s, a, v in zip(square, absolute, variance, strict=True)
    ]


def coverage(T: Array, lower: Array, upper: Array, weights: Array | None = None) -> list[float]:
    """Return the share of rows inside their interval, target by target.

    Parameters
    ----------
    T, lower, upper : ndarray, shape (N, s)
        Targets, and the ends of their intervals.
    weights : ndarray, shape (N,), or None
        Weights of the rows.
    """
    inside = (lower <= T) & (upper >= T)
    return [float(share) for share in np.average(inside, axis=0, weights=weights)]


def means(T: Array, weights: Array | None = None) -> Array:
    """Return the mean of each target, (s,)."""
    return np.asarray(np.average(T, axis=0, weights=weights), np.float64)


class LinearModel(NamedTuple):
    """Linear least squares: predictions are (X − mean) / scale · coefficients.

    Attributes
    ----------
    mean, scale : ndarray, shape (e,)
        Of the inputs.
    coefficients : ndarray, shape (e + 1, s)
        The last row is the intercept.
    """

    mean: Array
    scale: Array
    coefficients: Array

    def predict(self, X: Array) -> Array:
        """Return predictions (N, s) for inputs (N, e)."""
        standardised = (X - self.mean) / self.scale
        return np.asarray(standardised @ self.coefficients[:-1] + self.coefficients[-1])


def linear_least_squares(X: Array, T: Array, weights: Array | None = None) -> LinearModel:
    """Fit the linear model with the least squared error.

    The rows are factorised block by block (QR), so that little memory is needed.  Of columns that
    depend on one another, such as the inputs of a category, the shortest solution is taken.
    """
    mean, scale = X.mean(axis=0), X.std(axis=0)
    scale[~(scale > _SMALLEST * np.abs(mean))] = 1.0  # constant, or so to rounding
    e = X.shape[1]
    triangle = np.empty((0, e + 1 + T.shape[1]))
    for start in range(0, len(X), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = np.column_stack([(X[rows] - mean) / scale, np.ones(len(X[rows])), T[rows]])
        if weights is not None:
            block *= np.sqrt(weights[rows])[:, np.newaxis]
        triangle = np.asarray(np.linalg.qr(np.vstack([triangle, block]), mode="r"))
    coefficients = np.linalg.lstsq(triangle[:, : e + 1], triangle[:, e + 1 :], _SMALLEST)[0]
    return LinearModel(mean, scale, np.asarray(coefficients))


def held_out_rows(n_rows: int, fraction: float, seed: int) -> npt.NDArray[np.bool_]:
    """Choose at random the rows that are held out: a mask of ``fraction`` of them."""
    n_held_out = round(n_rows * fraction)
    mask = np.zeros(n_rows, np.bool_)
    mask[np.random.default_rng(seed).permutation(n_rows)[:n_held_out]] = True
    return mask
