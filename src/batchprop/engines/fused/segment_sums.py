"""Sums over a run of segments whose samples come block by block.

The blocks may be files, or arrays in the memory of a worker: what is summed, and in which order,
does not depend on that.
"""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import kernel
from batchprop.engines.fused.chunk_bounds import chunk_bounds
from batchprop.engines.fused.evaluation import add_chunks
from batchprop.engines.fused.task import CURVATURE, GRADIENT, LOSS
from batchprop.engines.fused.task_memory import SampleTables, Sums, new_task, tables_of
from batchprop.engines.fused.workspace import Workspace
from batchprop.engines.loss_scale import Scales
from batchprop.engines.portions import BlockSource, SegmentRange, portions
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.segments import Node, SegmentTree
from batchprop.threads.cancellation import Cancellation

Array = npt.NDArray[Any]
Item = TypeVar("Item")


@kernel
def _add_chunks(task, segment, first, last, work):
    """Python entry point of ``add_chunks``."""
    add_chunks(task, segment, first, last, work)


class SegmentSums:
    """Evaluates the sums over a run of segments.

    Parameters
    ----------
    blocks : BlockSource
        The samples of the run.
    samples_range : SegmentRange
        Which ones of all samples these are.
    sums : Sums
        What is summed.
    shape, activation, dtype, n_threads, cancellation
        As in ``engines.protocol.OpenObjective``.
    scaling : Scaling or None
        How the samples are standardised.
    """

    def __init__(
        self,
        blocks: BlockSource,
        samples_range: SegmentRange,
        sums: Sums,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
        scaling: Scaling | None = None,
        n_threads: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self._blocks, self._range, self._scaling = blocks, samples_range, scaling
        self._cancellation, self._shape = cancellation, shape
        task, workers = new_task(
            sums,
            shape,
            activation,
            dtype,
            samples_range.n_samples,
            SampleTables(),
            Scales(1.0, 1.0),
            None,
            0.0,
            n_threads,
            cancellation,
            repeated=False,
        )
        self._workspace = Workspace(sums, task, workers)

    def sums(self, theta: Array, work: int) -> list[Node[Array]]:
        """Return the largest nodes of the tree of segments in this run, from left to right.

        Parameters
        ----------
        theta : ndarray, shape (P,)
            Where to evaluate; if ``work`` is CURVATURE, of shape (3 P,): θ, θ + p and θ − p.
        work : int
            GRADIENT, LOSS or CURVATURE.  The sums of a node are, in float64: half the gradient's
            (P), each output's loss (s) and the row products; the losses; those of Jᵀy″ (P).

        Raises
        ------
        Cancelled
            The run was cancelled.
        """
        task, n, s = self._workspace.task, self._shape.n_parameters, self._shape.n_outputs
        columns = {GRADIENT: slice(None), LOSS: slice(n, n + s), CURVATURE: slice(0, n)}[work]
        (task.points if work == CURVATURE else task.theta)[:] = theta
        tree: SegmentTree[Array] = SegmentTree(add_sums)
        bounds = partial(chunk_bounds, task.problem)
        with closing(self._blocks.read()) as blocks:
            for portion in portions(map(self._unless_cancelled, blocks), bounds, self._range):
                samples = portion.samples._replace(scaling=self._scaling)
                self._workspace.read_from(tables_of(samples, portion.first_sample))
                _add_chunks(task, portion.segment, portion.first, portion.stop, work)
                self._unless_cancelled(portion)
                if portion.ends_segment:
                    tree.append(Node(0, portion.segment, task.totals[columns].copy()))
        return tree.nodes

    def _unless_cancelled(self, item: Item) -> Item:
        """Return a block or a portion, unless the run was cancelled.

        Both are looked at: a portion may have many blocks that are slow to read, and a block may
        have many portions.
        """
        if self._cancellation is not None:
            self._cancellation.check()
        return item

    def close(self) -> None:
        """End the threads."""
        self._workspace.close()


def add_sums(left: Array, right: Array) -> Array:
    """Return the sum of two rows of sums, in the memory of the left one."""
    return np.add(left, right, out=left)
