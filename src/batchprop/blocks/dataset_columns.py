"""Columns of a table in HDF5 and Zarr files: which array has a column, and where in it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.blocks.array_axes import samples_are_rows
from batchprop.blocks.column_choice import unknown_column
from batchprop.blocks.file_names import shown
from batchprop.blocks.file_window import StoredArray
from batchprop.validation.error_text import described, message

Array = npt.NDArray[Any]
_SHOWN = 8  # names that a message lists


class Dataset(NamedTuple):
    """An array in a file.

    Attributes
    ----------
    shape : tuple of int
        One or two axes.
    dtype : dtype
        Of its entries.
    chunks : tuple of int
        Entries along each axis that are stored together, 1 where it is not cut into chunks.
    stored : StoredArray or None
        Where its entries are, if they are in one piece and not compressed; a flat array is one
        column of it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...]
    stored: StoredArray | None = None


class DatasetColumn(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    dataset : str
        The array that has it.
    part : int, str or None
        Its index in an array of two axes, its field in an array of records; None if it is a flat
        array.
    dtype : dtype
        Of its entries.
    """

    dataset: str
    part: int | str | None
    dtype: np.dtype[Any]


Columns = Mapping[Hashable, DatasetColumn]


def columns_of_dataset(name: str, dataset: Dataset, is_row: bool) -> Columns:
    """Return the columns of one array, by index or by field."""
    dtype = dataset.dtype
    if dtype.names is not None:
        return {field: DatasetColumn(name, field, dtype[field]) for field in dtype.names}
    if len(dataset.shape) == 1:
        return {0: DatasetColumn(name, None, dtype)}
    n_columns = dataset.shape[1 if is_row else 0]
    return {j: DatasetColumn(name, j, dtype) for j in range(n_columns)}


def columns_of_file(datasets: Mapping[str, Dataset], is_row: bool) -> Columns:
    """Return the columns of all arrays of a file: "a" if it is flat, otherwise "a[0]", "a[1]"."""
    columns: dict[Hashable, DatasetColumn] = {}
    for name, dataset in datasets.items():
        if dataset.dtype.names is not None:
            continue
        for part, column in columns_of_dataset(name, dataset, is_row).items():
            columns[name if column.part is None else f"{name}[{part}]"] = column
    return columns


def expanded(role: str, names: Any, columns: Columns, path: Path) -> Any:
    """Return the user's columns, with the columns of an array in place of its name.

    Raises
    ------
    ValueError
        There is neither an array nor a column of a name.
    """
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, Iterable):
        return names
    result: list[Any] = []
    for name in names:
        inside = [key for key, column in columns.items() if column.dataset == name]
        if name not in columns and not inside:
            arrays = list(dict.fromkeys(column.dataset for column in columns.values()))
            raise ValueError(unknown_column(role, name, arrays, shown(path)))
        result += [name] if name in columns else inside
    return result


def rows_hold_samples(
    samples: object, files: Sequence[Mapping[str, Dataset]], names: Iterable[Any], path: Path
) -> bool:
    """Return whether samples are rows of the named arrays; see ``samples_are_rows``."""
    wide = [name for name in names if len(getattr(files[0].get(name), "shape", ())) == 2]
    if not wide:
        return samples_are_rows(samples, [(1, 1)], shown(path))
    widest = max(wide, key=lambda name: files[0][name].shape[1] / max(1, files[0][name].shape[0]))
    datasets = [file[widest] for file in files if widest in file]
    shapes = [dataset.shape for dataset in datasets if len(dataset.shape) == 2]
    return samples_are_rows(samples, shapes, f"{widest!r} in {shown(path)}")


def n_samples(
    columns: Iterable[DatasetColumn], file: Mapping[str, Dataset], is_row: bool, path: Path
) -> int:
    """Return the number of samples, which must be the same in all arrays that have columns."""
    lengths = {
        column.dataset: file[column.dataset].shape[0 if is_row else -1] for column in columns
    }
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{n} in {name!r}" for name, n in list(lengths.items())[:4])
        remedy = 'Choose arrays of the same samples, or pass samples="rows" or "columns".'
        got = f"{listed} of {shown(path)}"
        raise ValueError(message("arrays", "have the same number of samples", got, remedy))
    return next(iter(lengths.values()))


def check_dataset(name: object, files: Sequence[Mapping[str, Dataset]], paths: Any) -> str:
    """Return the name of an array that is in all files."""
    if not isinstance(name, str):
        remedy = 'Pass, for example, "measurements/table".'
        raise TypeError(message("dataset", "be the name of an array", described(name), remedy))
    for file, path in zip(files, paths, strict=True):
        if name not in file:
            names = list(file)
            listed = ", ".join(map(repr, names[:_SHOWN])) or "none with one or two axes"
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            got = f"{name!r}, which {shown(path)} does not have"
            remedy = f"Its arrays are {listed}{more}."
            raise ValueError(message("dataset", "be an array of all files", got, remedy))
    return name
