"""The solvers by name, and their numbers; nothing here is compiled."""

from __future__ import annotations

from typing import NamedTuple

GD, MOMENTUM, NESTEROV, ADAM = range(4)
SOLVERS = {"gd": GD, "momentum": MOMENTUM, "nesterov": NESTEROV, "adam": ADAM}
DEFAULT_LEARNING_RATE = {"gd": 0.01, "momentum": 0.005, "nesterov": 0.005, "adam": 0.01}


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
