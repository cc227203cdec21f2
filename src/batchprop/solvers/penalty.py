"""The penalty on weights, which every solver minimises together with the loss.

    J = L + (α/Σw) (‖W_h‖² + ‖W_y‖²)

Biases are free.  Beside L = (1/Σw) Σ w r² the factor 1/Σw makes α the ``alpha`` of scikit-learn,
whose loss is half of all this, and the ``decay`` of R's nnet, which penalises biases as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from batchprop.engines.fused.jit import kernel, returning
from batchprop.parameters import Shape


class Penalty(NamedTuple):
    """What the squares of weights are multiplied by, and where the weights stand in θ.

    Attributes
    ----------
    rate : float
        α/Σw.
    e, m, s : int
        Sizes of the network.
    """

    rate: float
    e: int
    m: int
    s: int


def penalty(alpha: float, total_weight: float, shape: Shape) -> Penalty:
    """Return the penalty for α ≥ 0 and Σw."""
    return Penalty(alpha / total_weight, *shape)


@returning(types.float64)
def add_penalty(penalty, theta, gradient, with_gradient):
    """Return rate · (‖W_h‖² + ‖W_y‖²); add its gradient 2 · rate · W to ``gradient``."""
    rate = penalty.rate
    if rate == 0.0:  # also where weights are infinite
        return 0.0
    total = 0.0
    W_y = penalty.m * penalty.e + penalty.m
    for i in range(W_y + penalty.s * penalty.m):
        if i < penalty.m * penalty.e or i >= W_y:  # b_h stands between W_h and W_y
            w = np.float64(theta[i])  # float() keeps float32
            total += w * w
            if with_gradient:
                gradient[i] += 2.0 * rate * w
    return rate * total


@kernel
def penalise(penalty, theta, gradient, with_gradient):
    """The same, called from Python."""
    return add_penalty(penalty, theta, gradient, with_gradient)
