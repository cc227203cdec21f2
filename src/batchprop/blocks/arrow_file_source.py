"""What the sources over Arrow and Parquet have in common: files whose tables have a schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from batchprop.blocks import arrow_columns
from batchprop.blocks.file_names import shown
from batchprop.blocks.file_source import FileSource


class ArrowFileSource(FileSource):
    """Base class of the sources over files of tables that pyarrow reads.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    schemas : sequence of pyarrow.Schema
        Their columns, which may have another order and type in each file.
    inputs, targets, sample_weight : str, sequence of str, or None
        Columns, as the user passed them.

    Raises
    ------
    TypeError, ValueError
        There is no such column, or it holds no real numbers.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        schemas: Sequence[Any],
        inputs: Any,
        targets: Any,
        sample_weight: Any,
    ) -> None:
        files = list(zip(paths, schemas, strict=True))
        tables = [arrow_columns.file_table(path, schema) for path, schema in files]
        index = arrow_columns.index_columns(schemas[0])
        super().__init__(tables, inputs, targets, sample_weight, index)
        for path, schema in files:
            arrow_columns.check_schema(schema, self.choice.columns, shown(path))
