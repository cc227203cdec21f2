"""What a solver needs to run: memory, what it evaluates, and its loops around the engines."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.engines.fused.objective import Objective
from batchprop.engines.scaled_objective import CopiedGaussNewton, CopiedObjective
from batchprop.files import pytree
from batchprop.solvers.first_order import update_rules
from batchprop.solvers.lbfgs import lbfgs_memory as lbfgs
from batchprop.solvers.lbfgs import lbfgs_memory_checks as lbfgs_ranges
from batchprop.solvers.levenberg_marquardt import levenberg_marquardt_memory as lm
from batchprop.solvers.settings import FIRST_ORDER
from batchprop.solvers.stopping import State


class Family(NamedTuple):
    """Solvers that share their loops.

    Attributes
    ----------
    memory : callable
        ``memory(settings, P)`` returns what the solver remembers, as in ``State.memory``.
    form : callable
        ``form(settings, P)`` returns the same in arrays that take no room.
    check : callable
        ``check(settings, state, reason)`` raises ValueError where the memory of a state from
        outside holds what no run leaves there.
    dtype : callable
        ``dtype(d)`` is what a network of dtype d is trained in.
    fused, copied : callable
        What is minimised, on the fused engine (arguments as for its ``Objective``) and on the
        others (as for ``CopiedObjective``).
    fused_run, copied_run : type
        The loops around these.
    """

    memory: Callable[[Any, int], Any]
    form: Callable[[Any, int], Any]
    check: Callable[[Any, State, str], None]
    dtype: Callable[[np.dtype[Any]], np.dtype[Any]]
    fused: Callable[..., Any]
    copied: Callable[..., Any]
    fused_run: Callable[..., Any]
    copied_run: Callable[..., Any]


def family(solver: str) -> Family:
    """Return the family of a solver; its loops are imported when they are first asked for."""
    if solver == "lm":
        loop = import_module("batchprop.solvers.levenberg_marquardt.levenberg_marquardt_run")
        return Family(
            _two_numbers, _two_numbers, lm.check, _double, _fused_gauss_newton,
            _copied_gauss_newton, loop.FusedRun, loop.InterpretedRun,
        )  # fmt: skip
    if solver in FIRST_ORDER:
        loop = import_module("batchprop.solvers.first_order.first_order_run")
        runs = loop.FusedRun, loop.InterpretedRun
        return Family(
            _two_vectors, update_rules.form, update_rules.check, _own, Objective, CopiedObjective,
            *runs,
        )  # fmt: skip
    if solver == "scipy":
        module = import_module("batchprop.solvers.scipy_minimize")
        run = module.ScipyRun
        none = module.memory, module.memory, _nothing
        return Family(*none, _own, Objective, CopiedObjective, run, run)
    loop = import_module("batchprop.solvers.lbfgs.lbfgs_run")
    return Family(
        lbfgs.memory, lbfgs.form, lbfgs_ranges.check, _own, Objective, CopiedObjective,
        loop.FusedRun, loop.InterpretedRun,
    )  # fmt: skip


def _two_vectors(settings: Any, size: int) -> npt.NDArray[Any]:
    return pytree.zeros(update_rules.form(settings, size))


def _two_numbers(settings: Any, size: int) -> lm.Memory:
    return lm.memory(settings)


def _nothing(settings: Any, state: State, reason: str) -> None:
    """Check nothing: there is no memory, and no way to go on."""


def _own(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype


def _double(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """JᵀJ squares the condition of J: float32 is not enough for it."""
    return np.dtype(np.float64)


def _fused_gauss_newton(
    X: Any, T: Any, weight: Any, shape: Any, activation: str, dtype: Any, *rest: Any
) -> Any:
    module = import_module("batchprop.engines.fused.gauss_newton.gauss_newton_objective")
    return module.GaussNewtonObjective(X, T, weight, shape, activation, *rest)


def _copied_gauss_newton(
    engine: str, X: Any, T: Any, weight: Any, shape: Any, activation: str, dtype: Any, *rest: Any
) -> Any:
    return CopiedGaussNewton(engine, X, T, weight, shape, activation, *rest)
