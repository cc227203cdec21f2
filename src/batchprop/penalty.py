"""The penalty on weights in NumPy, for calls that do not train and need no compiler.

    F = L + (1/Σw) (α_h ‖W_h‖² + α_y ‖W_y‖²)        ∂F/∂W = ∂L/∂W + 2 (α/Σw) W

``solvers/penalty_kernel.py`` is the compiled version for solvers; tests compare the two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.engines.loss_scale import scales
from batchprop.parameters import Shape, split

Array = npt.NDArray[Any]
Rates = tuple[float, float]  # penalty factors of ‖W_h‖² and ‖W_y‖²


def rates_of(alpha: Rates, n_samples: int, sample_weight: Array | None) -> Rates:
    """Return (α_h, α_y)/Σw; without weights, Σw = N.

    ``solvers.penalty_kernel.penalty`` computes the same rates for solvers.
    """
    inverse_weight = scales(n_samples, sample_weight).loss
    return alpha[0] * inverse_weight, alpha[1] * inverse_weight


def add_penalty(rates: Rates, theta: Array, shape: Shape, gradient: Array | None = None) -> float:
    """Return the penalty at θ (P,), summed in float64; add its gradient to ``gradient`` (P,)."""
    blocks = split(theta, shape)
    total = 0.0
    for name, rate in zip(("W_h", "W_y"), rates, strict=True):
        if rate == 0.0:  # 0 · inf would be NaN
            continue
        W = getattr(blocks, name).astype(np.float64)
        total += rate * float(np.vdot(W, W))
        if gradient is not None:
            block = getattr(split(gradient, shape), name)
            np.add(block, 2.0 * rate * W, out=block, casting="same_kind")
    return total
