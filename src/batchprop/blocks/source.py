"""What a source of blocks implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from batchprop.blocks.origin import Origin

Array = npt.NDArray[Any]


class RawBlock(NamedTuple):
    """A block as a source returns it, not checked yet.

    Attributes
    ----------
    X, T : array_like, shapes (e, n) and (s, n)
        Inputs and targets.
    sample_weight : array_like, shape (n,), or None
        Weights.
    """

    X: npt.ArrayLike
    T: npt.ArrayLike
    sample_weight: npt.ArrayLike | None = None


class Layout(NamedTuple):
    """What all blocks of a source have in common.

    Attributes
    ----------
    n_inputs, n_outputs : int
        e and s.
    has_weights : bool
        Whether each block has sample weights.
    x_dtype, t_dtype : dtype
        float32 or float64, of X and of T.
    """

    n_inputs: int
    n_outputs: int
    has_weights: bool
    x_dtype: np.dtype[Any]
    t_dtype: np.dtype[Any]


class Source(Protocol):
    """A sequence of blocks.  It can be pickled if what it reads from can be: it keeps no open file.

    Attributes
    ----------
    input_names, target_names : tuple of str, or None
        Names of the columns, if the source has names.
    """

    input_names: tuple[str, ...] | None
    target_names: tuple[str, ...] | None

    @property
    def layout(self) -> Layout | None:
        """The layout, or None if a block must be read to know it."""

    @property
    def sizes(self) -> Sequence[int] | None:
        """The number of samples in each block, or None if all blocks must be read to know it."""

    def __len__(self) -> int:
        """Return the number of blocks."""

    def block(self, index: int) -> RawBlock:
        """Read a block."""

    def place(self, index: int) -> str:
        """Return where a block is, for messages: a file and a part of it; "" if there is none."""

    def origin(self) -> Origin | None:
        """Return what the data are read from; None for objects in memory."""
