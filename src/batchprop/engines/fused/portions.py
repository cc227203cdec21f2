"""Blocks of samples, of any sizes, regrouped into whole chunks of segments.

A source yields blocks as its files have them.  A portion is a run of whole chunks of one segment.
Portions are views of blocks where these are long; only the samples of a chunk that two blocks
share, and short blocks, are copied.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from batchprop.engines.fused.chunk_bounds import chunk_bound, n_chunks_of
from batchprop.engines.fused.problem import Problem
from batchprop.engines.samples import Samples

CHUNKS = 16  # in a portion of short blocks, so that so many threads have work
BYTES = 32 << 20  # of such a portion, but a chunk at least


class Portion(NamedTuple):
    """Whole chunks of one segment.

    Attributes
    ----------
    samples : Samples
        Their samples.
    first_sample : int
        The index of the first of these among all samples.
    segment, first, stop : int
        The segment, its first chunk here and the one after the last.
    """

    samples: Samples
    first_sample: int
    segment: int
    first: int
    stop: int


def portions(
    blocks: Iterable[Samples], problem: Problem, first_sample: int, stop_sample: int
) -> Iterator[Portion]:
    """Yield the portions of a run of segments, in order.

    Parameters
    ----------
    blocks : iterable of Samples
        The samples of the run.
    problem : Problem
        Has N and the cuts.
    first_sample, stop_sample : int
        Where the run begins and ends among all samples: bounds of segments.

    Raises
    ------
    ValueError
        There are more or fewer samples than that.
    """
    cuts = _Cuts(problem)
    waiting: list[Samples] = []  # samples that have not been yielded begin at ``position``
    position = end = first_sample
    for block in blocks:
        start, end = end, end + block.X.shape[1]
        waiting.append(block)
        if end > stop_sample:
            break
        if end < stop_sample and end - position < cuts.enough(block):
            continue
        last = cuts.last_bound(end)
        if last <= position:
            continue
        if len(waiting) > 1:
            head = min(cuts.next_bound(start), last)
            joined = _joined([*waiting[:-1], _part(block, 0, head - start)])
            yield from cuts.portions(joined, position, head)
            position = head
        if position < last:
            yield from cuts.portions(
                _part(block, position - start, last - start), position, last
            )
            position = last
        # a copy, so that the block is not kept
        waiting = [_joined([_part(block, last - start, end - start)])] if last < end else []
    if end != stop_sample:
        raise ValueError(
            f"the samples must be the same in every pass; got {end - first_sample} of them or more "
            f"where there were {stop_sample - first_sample}. Train on files that do not change."
        )


class _Cuts:
    """The bounds of all chunks.

    Parameters
    ----------
    problem : Problem
        Has N and the cuts.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem, self._segment_samples = problem, problem.segment_samples
        self._bounds = lru_cache(maxsize=2)(self._bounds_of)

    def _bounds_of(self, segment: int) -> list[int]:
        """Return where the chunks of a segment begin, and where the last one ends."""
        n_chunks = n_chunks_of(self._problem, segment)
        return [
            chunk_bound(self._problem, segment, k, n_chunks) for k in range(n_chunks + 1)
        ]

    def enough(self, block: Samples) -> int:
        """Return how many samples of short blocks are to be joined."""
        first, second, *_ = self._bounds(0)
        chunk = second - first
        sample_bytes = block.X.nbytes // max(1, block.X.shape[1])
        return chunk * max(1, min(CHUNKS, BYTES // max(1, chunk * sample_bytes)))

    def next_bound(self, sample: int) -> int:
        """Return the first bound that is not before a sample."""
        bounds = self._bounds(min(sample, self._problem.n_samples - 1) // self._segment_samples)
        return bounds[bisect_left(bounds, sample)]

    def last_bound(self, sample: int) -> int:
        """Return the last bound that is not after a sample."""
        bounds = self._bounds(min(sample, self._problem.n_samples - 1) // self._segment_samples)
        return bounds[bisect_right(bounds, sample) - 1]

    def portions(self, samples: Samples, first: int, stop: int) -> Iterator[Portion]:
        """Yield the portions of samples ``first`` … ``stop`` − 1, which are bounds."""
        size = self._segment_samples
        for segment in range(first // size, -(-stop // size)):
            low, high = max(first, segment * size), min(stop, (segment + 1) * size)
            bounds = self._bounds(segment)
            part = _part(samples, low - first, high - first)
            yield Portion(
                part, low, segment, bisect_left(bounds, low), bisect_left(bounds, high)
            )


def _part(samples: Samples, start: int, stop: int) -> Samples:
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
