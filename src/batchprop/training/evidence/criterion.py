"""Which α to choose, from the evidence along a path and the errors on samples left out.

The evidence of the fitted samples and the likelihood of those left out add up to the evidence of
all:  −log Z(all) = −log Z(fitted) − log p(left out | fitted).  With normal residuals of a most
probable variance the second term is ½ n ln v for n targets left out with a mean squared error v.
Here it counts as if ``WEIGHT`` times all targets had been left out: Laplace's approximation is off
by a hundred nats where a small network fits few samples, while errors on new samples are what a
penalty is for.

    C(α) = −log Z(α) + ½ · WEIGHT · s Σw · ln v(α)

The choice is the smallest α with a C of at most ``TOLERANCE`` above the minimum, between the α of
the path by linear interpolation in ln α: minima of one network differ by as much, and the network
of a call, which has more units than the small one, prefers smaller α.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

WEIGHT = 2.0
TOLERANCE = 20.0  # nats, for many samples
TOLERANCE_A_TARGET = 0.02  # nats, for few


def criterion(negative_log: float, error: float, n_targets: float) -> float:
    """Return C.

    Parameters
    ----------
    negative_log : float
        −log Z of the samples that were fitted.
    error : float
        Mean squared error v of a target that was left out; NaN if none was.
    n_targets : float
        s Σw of all samples.
    """
    if math.isnan(error):
        return negative_log
    return negative_log + 0.5 * WEIGHT * n_targets * math.log(max(error, 1e-30))


def chosen_exponent(exponents: Sequence[float], values: Sequence[float], n_targets: float) -> float:
    """Return log₁₀ of the chosen α.

    Parameters
    ----------
    exponents : sequence of float
        log₁₀ α along the path, descending.
    values : sequence of float
        C of each; inf where it is not known, but not everywhere.
    n_targets : float
        s Σw of all samples.
    """
    level = min(values) + min(TOLERANCE, TOLERANCE_A_TARGET * n_targets)
    last = max(k for k, value in enumerate(values) if value <= level)
    if last + 1 == len(values) or not math.isfinite(values[last + 1]):
        return exponents[last]
    share = (level - values[last]) / (values[last + 1] - values[last])
    return exponents[last] + share * (exponents[last + 1] - exponents[last])
