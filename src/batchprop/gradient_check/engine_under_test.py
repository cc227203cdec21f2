"""What is checked: an engine chosen by name, or a user's function."""

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


class EngineUnderTest:
    """Computes the loss and the gradient that are checked.

    Parameters
    ----------
    problem : Problem
        Parameters and data.
    engine : str or callable
        The name of an engine, or ``engine(network, X, T, sample_weight) -> loss, gradient``, which
        includes the penalty.
    n_threads : int or None
        Passed on to the engine.

    Attributes
    ----------
    name : str
        Name in the report.
    precision : dtype
        The dtype of what `loss` computes: float64 unless a function returns float32.
    """

    def __init__(
        self, problem: Problem, engine: str | Callable[..., Any], n_threads: int | None
    ) -> None:
        self._problem, self._engine, self._n_threads = problem, engine, n_threads
        self._exit_stack = ExitStack()
        self._float64_objective: Objective | None = None
        self.precision = np.dtype(np.float64)
        self.name = (
            f"engine {engine!r}"
            if isinstance(engine, str)
            else f"function {getattr(engine, '__name__', type(engine).__name__)}"
        )

    def __enter__(self) -> Self:
        if isinstance(self._engine, str):
            self._float64_objective = self._exit_stack.enter_context(
                self._objective(np.dtype(np.float64))
            )
        else:
            loss, gradient = self._call(self._problem.theta)
            flat = _flat(gradient, self._problem)
            self.precision = min(self.precision, flat.dtype, np.asarray(loss).dtype)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._exit_stack.close()

    def loss(self, theta: Array) -> float:
        """Return F at any θ (P,), in float64: the function that is differenced."""
        if self._float64_objective is not None:
            return self._float64_objective.loss(theta) + self._penalty(theta)
        return float(self._call(theta)[0])

    def loss_and_gradient(self, dtype: np.dtype[Any]) -> tuple[float, Array]:
        """Return F and ∂F/∂θ (P,), computed for a network of ``dtype``.

        The dtype of the gradient is the less precise of the network's and of what was returned.
        """
        theta = self._problem.theta.astype(dtype)
        if not isinstance(self._engine, str):
            loss, user_gradient = self._call(theta)
            gradient = _flat(user_gradient, self._problem)
            return float(loss), gradient.astype(min(gradient.dtype, dtype))
        gradient = np.empty_like(theta)
        with self._objective(dtype) as objective:
            loss = objective.loss_and_gradient(theta, gradient)
        return loss + self._penalty(theta, gradient), gradient

    def _penalty(self, theta: Array, gradient: Array | None = None) -> float:
        """Return the penalty, which a named engine leaves out; add its gradient to ``gradient``."""
        return add_penalty(self._problem.rates, theta, self._problem.shape, gradient)

    def _objective(self, dtype: np.dtype[Any]) -> Objective:
        problem = self._problem
        samples = Samples(problem.X, problem.T, problem.weight)
        return engines.load(str(self._engine)).Objective(
            samples, problem.shape, problem.activation, dtype, self._n_threads
        )

    def _call(self, theta: Array) -> tuple[Any, object]:
        """Call the user's function with read-only arrays and a new network."""
        assert callable(self._engine)
        problem = self._problem
        network = Network.from_theta(theta, problem.shape, problem.activation)
        X, T = (array.astype(theta.dtype, copy=False) for array in (problem.X, problem.T))
        result = self._engine(network, *map(_read_only, (X, T, problem.weight)))
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


def _read_only(array: Array | None) -> Array | None:
    """Return a read-only view."""
    if array is None:
        return None
    view = array.view()
    view.flags.writeable = False
    return view


def _flat(gradient: object, problem: Problem) -> Array:
    """Return a gradient in any of the accepted forms as a flat vector."""
    if isinstance(gradient, Parameters):
        return gradient.theta
    if isinstance(gradient, Mapping) and set(gradient) == set(BLOCKS):
        gradient = [gradient[name] for name in BLOCKS]
    if isinstance(gradient, tuple | list) and len(gradient) == 4:
        blocks_by_name = zip(BLOCKS, gradient, strict=True)
        arrays = [
            validation.real_array(f"gradient of {name}", block) for name, block in blocks_by_name
        ]
        shapes = [block.shape for block in problem.blocks]
        if problem.shape.n_parameters > 4 or [array.shape for array in arrays] == shapes:
            for name, array, shape in zip(BLOCKS, arrays, shapes, strict=True):
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
