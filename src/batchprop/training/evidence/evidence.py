"""The evidence of a penalty: how probable the targets are, with the weights integrated out.

The penalised fit is the most probable network if residuals are normal with variance ν, W_h with
variance ν/α_h and W_y with ν/α_y.  With

    Σw F = Σ_i w_i ‖y_i − t_i‖² + α_h ‖W_h‖² + α_y ‖W_y‖²        K = Σ_i w_i J_iᵀ J_i + Λ

Laplace's approximation around the fit and the most probable ν give, up to a constant,

    −log evidence = ½ [M ln(Σw F/M) − n_h ln α_h − n_y ln α_y + ln det K]        M = s Σw − s

The number of effective parameters is γ = P − tr(Λ K⁻¹), and ν = Σ_i w_i ‖r_i‖² / (s Σw − γ)
estimates the noise.

Λ is diagonal: α_y for W_y, 0 for b_y, and α_h for W_h and b_h.  n_h = m (e + 1) and n_y = m s count
these parameters.  F has no penalty on b_h.  A prior that is flat there as well would reward idle
units: if W_y has a column of zeros, any b_h of that unit fits equally well, and the evidence grows
without bound.  With it, α ended at 10 on small noisy tables; a penalty on b_h in F made predictions
worse (https://batchprop.readthedocs.io/en/latest/penalty.html).

Sources: D. MacKay, *A practical Bayesian framework for backpropagation networks*, 1992; F. D.
Foresee and M. T. Hagan, *Gauss–Newton approximation to Bayesian learning*, 1997.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.linalg.inverse import inverse_factor
from batchprop.parameters import Shape, split

Array = npt.NDArray[Any]

# Added to K's diagonal, as shares of its mean: the first with which K can be factorised.  With a
# tiny α it is singular but for rounding.
RIDGES = (0.0, 1e-13, 1e-11, 1e-9, 1e-7)
_SMALLEST = 1e-30  # Σw F/M of a perfect fit, in squared units of T


class Evidence(NamedTuple):
    """The evidence of a penalty at the network that was fitted with it.

    Attributes
    ----------
    negative_log : float
        −log evidence, up to a constant that depends on the data and the shape; inf if K is singular
        or there is one sample.
    n_effective : float
        γ; NaN if K is singular.
    variance : float
        ν, in squared units of T, the mean over outputs; NaN if γ is not less than s Σw.
    """

    negative_log: float
    n_effective: float
    variance: float


def evidence(
    loss: float,
    JTJ: Array,
    theta: Array,
    shape: Shape,
    alpha: tuple[float, float],
    total_weight: float,
) -> Evidence:
    """Return the evidence of a penalty at θ.

    Parameters
    ----------
    loss : float
        L(θ).
    JTJ : ndarray, shape (P, P), float64
        JᵀJ = Σ_i w_i J_iᵀ J_i / Σw at θ.
    theta : ndarray, shape (P,)
        θ, where F has its minimum.
    shape : Shape
        The network's sizes.
    alpha : tuple of two floats
        (α_h, α_y), both positive.
    total_weight : float
        Σw.
    """
    e, m, s = shape
    blocks = split(theta, shape)
    squares = [float(np.sum(np.square(W, dtype=np.float64))) for W in (blocks.W_h, blocks.W_y)]
    objective = total_weight * loss + alpha[0] * squares[0] + alpha[1] * squares[1]
    n_targets = s * total_weight
    M = n_targets - s
    inverse = posterior_factor(JTJ, shape, alpha, total_weight)
    if inverse is None or M <= 0:
        return Evidence(math.inf, math.nan, math.nan)
    log_determinant = -2.0 * float(np.sum(np.log(np.diagonal(inverse))))
    negative_log = 0.5 * (
        M * math.log(max(objective / M, _SMALLEST))
        - m * (e + 1) * math.log(alpha[0])
        - m * s * math.log(alpha[1])
        + log_determinant
    )
    # tr(Λ K⁻¹): an element of K⁻¹'s diagonal is the sum of squares of a column of ``inverse``
    variances = np.sum(np.square(inverse), axis=0)
    n_effective = theta.size - float(np.sum(precisions(shape, alpha) * variances))
    freedom = n_targets - n_effective
    variance = total_weight * loss / freedom if freedom > 0 else math.nan
    return Evidence(negative_log, n_effective, variance)


def precisions(shape: Shape, alpha: tuple[float, float]) -> Array:
    """Return the diagonal of Λ (P,)."""
    diagonal = np.zeros(shape.n_parameters)
    blocks = split(diagonal, shape)
    blocks.W_h[:] = blocks.b_h[:] = alpha[0]
    blocks.W_y[:] = alpha[1]
    return diagonal


def posterior_factor(
    JTJ: Array, shape: Shape, alpha: tuple[float, float], total_weight: float
) -> Array | None:
    """Return L⁻¹ (P, P) of K = Σw JᵀJ + Λ = L Lᵀ; None if K is singular or not finite."""
    return ridge_factor(total_weight * JTJ, precisions(shape, alpha))


def ridge_factor(matrix: Array, precisions: Array) -> Array | None:
    """Return L⁻¹ of a matrix, which is overwritten, with precisions (P,) on its diagonal.

    A ridge is added if it is singular; None if that does not help.
    """
    diagonal = np.einsum("ii->i", matrix)  # a view
    mean = float(np.mean(diagonal))
    diagonal += precisions
    plain = diagonal.copy()
    for ridge in RIDGES:
        diagonal[:] = plain + ridge * mean
        inverse = inverse_factor(matrix)
        if inverse is not None:
            return inverse
    return None
