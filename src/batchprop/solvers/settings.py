"""The solvers by name, and their numbers; nothing here is compiled."""

from __future__ import annotations

from typing import NamedTuple

from batchprop.parameters import Shape

GD, MOMENTUM, NESTEROV, ADAM = range(4)
FIRST_ORDER = {"gd": GD, "momentum": MOMENTUM, "nesterov": NESTEROV, "adam": ADAM}
RESUMABLE = (*FIRST_ORDER, "lbfgs", "lm")
SOLVERS = (*RESUMABLE, "scipy")
AUTO = "auto"  # the solver that suits the problem, or the solver's own number


class Limits(NamedTuple):
    """The stopping rules that depend on the solver.

    Attributes
    ----------
    max_epochs : int
        Steps at most.
    n_epochs_no_change : int
        Steps without a notable fall after which a run has come to the bottom.
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
        Adam's.
    """

    solver: int
    learning_rate: float
    momentum: float
    beta_1: float
    beta_2: float
    epsilon: float


def default_learning_rate(solver: int, shape: Shape) -> float:
    """Return a rate at which L falls from a drawn start on standardised data, for any size.

    Descent is stable while η < 2/λ, and λ, the largest curvature of L, grows like 2(m + e) there:
    hidden units that move together add up in y, and so do inputs that are alike.  A rate that does
    not shrink with the network diverges on a wide one.
    """
    size = shape.n_hidden + shape.n_inputs
    if solver == ADAM:
        return 1.0 / (size + 50)
    return (0.5 if solver == GD else 0.25) / (size + 5)
