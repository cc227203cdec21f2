"""From sums over samples to the loss L and its gradient: the factor 2 and the division by N.

Kernels return plain sums over samples (that is what makes chunks and threads add up).  With sample
weights w_i, and w_i = 1 without them,

    L      = (1/Σ_i w_i) Σ_i w_i ‖y_i − t_i‖²
    δ_y,i  = (2/Σ_i w_i) w_i (y_i − t_i)

so that weight 2 equals a repeated sample and weight 0 a missing one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Scales(NamedTuple):
    """What sums over samples are multiplied by.

    Attributes
    ----------
    loss : float
        1/Σw, for the sum of squared residuals.
    gradient : float
        2/Σw, for the sums of residual times ∂y/∂θ.
    """

    loss: float
    gradient: float


def scales(n_samples: int, sample_weight: npt.NDArray[Any] | None) -> Scales:
    """Return the two factors for ``n_samples`` samples or for their weights."""
    total = float(n_samples if sample_weight is None else np.sum(sample_weight, dtype=np.float64))
    return Scales(loss=1.0 / total, gradient=2.0 / total)
