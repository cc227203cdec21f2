"""Where the samples of a call come from: collections of rows, or blocks that workers read."""

from __future__ import annotations

import os
from typing import Any, Protocol

import distributed

from batchprop.blocks.block_sequence import BlockSequence
from batchprop.dask.block_groups import groups_of_blocks
from batchprop.dask.groups import Groups, groups_of_tables
from batchprop.dask.loading import LoadedTable, check_memory, load, workers_of
from batchprop.dask.tables import ClusterTable, table_of
from batchprop.validation.error_text import described, message
from batchprop.vocabulary import Words


class Source(Protocol):
    """Samples that can be put on a cluster."""

    @property
    def is_weighted(self) -> bool:
        """Whether the samples have weights."""
        ...

    @property
    def flat(self) -> bool:
        """Whether the targets were passed with one dimension; known after ``groups``."""
        ...

    def groups(self, client: distributed.Client, timeout: float) -> Groups:
        """Put the samples on the workers."""
        ...


class CollectionSource:
    """The collections X, T and, if there are any, the sample weights.

    Parameters
    ----------
    tables : list of ClusterTable
        Two or three of them.
    """

    def __init__(self, tables: list[ClusterTable]) -> None:
        self._tables, self.flat = tables, False

    @property
    def is_weighted(self) -> bool:
        """Whether there are weights."""
        return len(self._tables) > 2

    def groups(self, client: distributed.Client, timeout: float) -> Groups:
        """Compute the partitions on the workers and make a group on each."""
        workers = workers_of(client, timeout)
        check_memory(self._tables, workers)
        loaded = load(client, self._tables, timeout)
        _check_lengths(loaded)
        self.flat = loaded[1].flat
        return groups_of_tables(client, loaded, workers, timeout)


class BlockSource:
    """Blocks, which each worker reads in each pass.

    Parameters
    ----------
    blocks : BlockSequence
        What workers can read: files that all of them see, or a sequence that can be pickled.
    """

    flat = False

    def __init__(self, blocks: BlockSequence) -> None:
        self._blocks = blocks

    @property
    def is_weighted(self) -> bool:
        """Whether the blocks have weights."""
        return self._blocks.has_weights

    def groups(self, client: distributed.Client, timeout: float) -> Groups:
        """Assign the blocks to the workers."""
        workers = workers_of(client, timeout)
        return groups_of_blocks(client, self._blocks, workers, timeout)


def source_of(
    X: Any, T: Any, sample_weight: Any, words: Words, suffix: str = "", small: bool = False
) -> Source:
    """Return the source of a call's training or validation data.

    Parameters
    ----------
    X, T, sample_weight
        As the user passed them: collections, or Blocks and None.
    words : Words
        What the user calls them.
    suffix : {"", "_val"}
        Which ones they are.
    small : bool
        Whether they may be arrays of this process.

    Raises
    ------
    TypeError, ValueError
        They do not go together, or are something else.
    """
    names = words.name("X" + suffix), words.name("T" + suffix), "sample_weight" + suffix
    if isinstance(X, BlockSequence):
        for name, value in zip(names[1:], (T, sample_weight), strict=True):
            if value is not None:
                expected = f"be None where {names[0]} is Blocks"
                remedy = "Leave it out: Blocks have targets and weights of their own."
                raise TypeError(message(name, expected, described(value), remedy))
        return BlockSource(X)
    if isinstance(X, str | os.PathLike):
        expected = "be a collection of rows or Blocks"
        remedy = "Pass batchprop.Blocks.from_files(..., targets=[...]), which each worker reads."
        raise TypeError(message(names[0], expected, described(X), remedy))
    for name, other, value in ((names[0], names[1], X), (names[1], names[0], T)):
        if value is None:
            remedy = "Pass both; only Blocks have targets of their own."
            raise TypeError(message(name, f"come with {other}", "None", remedy))
    tables = [
        table_of(names[0], X, flat=False, small=small),
        table_of(names[1], T, flat=True, small=small),
    ]
    if sample_weight is not None:
        tables.append(table_of(names[2], sample_weight, flat=True, small=small))
    return CollectionSource(tables)


def _check_lengths(tables: list[LoadedTable]) -> None:
    """Refuse tables of different numbers of samples, and weights of several columns."""
    first, *others = tables
    for other in others:
        if other.n_samples != first.n_samples:
            expected = f"have as many samples as {first.table.name}, {first.n_samples}"
            remedy = "Let all of them describe the same samples, in the same order."
            raise ValueError(message(other.table.name, expected, f"{other.n_samples}", remedy))
    for weights in others[1:]:
        if weights.n_columns != 1:
            got, remedy = f"{weights.n_columns} columns", "Pass one number for each sample."
            raise ValueError(message(weights.table.name, "have one column", got, remedy))
