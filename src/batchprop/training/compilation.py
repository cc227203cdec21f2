"""The kernels of a call, compiled by two processes from its beginning on.

The solver's loop, the inverse of a Cholesky factor and predictions come after the kernels of the
objective.  The types of their arguments do not depend on the data, so that a second process can
compile them while this one compiles those that it needs first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from batchprop import engines
from batchprop.compiler.kernel_call import Call, typed
from batchprop.compiler.second_process import compiling_beside
from batchprop.linalg.inverse import inverse_call
from batchprop.machine.second_process_room import has_room
from batchprop.parameters import Shape
from batchprop.solvers import registry
from batchprop.solvers.auto import choose
from batchprop.solvers.compiled_run import loop_call
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
)
from batchprop.solvers.penalty_kernel import penalty
from batchprop.solvers.run_state import initial_state
from batchprop.training.dataset import Dataset
from batchprop.training.option_checks import SolverSettings
from batchprop.training.run_specification import RunSpecification, SolverPlan

_FLOAT64 = np.dtype(np.float64)
_SEARCH_SETTINGS: dict[str, SolverSettings] = {
    "lm": LevenbergMarquardtSettings(),
    "lbfgs": LbfgsSettings(1),
}
_seen: set[tuple[object, ...]] = set()  # the kinds of runs whose kernels were looked for


def compiling(specs: Sequence[RunSpecification]) -> AbstractContextManager[None]:
    """Let a second process help to compile the kernels of a call, where runs are of a new kind.

    The second process begins with the kernels that are needed last.  Those of the solver that a
    penalty may bring come after all others.  Whatever is wrong here is no error: the call compiles
    what it needs.
    """
    calls: list[Call] = []
    perhaps: list[Call] = []
    try:
        for spec in filter(_is_new, specs):
            calls += _calls(spec)
            perhaps += _calls_perhaps(spec)
        kernels = dict.fromkeys(map(typed, calls))
        others = [kernel for kernel in dict.fromkeys(map(typed, perhaps)) if kernel not in kernels]
    except Exception:
        return nullcontext()
    return compiling_beside(list(kernels), has_room, others) if kernels else nullcontext()


def _is_new(spec: RunSpecification) -> bool:
    """Return whether there was no run of this kind; its kernels are the engine's and a solver's."""
    network, later = spec.initial_network, spec.when_penalised
    kind = (
        *(spec.engine, network.dtype, network.activation == "relu", _n_outputs(spec), spec.solver),
        *(isinstance(spec.alpha, str) and spec.alpha, later and later.solver),
    )
    if kind in _seen or not isinstance(spec.dataset, Dataset):
        return False
    _seen.add(kind)
    return True


def _n_outputs(spec: RunSpecification) -> int:
    """Return the number of outputs that examples have: one or several."""
    return min(2, spec.initial_network.shape.n_outputs)


def _calls(spec: RunSpecification) -> Iterator[Call]:
    """Return calls of the kernels that a run needs, and the choice of its penalty."""
    n_outputs = _n_outputs(spec)
    if spec.alpha == "evidence":  # of a small network in float64, from its JᵀJ
        solver = choose(Shape(1, 1, n_outputs), 1, _FLOAT64, spec.initial_network.activation)
        search = SolverPlan(solver, _SEARCH_SETTINGS[solver], spec.rules)
        yield from _solver_calls("fused", _FLOAT64, n_outputs, search, with_JTJ=True)
        yield inverse_call()
        yield from engines.load("fused").example_predictions(_FLOAT64)
    if spec.alpha == "cv":
        yield from _plan_calls(spec, SolverPlan("lbfgs", _SEARCH_SETTINGS["lbfgs"], spec.rules))
    if spec.alpha != "cv" or spec.when_penalised is None:
        yield from _plan_calls(spec, SolverPlan(spec.solver, spec.settings, spec.rules))
    yield from engines.load(spec.engine).example_predictions(spec.initial_network.dtype)


def _calls_perhaps(spec: RunSpecification) -> Iterator[Call]:
    """Return calls of what depends on the penalty, or on how a search divides the outputs."""
    if spec.when_penalised is not None:
        yield from _plan_calls(spec, spec.when_penalised)
        yield from _plan_calls(spec, SolverPlan(spec.solver, spec.settings, spec.rules))
    if spec.alpha == "evidence":
        _, one_output = engines.load("fused").example_calls(_FLOAT64, 1, with_JTJ=True)
        yield from one_output


def _plan_calls(spec: RunSpecification, plan: SolverPlan) -> Iterator[Call]:
    """Return calls of the kernels of a run of a solver."""
    return _solver_calls(spec.engine, spec.initial_network.dtype, _n_outputs(spec), plan)


def _solver_calls(
    engine: str, dtype: np.dtype[Any], n_outputs: int, plan: SolverPlan, with_JTJ: bool = False
) -> Iterator[Call]:
    """Return calls of the kernels of an objective and of a solver's loop, in this order."""
    solver, shape = registry.load(plan.solver), Shape(1, 1, n_outputs)
    dtype = solver.training_dtype(dtype)
    task, calls = engines.load(engine).example_calls(
        dtype, n_outputs, with_JTJ or solver.needs_gauss_newton
    )
    yield from calls
    if task is not None:
        theta = np.zeros(shape.n_parameters, dtype)
        state = initial_state(theta, solver.initial_memory(plan.settings, theta.size))
        rates = penalty((0.0, 0.0), 1.0, shape)
        loop = solver.compiled_loop(plan.settings, plan.rules, rates, state)
        if loop is not None:
            yield loop_call(loop, task)
