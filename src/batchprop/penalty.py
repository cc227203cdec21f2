"""The penalty on weights, in NumPy, for calls that do not train: no compiler is needed for them.

    J = L + (1/Σw) (α_h ‖W_h‖² + α_y ‖W_y‖²)        ∂J/∂W = ∂L/∂W + 2 (α/Σw) W

The solvers' own in ``solvers/penalty_kernel.py`` is the same, compiled; tests hold one against the
other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.engines.loss_scale import scales
from batchprop.parameters import Shape, split

Array = npt.NDArray[Any]
Rates = tuple[float, float]  # of W_h and of W_y


def rates_of(alpha: Rates, n_samples: int, sample_weight: Array | None) -> Rates:
    """Return (α_h, α_y)/Σw, or that over N without weights."""
    share = scales(n_samples, sample_weight).loss
    return alpha[0] * share, alpha[1] * share


def add_penalty(rates: Rates, theta: Array, shape: Shape, gradient: Array | None = None) -> float:
    """Return the penalty at θ (P,), summed in float64; add its gradient to ``gradient`` (P,)."""
    blocks = split(theta, shape)
    total = 0.0
    for name, rate in zip(("W_h", "W_y"), rates, strict=True):
        if rate == 0.0:  # also where weights are infinite
            continue
        W = getattr(blocks, name).astype(np.float64)
        total += rate * float(np.vdot(W, W))
        if gradient is not None:
            block = getattr(split(gradient, shape), name)
            np.add(block, 2.0 * rate * W, out=block, casting="same_kind")
    return total
