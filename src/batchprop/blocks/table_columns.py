"""Columns, chosen by name, of a table in memory: pandas, polars, Arrow, dict, structured array.

Libraries are recognised by their methods, so that none of them is imported.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from batchprop.blocks import arrow_columns
from batchprop.blocks.stacked_columns import Column
from batchprop.validation import real_array
from batchprop.validation.error_text import described, message


def column_names(table: Any, place: str) -> list[Hashable]:
    """Return the names of a table's columns.

    Raises
    ------
    TypeError
        The object is no table with named columns.
    """
    if isinstance(table, Mapping):
        return list(table)
    if isinstance(table, np.ndarray):
        if table.dtype.names is not None:
            return list(table.dtype.names)
    elif hasattr(table, "schema") and hasattr(table, "column"):  # Arrow
        return list(table.schema.names)
    elif hasattr(table, "columns") and hasattr(table, "__getitem__"):  # pandas, polars
        return list(table.columns)
    remedy = "Pass tables of pandas, polars or Arrow, or dicts of arrays; or leave out targets."
    expected = "be a table with named columns, because inputs or targets are given"
    raise TypeError(message(place, expected, described(table), remedy))


def table_columns(table: Any, names: Sequence[Any], place: str) -> list[Column]:
    """Return columns of a table as arrays of real numbers; a missing value is NaN.

    Parameters
    ----------
    table : table
        A table that ``column_names`` knows.
    names : sequence
        Columns.
    place : str
        Where the table is, for messages.

    Returns
    -------
    list of Column
        One a name.

    Raises
    ------
    TypeError, ValueError
        A column is not there or holds no real numbers, columns differ in length, or an entry of an
        Arrow table is null.
    """
    available = column_names(table, place)
    for name in names:
        if available.count(name) != 1:
            got = "no such column" if name not in available else "several columns of that name"
            remedy = "Let all blocks have the same columns."
            expected = f"have one column {name!r}, like the first block"
            raise ValueError(message(place, expected, got, remedy))
    if not isinstance(table, Mapping) and hasattr(table, "schema") and hasattr(table, "column"):
        types = {name: table.schema.field(name).type for name in names}
        arrow_columns.check_types(types, place)
        return arrow_columns.columns_of(table, names, place)
    columns: list[Column] = [[_column(table[name], name, place)] for name in names]
    lengths = {name: column[0].size for name, column in zip(names, columns, strict=True)}
    if len(set(lengths.values())) > 1:
        got = ", ".join(f"{length} in {name!r}" for name, length in list(lengths.items())[:4])
        remedy = "Let each column have one value a sample."
        raise ValueError(message(place, "have columns of one length", got, remedy))
    return columns


def _column(values: Any, name: Hashable, place: str) -> Any:
    """Return one column as an array of shape (n,)."""
    label = f"column {name} of {place}"
    if type(values) is not np.ndarray and hasattr(values, "to_numpy"):
        converted = values.to_numpy()
        if converted.dtype == object and converted.size:  # decimals, and nullable types with gaps
            converted = _from_objects(converted)
        elif converted.dtype == object:
            converted = np.empty(0)
    else:
        converted = values
    array = np.asarray(converted)
    if array.dtype.kind not in "fiu" or not array.dtype.isnative:  # others are cast when copied
        array = real_array(label, array)
    if array.ndim == 2 and 1 in array.shape:
        array = array.ravel()
    if array.ndim != 1:
        remedy = "Pass one number a sample; a table of several columns needs a name for each."
        got = f"shape {array.shape}"
        raise ValueError(message(label, "have shape (n,)", got, remedy))
    return array


def _from_objects(values: Any) -> Any:
    """Return decimals, and numbers with None or NA between them, as floats with NaN."""
    first = next((value for value in values if value is not None), None)
    if isinstance(first, str | bytes) or hasattr(first, "isoformat"):
        return values  # the check of real numbers says what it is
    try:
        return np.array([np.nan if _is_missing(value) else float(value) for value in values])
    except (TypeError, ValueError):
        return values


def _is_missing(value: object) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")
