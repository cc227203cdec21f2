"""The three engines: one meaning, three ways to compute it.

Each engine module offers the same names.  ``Objective(X, T, sample_weight, shape, activation,
dtype, n_threads)`` holds one data set and computes L(θ) and ∂L/∂θ; ``GaussNewtonObjective`` is the
same in float64 and computes JᵀJ as well; ``predict`` is the forward pass.  An ``Objective`` of the
engines in Python calls its ``check()`` now and then, which may raise to end the evaluation.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol, Self, cast

import numpy.typing as npt

from batchprop.parameters import Shape

Array = npt.NDArray[Any]

ENGINES = ("naive", "vectorized", "fused")


class Objective(Protocol):
    """L(θ) and its gradient over one data set."""

    def __init__(
        self,
        X: Array,
        T: Array,
        sample_weight: Array | None,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
        n_threads: int | None = None,
    ) -> None: ...

    def loss(self, theta: Array) -> float:
        """Return L(θ)."""
        ...

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Write ∂L/∂θ to ``gradient`` (P,) and return L(θ)."""
        ...

    def close(self) -> None:
        """Let buffers and threads go."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


class GaussNewtonObjective(Objective, Protocol):
    """The same in float64, whatever the network's dtype, and the Gauss–Newton matrix."""

    def __init__(
        self,
        X: Array,
        T: Array,
        sample_weight: Array | None,
        shape: Shape,
        activation: str,
        n_threads: int | None = None,
    ) -> None: ...

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Write ∂L/∂θ (P,) and Σ_i w_i J_iᵀ J_i / Σ_i w_i (P, P); return L(θ)."""
        ...

    def curvature(self, points: Array, out: Array) -> None:
        """Write Σ_i w_i J_iᵀ y″_i / Σ_i w_i at θ to ``out`` (P,).

        y″ = y(θ + p) − 2 y(θ) + y(θ − p); ``points`` (3, P) are θ, θ + p and θ − p.
        """
        ...


class Engine(Protocol):
    """What every engine module offers."""

    Objective: type[Objective]
    GaussNewtonObjective: type[GaussNewtonObjective]

    def predict(
        self,
        theta: Array,
        shape: Shape,
        activation: str,
        X: Array,
        n_threads: int | None = None,
    ) -> Array:
        """Return Y (s, N)."""
        ...


def require_compiler(name: str, remedy: str) -> None:
    """Reject what needs compiled code where the user has switched numba's compiler off."""
    from numba import config

    if config.DISABLE_JIT:
        raise RuntimeError(
            f"{name} must run compiled code; got NUMBA_DISABLE_JIT={int(config.DISABLE_JIT)}. "
            f"Unset it before Python starts{remedy}."
        )


def load(name: str) -> Engine:
    """Import an engine when it is first asked for, so that only the fused one costs numba."""
    if name == "fused":
        require_compiler("engine='fused'", ", or pass engine='vectorized'")
    return cast(Engine, import_module(f"batchprop.engines.{name}"))
