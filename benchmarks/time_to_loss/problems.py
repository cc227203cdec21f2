"""The problems: what is learnt, by which network, from how many samples."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import data
from benchmarks.cases import Case, by_name, case
from benchmarks.data import Array, Blocks
from benchmarks.time_to_loss import surfaces
from benchmarks.uci import tables


class Workload(NamedTuple):
    """The input of every trainer: standardised samples as rows, and the initial parameters."""

    case: Case
    X: Array  # (N, e), C-ordered
    T: Array  # (N, s), C-ordered
    start: Blocks


class Problem(NamedTuple):
    """A case, the source of its samples, and whether it belongs to the quick selection."""

    case: Case
    make: Callable[[], surfaces.Samples]
    quick: bool


def _of(
    name: str, m: int, n: int, make: Callable[[int], surfaces.Samples], activation: str = "tanh",
    quick: bool = False,
) -> Problem:  # fmt: skip
    e, s = (part.shape[1] for part in make(2))
    return Problem(case(e, m, s, n, activation, "float64", name), lambda: make(n), quick)


SURFACES = [
    _of("sine", 5, 50, surfaces.sine, quick=True),
    _of("sinc", 20, 2_000, surfaces.sinc, quick=True),
    _of("rosenbrock", 20, 2_500, surfaces.rosenbrock, quick=True),
    _of("branin", 30, 2_500, surfaces.branin),
    _of("robot-arm", 20, 1_000, surfaces.robot_arm, quick=True),
    _of("friedman1", 20, 1_000, surfaces.friedman1, quick=True),
    _of("friedman2", 20, 1_000, surfaces.friedman2),
    _of("friedman3", 20, 1_000, surfaces.friedman3),
    _of("friedman1-relu", 50, 10_000, surfaces.friedman1, "relu"),
    _of("friedman1-logistic", 50, 10_000, surfaces.friedman1, "logistic"),
    _of("wide", 10, 500, surfaces.wide, quick=True),
    _of("wide-long", 50, 20_000, surfaces.wide),
    _of("outputs", 30, 5_000, surfaces.several),
    _of("sinc-1e5", 50, 100_000, surfaces.sinc),
    _of("friedman1-1e5", 50, 100_000, surfaces.friedman1),
    _of("friedman1-1e6", 50, 1_000_000, surfaces.friedman1),
]
# Sizes of the training set in the benchmark's first split.
UCI = {name: (table.e, table.hidden_size, table.n_train) for name, table in tables.TABLES.items()}


def problems(source: tables.Source | None) -> dict[str, Problem]:
    """Return the problems by name; without a source, the UCI tables are left out."""
    problem_list = list(SURFACES)
    if source is not None:
        for name, (e, m, n) in UCI.items():

            def make(name: str = name) -> surfaces.Samples:
                table = source.load(name)
                rows = table.splits[0].train
                return table.X[rows], table.y[rows]

            problem_list.append(Problem(case(e, m, 1, n, "tanh", "float64", name), make, False))
    by_name([one.case for one in problem_list])
    return {one.case.name: one for one in problem_list}


def choose(known: dict[str, Problem], patterns: Sequence[str], quick: bool) -> list[Problem]:
    """Return the problems that match the patterns; without patterns, all or the quick ones."""
    if not patterns:
        return [one for one in known.values() if one.quick or not quick]
    chosen = {}
    for pattern in patterns:
        names = fnmatch.filter(known, pattern)
        if not names:
            raise SystemExit(f"No problem is called {pattern!r}; there are: {', '.join(known)}.")
        chosen |= {name: known[name] for name in names}
    return list(chosen.values())


def standardised(rows: Array) -> Array:
    """Return columns with mean 0 and variance 1; constant columns become 0."""
    moved = rows - rows.mean(axis=0)
    deviation = moved.std(axis=0)
    return np.ascontiguousarray(moved / np.where(deviation > 0, deviation, 1.0))


def prepare(folder: Path, problem: Problem) -> Path:
    """Write the input of the trainers to a file; return its path."""
    path = folder / f"{problem.case.name}.npz"
    folder.mkdir(parents=True, exist_ok=True)
    X, T = (standardised(part) for part in problem.make())
    sizes = (len(X), X.shape[1], T.shape[1])
    expected = (problem.case.n_samples, problem.case.e, problem.case.s)
    if sizes != expected:
        raise SystemExit(
            f"{problem.case.name} has (N, e, s) = {sizes} in place of {expected}: other data?"
        )
    np.savez(path, X=X, T=T, **data.parameters(problem.case)._asdict())
    return path


def read(path: Path, one: Case) -> Workload:
    """Read what ``prepare`` wrote."""
    with np.load(path) as stored:
        start = Blocks(*(stored[name] for name in Blocks._fields))
        return Workload(one, stored["X"], stored["T"], start)
