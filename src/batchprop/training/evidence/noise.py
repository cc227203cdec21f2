"""How noisy each output is, by the evidence at one fit.

All outputs share F, and with it one ν in standardised units: that is what is minimised.  Each
output still has a noise of its own, estimated after the fit:

    ν_o = Σ_i w_i r_oi² / (Σw − γ_o)        γ_o = Σ_i w_i [J_i K⁻¹ J_iᵀ]_oo

The γ_o add up to γ.  They need no Jacobian of single samples: the rows of J that belong to output o
are the Jacobian of the network with that output alone, so that γ_o = tr(K⁻¹ Σ_i w_i J_oiᵀ J_oi),
taken over the parameters of that network.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import engines
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape, split

Array = npt.NDArray[Any]


class OutputNoise(NamedTuple):
    """Noise and effective parameters of each output.

    Attributes
    ----------
    n_effective : ndarray, shape (s,)
        γ_o.
    variance : ndarray, shape (s,)
        ν_o, in the squared units of the samples' targets; NaN if γ_o is not less than Σw.
    """

    n_effective: Array
    variance: Array


def output_noise(
    samples: Samples, theta: Array, shape: Shape, activation: str, inverse: Array, total: float
) -> OutputNoise:
    """Return the noise of each output.

    Parameters
    ----------
    samples : Samples
        What the network was fitted to.
    theta : ndarray, shape (P,), float64
        θ.
    shape : Shape
        The network's sizes.
    activation : str
        Name of σ.
    inverse : ndarray, shape (P, P)
        Inverse of K's Cholesky factor.
    total : float
        Σw.
    """
    e, m, s = shape
    positions = split(np.arange(shape.n_parameters), shape)
    n_effective, variance = np.empty(s), np.full(s, np.nan)
    single = Shape(e, m, 1)
    engine = engines.load("fused")
    for o in range(s):
        indices = np.concatenate(
            (positions.W_h.ravel(), positions.b_h, positions.W_y[o], positions.b_y[o : o + 1])
        )
        gradient, JTJ = np.empty(indices.size), np.empty((indices.size, indices.size))
        part = samples._replace(T=samples.T[o : o + 1])
        with engine.GaussNewtonObjective(part, single, activation, np.float64, 1) as objective:
            loss = objective.gauss_newton(theta[indices], gradient, JTJ)
        columns = inverse[:, indices]
        covariance = np.einsum("ki,kj->ij", columns, columns)  # of these parameters, over ν
        n_effective[o] = total * float(np.sum(covariance * JTJ))
        freedom = total - n_effective[o]
        if freedom > 0:
            variance[o] = total * loss / freedom
    return OutputNoise(n_effective, variance)
