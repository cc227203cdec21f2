"""L̃(θ), its gradient and JᵀJ over one data set, by the fused kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.engines.fused.gauss_newton.assemble import assemble, gauss_newton_once
from batchprop.engines.fused.gauss_newton.curvature import curvature_once
from batchprop.engines.fused.gauss_newton.gauss_newton_blocking import choose_blocking
from batchprop.engines.fused.gauss_newton.row_products import add_row_products
from batchprop.engines.fused.objective import Objective
from batchprop.engines.fused.task_memory import Sums
from batchprop.engines.protocol import require_float64
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape
from batchprop.threads.cancellation import Cancellation

Array = npt.NDArray[Any]

GAUSS_NEWTON_SUMS = Sums(choose_blocking, add_row_products, assemble)


class GaussNewtonObjective(Objective):
    """An ``Objective`` in float64 that knows JᵀJ as well.

    Compiled solvers call ``gauss_newton(task, JTJ)`` with its ``task``, and
    ``evaluate(task, LOSS)`` for the loss alone.

    Parameters
    ----------
    samples, shape, activation, dtype, n_threads, cancellation, repeated
        As for ``Objective``; ``dtype`` must be float64.
    """

    _sums = GAUSS_NEWTON_SUMS

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
        require_float64(dtype)
        super().__init__(samples, shape, activation, dtype, n_threads, cancellation, repeated)

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Write ∂L̃/∂θ (P,) and JᵀJ (P, P); return L̃(θ)."""
        self.task.theta[:] = theta
        # the address of ``assemble`` is that of the kernel for such matrices
        fits = JTJ.flags.c_contiguous and JTJ.dtype == np.float64
        matrix = JTJ if fits else np.empty(JTJ.shape)
        loss = float(gauss_newton_once(self.task, matrix))
        self._raise_if_cancelled()
        if not fits:
            JTJ[:] = matrix
        gradient[:] = self.task.gradient
        return loss

    def curvature(self, points: Array, out: Array) -> None:
        """Write Jᵀy″ at θ to ``out`` (P,); ``points`` (3, P) are θ, θ + p and θ − p."""
        self.task.points[:] = points.ravel()
        curvature_once(self.task, out)
        self._raise_if_cancelled()
