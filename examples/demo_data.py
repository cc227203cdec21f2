"""The demo's data: reading, splitting and standardising a table, and two baseline predictors."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Table(NamedTuple):
    """A table of numbers: rows are samples."""

    name: str
    X: np.ndarray  # (N, e)
    t: np.ndarray  # (N,)
    columns: list[str]
    target: str
    notes: list[str]


class Split(NamedTuple):
    """A table in three parts, each with X (e, N) and T (1, N) in standardised units.

    ``raw_fitted`` has the rows of the first two parts, ``raw_held_out`` those of the third, as they
    are in the table.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    held_out: tuple[np.ndarray, np.ndarray]
    mean: float  # of the target; with ``scale`` it converts back to the table's units
    scale: float
    raw_fitted: tuple[np.ndarray, np.ndarray]
    raw_held_out: tuple[np.ndarray, np.ndarray]


def number(text: str) -> float:
    """Return the number in a cell; NaN if the cell is empty or missing."""
    return float("nan") if text.strip().lower() in {"", "?", "na", "n/a", "null"} else float(text)


def numeric(cells: list[str]) -> bool:
    try:
        return bool(np.isfinite([number(cell) for cell in cells]).any())
    except ValueError:
        return False


def read_csv(path: Path, target: str | None) -> Table:
    """Read a table with a header line; non-numeric columns are dropped and noted."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        sample = file.read(4096)
        file.seek(0)
        header = sample.splitlines()[0] if sample else ""
        delimiter = max(",;\t", key=header.count)
        names, *rows = [row for row in csv.reader(file, delimiter=delimiter) if row] or [[]]
    names = [name.strip() for name in names]
    ragged = [k for k, row in enumerate(rows, 2) if len(row) != len(names)]
    if ragged:
        raise SystemExit(f"{path}: line {ragged[0]} has not {len(names)} cells as the header has.")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {}
    if not columns:
        raise SystemExit(
            f"{path}: expected a header line and rows of numbers; got {len(rows)} rows."
        )
    target = target or names[0]
    if target not in columns:
        raise SystemExit(f"{path} has no column {target!r}; it has {', '.join(names)}.")
    if not numeric(columns[target]):
        raise SystemExit(f"{path}: the target {target!r} is not a column of numbers.")
    used = [name for name in names if name != target and numeric(columns[name])]
    left_out = [name for name in names if name != target and name not in used]
    values = np.array([[number(c) for c in columns[name]] for name in [target, *used]]).T
    complete = np.isfinite(values).all(axis=1)
    notes = [f"not numbers, left out: {', '.join(left_out)}"] if left_out else []
    if not complete.all():
        notes.append(f"rows with a missing number, left out: {np.count_nonzero(~complete)}")
    values = values[complete]
    return Table(path.name, values[:, 1:], values[:, 0], used, target, notes)


def read_npz(path: Path) -> Table:
    """Read arrays ``X`` (N, e) and ``y`` (N,) or (N, 1)."""
    with np.load(path) as arrays:
        if not {"X", "y"} <= set(arrays.files):
            raise SystemExit(f"{path} must hold X and y; it holds {', '.join(arrays.files)}.")
        X = np.asarray(arrays["X"], float)
        t = np.asarray(arrays["y"], float).reshape(len(X), -1)[:, 0]
    return Table(path.name, X, t, [f"x{k}" for k in range(X.shape[1])], "y", [])


def split(table: Table, seed: int) -> Split:
    """Split the rows at random: 60 % for training, 20 % for validation, 20 % for testing.

    All parts are standardised with the mean and standard deviation of the training rows.
    """
    n_samples = len(table.t)
    if n_samples < 10 or not table.columns:
        raise SystemExit(f"{table.name}: {n_samples} rows, {len(table.columns)} columns: too few.")
    order = np.random.default_rng(seed).permutation(n_samples)
    n_fifth = n_samples // 5
    held_out, validation, train = (
        order[:n_fifth],
        order[n_fifth : 2 * n_fifth],
        order[2 * n_fifth :],
    )
    mean_X, scale_X = table.X[train].mean(axis=0), table.X[train].std(axis=0)
    scale_X[scale_X <= 1e-9 * np.abs(mean_X)] = 1.0  # a constant column stays constant
    mean, scale = float(table.t[train].mean()), float(table.t[train].std())
    if scale == 0.0:
        raise SystemExit(f"{table.name}: the target {table.target!r} is constant.")
    X = ((table.X - mean_X) / scale_X).T
    T = ((table.t - mean) / scale)[np.newaxis]
    parts = [(X[:, rows], T[:, rows]) for rows in (train, validation, held_out)]
    fitted = order[n_fifth:]
    raw = [(table.X[rows].T, table.t[rows][np.newaxis]) for rows in (fitted, held_out)]
    return Split(*parts, mean, scale, *raw)


def linear_least_squares(split: Split) -> np.ndarray:
    """Return the best linear model's predictions for the held-out rows, in standardised units."""

    def design(X: np.ndarray) -> np.ndarray:
        return np.vstack([X, np.ones(X.shape[1])]).T

    X = np.hstack([split.train[0], split.validation[0]])
    T = np.hstack([split.train[1], split.validation[1]])
    coefficients = np.linalg.lstsq(design(X), T.T, rcond=None)[0]
    return (design(split.held_out[0]) @ coefficients).T


def errors(split: Split, Y: np.ndarray) -> tuple[float, float]:
    """Return RMSE, in the table's units, and R² for the held-out rows."""
    T = split.held_out[1]
    mean_square = float(np.mean((Y - T) ** 2))
    return split.scale * mean_square**0.5, 1.0 - mean_square / float(np.var(T))
