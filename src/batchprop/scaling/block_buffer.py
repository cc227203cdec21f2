"""Cuts samples that come in pieces of any size into the blocks of a table in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.scaling.moments import block_size

Array = npt.NDArray[Any]


class BlockBuffer:
    """Collects the samples of one segment until they fill a block.

    Blocks are float64 copies in C order, with the samples that ``scaling.moments`` puts into a
    block.  So sums over them have the same bits, whatever pieces the samples come in.

    Parameters
    ----------
    n_rows : int
        Rows of the table.
    """

    def __init__(self, n_rows: int) -> None:
        self._size = block_size(n_rows)
        self._block, self._w = np.empty((n_rows, self._size)), np.empty(self._size)
        self._filled, self._weighted = 0, False

    def add(self, columns: Array, w: Array | None) -> Iterator[tuple[Array, Array | None]]:
        """Add samples (n_rows, samples) and their weights; yield the blocks that become full.

        What is yielded may be overwritten.  Samples of weight 0 are included.
        """
        start, n_samples = 0, columns.shape[1]
        self._weighted = w is not None
        while start < n_samples:
            stop = min(start + self._size - self._filled, n_samples)
            filled = self._filled + stop - start
            self._block[:, self._filled : filled] = columns[:, start:stop]
            if w is not None:
                self._w[self._filled : filled] = w[start:stop]
            start, self._filled = stop, filled
            if filled == self._size:
                yield self._take()

    def rest(self) -> Iterator[tuple[Array, Array | None]]:
        """Yield the last block of the segment, if samples are left."""
        if self._filled:
            yield self._take()

    def _take(self) -> tuple[Array, Array | None]:
        filled, self._filled = self._filled, 0
        block = np.ascontiguousarray(self._block[:, :filled])
        return block, self._w[:filled] if self._weighted else None
