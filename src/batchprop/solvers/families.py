"""What a solver needs to run: its memory, and its loops around the fused and the other engines."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from batchprop.solvers import descent
from batchprop.solvers.lbfgs.state import memory as lbfgs_memory
from batchprop.solvers.names import SOLVERS


class Family(NamedTuple):
    """Solvers that share their loops.

    Attributes
    ----------
    memory : callable
        ``memory(settings, P)`` returns what the solver remembers, as in ``State.memory``.
    fused, interpreted : type
        Runs around the fused engine, and around the others.
    """

    memory: Callable[[Any, int], Any]
    fused: Callable[..., Any]
    interpreted: Callable[..., Any]


_FIRST_ORDER = Family(
    lambda settings, size: np.zeros((2, size)), descent.FusedRun, descent.InterpretedRun
)


def family(solver: str) -> Family:
    """Return the family of a solver, imported when it is first asked for."""
    if solver == "lbfgs":
        loop = import_module("batchprop.solvers.lbfgs.loop")
        return Family(lbfgs_memory, loop.FusedRun, loop.InterpretedRun)
    if solver == "scipy":
        minimize = import_module("batchprop.solvers.scipy_minimize")
        return Family(minimize.memory, minimize.ScipyRun, minimize.ScipyRun)
    assert solver in SOLVERS
    return _FIRST_ORDER
