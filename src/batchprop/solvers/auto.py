"""Which solver suits a problem: a rule found by ``python -m benchmarks.solver_choice``.

It takes Levenberg–Marquardt if one of its iterations costs at most as much as thirty of L-BFGS, the
activation is smooth, the network has at most a thousand parameters, and there is next to no
penalty.  L-BFGS needs some √(Σw/α) iterations: the penalty bounds the condition of F.  In
standardised units α is the variance of the noise over that of the weights, so that noisy tables
have an α at which L-BFGS is done after some hundred cheap iterations.
The measurements: https://batchprop.readthedocs.io/en/latest/solvers.html
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Shape

MAX_COST = 30.0
MAX_PARAMETERS = 1000
MAX_ALPHA = 2e-4  # of the smaller of α_h and α_y
NO_PENALTY = (0.0, 0.0)


def gradient_work(shape: Shape) -> int:
    """Return the multiply-adds of loss and gradient for one sample."""
    e, m, s = shape
    return m * (2 * e + 3 * s + 20)  # 20: σ and σ′


def row_product_work(shape: Shape) -> float:
    """Return the multiply-adds of the sums that JᵀJ is assembled from, for one sample."""
    e, m, _ = shape
    return m * (m + 1) * (e + 1) * (e + 2) / 4 + m * (m + 1) * (e + 1) + m * m / 2


def cost(shape: Shape, n_samples: int, dtype: npt.DTypeLike) -> float:
    """Return how many iterations of L-BFGS one of Levenberg–Marquardt costs, by multiply-adds.

    JᵀJ and its Cholesky factorisation are compared with loss and gradient.  Levenberg–Marquardt
    always computes in float64; L-BFGS is twice as fast in float32.
    """
    n, products = shape.n_parameters, row_product_work(shape)
    gradient = n_samples * gradient_work(shape)
    ratio = (n_samples * products + n**3 / 6 + gradient) / gradient
    return ratio * (2.0 if np.dtype(dtype) == np.float32 else 1.0)


def is_penalised(alpha: tuple[float, float]) -> bool:
    """Return whether (α_h, α_y) is a penalty at which L-BFGS takes few iterations."""
    return min(alpha) > MAX_ALPHA


def choose(
    shape: Shape,
    n_samples: int,
    dtype: npt.DTypeLike,
    activation: str,
    alpha: tuple[float, float] = NO_PENALTY,
) -> str:
    """Return "lm" or "lbfgs".

    With relu, samples cross the kink within a step.  The linear model of Levenberg–Marquardt does
    not see that, and the run stops early at a higher loss.
    """
    if activation == "relu" or shape.n_parameters > MAX_PARAMETERS or is_penalised(alpha):
        return "lbfgs"
    return "lm" if cost(shape, n_samples, dtype) <= MAX_COST else "lbfgs"
