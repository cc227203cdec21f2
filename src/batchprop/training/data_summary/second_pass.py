"""``SecondPass``: moments of rows whose squares overflow or lose digits, scaled by a power of 2.

That are rows with standard deviations beyond 2^±450, about 10^±135.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import segments
from batchprop.engines.samples import Samples
from batchprop.scaling.block_buffer import BlockBuffer
from batchprop.scaling.moments import present
from batchprop.scaling.row_moments import RowMoments
from batchprop.scaling.row_statistics import Rescaling
from batchprop.segments import Node, SegmentTree

Array = npt.NDArray[Any]


class RescaledMoments(NamedTuple):
    """Moments of the rows that were scaled; None where no row of a table had to be.

    Attributes
    ----------
    x, t : RowMoments or None
        Of rows of X and of T.
    """

    x: RowMoments | None
    t: RowMoments | None

    def merged_with(self, later: RescaledMoments) -> RescaledMoments:
        """Return the moments of these samples and of those that follow."""
        pairs = zip(self, later, strict=True)
        return RescaledMoments(
            *(a if a is None or b is None else a.merged_with(b) for a, b in pairs)
        )


class SecondPass:
    """Collects these moments from the samples of a run of segments.

    Parameters
    ----------
    rescaling : tuple of Rescaling or None
        What has to be done with X and with T: ``DataSummary.rescaling``.
    first_segment : int
        The segment that the first sample begins.
    """

    def __init__(
        self, rescaling: tuple[Rescaling | None, Rescaling | None], first_segment: int = 0
    ) -> None:
        self._rescaling = rescaling
        self._position = first_segment * segments.SEGMENT_SAMPLES
        self._tree = SegmentTree(RescaledMoments.merged_with)
        self._tables: list[_Rows | None] | None = None

    def add(self, samples: Samples) -> None:
        """Add the samples that come next."""
        weight, origin = samples.sample_weight, self._position
        for segment, start, stop in segments.ranges(origin, origin + samples.X.shape[1]):
            part = slice(start - origin, stop - origin)
            w = None if weight is None else weight[part]
            if self._tables is None:
                self._tables = [None if rows is None else _Rows(rows) for rows in self._rescaling]
            for rows, table in zip(self._tables, samples[:2], strict=True):
                if rows is not None:
                    rows.add(table[:, part], w)
            self._position = stop
            if stop == (segment + 1) * segments.SEGMENT_SAMPLES:
                self._end_segment(segment)

    def moments(self) -> list[Node[RescaledMoments]]:
        """Return the moments, for ``DataSummary.rescaled_by``.  No samples can be added then."""
        if self._tables is not None:
            self._end_segment(self._position // segments.SEGMENT_SAMPLES)
        return self._tree.nodes

    def _end_segment(self, segment: int) -> None:
        assert self._tables is not None
        moments = (None if rows is None else rows.moments() for rows in self._tables)
        self._tree.append(Node(0, segment, RescaledMoments(*moments)))
        self._tables = None


class _Rows:
    """The rows of X or T that are scaled, in the samples of one segment that have come so far."""

    def __init__(self, rescaling: Rescaling) -> None:
        self._rescaling = rescaling
        self._buffer, self._moments = (
            BlockBuffer(rescaling.rows.size),
            RowMoments(rescaling.rows.size),
        )

    def add(self, columns: Array, w: Array | None) -> None:
        for block, weights in self._buffer.add(columns[self._rescaling.rows], w):
            self._count(block, weights)

    def moments(self) -> RowMoments:
        for block, weights in self._buffer.rest():
            self._count(block, weights)
        return self._moments

    def _count(self, block: Array, w: Array | None) -> None:
        if w is not None:
            if not w.any():
                return
            block, w = present(block, w)
        with np.errstate(under="ignore"):
            self._moments.add(block, w, self._rescaling.exponent)
