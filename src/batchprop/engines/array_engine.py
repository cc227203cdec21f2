"""``ArrayEngine`` makes an engine of formulas on plain arrays.

``naive`` and ``vectorized`` compute L(θ) of the arrays they are handed, and nothing else.  This
layer hands them standardised copies, converts losses to the user's units (``reported_loss``) and
ends evaluations early (``cancellation``).  The fused engine needs no such layer: it standardises
samples while it packs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from batchprop.engines.loss_scale import scales
from batchprop.engines.protocol import require_float64
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape

if TYPE_CHECKING:
    from batchprop.compiler.kernel_call import Call
    from batchprop.threads.cancellation import Cancellation

Array = npt.NDArray[Any]


class Formulas(Protocol):
    """What a module must have to be made an engine.

    Attributes
    ----------
    ArrayObjective, ArrayGaussNewtonObjective : callable
        ``ArrayObjective(X, T, sample_weight, shape, activation, dtype)`` has the evaluations of the
        protocol and an attribute ``check``: a function to be called now and then, which
        may raise to end the evaluation.
    predict, jacobian : callable
        As in the protocol.
    """

    ArrayObjective: Callable[..., Any]
    ArrayGaussNewtonObjective: Callable[..., Any]
    predict: Callable[..., Array]
    jacobian: Callable[..., Array]


class ScaledObjective:
    """L̃(θ) by formulas on a standardised copy of the data.

    Parameters
    ----------
    formulas : Formulas
        What computes.
    samples, shape, activation, dtype, n_threads, cancellation, repeated
        As in ``protocol.OpenObjective``; n_threads and ``repeated`` are ignored.
    """

    task: ClassVar[None] = None

    def __init__(
        self,
        formulas: Formulas,
        samples: Samples,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
        n_threads: int | None = None,
        cancellation: Cancellation | None = None,
        repeated: bool = True,
    ) -> None:
        self.cancellation = cancellation
        self._formulas, self._shape, self._activation = formulas, shape, activation
        X, T, sample_weight, scaling = samples
        self._constant_loss, self._units = 0.0, None
        if scaling is not None:
            self._units = scaling.squared_units
            self._constant_loss = scaling.constant_loss(T, sample_weight)
            X, T = scaling.apply(X, T, dtype, sample_weight)
        self._data = X, T, sample_weight
        self._needs_residuals = scaling is not None and shape.n_outputs > 1
        self._objective = self._open(X, T, sample_weight, shape, activation, dtype)
        if cancellation is not None:
            self._objective.check = cancellation.check
        self._last_loss: float | None = None
        self._last_theta: Array | None = None  # kept where the reported loss needs residuals

    def _open(self, *arguments: Any) -> Any:
        return self._formulas.ArrayObjective(*arguments)

    def loss(self, theta: Array) -> float:
        """Return L̃(θ)."""
        return self._recorded(theta, self._objective.loss(theta))

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Write ∂L̃/∂θ to ``gradient`` (P,) and return L̃(θ)."""
        return self._recorded(theta, self._objective.loss_and_gradient(theta, gradient))

    def _recorded(self, theta: Array, loss: float) -> float:
        self._last_loss = loss
        if self._needs_residuals:
            self._last_theta = theta.copy()
        return loss

    @property
    def reported_loss(self) -> float:
        """The loss of the last evaluation in the user's units of T."""
        assert self._last_loss is not None, "nothing has been evaluated"
        units, (X, T, sample_weight) = self._units, self._data
        if units is None:
            return self._last_loss
        if not self._needs_residuals:
            return float(units[0] * self._last_loss + self._constant_loss)
        Y = self._formulas.predict(self._last_theta, self._shape, self._activation, X)
        R = Y.astype(np.float64) - T
        squares = R * R if sample_weight is None else R * R * sample_weight
        loss = scales(T.shape[1], sample_weight).loss * np.vdot(units, np.sum(squares, axis=1))
        return float(loss + self._constant_loss)

    def output_losses(self, theta: Array) -> Array | None:
        """Return None: the losses of single outputs are not kept."""
        return None

    def close(self) -> None:
        """Do nothing: the buffers are freed with the object."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class ScaledGaussNewtonObjective(ScaledObjective):
    """The same in float64, and the Gauss–Newton matrix of L̃.

    Parameters
    ----------
    formulas, samples, shape, activation, dtype, n_threads, cancellation
        As for ``ScaledObjective``; ``dtype`` must be float64.
    """

    def _open(self, *arguments: Any) -> Any:
        require_float64(arguments[-1])
        return self._formulas.ArrayGaussNewtonObjective(*arguments)

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Write ∂L̃/∂θ (P,) and JᵀJ (P, P); return L̃(θ)."""
        return self._recorded(theta, self._objective.gauss_newton(theta, gradient, JTJ))

    def curvature(self, points: Array, out: Array) -> None:
        """Write Jᵀy″ at θ to ``out`` (P,); ``points`` (3, P) are θ, θ + p and θ − p."""
        self._objective.curvature(points, out)


class ArrayEngine:
    """An ``Engine`` made of formulas.

    Parameters
    ----------
    formulas : Formulas
        What computes.
    """

    releases_gil: ClassVar[bool] = False

    def __init__(self, formulas: Formulas) -> None:
        self.formulas = formulas
        self.predict, self.jacobian = formulas.predict, formulas.jacobian
        self.Objective = partial(ScaledObjective, formulas)
        self.GaussNewtonObjective = partial(ScaledGaussNewtonObjective, formulas)

    def example_calls(
        self, dtype: npt.DTypeLike, n_outputs: int, with_JTJ: bool
    ) -> tuple[None, list[Call]]:
        """Return no task and no calls: there are no kernels."""
        return None, []

    def example_predictions(self, dtype: npt.DTypeLike) -> list[Call]:
        """Return no calls."""
        return []
