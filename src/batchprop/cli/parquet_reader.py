"""Reading Parquet files, with pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.cli import columns as column_types
from batchprop.cli.columns import Column
from batchprop.cli.errors import CommandError


class Content(NamedTuple):
    """What was read of a table.

    Attributes
    ----------
    columns : sequence of Column
        Those that were asked for.
    values : ndarray, shape (N, columns)
        Numbers, or the positions of levels; NaN where a cell is missing.
    levels : list of tuple of str, or None
        The levels of each column in the order of these positions, None for a column of numbers.
    n_columns : int
        Number of all columns of the table.
    """

    columns: Sequence[Column]
    values: npt.NDArray[np.float64]
    levels: list[tuple[str, ...] | None]
    n_columns: int


def read(path: str, choose: Callable[[list[str]], Sequence[Column]]) -> Content:
    """Read columns of a Parquet file; see ``table.read``."""
    try:
        pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise CommandError(
            f"{path}: pyarrow is needed to read Parquet files and is not installed. "
            f'Run: pip install "batchprop[parquet]"'
        ) from None
    try:
        with open(path, "rb") as file:
            archive = pq.ParquetFile(file)
            names = list(archive.schema_arrow.names)
            chosen = choose(names)
            content = archive.read(columns=[names[column.position] for column in chosen])
    except pa.ArrowException as error:
        raise CommandError(f"{path} is no Parquet file, or is damaged ({error}).") from None
    if content.num_rows == 0:
        raise CommandError(f"{path} has no rows.")
    values = np.empty((content.num_rows, len(chosen)))
    converters = [column_types.converter(column, path) for column in chosen]
    for k, each in enumerate(converters):
        arrow = content.column(names[each.column.position])
        values[:, k] = _values(pa, arrow, each, path)
    column_types.check(converters, path)
    return Content(chosen, values, [each.levels for each in converters], len(names))


def _values(pa: Any, arrow: Any, converter: column_types.Converter, path: str) -> Any:
    """Return a column as numbers, or as positions of levels; ``pa`` is pyarrow."""
    kind = arrow.type
    if pa.types.is_dictionary(kind):
        arrow = arrow.cast(kind.value_type)
        kind = arrow.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()
    places = range(1, len(arrow) + 1)
    if isinstance(converter, column_types.CategoryColumn) or is_text or pa.types.is_null(kind):
        cells = ["" if cell is None else str(cell) for cell in arrow.to_pylist()]
        return converter.values(cells, places)
    is_number = pa.types.is_floating(kind) or pa.types.is_integer(kind)
    if not (is_number or pa.types.is_boolean(kind) or pa.types.is_decimal(kind)):
        name = column_types.quoted(converter.column.name)
        raise CommandError(
            f"{path}, column {converter.column.name!r} holds {kind}, which is neither a number nor "
            f"text. Convert it to numbers, or leave it out: --ignore {name}."
        )
    if pa.types.is_boolean(kind):
        arrow = arrow.cast(pa.int8())
    numbers = arrow.cast(pa.float64(), safe=False).to_numpy()
    infinite = np.flatnonzero(np.isinf(numbers))
    if infinite.size:
        raise CommandError(
            f"{path}, row {infinite[0] + 1}, column {converter.column.name!r} is infinite. Use "
            f"null if the value is missing."
        )
    return numbers
