"""The kernels of a call, compiled by two processes from its beginning on.

The solver's loop, the inverse of a factor and predictions come after the kernels of the objective.
The types of their arguments do not depend on the data, so that a second process can compile them
while this one compiles those that it needs first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from batchprop import engines
from batchprop.compiler.kernel_call import Call, typed
from batchprop.compiler.second_process import compiling_beside
from batchprop.linalg.inverse import inverse_call
from batchprop.machine.second_process_room import has_room
from batchprop.parameters import Shape
from batchprop.solvers import registry
from batchprop.solvers.compiled_run import loop_call
from batchprop.solvers.penalty_kernel import penalty
from batchprop.solvers.run_state import initial_state
from batchprop.training.dataset import Dataset
from batchprop.training.run_specification import RunSpecification, SolverPlan

_seen: set[tuple[object, ...]] = set()  # the kinds of runs whose kernels were looked for


def compiling(specs: Sequence[RunSpecification]) -> AbstractContextManager[None]:
    """Let a second process help to compile the kernels of a call, where runs are of a new kind.

    It begins with the kernels that are needed last.  Those of the solver that a penalty may bring
    come after all others.
    """
    calls: list[Call] = []
    perhaps: list[Call] = []
    for spec in filter(_is_new, specs):
        calls += _calls(spec, SolverPlan(spec.solver, spec.settings, spec.rules))
        if spec.alpha == "evidence":
            calls.append(inverse_call())
        calls += engines.load(spec.engine).example_predictions(spec.initial_network.dtype)
        if spec.when_penalised is not None:
            perhaps += _calls(spec, spec.when_penalised)
    if not calls:
        return nullcontext()
    kernels = dict.fromkeys(map(typed, calls))
    others = [kernel for kernel in dict.fromkeys(map(typed, perhaps)) if kernel not in kernels]
    return compiling_beside(list(kernels), has_room, others)


def _is_new(spec: RunSpecification) -> bool:
    """Return whether there was no run of this kind; its kernels are the engine's and a solver's."""
    network, later = spec.initial_network, spec.when_penalised
    kind = (
        *(spec.engine, network.dtype, _n_outputs(spec), spec.solver),
        *(isinstance(spec.alpha, str) and spec.alpha, later and later.solver),
    )
    if kind in _seen or not isinstance(spec.dataset, Dataset):
        return False
    _seen.add(kind)
    return True


def _n_outputs(spec: RunSpecification) -> int:
    """Return the number of outputs that examples have: one or several."""
    return min(2, spec.initial_network.shape.n_outputs)


def _calls(spec: RunSpecification, plan: SolverPlan) -> Iterator[Call]:
    """Return calls of the kernels of a run, in the order in which it needs them."""
    solver, shape = registry.load(plan.solver), Shape(1, 1, _n_outputs(spec))
    dtype = solver.training_dtype(spec.initial_network.dtype)
    example = engines.load(spec.engine).example_calls(
        dtype, shape.n_outputs, solver.needs_gauss_newton
    )
    if example is not None:
        task, calls = example
        yield from calls
        theta = np.zeros(shape.n_parameters, dtype)
        state = initial_state(theta, solver.initial_memory(plan.settings, theta.size))
        rates = penalty((0.0, 0.0), 1.0, shape)
        loop = solver.compiled_loop(plan.settings, plan.rules, rates, state)
        if loop is not None:
            yield loop_call(loop, task)
