"""Arrays in files: which of their axes has the samples, and where they are cut into blocks."""

from __future__ import annotations

from collections.abc import Sequence

from batchprop.segments import SEGMENT_SAMPLES
from batchprop.validation import choice
from batchprop.validation.error_text import message

ROWS, COLUMNS = "rows", "columns"
_MAX_BYTES = 1 << 26  # of a block
_LEAST = 1 << 10  # samples in a block, however many columns there are


def samples_are_rows(samples: object, shapes: Sequence[tuple[int, ...]], place: str) -> bool:
    """Return whether samples are rows of arrays.

    Parameters
    ----------
    samples : "rows", "columns" or None
        As the user passed it.  None means rows, unless the arrays look as if columns were meant.
    shapes : sequence of tuple of two int
        Of all arrays of a source.
    place : str
        Where the first one is.

    Raises
    ------
    TypeError, ValueError
        ``samples`` is none of these; or it is None, and there would be fewer samples than inputs.
    """
    if samples is not None:
        return choice("samples", samples, (ROWS, COLUMNS)) == ROWS
    if sum(shape[0] for shape in shapes) < shapes[0][1]:
        expected = 'be "rows" or "columns" where arrays have more columns than rows'
        got = f"None for shape {shapes[0]} of {place}"
        remedy = 'Pass samples="columns" if each column is a sample, otherwise samples="rows".'
        raise ValueError(message("samples", expected, got, remedy))
    return True


def block_size(bytes_per_sample: int, chunk: int = 1) -> int:
    """Return how many samples a block of an array has.

    That is the size of a segment, less if a block would exceed 64 MB.  Where an array is stored in
    chunks of several samples, the size is a multiple of them.
    """
    size = SEGMENT_SAMPLES
    while size > _LEAST and size * bytes_per_sample > _MAX_BYTES:
        size //= 2
    return max(1, size // chunk) * chunk


def cut_lengths(lengths: Sequence[int], size: int) -> list[tuple[int, int, int]]:
    """Return (array, start, stop) of each block; an array without samples is a block of its own."""
    return [
        (array, start, min(start + size, length))
        for array, length in enumerate(lengths)
        for start in range(0, length or 1, size)
    ]
