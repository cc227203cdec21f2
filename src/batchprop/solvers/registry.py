"""Solvers by name: each is one module that implements ``protocol.Solver``."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from batchprop.solvers.protocol import Solver
from batchprop.solvers.settings import FIRST_ORDER

_MODULES = dict.fromkeys(FIRST_ORDER, "batchprop.solvers.first_order.first_order_solver") | {
    "lbfgs": "batchprop.solvers.lbfgs.lbfgs_solver",
    "lm": "batchprop.solvers.levenberg_marquardt.levenberg_marquardt_solver",
    "scipy": "batchprop.solvers.scipy_minimize",
}


def load(solver: str) -> Solver:
    """Import a solver when it is first asked for."""
    return cast(Solver, import_module(_MODULES[solver]))
