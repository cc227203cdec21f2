"""What is checked: an engine by name, or a function of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from batchprop import engines, validation
from batchprop.engines.protocol import Objective
from batchprop.engines.samples import Samples
from batchprop.gradient_check.problem import BLOCKS, Problem
from batchprop.network import Network
from batchprop.parameters import Parameters
from batchprop.penalty import add_penalty

Array = npt.NDArray[Any]


class Subject:
    """Gives the loss and the gradient that are to be checked.

    Parameters
    ----------
    problem : Problem
        Parameters and data.
    engine : str or callable
        Name of an engine, or ``engine(network, X, T, sample_weight) -> loss, gradient``, the
        penalty included.
    n_threads : int or None
        Passed on to the engine.

    Attributes
    ----------
    name : str
        For the report.
    precision : dtype
        What `loss` is computed in: float64, if a function does not insist on float32.
    """

    def __init__(
        self, problem: Problem, engine: str | Callable[..., Any], n_threads: int | None
    ) -> None:
        self._problem, self._engine, self._n_threads = problem, engine, n_threads
        self._open = ExitStack()
        self._double: Objective | None = None
        self.precision = np.dtype(np.float64)
        self.name = (
            f"engine {engine!r}"
            if isinstance(engine, str)
            else f"function {getattr(engine, '__name__', type(engine).__name__)}"
        )

    def __enter__(self) -> Self:
        if isinstance(self._engine, str):
            self._double = self._open.enter_context(self._objective(np.dtype(np.float64)))
        else:
            loss, gradient = self._call(self._problem.theta)
            flat = _flat(gradient, self._problem)
            self.precision = min(self.precision, flat.dtype, np.asarray(loss).dtype)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._open.close()

    def loss(self, theta: Array) -> float:
        """Return J at any θ (P,), in float64: what finite differences are taken of."""
        if self._double is not None:
            return self._double.loss(theta) + self._penalty(theta)
        return float(self._call(theta)[0])

    def loss_and_gradient(self, dtype: np.dtype[Any]) -> tuple[float, Array]:
        """Return J and ∂J/∂θ (P,) as computed for a network of ``dtype``.

        The gradient's dtype is the coarser of the network's and the one that was returned.
        """
        theta = self._problem.theta.astype(dtype)
        if not isinstance(self._engine, str):
            loss, given = self._call(theta)
            gradient = _flat(given, self._problem)
            return float(loss), gradient.astype(min(gradient.dtype, dtype))
        flat = np.empty_like(theta)
        with self._objective(dtype) as objective:
            loss = objective.loss_and_gradient(theta, flat)
        return loss + self._penalty(theta, flat), flat

    def _penalty(self, theta: Array, gradient: Array | None = None) -> float:
        """Return what a named engine's loss lacks of J; add to its gradient what that lacks."""
        return add_penalty(self._problem.rates, theta, self._problem.shape, gradient)

    def _objective(self, dtype: np.dtype[Any]) -> Objective:
        problem = self._problem
        samples = Samples(problem.X, problem.T, problem.weight)
        return engines.load(str(self._engine)).Objective(
            samples, problem.shape, problem.activation, dtype, self._n_threads
        )

    def _call(self, theta: Array) -> tuple[Any, object]:
        """Call the function with arrays that it cannot change and a network of its own."""
        assert callable(self._engine)
        problem = self._problem
        network = Network.from_theta(theta, problem.shape, problem.activation)
        X, T = (array.astype(theta.dtype, copy=False) for array in (problem.X, problem.T))
        result = self._engine(network, *map(_locked, (X, T, problem.weight)))
        if not isinstance(result, tuple | list) or len(result) != 2:
            raise TypeError(
                f"engine must return the loss and the gradient; got "
                f"{type(result).__name__}. End the function with `return loss, gradient`."
            )
        loss = np.asarray(result[0])
        if loss.size != 1 or loss.dtype.kind not in "fiu":
            raise TypeError(
                f"engine must return the loss as one real number; got shape {loss.shape} and "
                f"dtype {loss.dtype}. Sum over outputs and take the mean over samples."
            )
        return loss.reshape(())[()], result[1]


def _locked(array: Array | None) -> Array | None:
    """Return a view that cannot be written to."""
    if array is None:
        return None
    view = array.view()
    view.flags.writeable = False
    return view


def _flat(gradient: object, problem: Problem) -> Array:
    """Return a gradient as a flat vector, whichever way it was given."""
    if isinstance(gradient, Parameters):
        return gradient.theta
    if isinstance(gradient, Mapping) and set(gradient) == set(BLOCKS):
        gradient = [gradient[name] for name in BLOCKS]
    if isinstance(gradient, tuple | list) and len(gradient) == 4:
        named = zip(BLOCKS, gradient, strict=True)
        arrays = [validation.real_array(f"gradient of {name}", block) for name, block in named]
        wanted = [block.shape for block in problem.blocks]
        if problem.shape.n_parameters > 4 or [array.shape for array in arrays] == wanted:
            for name, array, shape in zip(BLOCKS, arrays, wanted, strict=True):
                if array.shape != shape:
                    raise ValueError(
                        f"engine must return the gradient of {name} with shape {shape}, the shape "
                        f"of {name}; got shape {array.shape}. Return the blocks in the order "
                        f"W_h, b_h, W_y, b_y."
                    )
            return np.concatenate([array.ravel() for array in arrays])
    flat = validation.real_array("gradient", gradient)  # type: ignore[arg-type]
    if flat.shape != problem.theta.shape:
        raise ValueError(
            f"engine must return the gradient as a flat array of shape {problem.theta.shape}, a "
            f"Gradient, or four blocks; got shape {flat.shape}. Its order is W_h, b_h, W_y, b_y."
        )
    return flat
