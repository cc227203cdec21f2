"""Data and reference results on disk, written once and read by every process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import data
from benchmarks.cases import Case
from benchmarks.data import Array, Blocks

MOVE_STEPS, MOVE_RATE = 20, 0.01  # short training run that small cases are checked with


class Expected(NamedTuple):
    """Reference results: loss and gradient at the start, parameters after some steps (small)."""

    loss: float
    gradient: Blocks
    moved: Blocks | None


def _write_once(path: Path, make: Callable[[], dict[str, Array]]) -> Path:
    """Write a file atomically unless it exists."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{os.getpid()}-{path.name}")
        np.savez(partial, **make())
        os.replace(partial, path)
    return path


def _file(folder: Path, *parts: object) -> Path:
    return folder / ("-".join(map(str, parts)) + ".npz")


def _samples_file(folder: Path, case: Case) -> Path:
    def make() -> dict[str, Array]:
        X, T = data.samples(case)
        return {"X": X, "T": T}

    return _write_once(_file(folder, "samples", case.e, case.s, case.n_samples), make)


def samples(folder: Path, case: Case) -> tuple[Array, Array]:
    """Return X (N, e) and T (N, s) in the case's dtype."""
    with np.load(_samples_file(folder, case)) as stored:
        return stored["X"].astype(case.dtype, copy=False), stored["T"].astype(
            case.dtype, copy=False
        )


def expected(folder: Path, case: Case) -> Expected:
    """Return the reference results, which are the same for both dtypes."""

    def make() -> dict[str, Array]:
        with np.load(_samples_file(folder, case)) as stored:
            X, T = stored["X"], stored["T"]
        start = data.parameters(case)
        loss, gradient = data.gradient(case, X, T, start)
        arrays = {"loss": np.array(loss), **gradient._asdict()}
        if case.is_small:
            end = data.descent(case, X, T, start, MOVE_RATE, MOVE_STEPS)[1]
            arrays |= {f"moved_{name}": block for name, block in end._asdict().items()}
        return arrays

    path = _write_once(_file(folder, "expected", case.net, case.n_samples, case.activation), make)
    with np.load(path) as stored:
        gradient = Blocks(*(stored[name] for name in Blocks._fields))
        moved = (
            Blocks(*(stored[f"moved_{name}"] for name in Blocks._fields)) if case.is_small else None
        )
        return Expected(float(stored["loss"]), gradient, moved)


def prepare(folder: Path, case: Case) -> None:
    """Write the files of a case."""
    expected(folder, case)
