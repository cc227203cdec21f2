"""One file a library: ``train(given, solver, threads, cap)`` for others, ``ours`` has more to tell.

``SOLVERS`` says what runs, in the order of the tables.
"""

from __future__ import annotations

from typing import NamedTuple


class Solver(NamedTuple):
    """A solver of a library as the runner and the tables see it."""

    title: str
    library: str  # the file here
    name: str  # what the library calls it
    one_thread: bool = False


SOLVERS = {
    "ours auto": Solver("auto", "ours", "auto"),
    "ours lbfgs": Solver("lbfgs", "ours", "lbfgs"),
    "ours lm": Solver("lm", "ours", "lm"),
    "ours adam": Solver("adam", "ours", "adam"),
    "sklearn lbfgs": Solver("scikit-learn lbfgs", "sklearn_mlp", "lbfgs"),
    "sklearn adam": Solver("scikit-learn adam", "sklearn_mlp", "adam"),
    "sklearn sgd": Solver("scikit-learn sgd", "sklearn_mlp", "sgd"),
    "torch lbfgs": Solver("PyTorch LBFGS", "torch_optim", "LBFGS"),
    "torch adam": Solver("PyTorch Adam", "torch_optim", "Adam"),
    "r nnet": Solver("R nnet", "r_nnet", "BFGS", one_thread=True),
}
OURS = tuple(name for name, one in SOLVERS.items() if one.library == "ours")
OTHERS = tuple(name for name in SOLVERS if name not in OURS)
# Whose end a loss is that others have to reach: a user's choice is the library, not its solver.
RIVALS = {"scikit-learn": "sklearn_mlp", "PyTorch": "torch_optim", "R nnet": "r_nnet"}
DEFAULT = "ours auto"


def solvers_of(library: str) -> tuple[str, ...]:
    return tuple(name for name, one in SOLVERS.items() if one.library == library)


class Unsuitable(Exception):
    """Raised where a library cannot do a problem, or is not installed; says why."""
