"""The memory of an objective: its task, the samples as kernels see them, and buffers of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import segments
from batchprop.engines.fused.blocking import (
    MAX_CHUNKS,
    MAX_SUM_BYTES,
    Blocking,
    keep_samples,
    round_up,
)
from batchprop.engines.fused.packing import NO_SAMPLE_TABLE, SampleTable, sample_table
from batchprop.engines.fused.problem import Scratch, describe_problem
from batchprop.engines.fused.task import Task
from batchprop.engines.loss_scale import Scales
from batchprop.engines.samples import Samples
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.simd.aligned_memory import separate, zeros
from batchprop.simd.register_tiles import TILE_ROWS
from batchprop.threads.cancellation import Cancellation, leader_token

Array = npt.NDArray[Any]


class Sums(NamedTuple):
    """What is summed over samples: the gradient, or JᵀJ as well.

    Attributes
    ----------
    choose_blocking : callable
        ``choose_blocking(shape, n_samples, dtype)`` cuts samples and weights.
    row_products, assembly : kernel or None
        Add the sums for JᵀJ over one block; make JᵀJ of all sums.
    """

    choose_blocking: Callable[[Shape, int, np.dtype[Any]], Blocking]
    row_products: Any = None
    assembly: Any = None


class SampleTables(NamedTuple):
    """Inputs, targets and weights in memory, as kernels see them."""

    X: SampleTable = NO_SAMPLE_TABLE
    T: SampleTable = NO_SAMPLE_TABLE
    weight: SampleTable = NO_SAMPLE_TABLE


def tables_of(samples: Samples, first: int = 0) -> SampleTables:
    """Describe samples to kernels, which count them from ``first`` on.

    The caller keeps the arrays alive.
    """
    X, T, weight, scaling = samples
    x_numbers: tuple[Array, ...] = ()
    t_numbers: tuple[Array, ...] = ()
    if scaling is not None:
        x_numbers = scaling.x_mean, scaling.x_factor
        t_numbers = scaling.t_mean, scaling.t_factor
    tables = SampleTables(
        sample_table(X, *x_numbers),
        sample_table(T, *t_numbers),
        NO_SAMPLE_TABLE if weight is None else sample_table(weight),
    )
    if first == 0:
        return tables
    # the address where sample 0 would be; kernels touch no sample before ``first``
    return SampleTables(
        *(
            table._replace(address=table.address - first * table.sample_stride)
            if table.address
            else table
            for table in tables
        )
    )


def new_task(
    sums: Sums,
    shape: Shape,
    activation: str,
    dtype: npt.DTypeLike,
    n_samples: int,
    tables: SampleTables,
    factors: Scales,
    scaling: Scaling | None,
    constant_loss: float,
    n_threads: int | None,
    cancellation: Cancellation | None,
    repeated: bool = True,
) -> tuple[Task, list[Scratch]]:
    """Allocate a task, whose kernels are not known yet, and the memory of the other threads.

    Parameters
    ----------
    sums : Sums
        What is summed.
    shape, activation, dtype, n_threads, cancellation
        As in ``engines.protocol.OpenObjective``.
    n_samples : int
        N, on which the cuts depend.
    tables : SampleTables
        The samples.
    factors : Scales
        The factors of the sums.
    scaling : Scaling or None
        How the samples are standardised.
    constant_loss : float
        Loss of the outputs that are constant in training, in the user's units.
    repeated : bool
        Whether several evaluations read the same samples.
    """
    dtype = np.dtype(dtype)
    blocking = sums.choose_blocking(shape, n_samples, dtype)
    if repeated:
        blocking = keep_samples(blocking, shape, n_samples, dtype.itemsize)
    n_workers = team_size(n_threads, blocking.nanoseconds, blocking.n_chunks) - 1
    leader, *workers = _scratches(shape, n_samples, blocking, dtype, n_workers, cancellation)
    n_parameters, s = shape.n_parameters, shape.n_outputs
    n_sums = n_parameters + s + blocking.n_row_products
    n_segments = segments.n_segments(n_samples)
    n_rows = 1
    if n_workers > 0:
        n_rows = blocking.n_chunks * segments_together(n_segments, blocking.n_chunks, n_sums)
    levels = segments.n_levels(n_segments)
    task = Task(
        problem=describe_problem(shape, activation, n_samples, blocking, *tables),
        chunk_kernel=0,
        evaluation=0,
        assembly=0,
        n_workers=n_workers,
        loss_scale=factors.loss,
        gradient_scale=factors.gradient,
        units=np.ones(s) if scaling is None else scaling.squared_units,
        constant_loss=constant_loss,
        theta=np.zeros(n_parameters, dtype),
        gradient=np.zeros(n_parameters, dtype),
        points=np.zeros(3 * n_parameters, dtype),
        sums=zeros(n_rows, n_sums, np.float64),
        totals=zeros(1, n_sums, np.float64)[0, :n_sums],
        tree=zeros(levels, n_sums, np.float64) if levels else np.empty((1, 1)),
        control=zeros(1, 64, np.int64)[0],
        scratch=leader,
    )
    return task, workers


def segments_together(n_segments: int, n_chunks: int, n_sums: int) -> int:
    """Return how many segments threads share at a time: as many as one has chunks at most."""
    fitting = MAX_SUM_BYTES // (8 * n_sums * n_chunks)
    return max(1, min(n_segments, MAX_CHUNKS // n_chunks, fitting))


def _scratches(
    shape: Shape,
    n_samples: int,
    blocking: Blocking,
    dtype: np.dtype[Any],
    n_workers: int,
    cancellation: Cancellation | None,
) -> list[Scratch]:
    """Allocate the memory of the leader and of each worker; they share samples that are kept."""
    e, m, s = shape
    n, x_rows = blocking.block_samples, blocking.x_rows
    size = {
        "H": blocking.h_rows * n + TILE_ROWS * blocking.width,
        "weighted_residuals": s * n,
        "packed_W_h": blocking.packed_size,
        "dH": TILE_ROWS * n if s > 1 else 1,
        "strip_buffer": max(x_rows, s) * blocking.width,  # of targets, too, while packing
        "XT": x_rows * n if blocking.sums_in_strips else 1,
        "strip_sums": round_up(m, TILE_ROWS) * x_rows if blocking.sums_in_strips else 1,
        "row_products": blocking.row_product_size,
    }
    # zeros: kernels compute with the padding of rows and panels, but results never depend on it
    memory = separate(n_workers + 1, size, dtype)
    samples = _packed_samples(shape, n_samples, blocking, dtype, n_workers + 1)
    panel = zeros(n_workers + 1, 1, np.int64)
    spare_sums = zeros(n_workers + 1, TILE_ROWS * max(e, s), np.float64)
    leader = leader_token(cancellation)
    worker = leader._replace(ask=0)
    return [
        Scratch(
            **arrays,
            **samples[member],
            panel=panel[member],
            spare_sums=spare_sums[member],
            token=worker if member else leader,
        )
        for member, arrays in enumerate(memory)
    ]


def _packed_samples(
    shape: Shape, n_samples: int, blocking: Blocking, dtype: np.dtype[Any], n_members: int
) -> list[dict[str, Array]]:
    """Allocate X, T, weight and ``packed``: for each thread, or one set if samples are kept."""
    kept = blocking.keeps_samples
    n = round_up(n_samples, blocking.width) if kept else blocking.block_samples
    size = {"X": blocking.x_rows * n, "T": shape.n_outputs * n, "weight": n}
    n_rows, n_places = (1, n // blocking.width) if kept else (n_members, 1)
    packed = zeros(n_rows, n_places, np.int64)
    packed[:] = -1
    rows = [
        {**arrays, "packed": places}
        for arrays, places in zip(separate(n_rows, size, dtype), packed, strict=True)
    ]
    return rows * n_members if kept else rows
