"""L̃(θ) and its gradient over one data set, by the fused kernels."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import address
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.blocking import Blocking, choose_blocking, round_up
from batchprop.engines.fused.chunk_kernel import chunk_kernel
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.packing import NO_SAMPLE_TABLE, sample_table
from batchprop.engines.fused.problem import Problem, Scratch, describe_problem
from batchprop.engines.fused.task import GRADIENT, LOSS, Task
from batchprop.engines.fused.thread_team import Team
from batchprop.engines.loss_scale import scales
from batchprop.engines.samples import Samples
from batchprop.machine.thread_count import team_size
from batchprop.parameters import Shape
from batchprop.simd.aligned_memory import separate, zeros
from batchprop.simd.register_tiles import TILE_ROWS
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

    # A subclass has its own chunk kernel and blocking.
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
        self._samples = samples  # keeps the arrays alive: kernels know only their addresses
        X, T, sample_weight, scaling = samples
        dtype, n_samples = np.dtype(dtype), X.shape[1]
        blocking = self._choose_blocking(shape, n_samples, dtype)
        n_workers = team_size(n_threads, blocking.nanoseconds, blocking.n_chunks) - 1
        problem = self._problem(shape, activation, blocking)
        leader, *workers = self._scratches(shape, blocking, dtype, n_workers)
        n_parameters, s = shape.n_parameters, shape.n_outputs
        n_sums = n_parameters + s + blocking.n_row_products
        theta = np.zeros(n_parameters, dtype)
        sums = zeros(1 if n_workers == 0 else blocking.n_chunks, n_sums, np.float64)
        factors = scales(n_samples, sample_weight)
        self.task = KernelStruct(
            Task(
                problem=problem,
                chunk_kernel=self._address(problem, theta, leader, sums[0]),
                n_workers=n_workers,
                loss_scale=factors.loss,
                gradient_scale=factors.gradient,
                units=np.ones(s) if scaling is None else scaling.squared_units,
                constant_loss=0.0 if scaling is None else scaling.constant_loss(T, sample_weight),
                theta=theta,
                gradient=np.zeros(n_parameters, dtype),
                points=np.zeros(3 * n_parameters, dtype),
                sums=sums,
                sums_over_chunks=np.empty(n_sums),
                control=zeros(1, 64, np.int64)[0],
                scratch=leader,
            )
        )
        self._team = Team(self.task, list(map(KernelStruct, workers)))
        weakref.finalize(self, self._team.stop)  # if it is never closed
        self._team.start()

    def _problem(self, shape: Shape, activation: str, blocking: Blocking) -> Problem:
        """Describe sizes and data to kernels."""
        X, T, sample_weight, scaling = self._samples
        x_means_and_factors: tuple[Array, ...] = ()
        t_means_and_factors: tuple[Array, ...] = ()
        if scaling is not None:
            x_means_and_factors = scaling.x_mean, scaling.x_factor
            t_means_and_factors = scaling.t_mean, scaling.t_factor
        return describe_problem(
            shape,
            activation,
            X.shape[1],
            blocking,
            X=sample_table(X, *x_means_and_factors),
            T=sample_table(T, *t_means_and_factors),
            weight=NO_SAMPLE_TABLE if sample_weight is None else sample_table(sample_weight),
        )

    def _scratches(
        self, shape: Shape, blocking: Blocking, dtype: np.dtype[Any], n_workers: int
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
        leader = leader_token(self.cancellation)
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

    def _address(self, problem: Problem, theta: Array, scratch: Scratch, G: Array) -> int:
        """Return the address of the chunk kernel; its argument types depend on the dtype alone.

        Addresses are cached: numba's type inference takes longer than a small evaluation.
        """
        key = self._chunk_kernel, theta.dtype
        if key not in _addresses:
            structs = KernelStruct(problem), KernelStruct(scratch)
            _addresses[key] = address(
                self._chunk_kernel, structs[0], theta, 0, structs[1], G, GRADIENT
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
        """Raise ``Cancelled`` if the threads abandoned the evaluation: its sums are meaningless."""
        if self.cancellation is not None and self.cancellation.cancelled:
            raise Cancelled

    @property
    def reported_loss(self) -> float:
        """The loss L of the last evaluation, in the user's units of T."""
        task = self.task
        sums = task.sums_over_chunks[task.theta.size :][: task.units.size]
        return float(task.loss_scale * np.vdot(task.units, sums) + task.constant_loss)

    def output_losses(self, theta: Array) -> Array | None:
        """Return the loss L of each output (s,) where θ was evaluated last, otherwise None."""
        task = self.task
        if self._samples.scaling is not None or not np.array_equal(task.theta, theta):
            return None
        losses: Array = task.loss_scale * task.sums_over_chunks[theta.size :][: task.units.size]
        return losses

    def close(self) -> None:
        """End the threads."""
        self._team.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
