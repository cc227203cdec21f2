"""What an objective computes with: its task, the memory of each thread, and the threads."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import segments
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.addresses import Call, addresses_of, forward_call
from batchprop.engines.fused.backward import (
    add_to_strips,
    backward_one_output,
    backward_several_outputs,
)
from batchprop.engines.fused.blocking import MAX_CHUNKS, MAX_SUM_BYTES, Blocking, round_up
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.forward_backward import chunk_sums
from batchprop.engines.fused.packing import NO_SAMPLE_TABLE, SampleTable, sample_table
from batchprop.engines.fused.problem import Scratch, describe_problem
from batchprop.engines.fused.task import GRADIENT, Task
from batchprop.engines.fused.thread_team import Team
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


class Workspace:
    """A task with its buffers, and the team of threads that works on it.

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

    Attributes
    ----------
    task : KernelStruct
        The task.
    """

    def __init__(
        self,
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
    ) -> None:
        dtype = np.dtype(dtype)
        blocking = sums.choose_blocking(shape, n_samples, dtype)
        n_workers = team_size(n_threads, blocking.nanoseconds, blocking.n_chunks) - 1
        leader, *workers = _scratches(shape, blocking, dtype, n_workers, cancellation)
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
            totals=np.empty(n_sums),
            tree=zeros(levels, n_sums, np.float64) if levels else np.empty((1, 1)),
            control=zeros(1, 64, np.int64)[0],
            scratch=leader,
        )
        self.task = KernelStruct(_with_addresses(task, sums))
        self._team = Team(self.task, list(map(KernelStruct, workers)))
        self._packed = [leader.packed, *(worker.packed for worker in workers)]
        weakref.finalize(self, self._team.stop)  # if it is never closed
        self._team.start()

    def read_from(self, tables: SampleTables) -> None:
        """Let the next evaluation read other samples; none may be going on."""
        task: Task = self.task.fields
        self.task.replace(task._replace(problem=task.problem._replace(**tables._asdict())))
        for packed in self._packed:
            packed[:] = -1

    def close(self) -> None:
        """End the threads."""
        self._team.stop()


def segments_together(n_segments: int, n_chunks: int, n_sums: int) -> int:
    """Return how many segments threads share at a time: as many as one has chunks at most."""
    fitting = MAX_SUM_BYTES // (8 * n_sums * n_chunks)
    return max(1, min(n_segments, MAX_CHUNKS // n_chunks, fitting))


def _scratches(
    shape: Shape,
    blocking: Blocking,
    dtype: np.dtype[Any],
    n_workers: int,
    cancellation: Cancellation | None,
) -> list[Scratch]:
    """Allocate the memory of the leader and of each worker."""
    e, m, s = shape
    n, x_rows = blocking.block_samples, blocking.x_rows
    size = {
        "X": x_rows * n,
        "T": s * n,
        "weight": n,
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
    packed = zeros(n_workers + 1, 1, np.int64)
    packed[:] = -1
    spare_sums = zeros(n_workers + 1, TILE_ROWS * max(e, s), np.float64)
    leader = leader_token(cancellation)
    worker = leader._replace(ask=0)
    return [
        Scratch(
            **arrays,
            packed=packed[member],
            spare_sums=spare_sums[member],
            token=worker if member else leader,
        )
        for member, arrays in enumerate(memory)
    ]


def _with_addresses(task: Task, sums: Sums) -> Task:
    """Return a task with the addresses of the kernels that it needs."""
    problem, theta, totals, scratch = task.problem, task.theta, task.totals, task.scratch
    backward = backward_one_output if problem.s == 1 else backward_several_outputs
    calls: dict[str, Call] = {
        "backward_kernel": (backward, problem, theta, 0, scratch, totals),
        "chunk_kernel": (chunk_sums, problem, theta, 0, scratch, totals, GRADIENT),
    }
    if problem.sums_in_strips:
        calls["strips_kernel"] = add_to_strips, problem, 0, scratch
    if sums.row_products is not None:
        scale, JTJ = task.loss_scale, np.empty((1, 1))
        calls["assembly"] = sums.assembly, problem, theta, totals, scale, JTJ, scratch.token
        calls["row_products"] = sums.row_products, problem, 0, scratch, totals, True
    calls["evaluation"] = evaluate_once, task, GRADIENT
    calls["forward_kernel"] = forward_call(problem, theta)
    found = addresses_of(theta, calls)
    problem = problem._replace(
        forward_kernel=found["forward_kernel"],
        backward_kernel=found["backward_kernel"],
        strips_kernel=found.get("strips_kernel", 0),
        row_products=found.get("row_products", 0),
    )
    return task._replace(
        problem=problem,
        chunk_kernel=found["chunk_kernel"],
        evaluation=found["evaluation"],
        assembly=found.get("assembly", 0),
    )
