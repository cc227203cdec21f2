"""Which format files have, by their extensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batchprop.blocks.file_names import EXTENSIONS, is_zarr, matching_files, shown
from batchprop.validation.error_text import message

_FORMATS = {extension: name for name, extensions in EXTENSIONS.items() for extension in extensions}
_TEXT = (".csv", ".tsv", ".txt", ".gz")


def format_of_files(files: Any) -> tuple[str, tuple[Path, ...]]:
    """Return a key of ``EXTENSIONS``, and the files that a pattern, folder or list stands for.

    Raises
    ------
    TypeError, ValueError
        Nothing matches, an extension is not known, or files have several formats.
    """
    paths = matching_files(files, _FORMATS)
    formats = {}
    for path in paths:
        name = "zarr" if is_zarr(path) else _FORMATS.get(path.suffix.lower())
        if name is None:
            expected = f"have one of the extensions {', '.join(_FORMATS)}"
            remedy = "Call, for example, Blocks.from_parquet for files of another name."
            if path.suffix.lower() == ".npz":
                remedy = "Save its arrays with numpy.save, one a file."
            elif path.suffix.lower() in _TEXT:
                remedy = (
                    "Convert text to Parquet first, for example with pyarrow.csv.open_csv and "
                    "pyarrow.parquet.ParquetWriter."
                )
            raise ValueError(message("files", expected, shown(path), remedy))
        formats[name] = path
    if len(formats) > 1:
        got = " and ".join(shown(path) for path in list(formats.values())[:2])
        remedy = 'Pass a pattern for one of them, such as "data/*.parquet".'
        raise ValueError(message("files", "have one format", got, remedy))
    return next(iter(formats)), paths
