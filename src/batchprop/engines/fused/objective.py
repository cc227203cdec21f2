"""L(θ) and its gradient over one data set, by the fused kernels."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop.activations import ACTIVATIONS
from batchprop.compiler.jit import address
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.blocking import Blocking, choose_blocking
from batchprop.engines.fused.chunk_kernel import chunk_kernel
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.packing import NO_COLUMNS, columns
from batchprop.engines.fused.problem import Problem, Scratch
from batchprop.engines.fused.task import GRADIENT, LOSS, Task
from batchprop.engines.fused.thread_team import Team
from batchprop.engines.loss_scale import scales
from batchprop.engines.samples import Samples
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape, offsets
from batchprop.simd.aligned_memory import zeros
from batchprop.threads.cancellation import Cancellation, Cancelled, leader_token

Array = npt.NDArray[Any]

_addresses: dict[tuple[Any, np.dtype[Any]], int] = {}


class Objective:
    """One data set, the buffers to evaluate on it, and a team of threads.

    Parameters
    ----------
    samples : Samples
        The data, in any strides: never copied, and standardised while they are packed.
    shape, activation, dtype, n_threads, cancellation
        As in ``engines.protocol.OpenObjective``.

    Attributes
    ----------
    task : KernelStruct
        The compiled loops of the solvers call ``evaluate(task, GRADIENT)`` or
        ``evaluate(task, LOSS)``.  They see a cancellation by its token: nothing is raised there.
    """

    # The chunk kernel and the blocking; a subclass has others.
    _chunk_kernel: Any = staticmethod(chunk_kernel)  # a bare dispatcher would become a method
    _choose_blocking: Callable[[Shape, int, np.dtype[Any]], Blocking] = staticmethod(
        choose_blocking
    )

    def __init__(
        self,
        samples: Samples,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
        n_threads: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> None:
        self.cancellation = cancellation
        X, T, sample_weight, scaling = samples
        s = shape.n_outputs
        numbers: tuple[Array | None, ...] = (None,) * 4
        units, constant_loss = np.ones(s), 0.0
        if scaling is not None:
            numbers = scaling.x_mean, scaling.x_factor, scaling.t_mean, scaling.t_factor
            units = scaling.squared_units
            constant_loss = scaling.constant_loss(T, sample_weight)
        self._kept = (X, T, sample_weight, numbers)  # kernels know only their addresses
        dtype = np.dtype(dtype)
        n_samples = X.shape[1]
        cut = self._choose_blocking(shape, n_samples, dtype)
        n_workers = team_size(n_threads, cut.nanoseconds, cut.n_chunks) - 1
        problem = Problem(
            *shape,
            n_samples,
            *offsets(shape),
            ACTIVATIONS[activation].code,
            columns(X, *numbers[:2]),
            columns(T, *numbers[2:]),
            NO_COLUMNS if sample_weight is None else columns(sample_weight),
            cut.chunk,
            cut.n_chunks,
            cut.block,
            cut.x_rows,
            cut.strips,
        )
        m, s = shape.n_hidden, shape.n_outputs
        n_parameters = shape.n_parameters
        size = {
            "X": cut.x_rows * cut.block,
            "T": s * cut.block,
            "weight": cut.block,
            "H": m * cut.block,
            "R": s * cut.block,
            "dH": 4 * cut.block if s > 1 else 1,
            "strips": max(cut.x_rows, s) * cut.width,  # of inputs, or of targets while packing
            "strip_sums": m * cut.x_rows if cut.strips else 1,
            "row_products": cut.row_product_size,
        }
        # zeros: what pads rows and panels is computed with, but never counts
        memory = {k: zeros(n_workers + 1, n, dtype) for k, n in size.items()}
        memory["packed"] = zeros(n_workers + 1, 1, np.int64)
        memory["packed"][:] = -1
        leader = leader_token(cancellation)
        own, *others = (
            Scratch(
                **{k: rows[member] for k, rows in memory.items()},
                token=leader._replace(ask=0) if member else leader,
            )
            for member in range(n_workers + 1)
        )
        theta, gradient = np.zeros(n_parameters, dtype), np.zeros(n_parameters, dtype)
        n_sums = n_parameters + s + cut.n_row_products
        sums = zeros(1 if n_workers == 0 else cut.n_chunks, n_sums, np.float64)
        self.task = KernelStruct(
            Task(
                problem,
                self._address(problem, theta, own, sums[0]),
                n_workers,
                *scales(n_samples, sample_weight),
                units,
                constant_loss,
                theta,
                gradient,
                np.zeros(3 * n_parameters, dtype),
                sums,
                np.empty(n_sums),
                zeros(1, 64, np.int64)[0],
                own,
            )
        )
        self._team = Team(self.task, list(map(KernelStruct, others)))
        weakref.finalize(self, self._team.stop)  # if it is never closed
        self._team.start()

    def _address(self, problem: Problem, theta: Array, scratch: Scratch, G: Array) -> int:
        """Return the address of the chunk kernel; its argument types depend on the dtype alone.

        Addresses are cached: numba's type inference takes longer than a small evaluation.
        """
        key = self._chunk_kernel, theta.dtype
        if key not in _addresses:
            records = KernelStruct(problem), KernelStruct(scratch)
            _addresses[key] = address(
                self._chunk_kernel, records[0], theta, 0, records[1], G, GRADIENT
            )
        return _addresses[key]

    def loss(self, theta: Array) -> float:
        """Return L̃(θ)."""
        self.task.theta[:] = theta
        loss = float(evaluate_once(self.task, LOSS))
        self._raise_if_cancelled()
        return loss

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Write ∂L̃/∂θ to ``gradient`` (P,) and return L̃(θ)."""
        self.task.theta[:] = theta
        loss = float(evaluate_once(self.task, GRADIENT))
        self._raise_if_cancelled()
        gradient[:] = self.task.gradient
        return loss

    def _raise_if_cancelled(self) -> None:
        """Raise ``Cancelled`` where the threads gave up: the sums then mean nothing."""
        if self.cancellation is not None and self.cancellation.cancelled:
            raise Cancelled

    @property
    def reported_loss(self) -> float:
        """The loss of the last evaluation in the user's units of T."""
        task = self.task
        sums = task.total[task.theta.size :][: task.units.size]
        return float(task.loss_scale * np.vdot(task.units, sums) + task.constant_loss)

    def close(self) -> None:
        """End the threads."""
        self._team.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
