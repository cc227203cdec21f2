"""A pseudo-random key of each sample, which depends on its contents alone.

Splits by keys keep equal rows on one side, and treat a weight of 2 as they treat a repeated row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Keys = npt.NDArray[np.uint64]


def row_keys(rows: Iterable[Array], seed: int) -> Keys:
    """Return the keys (N,) of samples, from their values and the seed (splitmix64).

    Parameters
    ----------
    rows : iterable of ndarray, shape (N,)
        Rows of X, or of X and T, at least one; a column of them is a sample.
    seed : int
        At least 0 and less than 2⁶⁴.
    """
    keys: Keys | None = None
    for row in rows:
        values = row.astype(np.float64) + 0.0  # -0.0 equals 0.0
        if keys is None:
            keys = np.full(values.size, seed, np.uint64)
        keys = mixed((keys + np.uint64(0x9E3779B97F4A7C15)) ^ values.view(np.uint64))
    assert keys is not None, "no rows"
    return keys


def mixed(keys: Keys) -> Keys:
    """Spread each bit over all bits (the finaliser of splitmix64, Steele et al., 2014)."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
