"""Sparse inputs, which encoders return by default: converted while they are small."""

from __future__ import annotations

import math
from typing import Any

import numpy.typing as npt
from scipy.sparse import issparse

from batchprop.validation.error_text import message

Array = npt.NDArray[Any]

MAX_DENSE_BYTES = 2**30  # of the array that a sparse table becomes
_GIB = 2**30


def dense(table: Any, name: str = "X") -> Array:
    """Return a table as a dense array.

    Parameters
    ----------
    table : ndarray, sparse array or sparse matrix, shape (n_samples, n_features)
        A table that scikit-learn has checked.
    name : str
        What the user calls it.

    Raises
    ------
    ValueError
        A sparse table takes more than ``MAX_DENSE_BYTES`` as a dense array.
    """
    if not issparse(table):
        array: Array = table
        return array
    n_bytes = math.prod(table.shape) * table.dtype.itemsize
    if n_bytes > MAX_DENSE_BYTES:
        raise ValueError(
            message(
                name,
                f"take at most {MAX_DENSE_BYTES / _GIB:.3g} GiB as a dense array if it is sparse",
                f"a sparse table of shape {table.shape}, which takes {n_bytes / _GIB:.3g} GiB",
                "Pass a dense table, for which there is no such limit, such as the one of "
                "OneHotEncoder(sparse_output=False) or ColumnTransformer(sparse_threshold=0), or "
                "fewer columns, such as those of OneHotEncoder(min_frequency=20). Predictions can "
                "be made for some rows at a time.",
            )
        )
    converted: Array = table.toarray()
    return converted
