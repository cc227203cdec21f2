"""L̃(θ) and its gradient over one data set, by the fused kernels."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.blocking import choose_blocking
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.task import GRADIENT, LOSS
from batchprop.engines.fused.task_memory import Sums, new_task, tables_of
from batchprop.engines.fused.workspace import Workspace
from batchprop.engines.loss_scale import loss_in_units, scales
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape
from batchprop.threads.cancellation import Cancellation, Cancelled

Array = npt.NDArray[Any]

GRADIENT_SUMS = Sums(choose_blocking)


class Objective:
    """One data set, the buffers to evaluate on it, and a team of threads.

    Parameters
    ----------
    samples : Samples
        The data, in any strides, standardised while they are packed.  Small ones stay packed if
        evaluations are repeated; of others one block is copied at a time.
    shape, activation, dtype, n_threads, cancellation, repeated
        As in ``engines.protocol.OpenObjective``.
    """

    _sums: ClassVar[Sums] = GRADIENT_SUMS

    def __init__(
        self,
        samples: Samples,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
        n_threads: int | None = None,
        cancellation: Cancellation | None = None,
        repeated: bool = True,
    ) -> None:
        self.cancellation = cancellation
        self._samples = samples  # keeps the arrays alive: kernels know only their addresses
        X, T, sample_weight, scaling = samples
        task, workers = new_task(
            self._sums,
            shape,
            activation,
            dtype,
            X.shape[1],
            tables_of(samples),
            scales(X.shape[1], sample_weight),
            scaling,
            0.0 if scaling is None else scaling.constant_loss(T, sample_weight),
            n_threads,
            cancellation,
            repeated,
        )
        self._workspace = Workspace(self._sums, task, workers)

    @property
    def task(self) -> KernelStruct:
        """What the compiled loops of solvers evaluate, by ``evaluate(task, GRADIENT)`` or LOSS.

        They see a cancellation by its token: nothing is raised there.
        """
        return self._workspace.task

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
        squares = task.totals[task.theta.size :][: task.units.size]
        return loss_in_units(task.loss_scale, squares, task.units, task.constant_loss)

    def output_losses(self, theta: Array) -> Array | None:
        """Return the loss L of each output (s,) where θ was evaluated last, otherwise None."""
        task = self.task
        if self._samples.scaling is not None or not np.array_equal(task.theta, theta):
            return None
        losses: Array = task.loss_scale * task.totals[theta.size :][: task.units.size]
        return losses

    def close(self) -> None:
        """End the threads."""
        self._workspace.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
