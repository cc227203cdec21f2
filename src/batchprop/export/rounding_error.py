"""How far an exported network's predictions are from those of the network itself.

A network takes raw units, so inputs can be large beside their variation: x of about 10⁹ with a
standard deviation of 1.  The terms of W_h x + b_h are then as large and cancel, and a file in
float32 can be wrong by more than its outputs vary.  This is measured on samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.activations import ACTIVATIONS
from batchprop.parameters import Blocks

Array = npt.NDArray[Any]

_N_SAMPLES = 1000
_SEED = 0
_SPREAD = 2.0  # standard deviation of the pre-activations of drawn samples


def responsive_samples(blocks: Blocks) -> Array:
    """Draw inputs (e, N) for which the hidden units respond.

    Training data are not stored in a network, but its parameters tell roughly where they were.  The
    centre c minimises ‖W_h c + b_h‖, and around it each input varies so much that pre-activations
    have a standard deviation of about 2: neither constant nor all saturated.

    Parameters
    ----------
    blocks : Blocks
        The network's parameters.
    """
    W_h, b_h = (np.asarray(block, np.float64) for block in blocks[:2])
    e = W_h.shape[1]
    unit = _units(W_h)
    scaled = W_h * unit  # its columns are of order 1
    rms = np.sqrt(np.mean(scaled**2, axis=0))
    rms[rms == 0] = 1.0
    scaled /= rms
    centre = np.linalg.lstsq(scaled, -b_h)[0]
    drawn = np.random.default_rng(_SEED).standard_normal((e, _N_SAMPLES)) * (_SPREAD / np.sqrt(e))
    with np.errstate(over="ignore"):
        X: Array = (centre[:, np.newaxis] + drawn) * (unit / rms)[:, np.newaxis]
    largest = np.finfo(np.float64).max
    return X.clip(-largest, largest)


def _units(W_h: Array) -> Array:
    """Return powers of two (e,) that bring each column of W_h near 1, and can be inverted."""
    exponents = np.frexp(np.abs(W_h).max(axis=0))[1]
    units: Array = np.ldexp(1.0, -exponents.clip(-1000, 1000))
    return units


def predictions(blocks: Blocks, activation: str, X: Array) -> Array:
    """Return the network's predictions (s, N), computed in float64 from X as it is."""
    W_h, b_h, W_y, b_y = (np.asarray(block, np.float64) for block in blocks)
    with np.errstate(all="ignore"):  # the network itself may overflow: the error is then inf
        H = W_h @ X + b_h[:, np.newaxis]
        ACTIVATIONS[activation].sigma(H, H)
        Y: Array = W_y @ H + b_y[:, np.newaxis]
    return Y


def largest_error(Y: Array, reference: Array) -> float:
    """Return the largest difference, in units of the standard deviation of its output.

    An output that does not vary is measured in units of its largest value.

    Parameters
    ----------
    Y, reference : ndarray, shape (s, N)
        Predictions to judge, and those of the network.
    """
    largest = np.abs(reference).max(axis=1)
    largest[largest == 0] = 1.0
    with np.errstate(invalid="ignore"):  # inf of either is an infinite error
        relative = reference / largest[:, np.newaxis]  # whose squares cannot overflow
        unit = relative.std(axis=1)
        unit[unit <= np.finfo(np.float64).eps] = 1.0  # rounding alone makes equal numbers vary
        error = np.abs(Y / largest[:, np.newaxis] - relative).max(axis=1) / unit
    return float(np.nan_to_num(error, nan=np.inf, posinf=np.inf).max())
