"""Columns of Arrow tables and record batches as arrays of real numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.blocks.file_source import FileTable
from batchprop.blocks.stacked_columns import Column
from batchprop.validation.error_text import message

_SHOWN = 5  # columns that a message lists
_DAYS = "a number of days: subtract a date and divide by one day"


def check_types(types: Mapping[str, Any], place: str) -> None:
    """Reject columns that are no real numbers, all of them in one message.

    Parameters
    ----------
    types : mapping of str to pyarrow.DataType
        The chosen columns.
    place : str
        Where they are.

    Raises
    ------
    TypeError
        A column has text, dates, or lists.
    """
    arrow_types = import_module("pyarrow").types
    bad = {name: kind for name, kind in types.items() if not _is_real(arrow_types, kind)}
    if not bad:
        return
    listed = ", ".join(f"{name!r} ({kind})" for name, kind in list(bad.items())[:_SHOWN])
    more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
    first = next(iter(bad.values()))
    if arrow_types.is_temporal(first):
        remedy = f"Convert dates and times to {_DAYS}; or leave these columns out of inputs."
    else:
        remedy = "Encode them as numbers first, or leave them out of inputs."
    got = f"{listed}{more} in {place}"
    raise TypeError(message("columns", "hold real numbers", got, remedy))


def check_schema(schema: Any, names: Sequence[str], place: str) -> None:
    """Reject chosen columns of a file that are no real numbers or are there twice."""
    for name in names:
        if schema.names.count(name) > 1:
            got = f"{schema.names.count(name)} columns {name!r} in {place}"
            raise ValueError(message("columns", "have different names", got, "Rename them."))
    check_types({name: schema.field(name).type for name in names}, place)


def file_table(path: Path, schema: Any) -> FileTable:
    """Return the table of a file with this ``pyarrow.Schema``."""
    return FileTable(path, {field.name: float_dtype(field.type) for field in schema})


def index_columns(schema: Any) -> list[str]:
    """Return the columns in which pandas stored the labels of rows."""
    labels = (schema.pandas_metadata or {}).get("index_columns", [])
    return [label for label in labels if isinstance(label, str)]  # a RangeIndex is a dict


def float_dtype(kind: Any) -> np.dtype[Any]:
    """Return the dtype that a column of a pyarrow type becomes: float32 or float64."""
    arrow_types = import_module("pyarrow").types
    if arrow_types.is_dictionary(kind):
        kind = kind.value_type
    narrow = arrow_types.is_float16(kind) or arrow_types.is_float32(kind)
    return np.dtype(np.float32 if narrow else np.float64)


def _is_real(arrow_types: Any, kind: Any) -> bool:
    if arrow_types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        arrow_types.is_floating(kind)
        or arrow_types.is_integer(kind)
        or arrow_types.is_boolean(kind)
        or arrow_types.is_decimal(kind)
    )


def arrow_column(values: Any, name: str, place: str, first_row: int = 0) -> Column:
    """Return a column as arrays, one for each of its pieces; floats and integers are not copied.

    Parameters
    ----------
    values : pyarrow.Array or pyarrow.ChunkedArray
        The column; ``check_types`` accepts its type.
    name, place : str
        What it is called and where it is, for messages.
    first_row : int
        How the first entry is counted there.

    Returns
    -------
    Column
        Arrays of shape (n,), their lengths add up to that of the column.

    Raises
    ------
    ValueError
        An entry is null.
    """
    if values.null_count:
        raise ValueError(_null(values, name, place, first_row))
    pieces = values.chunks if hasattr(values, "chunks") else [values]
    return [_array(piece) for piece in pieces] or [np.empty(0)]


def _array(values: Any) -> npt.NDArray[Any]:
    """Return one piece without nulls as an array."""
    pyarrow = import_module("pyarrow")
    arrow_types = pyarrow.types
    if arrow_types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if arrow_types.is_boolean(values.type):
        values = values.cast(pyarrow.uint8())
    elif arrow_types.is_decimal(values.type):
        values = values.cast(pyarrow.float64())
    array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=True)
    return array


def _null(values: Any, name: str, place: str, first_row: int) -> str:
    """Return the message for a column with nulls."""
    row = first_row + import_module("pyarrow.compute").index(values.is_null(), True).as_py()
    count = f"{values.null_count} null{'s'[: values.null_count > 1]}, the first in row {row}"
    got = f"{count} of column {name!r} in {place}"
    remedy = "Fill nulls or drop these rows first; or leave the column out of inputs."
    return message("columns", "have no nulls", got, remedy)


def columns_of(table: Any, names: Sequence[str], place: str, first_row: int = 0) -> list[Column]:
    """Return columns of a table or record batch whose types are checked."""
    return [arrow_column(table.column(name), name, place, first_row) for name in names]
