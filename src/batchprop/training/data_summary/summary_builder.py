"""``SummaryBuilder``: summarises samples that come in pieces, and checks them on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop import segments, validation
from batchprop.engines.samples import Samples
from batchprop.scaling.block_buffer import BlockBuffer
from batchprop.scaling.row_statistics import RowStatistics
from batchprop.segments import Node, SegmentTree
from batchprop.training.candidates import ThinnedSamples
from batchprop.training.checkpoint import checksum
from batchprop.training.data_summary.segment_summary import SegmentSummary
from batchprop.training.weight_statistics import WeightStatistics

Array = npt.NDArray[Any]


class SummaryBuilder:
    """Summarises the samples of a run of segments.

    Only the samples of the segment that is being read are incomplete; of the others, the sums of
    the largest nodes are kept.  Memory does not grow with N.

    Parameters
    ----------
    first_segment : int
        The segment that the first sample begins.
    names : tuple of str
        What the user calls X, T and the sample weights.
    dtype : dtype or None
        The network's dtype, whose range X and T must not exceed; None means that of X.
    thinned : bool
        Whether to keep the candidates for a choice of penalty.
    n_samples : int or None
        N of all samples, if it is known: then less is kept for that choice.
    """

    def __init__(
        self,
        first_segment: int = 0,
        names: tuple[str, str, str] = ("X", "T", "sample_weight"),
        dtype: npt.DTypeLike | None = None,
        *,
        thinned: bool = False,
        n_samples: int | None = None,
    ) -> None:
        self._names, self._dtype = names, dtype
        self._position = first_segment * segments.SEGMENT_SAMPLES
        self._tree = SegmentTree(SegmentSummary.merged_with)
        self._segment: _Segment | None = None
        self._is_weighted: bool | None = None
        may_be_all = first_segment == 0 and (
            n_samples is None or n_samples <= segments.SEGMENT_SAMPLES
        )
        self._thinned = ThinnedSamples(may_be_all) if thinned else None

    def add(self, samples: Samples) -> None:
        """Add the samples that come next.

        Parameters
        ----------
        samples : Samples
            Checked arrays (``validation.real_array``) of as many rows as before, with weights as
            float64 where the samples before have weights.

        Raises
        ------
        ValueError
            A number is not finite or beyond the range of the network's dtype, a weight is
            negative, or only some of the samples have weights.
        """
        X, T, weight, _ = samples
        n_samples, origin = X.shape[1], self._position
        if n_samples == 0:
            return
        dtype = X.dtype if self._dtype is None else np.dtype(self._dtype)
        self._check_weights(weight)
        for segment, start, stop in segments.ranges(origin, origin + n_samples):
            if self._segment is None:
                self._segment = _Segment(samples, start, self._names)
            part = slice(start - origin, stop - origin)
            w = None if weight is None else weight[part]
            self._segment.add(Samples(X[:, part], T[:, part], w), dtype)
            self._position = stop
            if stop == (segment + 1) * segments.SEGMENT_SAMPLES:
                self._end_segment()
        if self._thinned is not None:
            self._thinned.add(samples, origin)

    def summaries(self) -> list[Node[SegmentSummary]]:
        """Return the summaries of the samples that were added, for ``merged``.

        No samples can be added afterwards.
        """
        if self._segment is not None:
            self._end_segment()
        nodes = self._tree.nodes
        if nodes:
            nodes[0].value.thinned = self._thinned
        return nodes

    def _check_weights(self, weight: Array | None) -> None:
        name, is_weighted = self._names[2], weight is not None
        if self._is_weighted not in (None, is_weighted):
            raise ValueError(
                f"{name} must be there for all samples or for none; got samples "
                f"{'with' if is_weighted else 'without'} weights from sample {self._position} on. "
                f"Use weights of 1 where there are none."
            )
        self._is_weighted = is_weighted
        if weight is not None:
            validation.part_of_weights(name, weight, self._position)

    def _end_segment(self) -> None:
        assert self._segment is not None
        index = self._segment.first_sample // segments.SEGMENT_SAMPLES
        self._tree.append(Node(0, index, self._segment.summary()))
        self._segment = None


class _Segment:
    """The samples of one segment that have come so far."""

    def __init__(self, samples: Samples, first_sample: int, names: tuple[str, str, str]) -> None:
        self.first_sample = self._position = first_sample
        self._x = _Table(names[0], samples.X, first_sample)
        self._t = _Table(names[1], samples.T, first_sample)
        weighted = samples.sample_weight is not None
        self._weights = np.empty(segments.SEGMENT_SAMPLES) if weighted else None

    def add(self, samples: Samples, dtype: np.dtype[Any]) -> None:
        """Add samples that do not reach beyond the segment."""
        X, T, weight, _ = samples
        self._x.add(X, weight, dtype)
        self._t.add(T, weight, dtype)
        start = self._position - self.first_sample
        self._position += X.shape[1]
        if self._weights is not None:
            assert weight is not None, "SummaryBuilder has checked that"
            self._weights[start : start + X.shape[1]] = weight

    def summary(self) -> SegmentSummary:
        """Return the summary of the samples that were added."""
        n_samples = self._position - self.first_sample
        weights, checksums = None, []
        if self._weights is not None:
            values = self._weights[:n_samples]
            weights = WeightStatistics.of_segment(values)
            read = checksum.continued(0, values[np.newaxis], self.first_sample)
            checksums = [checksum.ended(read, values[-1:])]
        x, t = self._x.statistics(), self._t.statistics()
        return SegmentSummary(
            n_samples, x, t, weights, ([self._x.checksum()], [self._t.checksum()], checksums)
        )


class _Table:
    """The samples of one segment of X or of T that have come so far."""

    def __init__(self, name: str, table: Array, first_sample: int) -> None:
        self._name, self._received, self._counted = name, first_sample, first_sample
        self._buffer = BlockBuffer(table.shape[0])
        self._statistics = RowStatistics(table.shape[0], table.dtype)
        self._checksum, self._last = 0, table[:, 0]

    def add(self, columns: Array, w: Array | None, dtype: np.dtype[Any]) -> None:
        """Add samples; check them and the range of the network's dtype."""
        validation.in_range(self._name, columns, dtype)
        self._checksum = checksum.continued(self._checksum, columns, self._received)
        self._last = columns[:, -1].copy()
        self._received += columns.shape[1]
        self._statistics.dtype = np.promote_types(self._statistics.dtype, columns.dtype)
        for block, weights in self._buffer.add(columns, w):
            self._count(block, weights)

    def statistics(self) -> RowStatistics:
        """Return the statistics of all samples that were added."""
        for block, weights in self._buffer.rest():
            self._count(block, weights)
        return self._statistics

    def checksum(self) -> int:
        """Return the checksum of all samples that were added."""
        return checksum.ended(self._checksum, self._last)

    def _count(self, block: Array, w: Array | None) -> None:
        validation.finite(self._name, block, first_sample=self._counted)
        self._counted += block.shape[1]
        self._statistics.add(block, w)
