"""The split for early stopping, in which a weight of 2 equals a repeated row, and 0 a missing one.

A random order of row numbers would not do: repeated rows would fall on both sides, a weighted row
on one.  So the order depends on the contents of the rows alone.  Each row, inputs and targets, gets
a pseudo-random key of 64 bits; equal rows get equal keys.  The rows with the lowest keys are held
out, until their weights add up to the fraction that was asked for.  Rows with equal contents are
never on both sides, where they would tell nothing about new samples.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.sklearn.training_data import Samples
from batchprop.training.row_keys import Keys, row_keys

Array = npt.NDArray[Any]

_MIN_HELD_OUT = 2  # different samples: a single one tells nothing about the others
_MIN_SAMPLES = _MIN_HELD_OUT + 1
_ROUNDING = 1e-12  # share by which a sum of weights may miss the fraction


def hold_out(samples: Samples, fraction: Any, random: np.random.RandomState) -> Samples:
    """Return the samples, split into training and validation data.

    Samples of weight 0 are dropped first, so that the split is the same as without them.

    Parameters
    ----------
    samples : Samples
        All samples, without validation data.
    fraction : float
        The share of the sum of weights to hold out, rounded up to whole samples.  At least two
        different samples are held out, and at least one is left to train on; of two different
        samples that are repeated, one.
    random : RandomState
        Draws the order in which samples are held out.

    Raises
    ------
    TypeError, ValueError
        The fraction is wrong, or there are fewer than three samples of positive weight.
    """
    fraction = validation.number("validation_fraction", fraction, above=0, below=1)
    X, T, weight = samples[:3]
    present, ratios = np.arange(X.shape[1]), validation.sample_weight(weight, X.shape[1])
    if weight is not None and ratios is not None:
        present = np.flatnonzero(weight > 0)
        ratios = ratios[present]
    if present.size < _MIN_SAMPLES:
        kind = "" if weight is None else " of positive weight"
        plural = "s" if present.size > 1 else ""
        raise ValueError(
            f"early_stopping must have at least {_MIN_SAMPLES} samples{kind}, of which it holds "
            f"out 2; got {present.size} sample{plural}. Pass X_val and y_val to fit, or leave "
            f"early_stopping out."
        )
    seed = random.randint(2**32, size=2, dtype=np.uint32)
    keys = row_keys([*X, *T], (int(seed[0]) << 32) | int(seed[1]))[present]
    held_out = _lowest(keys, ratios, fraction)
    sides = present[~held_out], present[held_out]
    training, validating = (
        (_columns(X, side), _columns(T, side), None if weight is None else weight[side])
        for side in sides
    )
    return Samples(*training, *validating)


def _lowest(keys: Keys, weight: Array | None, fraction: float) -> Array:
    """Return which samples have the lowest keys and ``fraction`` of the weight."""
    distinct, groups = np.unique(keys, return_inverse=True)
    if distinct.size == 1:  # all are equal: any split is as good
        groups = np.arange(keys.size)
    sums = np.cumsum(np.bincount(groups, weight))
    count = 1 + int(np.searchsorted(sums, fraction * sums[-1] * (1 - _ROUNDING)))
    held_out: Array = groups < min(max(count, _MIN_HELD_OUT), sums.size - 1)
    return held_out


def _columns(table: Array, indices: Array) -> Array:
    """Return columns of a table whose transpose is in C order, as the same."""
    return table.T[indices].T
