"""Memory aligned to cache lines.

A vector that crosses a line costs two loads, and a line that two threads write moves between their
cores at each write.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

LINE = 128  # bytes: two lines of 64, which processors fetch in pairs


def zeros(rows: int, count: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return zeros of shape (rows, at least ``count``), each row in lines of its own."""
    size = np.dtype(dtype).itemsize
    each = -(-count * size // LINE) * LINE
    memory = np.zeros(rows * each + LINE, np.uint8)
    first = -memory.ctypes.data % LINE
    return memory[first : first + rows * each].view(dtype).reshape(rows, each // size)


def separate(
    rows: int, counts: Mapping[str, int], dtype: npt.DTypeLike
) -> list[dict[str, npt.NDArray[Any]]]:
    """Return, for each row, arrays of zeros of these sizes, by name, in lines of their own."""
    per_line = LINE // np.dtype(dtype).itemsize
    ends = list(accumulate(-(-count // per_line) * per_line for count in counts.values()))
    memory = zeros(rows, ends[-1], dtype)
    parts = list(zip(counts, [0, *ends], ends, strict=False))
    return [{name: row[start:end] for name, start, end in parts} for row in memory]
