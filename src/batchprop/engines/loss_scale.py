"""From sums over samples to the loss L and its gradient: the factors 1/Σw and 2/Σw.

Kernels return plain sums over samples: that is why the sums of chunks and threads can be added.
With sample weights w_i, or w_i = 1 without weights,

    L      = (1/Σ_i w_i) Σ_i w_i ‖y_i − t_i‖²
    δ_y,i  = (2/Σ_i w_i) w_i (y_i − t_i)

so that weight 2 equals a repeated sample and weight 0 a missing one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import segments


class Scales(NamedTuple):
    """The factors of sums over samples.

    Attributes
    ----------
    loss : float
        1/Σw, for the sum of squared residuals.
    gradient : float
        2/Σw, for the sums of residual times ∂y/∂θ.
    """

    loss: float
    gradient: float


def loss_in_units(
    loss_scale: float,
    squares: npt.NDArray[Any],
    units: npt.NDArray[Any],
    constant_loss: float,
) -> float:
    """Return the loss L in the user's units of T.

    The order of additions is that of the kernel ``engines.fused.evaluation.reported``.

    Parameters
    ----------
    loss_scale : float
        1/Σw.
    squares : ndarray, shape (s,)
        Each output's sum of squared residuals.
    units : ndarray, shape (s,)
        Factors from these to squared units of T.
    constant_loss : float
        Loss of the outputs that are constant in training.
    """
    loss = 0.0
    for unit, square in zip(units.tolist(), squares.tolist(), strict=True):
        loss += unit * square
    return loss_scale * loss + constant_loss


def total_weight(n_samples: int, sample_weight: npt.NDArray[Any] | None) -> float:
    """Return Σw, which is the number of samples without weights."""
    if sample_weight is None:
        return float(n_samples)
    weights = sample_weight

    def of_segment(samples: slice) -> float:
        return sum_of_weights(weights[samples])

    return float(segments.tree_sum(n_samples, of_segment, lambda left, right: left + right))


def sum_of_weights(weights: npt.NDArray[Any]) -> float:
    """Return the sum of the weights of one segment of samples."""
    return float(np.sum(weights, dtype=np.float64))


def scales(n_samples: int, sample_weight: npt.NDArray[Any] | None) -> Scales:
    """Return the two factors for ``n_samples`` samples or for their weights."""
    return scales_of(total_weight(n_samples, sample_weight))


def scales_of(total: float) -> Scales:
    """Return the two factors for Σw."""
    return Scales(loss=1.0 / total, gradient=2.0 / total)
