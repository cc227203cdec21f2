"""The penalty on weights, which every solver minimises together with the loss.

    F = L̃ + (1/Σw) (α_h ‖W_h‖² + α_y ‖W_y‖²)

Biases are not penalised.  As L̃ = (1/Σw) Σ w r², the factor 1/Σw gives α_h = α_y the meaning of
``alpha`` in scikit-learn, which minimises ½ F, and of ``decay`` in R's nnet, which penalises biases
as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import types

from batchprop.compiler.jit import helper, kernel, returning
from batchprop.parameters import Shape


class Penalty(NamedTuple):
    """The factors of the squared weights, and the sizes that tell where the weights stand in θ.

    Attributes
    ----------
    rate_h, rate_y : float
        α_h/Σw and α_y/Σw.
    e, m, s : int
        Sizes of the network.
    """

    rate_h: float
    rate_y: float
    e: int
    m: int
    s: int


def penalty(alpha: tuple[float, float], total_weight: float, shape: Shape) -> Penalty:
    """Return the penalty for (α_h, α_y), neither negative, and Σw."""
    alpha_h, alpha_y = alpha
    return Penalty(alpha_h / total_weight, alpha_y / total_weight, *shape)


@returning(types.float64)
def _add_block(rate, begin, end, theta, gradient, with_gradient):
    """Return rate · ‖W‖² of the weights θ[begin:end]; add 2 · rate · W to the gradient."""
    if rate == 0.0:  # also where weights are infinite
        return 0.0
    total = 0.0
    for i in range(begin, end):
        w = np.float64(theta[i])  # float() keeps float32
        total += w * w
        if with_gradient:
            gradient[i] += 2.0 * rate * w
    return rate * total


@returning(types.float64)
def add_penalty(penalty, theta, gradient, with_gradient):
    """Return Σ rate · ‖W‖² over both blocks; add its gradient 2 · rate · W to ``gradient``."""
    W_h = penalty.m * penalty.e
    W_y = W_h + penalty.m  # b_h stands between W_h and W_y
    value = _add_block(penalty.rate_h, 0, W_h, theta, gradient, with_gradient)
    end = W_y + penalty.s * penalty.m
    return value + _add_block(penalty.rate_y, W_y, end, theta, gradient, with_gradient)


@helper
def add_penalty_to_diagonal(penalty, A):
    """Add the penalty's second derivatives to JᵀJ: α_h/Σw and α_y/Σw on the weights' diagonal."""
    W_h = penalty.m * penalty.e
    for i in range(W_h):
        A[i, i] += penalty.rate_h
    W_y = W_h + penalty.m
    for i in range(W_y, W_y + penalty.s * penalty.m):
        A[i, i] += penalty.rate_y


@kernel
def penalise(penalty, theta, gradient, with_gradient):
    """Python entry point of ``add_penalty``."""
    return add_penalty(penalty, theta, gradient, with_gradient)
