"""Blocks of samples, of any sizes, regrouped at fixed bounds: into whole parts of segments.

A source yields blocks as its files have them.  Sums need fixed parts of the samples, so that they
have the same bits whatever the blocks are.  A portion is a run of whole parts of one segment.
Portions are views of blocks where these are long; only the samples of a part that two blocks
share, and short blocks, are copied.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np

from batchprop import segments
from batchprop.engines.samples import Samples

PARTS = 16  # in a portion of short blocks, so that so many threads have work
BYTES = 32 << 20  # of such a portion, but a part at least


class BlockSource(Protocol):
    """Samples that come block by block, as often as they are needed."""

    def read(self) -> Generator[Samples]:
        """Yield all blocks, in order."""
        ...


class SegmentRange(NamedTuple):
    """A run of segments.

    Attributes
    ----------
    n_samples : int
        N, the number of all samples, not only those of the run.
    first, stop : int
        The first segment of the run, and the one after its last.
    """

    n_samples: int
    first: int
    stop: int

    @classmethod
    def whole(cls, n_samples: int) -> SegmentRange:
        """Return the run of all segments."""
        return cls(n_samples, 0, segments.n_segments(n_samples))

    @property
    def first_sample(self) -> int:
        """Index of its first sample among all."""
        return min(self.n_samples, self.first * segments.SEGMENT_SAMPLES)

    @property
    def stop_sample(self) -> int:
        """Index of the sample after its last."""
        return min(self.n_samples, self.stop * segments.SEGMENT_SAMPLES)


class Portion(NamedTuple):
    """Whole parts of one segment.

    Attributes
    ----------
    samples : Samples
        Their samples.
    first_sample : int
        The index of the first of these among all samples.
    segment : int
        The segment.
    first, stop : int
        Its first part here and the one after the last.
    ends_segment : bool
        Whether the segment ends here.
    """

    samples: Samples
    first_sample: int
    segment: int
    first: int
    stop: int
    ends_segment: bool


Bounds = Callable[[int], Sequence[int]]
"""``bounds(segment)``: the samples at which the parts of a segment begin, and where the last ends.

Samples are counted through all segments.
"""


def portions(
    blocks: Iterable[Samples], bounds: Bounds, samples_range: SegmentRange
) -> Iterator[Portion]:
    """Yield the portions of a run of segments, in order.

    Parameters
    ----------
    blocks : iterable of Samples
        The samples of the run.
    bounds : callable
        See ``Bounds``.
    samples_range : SegmentRange
        The run.

    Raises
    ------
    ValueError
        There are more or fewer samples than that.
    """
    parts = _Parts(bounds, samples_range.n_samples)
    position = end = samples_range.first_sample
    stop_sample = samples_range.stop_sample
    waiting: list[Samples] = []  # samples that have not been yielded begin at ``position``
    for block in blocks:
        start, end = end, end + block.X.shape[1]
        waiting.append(block)
        if end > stop_sample:
            break
        if end < stop_sample and end - position < parts.enough(block):
            continue
        last = parts.last_bound(end)
        if last <= start:  # no part ends in this block
            continue
        if len(waiting) > 1:
            head = min(parts.next_bound(start), last)
            joined = _joined([*waiting[:-1], taken(block, 0, head - start)])
            yield from parts.portions(joined, position, head)
            position = head
        if position < last:
            yield from parts.portions(taken(block, position - start, last - start), position, last)
            position = last
        # a copy, so that the block is not kept
        waiting = [_joined([taken(block, last - start, end - start)])] if last < end else []
    if end != stop_sample:
        count, expected = (number - samples_range.first_sample for number in (end, stop_sample))
        raise ValueError(
            f"the samples must be the same in every pass; got {'at least ' * (end > stop_sample)}"
            f"{count} of them where there were {expected}. Train on files that do not change."
        )


class _Parts:
    """The parts of all segments.

    Parameters
    ----------
    bounds : callable
        See ``Bounds``.
    n_samples : int
        N.
    """

    def __init__(self, bounds: Bounds, n_samples: int) -> None:
        self._bounds, self._n_samples = lru_cache(maxsize=2)(bounds), n_samples

    def _bounds_at(self, sample: int) -> Sequence[int]:
        """Return the bounds of the segment of a sample; of the last one for N."""
        return self._bounds(min(sample, self._n_samples - 1) // segments.SEGMENT_SAMPLES)

    def enough(self, block: Samples) -> int:
        """Return how many samples of short blocks are to be joined: at most a segment."""
        first, second, *_ = self._bounds(0)
        part = second - first
        part_bytes = part * (block.X.nbytes // max(1, int(block.X.shape[1])))
        samples = part * max(1, min(PARTS, BYTES // max(1, part_bytes)))
        return min(samples, segments.SEGMENT_SAMPLES)

    def next_bound(self, sample: int) -> int:
        """Return the first bound that is not before a sample."""
        bounds = self._bounds_at(sample)
        return bounds[bisect_left(bounds, sample)]

    def last_bound(self, sample: int) -> int:
        """Return the last bound that is not after a sample."""
        bounds = self._bounds_at(sample)
        return bounds[bisect_right(bounds, sample) - 1]

    def portions(self, samples: Samples, first: int, stop: int) -> Iterator[Portion]:
        """Yield the portions of samples ``first`` … ``stop`` − 1, which are bounds."""
        size = segments.SEGMENT_SAMPLES
        for segment in range(first // size, -(-stop // size)):
            low, high = max(first, segment * size), min(stop, (segment + 1) * size)
            bounds = self._bounds(segment)
            yield Portion(
                samples=taken(samples, low - first, high - first),
                first_sample=low,
                segment=segment,
                first=bisect_left(bounds, low),
                stop=bisect_left(bounds, high),
                ends_segment=high == bounds[-1],
            )


def taken(samples: Samples, start: int, stop: int) -> Samples:
    """Return views of some samples, without their scaling."""
    X, T, weight, _ = samples
    return Samples(
        X[:, start:stop], T[:, start:stop], None if weight is None else weight[start:stop]
    )


def _joined(parts: list[Samples]) -> Samples:
    """Return a copy of samples, one part after the other."""
    weights = [part.sample_weight for part in parts if part.sample_weight is not None]
    return Samples(
        np.concatenate([part.X for part in parts], axis=1),
        np.concatenate([part.T for part in parts], axis=1),
        np.concatenate(weights) if weights else None,
    )
