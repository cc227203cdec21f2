"""Groups of blocks: each worker reads its own part of the files, in each pass."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import accumulate
from uuid import uuid4

import distributed

from batchprop import segments
from batchprop.blocks.block_sequence import BlockSequence
from batchprop.blocks.read_ahead import read_ahead
from batchprop.dask.group_tasks import samples_in_blocks
from batchprop.dask.groups import Groups
from batchprop.dask.loading import Worker
from batchprop.dask.resident_samples import ResidentSamples
from batchprop.dask.segment_runs import segment_runs
from batchprop.dask.waiting import gathered, wait_for
from batchprop.engines.portions import SegmentRange, taken
from batchprop.engines.samples import Samples
from batchprop.segments import n_segments
from batchprop.validation.error_text import message


class BlockRun:
    """The samples of a run of segments, in blocks that are read in each pass.

    Parameters
    ----------
    blocks : BlockSequence
        All blocks.
    indices : range
        Which of them have samples of the run.
    start, n_samples : int
        How many samples of the first of them precede the run, and how many belong to it.
    """

    nbytes = 0  # nothing is kept

    def __init__(self, blocks: BlockSequence, indices: range, start: int, n_samples: int) -> None:
        self._blocks, self._indices = blocks, indices
        self._start, self._n_samples = start, n_samples

    def read(self) -> Generator[Samples]:
        """Yield the samples of the run; one block is read ahead."""
        skipped, missing, indices = self._start, self._n_samples, self._indices
        load = read_ahead(lambda k: self._blocks[indices[k]], len(indices))
        with closing(load) as blocks:
            for block in blocks:
                samples = taken(block, skipped, skipped + missing)
                skipped = 0
                missing -= samples.X.shape[1]
                if samples.X.shape[1]:
                    yield samples


def groups_of_blocks(
    client: distributed.Client,
    blocks: BlockSequence,
    workers: Sequence[Worker],
    timeout: float,
) -> Groups:
    """Make a group for each worker, and wait for it.

    If the source does not know how many samples each block has, the workers first find out.
    """
    sizes = blocks.sizes or _sizes(client, blocks, workers, timeout)
    n_samples, starts = sum(sizes), [0, *accumulate(sizes)]
    if n_samples == 0:
        remedy = "Check the files, or how the samples were selected."
        raise ValueError(message("blocks", "have at least one sample", "none", remedy))
    runs = segment_runs(n_segments(n_samples), [worker.n_threads for worker in workers])
    parts, ranges = [], []
    for run in runs:
        first = run.start * segments.SEGMENT_SAMPLES
        stop = min(n_samples, run.stop * segments.SEGMENT_SAMPLES)
        overlapping = [i for i in range(len(sizes)) if starts[i] < stop and starts[i + 1] > first]
        indices = range(overlapping[0], overlapping[-1] + 1)
        parts.append((indices, first - starts[indices[0]], stop - first))
        ranges.append(SegmentRange(n_samples, run.start, run.stop))
    token = uuid4().hex[:8]
    futures = client.map(
        block_samples,
        parts,
        ranges,
        key=[(f"batchprop-samples-{token}", k) for k in range(len(runs))],
        pure=False,
        blocks=blocks,
    )
    groups = Groups(client, futures, n_samples, timeout)
    groups.settle()
    return groups


def block_samples(
    part: tuple[range, int, int], samples_range: SegmentRange, blocks: BlockSequence
) -> ResidentSamples:
    """Return the group of a run of segments: the task of a worker."""
    return ResidentSamples(BlockRun(blocks, *part), samples_range)


def _sizes(
    client: distributed.Client,
    blocks: BlockSequence,
    workers: Sequence[Worker],
    timeout: float,
) -> list[int]:
    """Return how many samples each block has; each worker reads a part of the blocks."""
    runs = segment_runs(len(blocks), [worker.n_threads for worker in workers])
    token = uuid4().hex[:8]
    futures = client.map(
        samples_in_blocks,
        runs,
        key=[(f"batchprop-sizes-of-blocks-{token}", k) for k in range(len(runs))],
        pure=False,
        blocks=blocks,
    )
    sizes = wait_for(client, gathered(client, futures), timeout)
    return [size for of_run in sizes for size in of_run]
