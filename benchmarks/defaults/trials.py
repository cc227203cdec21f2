"""Training and test samples of a table or a function, and the share of variance left unexplained.

Tables with noise are divided into folds, drawn once with a fixed seed. A function is sampled anew
for each draw, and tested on other points of the same domain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from benchmarks.data import Array
from benchmarks.defaults.catalogue import Noiseless, Table, reduced
from benchmarks.uci.tables import Source

N_TEST = 2000  # new points on which a function is tested
MAX_DRAWS = 2


class Trial(NamedTuple):
    """One fit and its test; ``total`` (s,) is what its squared errors are divided by."""

    X: Array
    T: Array
    X_test: Array
    T_test: Array
    total: Array

    def unexplained(self, prediction: Array) -> float:
        """Return the sum of squared errors as a fraction of the total, mean over outputs."""
        errors = prediction.reshape(self.T_test.shape) - self.T_test
        with np.errstate(over="ignore"):
            return float(np.mean(np.sum(errors**2, axis=0) / self.total))


def _squares(T: Array) -> Array:
    return np.asarray(np.sum((T - T.mean(axis=0)) ** 2, axis=0))


def folds(samples: tuple[Array, Array], n_folds: int) -> Iterator[Trial]:
    """Yield one trial for each fold; 1 minus the sum of their unexplained shares is R²."""
    X, T = samples
    order = np.random.default_rng(0).permutation(len(X))
    total = _squares(T)
    for test in np.array_split(order, n_folds):
        train = np.setdiff1d(order, test)
        yield Trial(X[train], T[train], X[test], T[test], total)


def draws(function: Noiseless, n: int, n_draws: int) -> Iterator[Trial]:
    """Yield trials whose unexplained shares are mean squared errors over the variance."""
    for draw in range(n_draws):
        X, T = function.sample(min(n, function.n), 2 * draw)
        X_test, T_test = function.sample(N_TEST, 2 * draw + 1)
        yield Trial(X, T, X_test, T_test, _squares(T_test))


def trials(table: Table | Noiseless, source: Source, n_rows: int, n_folds: int) -> list[Trial]:
    """Return the trials of a table, of which at most ``n_rows`` rows take part."""
    if isinstance(table, Noiseless):
        return list(draws(table, n_rows, min(n_folds, MAX_DRAWS)))
    return list(folds(reduced(table.load(source), n_rows), n_folds))
