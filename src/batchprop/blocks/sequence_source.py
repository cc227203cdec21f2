"""A source of blocks over any object with ``len`` and ``[i]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from batchprop.blocks.column_choice import ColumnChoice, column_choice
from batchprop.blocks.file_source import chosen_rows
from batchprop.blocks.origin import Origin
from batchprop.blocks.source import Layout, RawBlock
from batchprop.blocks.table_columns import column_names, table_columns
from batchprop.engines.samples import Samples
from batchprop.validation.error_text import described, message


class SequenceSource:
    """Blocks (X, T) or (X, T, sample_weight), or tables whose columns are chosen by name.

    Parameters
    ----------
    sequence : sequence
        The user's object.
    inputs, targets, sample_weight : str, sequence of str, or None
        Columns, as the user passed them.  If all are None, blocks are tuples of arrays.
    """

    layout: Layout | None = None
    sizes: Sequence[int] | None = None

    def __init__(self, sequence: Any, inputs: Any, targets: Any, sample_weight: Any) -> None:
        expected = "be a sequence of blocks"
        if isinstance(sequence, str | bytes) or hasattr(sequence, "__fspath__"):
            remedy = "Pass names of files to batchprop.Blocks.from_files."
            raise TypeError(message("sequence", expected, described(sequence), remedy))
        if not hasattr(sequence, "__len__") or not hasattr(sequence, "__getitem__"):
            remedy = "Pass a list, or an object with __len__ and __getitem__ that reads a block."
            raise TypeError(message("sequence", expected, described(sequence), remedy))
        is_frame = hasattr(sequence, "to_numpy") or hasattr(sequence, "to_pandas")
        if is_frame or isinstance(sequence, np.ndarray | Mapping):
            got = f"one table of type {type(sequence).__name__}"
            raise TypeError(message("sequence", expected, got, "Pass a list of tables."))
        if len(sequence) == 0:
            raise ValueError(message("sequence", "have at least one block", "none", "Add blocks."))
        self._sequence = sequence
        self._choice: ColumnChoice | None = None
        self.input_names: tuple[str, ...] | None = None
        self.target_names: tuple[str, ...] | None = None
        if inputs is not None or targets is not None or sample_weight is not None:
            names = column_names(self._item(0), "block 0")
            choice = column_choice(names, inputs, targets, sample_weight, "block 0")
            self._choice = choice
            self.input_names = tuple(str(name) for name in choice.inputs)
            self.target_names = tuple(str(name) for name in choice.targets)

    def __len__(self) -> int:
        return len(self._sequence)

    def block(self, index: int) -> RawBlock:
        """Return a block, from whatever the user's object returns."""
        value = self._item(index)
        if self._choice is not None:
            columns = table_columns(value, self._choice.columns, f"block {index}")
            return chosen_rows(columns, self._choice)
        if isinstance(value, Samples):
            return RawBlock(*value[:3])
        if isinstance(value, tuple | list) and len(value) in (2, 3):
            return RawBlock(*value)
        if hasattr(value, "columns") or hasattr(value, "keys"):
            remedy = 'Name its columns, for example Blocks(sequence, targets=["y"]).'
        else:
            remedy = "Let sequence[i] return a tuple (X, T) or (X, T, sample_weight)."
        got = f"{type(value).__name__}"
        if isinstance(value, tuple | list):
            got += f" of {len(value)} item{'s'[: len(value) != 1]}"
        raise TypeError(message(f"block {index}", "be a tuple (X, T)", got, remedy))

    def _item(self, index: int) -> Any:
        """Return an item of the user's object; an exception says which one it was."""
        try:
            return self._sequence[index]
        except StopIteration as error:  # a generator may not pass it on
            remedy = "Let len(sequence) be the number of blocks."
            text = message(f"block {index}", "be there", "StopIteration", remedy)
            raise RuntimeError(text) from error
        except Exception as error:
            error.add_note(f"batchprop asked for block {index} of the sequence.")
            raise

    def place(self, index: int) -> str:
        """Return nothing: the index says it all."""
        return ""

    def origin(self) -> Origin | None:
        """Return None: objects in memory cannot be recognised."""
        return None
