"""Variances that fit the residuals of samples that were left out: var = a + b u.

u is the variance of a prediction that the posterior claims: ν v, and the spread of an average.
Networks that did not see the samples predicted them, and u is theirs.  a ≥ 0 and b ≥ 0 of each
output are the most probable ones if residuals are normal with variance a + b u:

    minimise Σ_i w_i [ln(a + b u_i) + r_i²/(a + b u_i)]

For a given share t = b ū/(a + b ū), where ū is the mean of u, the best size of both has a closed
form.  What is left is a function of t in [0, 1], which is searched on a grid and then refined: the
global minimum, found in the same way each time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FEW = 30  # residuals, Σw; with fewer, the ratio of a and b stays that of Laplace's approximation
_LOGITS = np.linspace(-7.0, 7.0, 57)  # of t
_SMALLEST_SHARE = 1e-3  # of a in the mean variance: u can be next to 0 where the network errs


class Calibration(NamedTuple):
    """var = a + b u, and the residuals that say so, for standardised targets.

    Attributes
    ----------
    intercept, slope : ndarray, shape (s,)
        a and b.
    residuals : ndarray, shape (s, n)
        y − t of samples that the network which predicted them had not seen; n may be 0.
    claimed : ndarray, shape (s, n)
        u of that network.
    weight : ndarray, shape (n,)
        w.
    source : {"folds", "validation", "none"}
        Whose residuals.
    """

    intercept: Array
    slope: Array
    residuals: Array
    claimed: Array
    weight: Array
    source: str

    @property
    def mean_square(self) -> Array:
        """Mean square of the residuals (s,); NaN if there are none."""
        total = float(self.weight.sum())
        if not total > 0.0:
            return np.full(self.intercept.size, np.nan)
        return np.asarray(np.sum(np.square(self.residuals) * self.weight, axis=1) / total)

    def variance(self, u: Array) -> Array:
        """Return a + b u (s, N) of u (s, N)."""
        return np.asarray(self.intercept[:, np.newaxis] + self.slope[:, np.newaxis] * u)


def uncalibrated(noise_variance: Array) -> Calibration:
    """Return the variance of Laplace's approximation, ν + u."""
    s = noise_variance.size
    none = np.empty((s, 0))
    return Calibration(noise_variance, np.ones(s), none, none, np.empty(0), "none")


def calibrated(
    residuals: Array, claimed: Array, weight: Array, noise_variance: Array, source: str
) -> Calibration:
    """Return the calibration by residuals.

    Parameters
    ----------
    residuals, claimed, weight, source
        As in ``Calibration``.
    noise_variance : ndarray, shape (s,)
        ν, for ν + u where residuals are few.
    """
    fits = [
        _fit(r, u, weight, nu) for r, u, nu in zip(residuals, claimed, noise_variance, strict=True)
    ]
    intercept, slope = np.array(fits).T
    return Calibration(intercept, slope, residuals, claimed, weight, source)


def _fit(residuals: Array, u: Array, weight: Array, noise_variance: float) -> tuple[float, float]:
    """Return a and b of one output."""
    total, squares = float(np.sum(weight)), residuals**2
    mean_square, mean_u = (float(np.sum(weight * x) / total) for x in (squares, u))
    if mean_square == 0.0 or mean_u == 0.0:
        return mean_square, 0.0
    ratios = u / mean_u

    def profile(t: float) -> tuple[float, float]:
        """Return the criterion at t, over Σw, and the best mean variance."""
        form = 1.0 - t + t * ratios
        size = float(np.sum(weight * squares / form) / total)
        return float(np.sum(weight * np.log(form)) / total) + np.log(size), size

    if total < FEW:
        share = mean_u / (mean_u + noise_variance)
    else:
        largest = 1.0 - _SMALLEST_SHARE
        share = _minimum(lambda t: profile(t)[0], np.append(0.0, largest / (1 + np.exp(-_LOGITS))))
    size = profile(share)[1]
    return size * (1.0 - share), size * share / mean_u


def _minimum(function: Callable[[float], float], grid: Array) -> float:
    """Return where a function is least, near the best point of a grid."""
    from scipy.optimize import minimize_scalar

    values = [function(float(t)) for t in grid]
    k = int(np.argmin(values))
    bounds = float(grid[max(0, k - 1)]), float(grid[min(grid.size - 1, k + 1)])
    options = {"xatol": 1e-6}
    optimum = minimize_scalar(function, bounds=bounds, method="bounded", options=options)
    return float(optimum.x) if optimum.fun < values[k] else float(grid[k])
