"""The penalty on weights, in NumPy, for calls that do not train: no compiler is needed for them.

    J = L + (α/Σw) (‖W_h‖² + ‖W_y‖²)        ∂J/∂W = ∂L/∂W + 2 (α/Σw) W

The solvers' own in ``solvers/penalty.py`` is the same, compiled; tests hold one against the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.engines.scales import scales
from batchprop.parameters import Shape, split

Array = npt.NDArray[Any]


def rate_of(alpha: float, n_samples: int, sample_weight: Array | None) -> float:
    """Return α/Σw, or α/N without weights."""
    return alpha * scales(n_samples, sample_weight).loss


def add_penalty(rate: float, theta: Array, shape: Shape, gradient: Array | None = None) -> float:
    """Return the penalty at θ (P,), summed in float64; add its gradient to ``gradient`` (P,)."""
    if rate == 0.0:  # also where weights are infinite
        return 0.0
    blocks = split(theta, shape)
    total = 0.0
    for name in ("W_h", "W_y"):
        W = getattr(blocks, name).astype(np.float64)
        total += float(np.vdot(W, W))
        if gradient is not None:
            block = getattr(split(gradient, shape), name)
            np.add(block, 2.0 * rate * W, out=block, casting="same_kind")
    return rate * total
