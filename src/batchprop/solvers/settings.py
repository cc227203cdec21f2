"""The solvers by name, and their default numbers; importing this compiles nothing."""

from __future__ import annotations

from typing import NamedTuple

from batchprop.parameters import Shape

GD, MOMENTUM, NESTEROV, ADAM = range(4)
FIRST_ORDER = {"gd": GD, "momentum": MOMENTUM, "nesterov": NESTEROV, "adam": ADAM}
RESUMABLE = (*FIRST_ORDER, "lbfgs", "lm")
SOLVERS = (*RESUMABLE, "scipy")
AUTO = "auto"  # as solver: the one that suits the problem; as number: the solver's default


class Limits(NamedTuple):
    """The stopping rules that depend on the solver.

    Attributes
    ----------
    max_epochs : int
        Steps at most.
    n_epochs_no_change : int
        Epochs without a notable decrease of F after which a run stops.
    """

    max_epochs: int
    n_epochs_no_change: int


LIMITS = dict.fromkeys(FIRST_ORDER, Limits(1000, 100)) | {
    "lbfgs": Limits(50_000, 100),
    "lm": Limits(5000, 30),
    "scipy": Limits(50_000, 100),
}


class Settings(NamedTuple):
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
