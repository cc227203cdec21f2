"""What the pytest-benchmark suites run, and how they check and label their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import data, machine
from benchmarks.cases import Case, by_name, case

STEPS = [
    case(1, 4, 1, 100, "logistic", "float64"),
    case(1, 64, 1, 10_000, "tanh", "float32"),
    case(1, 64, 1, 10_000, "tanh", "float64"),
    case(7, 37, 3, 1_001, "softplus", "float64"),
    case(8, 50, 1, 9_568, "tanh", "float64"),
    case(8, 50, 1, 9_568, "relu", "float32"),
    case(90, 100, 1, 500, "relu", "float32"),
    case(90, 100, 1, 20_000, "relu", "float32"),
    case(64, 256, 16, 200, "tanh", "float64"),
    case(64, 256, 16, 20_000, "tanh", "float64"),
    case(64, 256, 16, 20_000, "tanh", "float32"),
]
# One network, from a few samples to more than fit into any cache: the plot against N.
SWEEP = [
    case(8, 50, 1, n_samples, "tanh", "float32")
    for n_samples in (10, 100, 1_000, 10_000, 100_000, 300_000)
]
# Training runs and their epochs: enough that the call does not dominate for the tiny network.
RUNS = {
    case(1, 4, 1, 100, "logistic", "float64"): 1_000,
    case(8, 50, 1, 500, "tanh", "float64"): 20,
    case(8, 50, 1, 4_000, "tanh", "float32"): 50,
}
CASES = by_name(STEPS + SWEEP) | by_name(list(RUNS))

RUN_RATE = 0.05
NAIVE_MULTIPLY_ADDS = 12_000_000  # about a second in Python
# Relative to a block's norm.  In float32, rounding can change a sign and so relu's gradient.
BOUND = {"float32": 1e-3, "float64": 1e-10}


def engine_runs(cases: Iterable[Case]) -> list[tuple[str, str, str]]:
    """Return (case, engine, threads) as strings; naive only where it takes about a second."""
    runs = []
    for one in cases:
        if RUNS.get(one, 1) * one.multiply_adds <= NAIVE_MULTIPLY_ADDS:
            runs.append((one.name, "naive", "1"))
        runs += [(one.name, engine, n) for engine in ("vectorized", "fused") for n in ("1", "all")]
    return runs


def thread_count(threads: str) -> int:
    return len(machine.cores()) if threads == "all" else int(threads)


@cache
def problem(name: str) -> tuple[np.ndarray, np.ndarray, data.Blocks, np.ndarray]:
    """Return X (e, N), T (s, N), the start as blocks and as θ, in the case's dtype."""
    work = CASES[name]
    X, T = (np.ascontiguousarray(rows.T, work.dtype) for rows in data.samples(work))
    start = data.parameters(work)
    theta = np.concatenate([block.ravel() for block in start]).astype(work.dtype)
    return X, T, start, theta


@cache
def expected_step(name: str) -> tuple[float, data.Blocks]:
    """Return the reference's loss and gradient at the start."""
    work = CASES[name]
    return data.gradient(work, *data.samples(work), data.parameters(work))


@cache
def expected_run(name: str) -> tuple[float, data.Blocks]:
    """Return the reference's loss and parameters after the fixed training run."""
    work = CASES[name]
    start = data.parameters(work)
    return data.descent(work, *data.samples(work), start, RUN_RATE, RUNS[work])


def check(
    work: Case, loss: float, blocks: data.Blocks, expected: tuple[float, data.Blocks]
) -> None:
    """Reject a result that differs from the reference by more than rounding."""
    bound = BOUND[work.dtype]
    assert abs(loss / expected[0] - 1) <= bound
    errors = data.block_errors(blocks, expected[1])
    assert max(errors.values()) <= bound, errors


@contextmanager
def blas_threads(threads: str) -> Iterator[None]:
    """Limit BLAS to so many threads inside the ``with`` block."""
    with threadpool_limits(limits=thread_count(threads), user_api="blas"):
        yield


def timed(benchmark: Any, engine: str, function: Callable[..., Any], *args: Any) -> Any:
    """Time a function: a few rounds for the naive engine, otherwise as many as time allows."""
    if engine == "naive":
        return benchmark.pedantic(function, args, rounds=3)
    return benchmark(function, *args)


def label(benchmark: Any, work: Case, engine: str, threads: str, **more: Any) -> None:
    """Store what was timed beside the times, so that reports need not parse names."""
    benchmark.extra_info.update(
        **work._asdict(),
        net=work.net,
        engine=engine,
        threads=threads,
        n_threads=thread_count(threads),
        blas=machine.blas(),
        **more,
    )
