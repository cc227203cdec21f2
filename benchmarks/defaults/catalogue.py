"""The list of tables: real ones and made ones with noise, and functions without noise.

``tuned`` marks the kinds on which defaults of this package may be tuned. All tables of a kind are
on the same side, and half of the kinds are on each, so that the other half shows how far a default
carries. The division was made before any default was tuned; a table does not change sides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.data import Array
from benchmarks.defaults import tables
from benchmarks.defaults.functions import FUNCTIONS
from benchmarks.time_to_loss import surfaces
from benchmarks.uci.tables import Source

Samples = tuple[Array, Array]
N_POINTS = 400  # training points of a function


class Table(NamedTuple):
    """A table with noise, and its samples by a function of the source of the UCI tables."""

    name: str
    kind: str
    tuned: bool
    load: Callable[[Source], Samples]


class Noiseless(NamedTuple):
    """A function without noise, by its name in ``FUNCTIONS``, and the number of its samples."""

    name: str
    tuned: bool
    n: int = N_POINTS

    def sample(self, n: int, seed: int) -> Samples:
        return FUNCTIONS[self.name].sample(n, seed)


def _made(make: Callable[[], Samples]) -> Callable[[Source], Samples]:
    return lambda source: make()


def _uci(name: str, source: Source) -> Samples:
    samples = source.load(name)
    return samples.X, samples.y


def _shipped(name: str, target: str | None = None, inputs: int | None = None) -> Samples:
    """Load a table that scikit-learn ships; a column of it can replace the target it comes with.

    ``inputs`` is the number of leading columns that are inputs then (default: all others).
    """
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    X = np.asarray(bunch.data, float)
    if target is None:
        return X, np.asarray(bunch.target, float).reshape(len(X), -1)
    column = [str(title) for title in bunch.feature_names].index(target)
    columns = [index for index in range(X.shape[1])[:inputs] if index != column]
    return X[:, columns], X[:, [column]]


def _real(name: str, *arguments: object) -> Callable[[Source], Samples]:
    return lambda source: _shipped(name, *arguments)  # type: ignore[arg-type]


TABLES = [
    Table("diabetes", "shipped with scikit-learn", False, _real("diabetes")),
    Table("linnerud", "shipped with scikit-learn", False, _real("linnerud")),
    Table("iris, petal width", "shipped with scikit-learn", False,
          _real("iris", "petal width (cm)")),
    Table("wine, alcohol", "shipped with scikit-learn", False, _real("wine", "alcohol")),
    Table("breast cancer, worst area", "shipped with scikit-learn", False,
          _real("breast_cancer", "worst area", 20)),
    Table("concrete", "UCI", True, partial(_uci, "concrete")),
    Table("energy", "UCI", True, partial(_uci, "energy")),
    Table("power", "UCI", True, partial(_uci, "power")),
    Table("protein", "UCI", True, partial(_uci, "protein")),
    Table("yacht", "UCI", True, partial(_uci, "yacht")),
    Table("Friedman 1, noisy", "Friedman", True, _made(lambda: surfaces.friedman1(500))),
    Table("Friedman 2, noisy", "Friedman", True, _made(lambda: surfaces.friedman2(500))),
    Table("Friedman 3, noisy", "Friedman", True, _made(lambda: surfaces.friedman3(500))),
    Table("incomes", "heavy tails", False, _made(tables.incomes)),
    Table("counts", "counts", True, _made(tables.counts)),
    Table("steps", "steps", False, _made(tables.steps)),
    Table("several outputs", "few rows, several outputs", True, _made(tables.several_outputs)),
    Table("useless columns", "many useless columns", False, _made(tables.useless_columns)),
    Table("linear", "linear", True, _made(tables.linear)),
    Table("sinc, noisy", "curve", True, _made(tables.noisy_sinc)),
    Table("repeated rows", "repeated rows", False, _made(tables.repeated_rows)),
    Table("category codes", "category codes", False, _made(tables.category_codes)),
]  # fmt: skip

NOISELESS = [
    Noiseless("sinc", True, 200),
    Noiseless("Ishigami", True),
    Noiseless("Friedman 1", True),
    Noiseless("borehole", True),
    Noiseless("robot arm", True),
    Noiseless("wing weight", False),
    Noiseless("OTL circuit", False),
    Noiseless("Rosenbrock", False),
    Noiseless("Branin", False),
    Noiseless("Franke", False),
]

UCI = [table.name for table in TABLES if table.kind == "UCI"]
QUICK = ["linnerud", "steps", "sinc, noisy", "sinc", "Branin"]


def reduced(samples: Samples, n: int) -> Samples:
    """Return at most n rows, drawn with a fixed seed; fewer rows keep their order."""
    X, T = samples
    if len(X) <= n:
        return X, T
    rows = np.random.default_rng(0).permutation(len(X))[:n]
    return X[rows], T[rows]
