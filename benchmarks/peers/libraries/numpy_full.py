"""Explicit formulas in NumPy, all samples at once, with products and ufuncs into fixed buffers.

The hidden bias is the weight of a row of ones, so that one product gives W_h X + b_h and another
both gradients.  With one output, δ_h is an outer product, and its factor W_y is applied last.
"""

from __future__ import annotations

import numpy as np
from numpy._core._multiarray_umath import (
    __cpu_baseline__,
    __cpu_dispatch__,
    __cpu_features__,
)
from threadpoolctl import threadpool_info

from benchmarks import machine
from benchmarks.data import Array, Blocks
from benchmarks.peers.candidate import Candidate, Workload


def with_ones(X: Array, rows: bool) -> Array:
    """Return a copy of X (N, e) with a feature of ones appended, (N, e + 1) or transposed."""
    n_samples, e = X.shape
    out = np.ones((n_samples, e + 1) if rows else (e + 1, n_samples), X.dtype)
    (out if rows else out.T)[:, :e] = X
    return out


def sigma(name: str, Z: Array) -> None:
    """Replace Z by σ(Z)."""
    if name == "relu":
        np.clip(Z, 0, np.inf, out=Z)  # several times as fast as np.maximum(Z, 0)
    elif name == "tanh":
        np.tanh(Z, out=Z)
    elif name == "logistic":
        np.multiply(Z, 0.5, out=Z)
        np.tanh(Z, out=Z)
        np.multiply(Z, 0.5, out=Z)
        np.add(Z, 0.5, out=Z)
    else:
        raise ValueError(f"no {name} here")


class Sums:
    """Sums over blocks of samples of equal size; all buffers are allocated once.

    Arrays have samples as rows or as columns.  The formulas below are written for columns; with
    rows, every array is a transpose, which NumPy's products handle directly.
    """

    def __init__(self, workload: Workload, rows: bool, n_samples: int) -> None:
        case, dtype = workload.case, workload.X.dtype
        self.activation, self.one_output = case.activation, case.s == 1

        def buffer(count: int, kind: object = dtype) -> Array:
            """Return an array (count, n_samples) in either memory order."""
            if rows:
                return np.empty((n_samples, count), kind).T
            return np.empty((count, n_samples), kind)

        self.H, self.R = buffer(case.m), buffer(case.s)
        self.D = None if self.one_output else buffer(case.m)
        self.spare = None
        if case.activation == "relu":
            self.spare = buffer(case.m, bool)
        elif case.activation == "logistic" and self.one_output:
            self.spare = buffer(case.m)
        self.W_h = np.empty((case.m, case.e + 1), dtype)
        self.straight = np.empty((case.s, case.e + 1), dtype)
        self.W_y = np.empty((case.s, case.m), dtype)
        self.b_y = np.empty(case.s, dtype)

    def fill(self, X: Array, T: Array, W_h: Array, W_y: Array, b_y: Array, scale: float) -> float:
        """Store the gradient's sums times ``scale`` in W_h, W_y and b_y; return Σ r²."""
        H, R = self.H, self.R
        np.matmul(W_h, X, out=H)
        sigma(self.activation, H)
        np.matmul(W_y, H, out=R)
        R += b_y[:, np.newaxis]
        R -= T
        flat = R.ravel(order="K")
        loss = float(np.dot(flat, flat))
        R *= scale  # δ_y
        np.matmul(R, H.T, out=self.W_y)
        np.sum(R, axis=1, out=self.b_y)
        if self.one_output:
            self._hidden_of_one(X, W_y)
        else:
            self._hidden_of_many(X, W_y)
        return loss

    def _hidden_of_one(self, X: Array, W_y: Array) -> None:
        """Compute W_h[k] = W_y[k] Σ_i δ_y σ′(z) x for a single output."""
        H, R = self.H, self.R
        if self.activation == "tanh":  # Σ δ_y (1 − h²) x = Σ δ_y x − Σ δ_y h² x saves one pass
            np.multiply(H, H, out=H)
            np.multiply(H, R, out=H)
            np.matmul(H, X.T, out=self.W_h)
            np.matmul(R, X.T, out=self.straight)
            np.subtract(self.straight, self.W_h, out=self.W_h)
        else:
            if self.activation == "relu":
                np.greater(H, 0, out=self.spare)
                np.multiply(self.spare, R, out=H)
            else:
                np.subtract(1, H, out=self.spare)
                np.multiply(H, self.spare, out=H)
                np.multiply(H, R, out=H)
            np.matmul(H, X.T, out=self.W_h)
        self.W_h *= W_y.T

    def _hidden_of_many(self, X: Array, W_y: Array) -> None:
        """Compute W_h = Σ_i σ′(z) (W_yᵀ δ_y) xᵀ for several outputs."""
        H, D = self.H, self.D
        np.matmul(W_y.T, self.R, out=D)
        if self.activation == "relu":
            np.greater(H, 0, out=self.spare)
            np.multiply(D, self.spare, out=D)
        else:
            if self.activation == "tanh":
                np.multiply(H, H, out=H)
            else:
                np.multiply(D, H, out=D)
            np.subtract(1, H, out=H)
            np.multiply(D, H, out=D)
        np.matmul(D, X.T, out=self.W_h)


class HandWritten(Candidate):
    """Common parts of the full-batch and the blocked implementation: parameters and update."""

    def load(self, start: Blocks, rate: float) -> None:
        self.W_h = np.concatenate([start.W_h, start.b_h[:, np.newaxis]], axis=1)
        self.W_y, self.b_y = start.W_y.copy(), start.b_y.copy()
        self.rate = start.W_h.dtype.type(rate)

    def blocks(self) -> Blocks:
        return Blocks(self.W_h[:, :-1].copy(), self.W_h[:, -1].copy(), self.W_y, self.b_y)

    def move(self, W_h: Array, W_y: Array, b_y: Array) -> None:
        for gradient in (W_h, W_y, b_y):
            gradient *= self.rate
        self.W_h -= W_h
        self.W_y -= W_y
        self.b_y -= b_y


class Full(HandWritten):
    """All samples at once."""

    def __init__(self, rows: bool) -> None:
        self.rows, self.name = rows, "samples as " + ("rows" if rows else "columns")

    def build(self, workload: Workload) -> None:
        X = with_ones(workload.X, self.rows)
        self.X = X.T if self.rows else X
        self.T = workload.T.copy().T if self.rows else np.ascontiguousarray(workload.T.T)
        self.n_samples = workload.case.n_samples
        self.sums = Sums(workload, self.rows, self.n_samples)

    def run(self, steps: int) -> float:
        sums, scale, loss = self.sums, 2 / self.n_samples, 0.0
        for _ in range(steps):
            loss = sums.fill(self.X, self.T, self.W_h, self.W_y, self.b_y, scale)
            self.move(sums.W_h, sums.W_y, sums.b_y)
        return loss / self.n_samples


def candidates(workload: Workload) -> list[Candidate]:
    return [Full(rows=True), Full(rows=False)]


def versions() -> dict[str, str]:
    """Return the versions of NumPy and of the kernels that its BLAS uses."""
    result = {"numpy": np.__version__}
    for library in threadpool_info():
        if library["user_api"] == "blas":
            result["blas"] = " ".join(
                str(library.get(key, "")) for key in ("internal_api", "version", "architecture")
            )
            break
    return result


def instructions() -> str:
    """Return the highest instruction set of NumPy's own loops, and whose kernels its BLAS uses."""
    loops = [name for name in (*__cpu_baseline__, *__cpu_dispatch__) if __cpu_features__[name]]
    return f"NumPy {loops[-1] if loops else 'baseline'}, {machine.blas()}"
