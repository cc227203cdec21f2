"""Partitions as the workers hold them: arrays whose columns are samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.validation.arrays import real_array
from batchprop.validation.error_text import message

Array = npt.NDArray[Any]


class PartitionFacts(NamedTuple):
    """What the driver has to know of a partition.

    Attributes
    ----------
    n_columns, n_samples : int
        Its sizes.
    dtype : str
        "float32" or "float64".
    flat : bool
        Whether it was passed with one dimension.
    n_bytes : int
        Its size in memory.
    """

    n_columns: int
    n_samples: int
    dtype: str
    flat: bool
    n_bytes: int


class Partition(NamedTuple):
    """One partition of a table.

    Attributes
    ----------
    columns : ndarray, shape (number of columns, number of samples)
        float32 or float64; a view of the rows, if those are floats.
    flat : bool
        Whether it was passed with one dimension.
    """

    columns: Array
    flat: bool


def partition_of(name: str, block: Any) -> Partition:
    """Return a partition from what a collection's task returned.

    Parameters
    ----------
    name : str
        What messages call it.
    block : array_like, shape (n,) or (n, number of columns)
        An array or a table.

    Raises
    ------
    TypeError, ValueError
        It does not hold real numbers, or has three dimensions.
    """
    if hasattr(block, "__len__") and len(block) == 0:  # of a table, its types say nothing
        block = np.empty(np.shape(block))
    rows = real_array(name, _numbers(block))
    if rows.ndim not in (1, 2):
        expected, remedy = "have one or two dimensions", "Reshape it so that a row is a sample."
        raise ValueError(message(name, expected, f"{rows.ndim}", remedy))
    return Partition(rows[np.newaxis] if rows.ndim == 1 else rows.T, rows.ndim == 1)


def facts_of(partition: Partition) -> PartitionFacts:
    """Return the facts of a partition."""
    columns, flat = partition
    n_columns, n_samples = columns.shape
    return PartitionFacts(n_columns, n_samples, columns.dtype.name, flat, columns.nbytes)


def _numbers(block: Any) -> Any:
    """Return an array of a table; what is missing in a nullable column becomes NaN."""
    dtypes = getattr(block, "dtypes", None)
    if dtypes is None or not hasattr(block, "to_numpy"):
        return block
    types = [dtypes] if not hasattr(dtypes, "__iter__") else list(dtypes)
    if any(isinstance(dtype, np.dtype) and dtype.kind not in "fiub" for dtype in types):
        return block  # refused with a message that names the entry
    if all(isinstance(dtype, np.dtype) for dtype in types):
        return block.to_numpy()
    if any(getattr(dtype, "kind", "O") not in "fiub" for dtype in types):
        return block
    single = all(dtype.kind == "f" and dtype.itemsize == 4 for dtype in types)
    return block.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)
