"""One file per library with ``train(workload, solver, threads, cap)``; ``ours`` measures more.

``SOLVERS`` lists what runs, in the order of the tables.
"""

from __future__ import annotations

from typing import NamedTuple


class Solver(NamedTuple):
    """Properties of a library's solver that the runner and the tables need."""

    title: str
    library: str  # name of the file in this folder
    name: str  # the library's name of the solver
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
# Libraries whose final losses are the targets: a user chooses the library rather than its solver.
RIVALS = {"scikit-learn": "sklearn_mlp", "PyTorch": "torch_optim", "R nnet": "r_nnet"}
DEFAULT = "ours auto"


def solvers_of(library: str) -> tuple[str, ...]:
    return tuple(name for name, one in SOLVERS.items() if one.library == library)


class Unsuitable(Exception):
    """Raised if a library cannot solve a problem or is not installed; contains the reason."""
