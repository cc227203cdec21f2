"""Which α to choose, from the evidence along paths and the errors on samples left out.

The evidence of the fitted samples and the likelihood of those left out add up to the evidence of
all:

    −log evidence(all) = −log evidence(fitted) − log p(left out | fitted)

With normal residuals of a most probable variance the second term is ½ n ln MSE for n targets left
out.  Here it counts as if ``WEIGHT`` times all targets had been left out: that is what a penalty is
for, and Laplace's approximation can be off where few samples are fitted.

    criterion(α) = −log evidence(α) + ½ · WEIGHT · s Σw · ln MSE(α)

Around its minimum on the path, it is taken for a parabola in ln α.  The choice is its minimum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

WEIGHT = 0.5


def criterion(negative_log: float, error: float, n_targets: float) -> float:
    """Return the criterion.

    Parameters
    ----------
    negative_log : float
        −log evidence of the samples that were fitted.
    error : float
        Mean squared error of a target that was left out; NaN if none was.
    n_targets : float
        s Σw of all samples.
    """
    if math.isnan(error):
        return negative_log
    return negative_log + 0.5 * WEIGHT * n_targets * math.log(max(error, 1e-30))


def chosen_exponent(exponents: Sequence[float], values: Sequence[float]) -> float:
    """Return log₁₀ of the chosen α.

    Parameters
    ----------
    exponents : sequence of float
        log₁₀ α along the path, descending by 1.
    values : sequence of float
        The criterion of each; inf where it is not known, but not everywhere.
    """
    k = min(range(len(values)), key=lambda j: values[j])
    neighbours = values[k - 1 : k + 2] if k > 0 else []
    if len(neighbours) < 3 or not all(map(math.isfinite, neighbours)):
        return exponents[k]
    above, least, below = neighbours
    curvature = above - 2.0 * least + below  # at least 0: least is the minimum
    if curvature <= 0.0:
        return exponents[k]
    return exponents[k] + 0.5 * (below - above) / curvature
