"""L̃(θ), its gradient and JᵀJ from sums that are computed elsewhere: from files, or by workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.gauss_newton.assemble import assemble
from batchprop.engines.fused.gauss_newton.gauss_newton_blocking import choose_blocking
from batchprop.engines.fused.problem import describe_problem
from batchprop.engines.fused.task import CURVATURE, GRADIENT, LOSS
from batchprop.engines.loss_scale import Scales, loss_in_units
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.threads.cancellation import Cancellation, Cancelled, leader_token

Array = npt.NDArray[Any]


class SummedObjective:
    """An objective whose sums over all samples a function returns.

    Parameters
    ----------
    sums : callable
        ``sums(theta, work)`` returns the sums over all samples as ``SegmentSums.sums`` defines
        them; it may raise ``Cancelled``.
    shape, activation, cancellation
        As in ``engines.protocol.OpenObjective``.
    n_samples : int
        N.
    factors : Scales
        The factors of the sums.
    scaling : Scaling or None
        How the samples are standardised.
    constant_loss : float
        Loss of the outputs that are constant in training, in the user's units.
    close : callable
        Frees what computes the sums.
    """

    task: ClassVar[None] = None

    def __init__(
        self,
        sums: Callable[[Array, int], Array],
        shape: Shape,
        activation: str,
        n_samples: int,
        factors: Scales,
        scaling: Scaling | None = None,
        constant_loss: float = 0.0,
        cancellation: Cancellation | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self.cancellation = cancellation
        self._sums, self._close = sums, close
        self._shape, self._activation, self._n_samples = shape, activation, n_samples
        self._factors, self._scaling, self._constant_loss = factors, scaling, constant_loss
        self._units = np.ones(shape.n_outputs) if scaling is None else scaling.squared_units
        self._losses = np.empty(shape.n_outputs)  # sums of squared residuals
        self._theta: Array | None = None  # where they were evaluated

    def loss(self, theta: Array) -> float:
        """Return L̃(θ)."""
        return self._loss_of(theta, self._sums(theta, LOSS))

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Write ∂L̃/∂θ to ``gradient`` (P,) and return L̃(θ)."""
        return self._gradient_of(theta, self._sums(theta, GRADIENT), gradient)

    def _gradient_of(self, theta: Array, sums: Array, gradient: Array) -> float:
        n, s = self._shape.n_parameters, self._shape.n_outputs
        # ∂L̃/∂θ = (2/Σw) Σ w (y − t) ∂y/∂θ, rounded once to the dtype of θ
        gradient[:] = self._factors.gradient * sums[:n]
        return self._loss_of(theta, sums[n : n + s])

    def _loss_of(self, theta: Array, losses: Array) -> float:
        self._losses, self._theta = losses.copy(), theta.copy()
        # added in the order of the kernel ``evaluate_once``
        return self._factors.loss * sum(map(float, self._losses), 0.0)

    @property
    def reported_loss(self) -> float:
        """The loss L of the last evaluation, in the user's units of T."""
        scale = self._factors.loss
        return loss_in_units(scale, self._losses, self._units, self._constant_loss)

    def output_losses(self, theta: Array) -> Array | None:
        """Return the loss L of each output (s,) where θ was evaluated last, otherwise None."""
        if self._theta is None or self._scaling is not None:
            return None
        if not np.array_equal(self._theta, theta):
            return None
        losses: Array = self._factors.loss * self._losses
        return losses

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Write ∂L̃/∂θ (P,) and JᵀJ (P, P), in float64; return L̃(θ)."""
        sums = self._sums(theta, GRADIENT)
        blocking = choose_blocking(self._shape, self._n_samples, np.dtype(np.float64))
        problem = describe_problem(self._shape, self._activation, self._n_samples, blocking)
        token = KernelStruct(leader_token(self.cancellation))
        assemble(KernelStruct(problem), theta, sums, self._factors.loss, JTJ, token)
        if self.cancellation is not None and self.cancellation.cancelled:
            raise Cancelled
        return self._gradient_of(theta, sums, gradient)

    def curvature(self, points: Array, out: Array) -> None:
        """Write Jᵀy″ at θ to ``out`` (P,); ``points`` (3, P) are θ, θ + p and θ − p."""
        out[:] = self._factors.loss * self._sums(points.ravel(), CURVATURE)

    def close(self) -> None:
        """Free what computes the sums; may be called twice."""
        close, self._close = self._close, None
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
