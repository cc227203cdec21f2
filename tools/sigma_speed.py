"""Print how many cycles σ and σ′ take per native vector, with data in the first-level cache.

σ is measured for 1, 2 and 4 vectors at a time, as ``hidden_layer.activate`` calls it, and beside it
NumPy's evaluation of the same function, converted to vectors of the same width.  Cycles are counted
by a chain of integer operations that depend on one another and take one cycle each.  It runs before
and after each measurement, since the frequency of a processor changes.

    PYTHONPATH=src:. python tools/sigma_speed.py                 for this processor
    PYTHONPATH=src:. python tools/sigma_speed.py --cpu haswell   as compiled for AVX2
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused.activation_kernels import sigma, sigma_prime
from batchprop.simd.load_store import load, store
from batchprop.simd.vectors import REGISTER_BITS, WIDE, lanes
from tools.processors import CPUS

ELEMENTS = 2048  # two arrays of float64 fill 32 KiB
PASSES = 100
LINKS = 50_000  # of the chain
CYCLES_PER_LINK = 2
ATTEMPTS = 1000
REGISTERS = (1, 2, 4)

Array = np.ndarray[Any, Any]


@numba.njit  # noqa: TID251
def chain(n):
    """Return the end of a chain of 2n dependent additions and exclusive ors."""
    x = np.int64(1)
    for i in range(n):
        x = (x + i) ^ 12345
    return x


def passes(function: Any, registers: int) -> Any:
    """Compile a loop that evaluates σ or σ′ on so many registers at a time."""

    @numba.njit(error_model="numpy", nogil=True)  # noqa: TID251 - the cache does not know closures
    def run(code, Z, H, step, repetitions):
        for _ in range(repetitions):
            for i in range(0, Z.size, step):
                store(H, i, function(code, load(Z, i, registers)))

    return run


def seconds(work: Callable[[], Any]) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def cycles(work: Callable[[], Any]) -> float:
    """Return the cycles of one call: the least of many, by the fastest chain around them."""
    work()
    chain(LINKS)
    times, chains = [], []
    for _ in range(ATTEMPTS):
        chains.append(seconds(lambda: chain(LINKS)))
        times.append(seconds(work))
    return min(times) / min(chains) * LINKS * CYCLES_PER_LINK


def numpy_passes(name: str, z: Array, h: Array) -> None:
    """Evaluate σ with NumPy, without allocating memory."""
    if name == "tanh":
        np.tanh(z, out=h)
    elif name == "relu":
        np.maximum(z, 0, out=h)
    elif name == "softsign":
        np.abs(z, out=h)
        np.add(h, 1, out=h)
        np.divide(z, h, out=h)
    elif name == "elu":
        np.minimum(z, 0, out=h)
        np.expm1(h, out=h)
        np.copyto(h, z, where=z > 0)
    elif name == "softplus":
        np.logaddexp(z, 0, out=h)
    elif name == "logistic":
        np.negative(z, out=h)
        np.exp(h, out=h)
        np.add(h, 1, out=h)
        np.reciprocal(h, out=h)
    else:
        np.copyto(h, z)


def row(name: str, dtype: Any) -> str:
    """Return a row of the table."""
    z = np.random.default_rng(0).uniform(-3, 3, ELEMENTS).astype(dtype)
    h, code = np.empty_like(z), ACTIVATIONS[name].code
    vectors = ELEMENTS / lanes(z.itemsize * 8)

    def ours(function: Any, registers: int) -> str:
        step, run = lanes(z.itemsize * 8, registers), passes(function, registers)
        return f"{cycles(lambda: run(code, z, h, step, PASSES)) / PASSES / vectors:.1f}"

    cells = [ours(sigma, registers) for registers in REGISTERS]
    cells.append(ours(sigma_prime, WIDE))
    cells.append(f"{cycles(lambda: numpy_passes(name, z, h)) / vectors:.1f}")
    return f"| {name} | {z.dtype} | {' | '.join(cells)} |"


def main() -> None:
    """Print the table; for another processor, in a new process."""
    cpus = {cpu.name: cpu for cpu in CPUS}
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cpu", choices=list(cpus), help="compile for this processor")
    cpu = parser.parse_args().cpu
    if cpu:
        os.execve(sys.executable, [sys.executable, __file__], os.environ | cpus[cpu].variables)
    print(f"Cycles per vector of {REGISTER_BITS} bits; the kernels use {WIDE} at a time.\n")
    heads = [f"σ, {registers} at a time" for registers in REGISTERS]
    print(f"| activation | dtype | {' | '.join(heads)} | σ′ | NumPy's σ |")
    print("|---" * 7 + "|")
    for name in ACTIVATIONS:
        for dtype in (np.float32, np.float64):
            print(row(name, dtype), flush=True)


if __name__ == "__main__":
    main()
