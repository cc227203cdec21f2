"""Measures the memory that training needs, from inside the process; Linux only.

    python -m benchmarks.memory_process growth ENGINE N THREADS
    python -m benchmarks.memory_process limit FOLDER N SPARE_MIB
    python -m benchmarks.memory_process blocks TIMES SPARE_MIB

``growth`` prints by how much the peak memory of a training run on N samples exceeds the memory in
use before it.  ``limit`` writes a table to disk, limits the process to ``SPARE_MIB`` more memory
than it has, which is less than the table, and trains on a memory map of the table.  ``blocks``
trains under the same limit on blocks that are new arrays each time they are read, ``TIMES`` times
as many bytes as the limit.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

import batchprop

N_INPUTS, N_HIDDEN, EPOCHS = 8, 50, 3
KIB, MIB = 1024, 1024 * 1024
BLOCK = 1 << 18  # samples written to a file at a time


def status(key: str) -> int:
    """Return a field of the process's status, in bytes."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) * KIB
    raise KeyError(key)


def train(X: Any, T: np.ndarray | None, engine: str, threads: int) -> Any:
    """Run a few steps of plain gradient descent."""
    return batchprop.train(
        X,
        T,
        alpha=0.0,
        hidden_size=N_HIDDEN,
        solver="gd",
        engine=engine,
        max_epochs=EPOCHS,
        gradient_tol=None,
        tol=None,
        n_threads=threads,
    )


def warm_up(engine: str, threads: int) -> None:
    """Compile kernels, start BLAS and load libraries, so that they do not count."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N_INPUTS, 20_000), dtype=np.float32)
    for _ in range(2):
        train(X, np.sin(X[:1]), engine, threads)


def growth(engine: str, n_samples: int, threads: int) -> dict[str, Any]:
    """Return the size of the data, the memory growth and the time per epoch."""
    warm_up(engine, threads)
    rng = np.random.default_rng(1)
    X = np.empty((N_INPUTS, n_samples), np.float32)
    for row in X:
        rng.standard_normal(out=row, dtype=np.float32)
    T = np.sin(X[:1])
    Path("/proc/self/clear_refs").write_text("5")  # reset the high-water mark
    start_bytes = status("VmRSS")
    result = train(X, T, engine, threads)
    return {
        "engine": engine,
        "n_samples": n_samples,
        "threads": threads,
        "data_bytes": X.nbytes + T.nbytes,
        "growth_bytes": max(0, status("VmHWM") - start_bytes),
        "loss": result.loss,
        "epoch_seconds": result.seconds / EPOCHS,
    }


def write_table(path: Path, n_samples: int) -> None:
    """Write float32 rows, one sample per row, by repeating one block."""
    block = np.random.default_rng(2).standard_normal((BLOCK, N_INPUTS), dtype=np.float32)
    with path.open("wb") as file:
        for first in range(0, n_samples, BLOCK):
            block[: min(BLOCK, n_samples - first)].tofile(file)


class FreshBlocks:
    """Blocks of float32 that are copied each time they are read, as a file would be."""

    def __init__(self, n_blocks: int) -> None:
        self._n_blocks = n_blocks
        rng = np.random.default_rng(2)
        self._X = rng.standard_normal((N_INPUTS, BLOCK // 2), dtype=np.float32)
        self.block_bytes = self._X.nbytes + self._X[:1].nbytes

    def __len__(self) -> int:
        return self._n_blocks

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self._X.copy(), np.sin(self._X[:1])


def limit_blocks(times: float, spare: int) -> dict[str, Any]:
    """Train under a memory limit on blocks of ``times`` as many bytes as the limit."""
    warm_up("fused", 2)
    train(batchprop.Blocks(FreshBlocks(4)), None, "fused", 2)
    most = status("VmData") + spare
    source = FreshBlocks(int(times * most / FreshBlocks(1).block_bytes) + 1)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    result = train(batchprop.Blocks(source), None, "fused", 2)
    return {
        "source_bytes": len(source) * source.block_bytes,
        "limit_bytes": most,
        "losses": result.loss_curve.tolist(),
    }


def limit(folder: Path, n_samples: int, spare: int) -> dict[str, Any]:
    """Train under a memory limit below the table's size, and check that the limit works."""
    warm_up("fused", 2)
    path = folder / "X.float32"
    write_table(path, n_samples)
    rows = np.memmap(path, np.float32, "r", shape=(n_samples, N_INPUTS))
    most = status("VmData") + spare
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        np.array(rows)
        refused = False
    except MemoryError:
        refused = True
    result = train(rows.T, rows[:, :1].T, "fused", 2)
    return {
        "file_bytes": path.stat().st_size,
        "limit_bytes": most,
        "copy_refused": refused,
        "losses": result.loss_curve.tolist(),
    }


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "growth":
        result = growth(arguments[0], int(arguments[1]), int(arguments[2]))
    elif command == "blocks":
        result = limit_blocks(float(arguments[0]), int(arguments[1]) * MIB)
    else:
        result = limit(Path(arguments[0]), int(arguments[1]), int(arguments[2]) * MIB)
    print(json.dumps(result))
