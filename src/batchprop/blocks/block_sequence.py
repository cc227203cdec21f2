"""The blocks of a source, checked: one by one, and in a pass that reads ahead."""

from __future__ import annotations

import contextlib
import operator
import os
from collections.abc import Generator
from typing import NoReturn, Self, SupportsIndex

from batchprop.blocks.cache import CachedSource
from batchprop.blocks.checked_block import checked_block, layout_of
from batchprop.blocks.read_ahead import read_ahead
from batchprop.blocks.source import Layout, Source
from batchprop.engines.samples import Samples
from batchprop.validation.error_text import message


class BlockSequence:
    """Base class of ``Blocks``: everything that does not depend on what the source is."""

    def __init__(self, source: Source, cache: str | os.PathLike[str] | None = None) -> None:
        if cache is not None:
            source = CachedSource(source, BlockSequence(source).__getitem__, cache)
        self._source: Source = source
        self._layout = source.layout
        self._sizes: dict[int, int] = {}  # samples of the blocks that have been read

    @classmethod
    def _of(cls, source: Source, cache: str | os.PathLike[str] | None) -> Self:
        """Return the blocks of a source."""
        blocks = cls.__new__(cls)
        BlockSequence.__init__(blocks, source, cache)
        return blocks

    @property
    def n_inputs(self) -> int:
        """Number of inputs, e.  If the source does not know it, the first block is read."""
        return self._known_layout().n_inputs

    @property
    def n_outputs(self) -> int:
        """Number of outputs, s.  If the source does not know it, the first block is read."""
        return self._known_layout().n_outputs

    @property
    def has_weights(self) -> bool:
        """Whether samples have weights.  If the source does not know, the first block is read."""
        return self._known_layout().has_weights

    @property
    def n_samples(self) -> int | None:
        """Number of samples, N; None until it is known, from metadata or after one pass."""
        sizes = self.sizes
        return None if sizes is None else sum(sizes)

    @property
    def sizes(self) -> tuple[int, ...] | None:
        """Number of samples in each block; None until it is known, as ``n_samples``."""
        if self._source.sizes is not None:
            return tuple(self._source.sizes)
        n_blocks = len(self)
        is_known = len(self._sizes) == n_blocks
        return tuple(self._sizes[index] for index in range(n_blocks)) if is_known else None

    @property
    def input_names(self) -> tuple[str, ...] | None:
        """Names of the inputs, or None if the source has no names."""
        return self._source.input_names

    @property
    def target_names(self) -> tuple[str, ...] | None:
        """Names of the targets, or None if the source has no names."""
        return self._source.target_names

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self._source)

    def __getitem__(self, index: SupportsIndex) -> Samples:
        """Return a block, checked.  It may have no samples."""
        i = operator.index(index)
        if not -len(self) <= i < len(self):
            raise IndexError(f"there are {len(self)} blocks; got index {i}")
        return self._block(i % len(self))

    def read(self) -> Generator[Samples]:
        """Yield the blocks in order, and read the next one while the caller uses the last.

        A thread reads one block ahead.  It ends with the generator: after the last block, after an
        exception, and when the generator is closed or deleted.  Blocks without samples are left
        out.

        Yields
        ------
        Samples
            ``X`` (e, n), ``T`` (s, n) and ``sample_weight`` (n,) or None, float32 or float64; they
            may be read-only.  NaN in X and T is not searched.

        Raises
        ------
        TypeError, ValueError
            A block has no real numbers, does not fit the first one, or has bad weights; or there
            is no sample at all.  The error comes where the block would have come.

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Blocks
        >>> short, long = (np.ones((2, 3)), np.ones((1, 3))), (np.ones((2, 4)), np.ones((1, 4)))
        >>> blocks = Blocks([short, long])
        >>> [samples.X.shape for samples in blocks.read()]
        [(2, 3), (2, 4)]
        """
        if isinstance(self._source, CachedSource):
            self._source.open()  # here, not in the thread, where Ctrl-C would not interrupt it
        n_samples = 0
        with contextlib.closing(read_ahead(self._block, len(self))) as blocks:
            for samples in blocks:
                n_samples += samples.X.shape[1]
                if samples.X.shape[1]:
                    yield samples
                del samples  # or it would stay in memory while the next one is awaited
        if n_samples == 0:
            raise _no_samples()

    def __array__(self, *arguments: object, **options: object) -> NoReturn:
        """Refuse to become an array, which NumPy would make by reading everything.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(
            "Blocks are not an array: train and result.score take them; elsewhere, use the arrays "
            "of single blocks, such as blocks[0].X"
        )

    def place_of_sample(self, sample: int) -> str:
        """Return where a sample is, for messages: its block, and the file if there is one.

        Parameters
        ----------
        sample : int
            Its index among all samples; the blocks up to it have been read.

        Returns
        -------
        str
            For example "block 3, data/part-2.parquet from row group 0 on".

        Examples
        --------
        >>> import numpy as np
        >>> from batchprop import Blocks
        >>> blocks = Blocks([(np.ones((2, 3)), np.ones((1, 3)))] * 2)
        >>> n_samples = sum(samples.X.shape[1] for samples in blocks.read())
        >>> blocks.place_of_sample(4)
        'block 1'
        """
        index, stop = 0, self._sizes[0]
        while stop <= sample:
            index += 1
            stop += self._sizes[index]
        return ", ".join(filter(None, (f"block {index}", self._source.place(index))))

    def __repr__(self) -> str:
        known = self.n_samples
        samples = "" if known is None else f"{known} samples in "
        return f"Blocks({samples}{len(self)} block{'s'[: len(self) != 1]})"

    def _block(self, index: int) -> Samples:
        """Read and check a block, which must have the size that it had before."""
        source = self._source
        samples = checked_block(source.block(index), self._layout, index, source.place(index))
        n = samples.X.shape[1]
        if self._layout is None and n:
            self._layout = layout_of(samples)
        size = self._sizes.setdefault(index, n)
        if size != n:
            expected = f"have {size} sample{'s'[: size != 1]}, as when it was read before"
            remedy = "Let the data stay as they are while they are in use."
            raise ValueError(message(f"block {index}", expected, f"{n}", remedy))
        return samples

    def _known_layout(self) -> Layout:
        """Return the layout; read the first block that has samples if it is not known yet."""
        for index in range(len(self)):
            if self._layout is not None:
                break
            self._block(index)
        if self._layout is None:
            raise _no_samples()
        return self._layout


def _no_samples() -> ValueError:
    remedy = "Check how the samples were selected."
    return ValueError(message("blocks", "have at least one sample", "none", remedy))
