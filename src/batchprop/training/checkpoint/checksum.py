"""Checksums of tables, from the samples of a fixed pattern, computed segment by segment.

All of the first n₀ = max(16, 4096 // e) samples are read, and then about n₀ more whenever the
number of samples doubles: of the samples from n₀·2ᵏ to n₀·2ᵏ⁺¹, those whose index is a multiple of
2ᵏ, but one in 2048 at least.  The last sample of a segment is read, too.  Whether a sample is read
does not depend on N.  So the checksum of a table is computed while its samples come in, in pieces
of any size, or on several machines.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import segments

Array = npt.NDArray[Any]

_VALUES = 4096  # that are read before samples are left out
_MIN_SAMPLES = 16  # likewise, of a table with many rows
_LONGEST_STEP = 2048  # from one sample that is read to the next


def of_array(array: Array) -> int:
    """Return the checksum of a table (n, N) or of weights (N,)."""
    table = array[np.newaxis] if array.ndim == 1 else array
    n_samples = table.shape[1]
    if n_samples <= segments.SEGMENT_SAMPLES:
        return combined([ended(continued(0, table, 0), table[:, -1])])
    return combined(
        ended(continued(0, table[:, start:stop], start), table[:, stop - 1])
        for _, start, stop in segments.ranges(0, n_samples)
    )


def continued(checksum: int, columns: Array, first_sample: int) -> int:
    """Return the checksum of the samples of a segment that have come so far.

    Parameters
    ----------
    checksum : int
        That of the samples of the segment before; 0 if there are none.
    columns : ndarray, shape (n, samples)
        The samples that follow.
    first_sample : int
        The index of the first of them in the whole table.
    """
    n_rows, n_samples = columns.shape
    if first_sample + n_samples <= 2 * _n_first(n_rows):
        return zlib.crc32(_numbers(columns.T), checksum)
    for samples in _pattern(first_sample, first_sample + n_samples, n_rows):
        start, stop = samples.start - first_sample, samples.stop - first_sample
        checksum = zlib.crc32(_numbers(columns[:, start : stop : samples.step].T), checksum)
    return checksum


def ended(checksum: int, last_sample: Array) -> int:
    """Return the checksum of a segment whose last sample (n,) is this."""
    return zlib.crc32(_numbers(last_sample), checksum)


def combined(checksums: Iterable[int]) -> int:
    """Return the checksum of a table from those of its segments, in order."""
    return zlib.crc32(b"".join(checksum.to_bytes(4, "little") for checksum in checksums))


def _numbers(values: Array) -> memoryview:
    """Return the bytes of numbers in float64, one sample after another."""
    return np.ascontiguousarray(values, "<f8").data


def _n_first(n_rows: int) -> int:
    """Return n₀."""
    return max(_MIN_SAMPLES, _VALUES // n_rows)


def _pattern(start: int, stop: int, n_rows: int) -> Iterable[range]:
    """Yield the samples that are read of those from ``start`` to ``stop``."""
    step, lower = 1, 0
    while True:
        is_last = step == _LONGEST_STEP
        upper = stop if is_last else min(stop, 2 * _n_first(n_rows) * step)
        samples = range(-(-max(start, lower) // step) * step, upper, step)
        if samples:
            yield samples
        if is_last or upper == stop:
            return
        step, lower = 2 * step, upper
