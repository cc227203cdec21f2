"""What an engine is: everything that the rest of the package asks of one.

An engine is a module, a folder, or an ``ArrayEngine``; it implements ``Engine``.  Callers get it by
``engines.load(name)`` and never ask which one it is: what differs between engines is an attribute
of the protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from batchprop.engines.samples import Samples
from batchprop.parameters import Shape

if TYPE_CHECKING:  # numba is imported with the first of these: only the fused engine needs it
    from batchprop.compiler.kernel_call import Call
    from batchprop.compiler.kernel_struct import KernelStruct
    from batchprop.threads.cancellation import Cancellation

Array = npt.NDArray[Any]


@runtime_checkable
class Objective(Protocol):
    """L̃(θ) and its gradient over one data set.

    Without scaling L̃ is L.  An evaluation that is cancelled raises ``Cancelled``.
    """

    @property
    def cancellation(self) -> Cancellation | None:
        """What ends evaluations early, as passed to the constructor."""
        ...

    @property
    def task(self) -> KernelStruct | None:
        """What compiled loops evaluate, by ``engines.fused.evaluation.evaluate``.

        None if only Python can evaluate; the solver's loop then runs in Python as well.
        """
        ...

    def loss(self, theta: Array) -> float:
        """Return L̃(θ)."""
        ...

    def loss_and_gradient(self, theta: Array, gradient: Array) -> float:
        """Write ∂L̃/∂θ to ``gradient`` (P,) and return L̃(θ)."""
        ...

    @property
    def reported_loss(self) -> float:
        """The loss L of the last evaluation, in the user's units of T."""
        ...

    def output_losses(self, theta: Array) -> Array | None:
        """Return the loss L of each output (s,) at θ (P,), in the user's units of T.

        None if they are not known without an evaluation: that may be so if θ is not where the last
        evaluation was.  If that one was cancelled, they are meaningless.
        """
        ...

    def close(self) -> None:
        """Free buffers and end threads; may be called twice."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...


@runtime_checkable
class GaussNewtonObjective(Objective, Protocol):
    """An objective that knows the Gauss–Newton matrix as well, all in float64."""

    def gauss_newton(self, theta: Array, gradient: Array, JTJ: Array) -> float:
        """Write ∂L̃/∂θ (P,) and JᵀJ, the mean Σ_i w_i J_iᵀJ_i / Σw (P, P); return L̃(θ)."""
        ...

    def curvature(self, points: Array, out: Array) -> None:
        """Write Jᵀy″, the mean Σ_i w_i J_iᵀy″_i / Σw at θ, to ``out`` (P,).

        y″ = y(θ + p) − 2 y(θ) + y(θ − p); ``points`` (3, P) are θ, θ + p and θ − p.
        """
        ...


Objective_co = TypeVar("Objective_co", bound=Objective, covariant=True)


class OpenObjective(Protocol[Objective_co]):
    """How every objective is opened: by a class, or by a function that returns one."""

    def __call__(
        self,
        samples: Samples,
        shape: Shape,
        activation: str,
        dtype: npt.DTypeLike,
        n_threads: int | None = None,
        cancellation: Cancellation | None = None,
        repeated: bool = True,
    ) -> Objective_co:
        """Open an objective.

        Parameters
        ----------
        samples : Samples
            The data, and how they are standardised.
        shape : Shape
            The network's sizes.
        activation : str
            Name of σ.
        dtype : dtype
            float32 or float64, of θ and of the arithmetic; a ``GaussNewtonObjective`` is
            float64 only.
        n_threads : int or None
            At most so many threads; results do not depend on it.
        cancellation : Cancellation or None
            Ends evaluations early.
        repeated : bool
            Whether several evaluations follow.  An engine may then prepare the samples once: they
            must not change until the objective is closed.
        """
        ...


_OpenObjective = OpenObjective[Objective]
_OpenGaussNewton = OpenObjective[GaussNewtonObjective]


class Engine(Protocol):
    """A module, or an object, with these names."""

    @property
    def releases_gil(self) -> bool:
        """Whether evaluations release the interpreter lock: then networks train side by side."""
        ...

    @property
    def Objective(self) -> _OpenObjective:
        """Opens an objective."""
        ...

    @property
    def GaussNewtonObjective(self) -> _OpenGaussNewton:
        """Opens an objective that knows JᵀJ."""
        ...

    def predict(
        self,
        theta: Array,
        shape: Shape,
        activation: str,
        X: Array,
        n_threads: int | None = None,
    ) -> Array:
        """Return Y (s, N) for X (e, N), in the dtype of θ (P,)."""
        ...

    def example_calls(
        self, dtype: npt.DTypeLike, n_outputs: int, with_JTJ: bool
    ) -> tuple[Any, list[Call]]:
        """Return a ``task`` and calls of an objective's kernels; None and no calls without any.

        They serve to compile the kernels before there is an objective.
        """
        ...

    def example_predictions(self, dtype: npt.DTypeLike) -> list[Call]:
        """Return calls of the kernels of ``predict``."""
        ...

    def jacobian(
        self,
        theta: Array,
        shape: Shape,
        activation: str,
        X: Array,
        n_threads: int | None = None,
    ) -> Array:
        """Return ∂Y/∂X (s, e, N) for X (e, N), in the dtype of θ (P,)."""
        ...


def require_float64(dtype: npt.DTypeLike) -> None:
    """Raise ValueError unless ``dtype`` is float64: JᵀJ squares the condition number of J."""
    if np.dtype(dtype) != np.float64:
        raise ValueError(f"a Gauss–Newton objective must have dtype float64; got {np.dtype(dtype)}")
