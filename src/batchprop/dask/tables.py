"""Tables on a cluster: the partitions of a Dask collection, whose rows are samples."""

from __future__ import annotations

from typing import Any, NamedTuple

import dask
import dask.array
import distributed
import numpy as np
import numpy.typing as npt

from batchprop import segments
from batchprop.validation.arrays import real_array
from batchprop.validation.error_text import described, message

_COLLECTIONS = (
    "be a dask array, DataFrame or Series, or a list of delayed arrays or tables, with one sample "
    "a row"
)


class ClusterTable(NamedTuple):
    """The partitions of one argument, not computed yet.

    Attributes
    ----------
    name : str
        What the user calls it.
    parts : list
        Delayed objects or futures of arrays or tables, in the order of the samples.
    n_columns : int or None
        Their number of columns; None if no metadata tell.
    column_names : tuple of str, or None
        The names of the columns.
    flat : bool
        Whether the partitions are one-dimensional.
    n_bytes : int or None
        The size of all partitions, where the sizes of chunks are known.
    """

    name: str
    parts: list[Any]
    n_columns: int | None
    column_names: tuple[str, ...] | None
    flat: bool
    n_bytes: int | None


def table_of(name: str, value: Any, flat: bool, small: bool = False) -> ClusterTable:
    """Return the partitions of a collection.

    Parameters
    ----------
    name : str
        What the user calls the argument.
    value : collection
        As the user passed it.
    flat : bool
        Whether it may have one dimension: targets may, and weights must.
    small : bool
        Whether it may be an array or a table of this process, which is sent to the workers.

    Raises
    ------
    TypeError, ValueError
        It is no collection, or one of something else than numbers.
    """
    if isinstance(value, dask.array.Array):
        return _of_array(name, value, flat)
    if dask.is_dask_collection(value) and hasattr(value, "to_delayed") and hasattr(value, "dtypes"):
        return _of_dataframe(name, value, flat)
    if isinstance(value, list | tuple) and value and all(map(_is_part, value)):
        return ClusterTable(name, list(value), None, None, False, None)
    if small and not dask.is_dask_collection(value):
        return _of_array(name, _cut(name, value), flat)
    remedy = "Pass dask.array.from_array(...), or call batchprop.train for arrays in memory."
    if isinstance(value, list | tuple):
        got = f"a {type(value).__name__} of {len(value)} objects that are not all delayed"
    else:
        got = described(value)
    raise TypeError(message(name, _COLLECTIONS, got, remedy))


def _is_part(value: Any) -> bool:
    """Return whether a list's entry is a delayed object or a future."""
    delayed = dask.is_dask_collection(value) and type(value).__name__.startswith("Delayed")
    return delayed or isinstance(value, distributed.Future)


def _of_array(name: str, array: Any, flat: bool) -> ClusterTable:
    """Return the row chunks of a dask array; several column chunks become one."""
    _check_dimensions(name, array.ndim, flat)
    real_array(name, np.empty((1,) * array.ndim, array.dtype))
    if array.ndim == 2 and array.numblocks[1] > 1:
        array = array.rechunk({1: -1})
    n_bytes = None if np.isnan(array.size) else int(array.size) * max(array.dtype.itemsize, 4)
    return ClusterTable(
        name=name,
        parts=list(array.to_delayed().ravel()),
        n_columns=1 if array.ndim == 1 else int(array.shape[1]),
        column_names=None,
        flat=array.ndim == 1,
        n_bytes=n_bytes,
    )


def _of_dataframe(name: str, frame: Any, flat: bool) -> ClusterTable:
    """Return the partitions of a dask DataFrame or Series."""
    _check_dimensions(name, frame.ndim, flat)
    types = [frame.dtype] if frame.ndim == 1 else list(frame.dtypes)
    names = (str(frame.name),) if frame.ndim == 1 else tuple(map(str, frame.columns))
    for column, dtype in zip(names, types, strict=True):
        _check_column_type(name, column, dtype)
    return ClusterTable(
        name=name,
        parts=list(frame.to_delayed()),
        n_columns=len(names),
        column_names=names,
        flat=frame.ndim == 1,
        n_bytes=None,
    )


def _check_column_type(name: str, column: str, dtype: Any) -> None:
    """Refuse texts, categories and dates before any work."""
    kind = getattr(dtype, "kind", "O")
    if kind in "fiub":
        return
    remedy = "Encode categories as numbers, for example with get_dummies, or leave the column out."
    if kind in "mM":
        remedy = "Replace it by a number of days, or leave the column out."
    got = f"column {column!r} of dtype {dtype}"
    raise TypeError(message(name, "hold real numbers", got, remedy))


def _check_dimensions(name: str, ndim: int, flat: bool) -> None:
    """Refuse a flat X, and tables of three dimensions."""
    if ndim == 2 or (flat and ndim == 1):
        return
    expected = "have one or two dimensions" if flat else "have two dimensions, one sample a row"
    remedy = f"Pass {name}[:, None]." if ndim == 1 else "Reshape it so that a row is a sample."
    raise ValueError(message(name, expected, f"{ndim}", remedy))


def _cut(name: str, value: npt.ArrayLike) -> Any:
    """Return a dask array of an array or a table of this process."""
    rows = real_array(name, value)
    chunks = (segments.SEGMENT_SAMPLES,) + (-1,) * (rows.ndim - 1)
    return dask.array.from_array(rows, chunks=chunks if rows.ndim else -1)
