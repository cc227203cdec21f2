"""The penalty on weights, which every solver minimises together with the loss.

    F = L̃ + (1/Σw) (α_h ‖W_h‖² + α_y ‖W_y‖²)

Biases are not penalised.  As L̃ = (1/Σw) Σ w r², the factor 1/Σw gives α_h = α_y the meaning of
``alpha`` in scikit-learn, which minimises ½ F, and of ``decay`` in R's nnet, which penalises biases
as well.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import types

from batchprop.compiler.jit import helper, kernel, returning
from batchprop.parameters import Shape, offsets
from batchprop.solvers.vector_ops import partial_dot


class Penalty(NamedTuple):
    """The factors of the squared weights, and where the weights stand in θ.

    Attributes
    ----------
    rate_h, rate_y : float
        α_h/Σw and α_y/Σw.
    b_h_start, W_y_start, b_y_start : int
        First elements of these blocks in θ, as ``parameters.offsets`` has them: W_h ends where b_h
        begins, and W_y where b_y begins.
    """

    rate_h: float
    rate_y: float
    b_h_start: int
    W_y_start: int
    b_y_start: int


def penalty(alpha: tuple[float, float], total_weight: float, shape: Shape) -> Penalty:
    """Return the penalty for (α_h, α_y), neither negative, and Σw; see ``penalty.rates_of``."""
    alpha_h, alpha_y = alpha
    return Penalty(alpha_h / total_weight, alpha_y / total_weight, *offsets(shape))


@returning(types.float64)
def _add_block(rate, begin, end, theta, gradient, with_gradient):
    """Return rate · ‖W‖² of the weights θ[begin:end]; add 2 · rate · W to the gradient."""
    if rate == 0.0:  # also where weights are infinite
        return 0.0
    if with_gradient:
        for i in range(begin, end):
            gradient[i] += 2.0 * rate * theta[i]
    return rate * partial_dot(theta, theta, begin, end)


@returning(types.float64)
def add_penalty(penalty, theta, gradient, with_gradient):
    """Return Σ rate · ‖W‖² over both blocks; add its gradient 2 · rate · W to ``gradient``."""
    value = _add_block(penalty.rate_h, 0, penalty.b_h_start, theta, gradient, with_gradient)
    return value + _add_block(
        penalty.rate_y, penalty.W_y_start, penalty.b_y_start, theta, gradient, with_gradient
    )


@helper
def add_penalty_to_diagonal(penalty, A):
    """Complete A = JᵀJ + penalty: add α_h/Σw and α_y/Σw to the diagonal elements of weights."""
    for i in range(penalty.b_h_start):
        A[i, i] += penalty.rate_h
    for i in range(penalty.W_y_start, penalty.b_y_start):
        A[i, i] += penalty.rate_y


@kernel
def penalise(penalty, theta, gradient, with_gradient):
    """Python entry point of ``add_penalty``."""
    return add_penalty(penalty, theta, gradient, with_gradient)
