"""Conversion of a network between standardised data and raw units, in both directions.

With x̃ = (x − x̄) ⊙ x_factor and y = t_scale ⊙ ỹ + t̄

    W̃_h x̃ + b̃_h = W_h x + b_h
        where  W_h = W̃_h diag(x_factor),  b_h = b̃_h − W_h x̄
    t_scale ⊙ (W̃_y h + b̃_y) + t̄ = W_y h + b_y
        where  W_y = diag(t_scale) W̃_y,   b_y = t_scale ⊙ b̃_y + t̄

so that the converted network is an ordinary network with the same hidden activations H.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Shape, split
from batchprop.scaling.standardisation import Scaling

Array = npt.NDArray[Any]


def fold(theta: Array, shape: Shape, scaling: Scaling, dtype: npt.DTypeLike | None = None) -> Array:
    """Return the parameters in raw units of a network for standardised data.

    Parameters
    ----------
    theta : ndarray, shape (P,)
        Parameters of the network for standardised data.
    shape : Shape
        The network's sizes.
    scaling : Scaling
        The standardisation of the data.
    dtype : dtype or None
        Dtype of the result; None means that of ``theta``.

    Notes
    -----
    b_h is computed from W_h *after* rounding to ``dtype``.  The rounding errors of W_h are then
    multiplied by x − x̄ instead of x, which matters in float32 with large means.  Values beyond the
    range of ``dtype`` become its largest number, so that the result is always a valid network.
    """
    rounded = np.empty(shape.n_parameters, theta.dtype if dtype is None else dtype)
    largest = np.finfo(rounded.dtype).max
    standardised = split(np.asarray(theta, np.float64), shape)
    raw = split(rounded, shape)
    raw.W_h[:] = (standardised.W_h * scaling.x_factor).clip(-largest, largest)
    raw.b_h[:] = (standardised.b_h - _means(raw.W_h, scaling)).clip(-largest, largest)
    raw.W_y[:] = (standardised.W_y * scaling.t_scale[:, np.newaxis]).clip(-largest, largest)
    raw.b_y[:] = (standardised.b_y * scaling.t_scale + scaling.t_mean).clip(-largest, largest)
    return rounded


def unfold(theta: Array, shape: Shape, scaling: Scaling) -> Array:
    """Return float64 parameters (P,) for standardised data of a network in raw units.

    The contribution W_h[:, j]·x̄_j of a constant input is moved to b_h; its weights become 0.
    Weights and bias of a constant target become 0 as well: the mean predicts it.
    """
    standardised = np.empty(shape.n_parameters)
    raw = split(np.asarray(theta, np.float64), shape)
    blocks = split(standardised, shape)
    varying = scaling.x_factor > 0
    blocks.W_h[:] = np.divide(raw.W_h, scaling.x_factor, out=np.zeros_like(raw.W_h), where=varying)
    blocks.b_h[:] = raw.b_h + _means(raw.W_h, scaling)
    blocks.W_y[:] = raw.W_y * scaling.t_factor[:, np.newaxis]
    blocks.b_y[:] = (raw.b_y - scaling.t_mean) * scaling.t_factor
    return standardised


def start_of(theta: Array, shape: Shape, scaling: Scaling) -> Array:
    """Return the parameters to start training from, with 0 for all that feeds constant targets.

    The standardised values of such targets are 0, so these outputs have no residual and no
    gradient, and stay 0 during training.
    """
    start = theta.copy()
    if scaling.has_constant_targets:
        blocks, constant = split(start, shape), scaling.t_factor == 0
        blocks.W_y[constant] = 0.0
        blocks.b_y[constant] = 0.0
    return start


def _means(W_h: Array, scaling: Scaling) -> Array:
    """Return W_h x̄ in float64; einsum's order of summation does not depend on BLAS threads."""
    product: Array = np.einsum("kj,j->k", W_h.astype(np.float64), scaling.x_mean)
    return product
