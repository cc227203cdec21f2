"""From a network that sees standardised data to the same network on raw units, and back.

With x̃ = (x − x̄) ⊙ f and y = s ⊙ ỹ + t̄ (f and s: factors of inputs, scales of targets)

    W̃_h x̃ + b̃_h = W_h x + b_h    where  W_h = W̃_h f,   b_h = b̃_h − W_h x̄
    s ⊙ (W̃_y h + b̃_y) + t̄ = W_y h + b_y   where  W_y = s W̃_y,   b_y = s ⊙ b̃_y + t̄

so that the folded network has the form of every other, and H is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Shape, split
from batchprop.scaling.standardisation import Scaling

Array = npt.NDArray[Any]


def fold(theta: Array, shape: Shape, scaling: Scaling, dtype: npt.DTypeLike | None = None) -> Array:
    """Return the parameters on raw units of a network that sees standardised data.

    Parameters
    ----------
    theta : ndarray, shape (P,)
        Of the network that sees standardised data.
    shape : Shape
        The network's sizes.
    scaling : Scaling
        What the data were standardised by.
    dtype : dtype or None
        Of the result; None is that of ``theta``.

    Notes
    -----
    b_h is made for the weights as they are *after* rounding to ``dtype``: their rounding errors
    then multiply x − x̄, not x, which matters for float32 and large means.  What is beyond the
    range of ``dtype`` becomes its largest number: training never ends in a network that is none.
    """
    rounded = np.empty(shape.n_parameters, theta.dtype if dtype is None else dtype)
    largest = np.finfo(rounded.dtype).max
    given = split(np.asarray(theta, np.float64), shape)
    raw = split(rounded, shape)
    raw.W_h[:] = (given.W_h * scaling.x_factor).clip(-largest, largest)
    raw.b_h[:] = (given.b_h - _means(raw.W_h, scaling)).clip(-largest, largest)
    raw.W_y[:] = (given.W_y * scaling.t_scale[:, np.newaxis]).clip(-largest, largest)
    raw.b_y[:] = (given.b_y * scaling.t_scale + scaling.t_mean).clip(-largest, largest)
    return rounded


def unfold(theta: Array, shape: Shape, scaling: Scaling) -> Array:
    """Return the parameters (P,), in float64, for standardised data of a network on raw units.

    A constant input's share of a start, W_h[:, j]·x̄_j, goes to b_h: its weight becomes 0.  So do
    weights and bias of a constant target, which the mean alone predicts.
    """
    flat = np.empty(shape.n_parameters)
    raw = split(np.asarray(theta, np.float64), shape)
    out = split(flat, shape)
    seen = scaling.x_factor > 0
    out.W_h[:] = np.divide(raw.W_h, scaling.x_factor, out=np.zeros_like(raw.W_h), where=seen)
    out.b_h[:] = raw.b_h + _means(raw.W_h, scaling)
    out.W_y[:] = raw.W_y * scaling.t_factor[:, np.newaxis]
    out.b_y[:] = (raw.b_y - scaling.t_mean) * scaling.t_factor
    return flat


def start_of(theta: Array, shape: Shape, scaling: Scaling) -> Array:
    """Return parameters to start training from: 0 for the weights and biases of constant targets.

    The standardised targets are 0, so that these outputs leave no residual, have no gradient and
    stay 0: training spends nothing on them.
    """
    begun = theta.copy()
    blocks, constant = split(begun, shape), scaling.t_factor == 0
    blocks.W_y[constant] = 0.0
    blocks.b_y[constant] = 0.0
    return begun


def _means(W_h: Array, scaling: Scaling) -> Array:
    """Return W_h x̄ in float64; einsum adds in the same order on any number of BLAS threads."""
    product: Array = np.einsum("kj,j->k", W_h.astype(np.float64), scaling.x_mean)
    return product
