"""Explicit formulas in NumPy, block by block, so that the hidden layer stays in cache.

With several threads, either BLAS uses them all, or each thread works on blocks of its own with
single-threaded BLAS: NumPy releases the interpreter lock in products and ufuncs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.peers.candidate import Candidate, Unsuitable, Workload
from benchmarks.peers.libraries.numpy_full import (
    HandWritten,
    Sums,
    instructions,
    versions,
    with_ones,
)

BLOCK_KIB = (256, 768, 2048, 8192)  # size of all data that a block touches

__all__ = ["candidates", "instructions", "versions"]


class Part:
    """The blocks of one thread, with their buffers and the sums over all of them."""

    def __init__(self, workload: Workload, rows: bool, first: int, stop: int, block: int) -> None:
        self.blocks = []
        buffers: dict[int, Sums] = {}
        for start in range(first, stop, block):
            some = slice(start, min(start + block, stop))
            count = some.stop - some.start
            sums = buffers.setdefault(count, Sums(workload, rows, count))
            X = with_ones(workload.X[some], rows)
            T = workload.T[some].copy().T if rows else np.ascontiguousarray(workload.T[some].T)
            self.blocks.append((sums, X.T if rows else X, T))
        some_sums = self.blocks[0][0]
        self.totals = [np.zeros_like(a) for a in (some_sums.W_h, some_sums.W_y, some_sums.b_y)]

    def work(self, parameters: tuple[np.ndarray, ...], scale: float) -> float:
        """Store the sums over the part in ``totals``; return its Σ r²."""
        loss = 0.0
        for total in self.totals:
            total.fill(0)
        for sums, X, T in self.blocks:
            loss += sums.fill(X, T, *parameters, scale)
            for total, part in zip(self.totals, (sums.W_h, sums.W_y, sums.b_y), strict=True):
                total += part
        return loss


class Blocked(HandWritten):
    """Blocks of a given size in KiB, on ``workers`` Python threads."""

    def __init__(self, rows: bool, kib: int, workers: int) -> None:
        self.rows, self.kib, self.workers = rows, kib, workers
        self.name = f"{kib} KiB, samples as {'rows' if rows else 'columns'}"
        if workers > 1:
            self.name += f", {workers} threads over blocks"

    def build(self, workload: Workload) -> None:
        case = workload.case
        hidden = 1 if case.s == 1 and case.activation != "logistic" else 2
        sample_bytes = case.itemsize * (hidden * case.m + case.e + 1)
        share = -(-case.n_samples // self.workers)
        most = max(64, self.kib * 1024 // sample_bytes)
        if most >= share and self.kib > BLOCK_KIB[0]:
            raise Unsuitable("a block would be all samples")
        block = -(-share // -(-share // most))  # of equal sizes
        starts = range(0, case.n_samples, share)
        self.parts = [
            Part(workload, self.rows, start, min(start + share, case.n_samples), block)
            for start in starts
        ]
        self.n_samples = case.n_samples
        self.pool = ThreadPoolExecutor(len(self.parts)) if len(self.parts) > 1 else None
        self.limit = threadpool_limits(1, "blas") if self.pool else None

    def run(self, steps: int) -> float:
        scale, loss = 2 / self.n_samples, 0.0
        first, *others = self.parts
        for _ in range(steps):
            parameters = self.W_h, self.W_y, self.b_y
            if self.pool is None:
                loss = first.work(parameters, scale)
            else:
                work = partial(Part.work, parameters=parameters, scale=scale)
                loss = sum(self.pool.map(work, self.parts))
                for other in others:
                    for total, part in zip(first.totals, other.totals, strict=True):
                        total += part
            self.move(*first.totals)
        return loss / self.n_samples

    def close(self) -> None:
        if getattr(self, "pool", None) is not None:
            self.pool.shutdown()
            self.limit.restore_original_limits()
        super().close()


def candidates(workload: Workload) -> list[Candidate]:
    return [
        Blocked(rows, kib, workers)
        for workers in sorted({1, workload.threads})
        for kib in BLOCK_KIB
        for rows in (True, False)
    ]
