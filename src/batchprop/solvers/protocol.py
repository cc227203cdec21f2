"""What a solver is: everything that training asks of one."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from batchprop.compiler.kernel_call import Call
from batchprop.engines.protocol import Objective
from batchprop.solvers.penalty_kernel import Penalty
from batchprop.solvers.run_state import State
from batchprop.solvers.stopping import Rules

Array = npt.NDArray[Any]


class Run(Protocol):
    """A run of a solver, advanced some epochs at a time."""

    def advance(self, losses: Array, validation_losses: Array) -> tuple[int, int]:
        """Fill the curves; return a reason to stop (or RUNNING) and how many entries were filled.

        CANCELLED leaves the state as after the last judgement, so that the run can go on from
        there.  Validation losses are left as they are without validation data.
        """
        ...

    def close(self) -> None:
        """End what the run has started."""
        ...


class Solver(Protocol):
    """A module with these names; ``registry`` finds it by the name of the solver."""

    @property
    def needs_gauss_newton(self) -> bool:
        """Whether the objective must be a ``GaussNewtonObjective``."""
        ...

    def training_dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        """Return the dtype of θ during training, for a network of ``dtype``."""
        ...

    def initial_memory(self, settings: Any, n_parameters: int) -> Any:
        """Return what the solver remembers before the first step, as in ``State.memory``."""
        ...

    def memory_form(self, settings: Any, n_parameters: int) -> Any:
        """Return the shapes and dtypes of that memory, in arrays that may take no memory."""
        ...

    def check_memory(self, settings: Any, state: State, reason: str) -> None:
        """Raise ValueError if the memory of a state from a file could not come from a run.

        ``reason`` is the stop reason in that file.
        """
        ...

    def compiled_loop(
        self, settings: Any, rules: Rules, penalty: Penalty, state: State
    ) -> Call | None:
        """Return the compiled loop of ``run`` and its first arguments; None if there is none.

        The arguments are those of ``run``.
        """
        ...

    def run(
        self,
        settings: Any,
        rules: Rules,
        penalty: Penalty,
        state: State,
        objective: Objective,
        validation: Objective | None,
    ) -> Run:
        """Return a run from ``state``, which it updates in place.

        Parameters
        ----------
        settings : NamedTuple
            The solver's numbers.
        rules : Rules
            When to stop.
        penalty : Penalty
            What a solver adds to L̃ to get F.
        state : State
            Where the run begins or goes on.
        objective : Objective
            L̃ of the training data, without the penalty; a ``GaussNewtonObjective`` if
            ``needs_gauss_newton``.
        validation : Objective or None
            L̃ of the validation data.
        """
        ...
