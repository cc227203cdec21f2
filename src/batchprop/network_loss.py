"""The loss of a network in the user's units: of its own predictions, in its own dtype.

Training computes with standardised data, and Levenberg–Marquardt in float64.  The network that it
returns differs slightly: its parameters are rounded to its dtype, and in raw units large means cost
digits.  These functions compute the loss of the returned network.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import engines
from batchprop.engines.loss_scale import scales
from batchprop.network import Network

Array = npt.NDArray[Any]

_ELEMENTS = 1 << 20  # elements of H that an engine may hold at a time


def network_loss(
    network: Network,
    X: Array,
    T: Array,
    sample_weight: Array | None = None,
    *,
    engine: str = "fused",
    n_threads: int | None = None,
) -> float:
    """Return L = Σ_i w_i ‖y_i − t_i‖² / Σ_i w_i, the sum of the losses of all outputs.

    Parameters
    ----------
    network, X, T, sample_weight, engine, n_threads
        As for ``output_losses``.
    """
    losses = output_losses(network, X, T, sample_weight, engine=engine, n_threads=n_threads)
    return float(losses.sum())


def output_losses(
    network: Network,
    X: Array,
    T: Array,
    sample_weight: Array | None = None,
    *,
    engine: str = "fused",
    n_threads: int | None = None,
) -> Array:
    """Return the loss of each output (s,), Σ_i w_i (y_oi − t_oi)² / Σ_i w_i.

    Parameters
    ----------
    network : Network
        The network, in the units of X and T.
    X : ndarray, shape (e, N)
        Checked inputs.
    T : ndarray, shape (s, N)
        Checked targets; residuals are computed in float64, whatever the dtype of the network.
    sample_weight : ndarray, shape (N,), or None
        Checked weights; predictions for samples of weight 0 are ignored.
    engine : str
        Name of the engine that predicts.
    n_threads : int or None
        Maximum number of threads; the result has the same bits for any number.
    """
    predict = engines.load(engine).predict
    step = max(1, _ELEMENTS // sum(network.shape))
    parts = [slice(first, first + step) for first in range(0, X.shape[1], step)]
    # dividing by a power of two is exact and keeps squares within the range of float64
    exponent = int(np.frexp(max(_largest(T, sample_weight, part) for part in parts))[1])
    totals = np.zeros(T.shape[0])
    with np.errstate(over="ignore", invalid="ignore"):
        for part in parts:
            Y = predict(network.theta, network.shape, network.activation, X[:, part], n_threads)
            squares = np.ldexp(Y.astype(np.float64) - T[:, part], -exponent) ** 2
            if sample_weight is not None:
                w = sample_weight[part]
                squares = np.where(w > 0, squares * w, 0.0)
            totals += squares.sum(axis=1)
        means = scales(X.shape[1], sample_weight).loss * totals
        losses: Array = np.ldexp(means, 2 * exponent)
        return losses


def _largest(T: Array, sample_weight: Array | None, part: slice) -> float:
    """Return max |t| over the samples of ``part`` whose weight is positive."""
    sizes = np.abs(T[:, part])
    if sample_weight is not None:
        sizes = np.where(sample_weight[part] > 0, sizes, 0.0)
    return float(sizes.max())
