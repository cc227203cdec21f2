"""First-order solvers: their settings, and their memory between steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy.typing as npt

from batchprop.files.pytree import hollow
from batchprop.parameters import Shape
from batchprop.solvers.settings import ADAM, GD

Array = npt.NDArray[Any]


class FirstOrderSettings(NamedTuple):
    """A first-order solver and its numbers.

    Attributes
    ----------
    solver : int
        GD, MOMENTUM, NESTEROV or ADAM.
    learning_rate : float
        η.
    momentum : float
        μ of momentum and Nesterov's momentum.
    beta_1, beta_2, epsilon : float
        β₁, β₂ and ε of Adam.
    """

    solver: int
    learning_rate: float
    momentum: float
    beta_1: float
    beta_2: float
    epsilon: float


def default_learning_rate(solver: int, shape: Shape) -> float:
    """Return an η with which L decreases from a random start on standardised data, for any size.

    Gradient descent is stable while η is below 2 divided by the largest curvature of L.  At a
    random start that curvature grows like 2(m + e): the effects of hidden units that move together
    add up in y, and so do those of similar inputs.  A fixed rate would diverge on a wide network.
    """
    size = shape.n_hidden + shape.n_inputs
    if solver == ADAM:
        return 1.0 / (size + 50)
    return (0.5 if solver == GD else 0.25) / (size + 5)


def form(settings: FirstOrderSettings, n_parameters: int) -> Array:
    """Return the shape and dtype of the memory, in an array that takes no memory."""
    return hollow((2, n_parameters))
