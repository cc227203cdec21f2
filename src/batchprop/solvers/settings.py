"""The solvers by name, and their default limits; importing this compiles nothing."""

from __future__ import annotations

from typing import NamedTuple

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
    long_run : int
        Epoch from which on a notable decrease becomes larger: ``solvers.stopping.Rules``.
    """

    max_epochs: int
    n_epochs_no_change: int
    long_run: int


LIMITS = dict.fromkeys(FIRST_ORDER, Limits(1000, 100, 1000)) | {
    "lbfgs": Limits(50_000, 100, 4000),
    "lm": Limits(5000, 30, 300),
    "scipy": Limits(50_000, 100, 4000),
}
