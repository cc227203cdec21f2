"""Training data for an engine: standardised where that is wanted, and the loss in units of T.

The fused engine standardises while it packs.  The others compute with a copy.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop import engines
from batchprop.engines.loss_scale import scales
from batchprop.parameters import Shape
from batchprop.scaling import Scaling

Array = npt.NDArray[Any]


class CopiedObjective:
    """L(θ) of an engine that takes data as they are, on a standardised copy of the data.

    Parameters
    ----------
    engine : str
        Name of the engine.
    X, T, sample_weight, shape, activation, dtype
        As for every engine's Objective.
    scaling : Scaling or None
        How to standardise; None leaves the data as they are.
    cancellation : Cancellation or None
        Ends evaluations early: they raise ``Cancelled`` then.
    """

    def __init__(
        self,
        engine: str,
        X: Array,
        T: Array,
        sample_weight: Array | None,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
        scaling: Scaling | None,
        cancellation: Any = None,
    ) -> None:
        self.cancellation = cancellation
        self._engine, self._shape, self._activation = engines.load(engine), shape, activation
        self._constant_loss = 0.0
        if scaling is not None:
            self._constant_loss = scaling.constant_loss(T, sample_weight)
            X, T = scaling.apply(X, T, dtype, sample_weight)
        self._data, self._scaling = (X, T, sample_weight), scaling
        self._objective = self._prepared(X, T, sample_weight, dtype)
        if cancellation is not None:
            self._objective.check = cancellation.check
        self._last: tuple[Array, float] | None = None

    def _prepared(self, X: Array, T: Array, weight: Array | None, dtype: npt.DTypeLike) -> Any:
        return self._engine.Objective(X, T, weight, self._shape, self._activation, dtype)

    def loss(self, theta: Array) -> float:
        """Return L̃(θ)."""
        return self._noted(theta, self._objective.loss(theta))

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Write ∂L̃/∂θ to ``gradient`` (P,) and return L̃(θ)."""
        return self._noted(theta, self._objective.loss_and_gradient(theta, gradient))

    def _noted(self, theta: Array, loss: float) -> float:
        self._last = theta.copy(), loss
        return loss

    @property
    def reported(self) -> float:
        """The loss of the last evaluation in the user's units of T."""
        assert self._last is not None, "reported is asked for after an evaluation"
        theta, loss = self._last
        if self._scaling is None:
            return loss
        units = self._scaling.squared_units
        if len(units) == 1:
            return float(units[0] * loss + self._constant_loss)
        X, T, weight = self._data
        R = self._engine.predict(theta, self._shape, self._activation, X).astype(np.float64) - T
        sums = np.sum(R * R if weight is None else R * R * weight, axis=1)
        loss = scales(T.shape[1], weight).loss * np.vdot(units, sums)
        return float(loss + self._constant_loss)

    def close(self) -> None:
        """Let buffers go."""
        self._objective.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class CopiedGaussNewton(CopiedObjective):
    """The same in float64, and the Gauss–Newton matrix of L̃.

    Parameters
    ----------
    engine, X, T, sample_weight, shape, activation, scaling, cancellation
        As for ``CopiedObjective``.
    """

    def __init__(
        self,
        engine: str,
        X: Array,
        T: Array,
        sample_weight: Array | None,
        shape: Shape,
        activation: str,
        scaling: Scaling | None,
        cancellation: Any = None,
    ) -> None:
        super().__init__(
            engine, X, T, sample_weight, shape, activation, np.float64, scaling, cancellation
        )

    def _prepared(self, X: Array, T: Array, weight: Array | None, dtype: npt.DTypeLike) -> Any:
        return self._engine.GaussNewtonObjective(X, T, weight, self._shape, self._activation)

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Write ∂L̃/∂θ (P,) and Σ_i w_i J_iᵀ J_i / Σ_i w_i (P, P); return L̃(θ)."""
        return self._noted(theta, self._objective.gauss_newton(theta, gradient, JTJ))

    def curvature(self, points: Array, out: Array) -> None:
        """Write Σ_i w_i J_iᵀ y″_i / Σ_i w_i to ``out`` (P,), for θ, θ + p, θ − p (3, P)."""
        self._objective.curvature(points, out)
