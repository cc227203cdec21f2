"""Intervals without an assumption about the residuals: quantiles of those of samples left out.

If n + 1 scores come in random order, the last one is at most the ⌈(n + 1) level⌉-th smallest of
the others with a probability of at least the level.  A weight counts as so many samples, so that
n is Σw.

Sources: V. Vovk, A. Gammerman, G. Shafer, *Algorithmic Learning in a Random World*, 2005; J. Lei
et al., *Distribution-free predictive inference for regression*, 2018; H. Papadopoulos et al.,
*Inductive confidence machines for regression*, 2002, for scores that are divided by a size.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ROUNDING = 1e-9  # samples by which a sum of weights may miss a count


def fewest(level: float) -> int:
    """Return how many scores a level needs at least."""
    return math.ceil(level / (1.0 - level) - _ROUNDING)


def quantile(scores: Array, weight: Array, level: float) -> Array:
    """Return the quantile of each row of scores (s, n) for intervals of a level; inf if n is few.

    Parameters
    ----------
    scores : ndarray, shape (s, n)
        Sizes of residuals.
    weight : ndarray, shape (n,)
        w.
    level : float
        Probability that the next score is at most the quantile.
    """
    count = (float(np.sum(weight)) + 1.0) * level
    quantiles = np.full(scores.shape[0], np.inf)
    for o, row in enumerate(scores):
        order = np.argsort(row, kind="stable")
        position = int(np.searchsorted(np.cumsum(weight[order]), count - _ROUNDING))
        if position < order.size:
            quantiles[o] = row[order[position]]
    return quantiles
