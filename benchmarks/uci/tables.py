"""The five UCI tables and their splits, from a folder or from OpenML; they are not stored here.

A folder holds an ``.npz`` file per table: ``X`` (N, e), ``y`` (N, 1), and row numbers ``train_k``
and ``test_k`` of the splits k = 0, 1, …  OpenML has the rows in another order than the benchmark,
so that the rule for drawing splits selects other rows: comparable, but not the same splits.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.data import Array

VARIABLE = "BATCHPROP_UCI"


class Table(NamedTuple):
    """The benchmark's definition of a table."""

    e: int
    n: int
    n_train: int
    n_splits: int
    hidden_size: int
    openml: str  # its name on OpenML
    target: str  # prefix of the name of the column to predict


TABLES = {
    "concrete": Table(8, 1030, 927, 20, 50, "concrete_compressive_strength", "strength"),
    "energy": Table(8, 768, 691, 20, 50, "energy_efficiency", "heating"),
    "power": Table(4, 9568, 8611, 20, 50, "combined_cycle_power_plant", "PE"),
    "protein": Table(9, 45730, 41157, 5, 100, "physiochemical_protein", "RMSD"),
    "yacht": Table(6, 308, 277, 20, 50, "yacht_hydrodynamics", "residuary"),
}


class Split(NamedTuple):
    """Row numbers of the training and test samples."""

    train: Array
    test: Array


class Samples(NamedTuple):
    """Raw columns, samples as rows."""

    X: Array  # (N, e)
    y: Array  # (N, 1)
    splits: list[Split]


def drawn_splits(n: int, count: int) -> list[Split]:
    """Return splits by the benchmark's rule: nine tenths of successive random permutations."""
    rng = np.random.RandomState(1)  # noqa: NPY002 - the rule names this generator
    splits = []
    for _ in range(count):
        order = rng.choice(range(n), n, replace=False)
        splits.append(Split(order[: round(0.9 * n)], order[round(0.9 * n) :]))
    return splits


class Source:
    """Loads tables from a folder ($BATCHPROP_UCI by default), otherwise from OpenML."""

    def __init__(self, folder: str | Path | None = None) -> None:
        path = folder or os.environ.get(VARIABLE)
        self.folder = Path(path) if path else None

    def load(self, name: str) -> Samples:
        """Return a table; exit with a message if it is not available."""
        if self.folder is None:
            return self._fetch(name)
        path = self.folder / f"{name}.npz"
        if not path.is_file():
            raise SystemExit(
                f"There is no {path}; a folder given by --data or ${VARIABLE} must hold a .npz of "
                f"X, y, train_0, test_0, … for {name}. Give none to fetch it from OpenML."
            )
        with np.load(path) as stored:
            count = sum(key.startswith("train_") for key in stored)
            splits = [Split(stored[f"train_{k}"], stored[f"test_{k}"]) for k in range(count)]
            return Samples(stored["X"], stored["y"], splits)

    def _fetch(self, name: str) -> Samples:
        table = TABLES[name]
        try:
            from sklearn.datasets import fetch_openml

            dataset = fetch_openml(
                name=table.openml, version="active", as_frame=False, parser="liac-arff"
            )
        except (ImportError, OSError, ValueError) as reason:
            raise SystemExit(
                f"The table {name} is neither in a folder nor to be had from OpenML as "
                f"{table.openml!r} ({type(reason).__name__}: {str(reason)[:200]}). Give a folder "
                f"of .npz files by --data FOLDER or ${VARIABLE}, or install scikit-learn and "
                f"connect to the network."
            ) from None
        return _columns(name, dataset)


def _columns(name: str, dataset: object) -> Samples:
    """Assemble the columns that OpenML returns, inputs and target, in the benchmark's order."""
    table = TABLES[name]
    names = [*dataset.feature_names, *dataset.target_names]
    columns = np.column_stack((dataset.data, np.asarray(dataset.target))).astype(np.float64)
    is_target = [each.lower().startswith(table.target.lower()) for each in names]
    is_other = [name == "energy" and each.lower().startswith("cooling") for each in names]
    if sum(is_target) != 1 or columns.shape[0] != table.n:
        raise SystemExit(
            f"OpenML's {table.openml!r} has {columns.shape[0]} rows and the columns {names}: not "
            f"the table of {table.n} rows with one column {table.target!r}. Give a folder by "
            f"--data."
        )
    inputs = ~np.array(is_target) & ~np.array(is_other)
    y = columns[:, is_target.index(True)][:, None]
    return Samples(columns[:, inputs], y, drawn_splits(table.n, table.n_splits))
