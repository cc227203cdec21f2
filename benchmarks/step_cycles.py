"""Cycles of the forward and the backward pass beside their floor, on one thread.

    python -m benchmarks.step_cycles                          some networks: three minutes
    python -m benchmarks.step_cycles 20 300 2 5000            one of your own: e, m, s, N
    python -m benchmarks.step_cycles --activation tanh --dtype float64

A cycle is half the time of a fused multiply-add of one native vector where two start in each
cycle.  It is measured before and after each evaluation, so that the clock and the machine's
neighbours matter less; figures are medians.  A vector holds one hidden unit for as many samples as
it has lanes.  The floor is (2e + 3s)/2 cycles for the multiply-adds, and σ alone in cache, four
registers at a time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused.evaluation import evaluate_once
from batchprop.engines.fused.objective import Objective
from batchprop.engines.fused.task import GRADIENT, LOSS
from batchprop.engines.samples import Samples
from batchprop.parameters import Shape
from batchprop.simd.vectors import REGISTER_BITS
from benchmarks import markdown
from benchmarks.cases import Case, add_net, case, chosen
from benchmarks.peers.floor import ACCUMULATORS, IN_CACHE, multiply_adds, sigma_passes

ROUNDS, PASSES = 20_000, 20
SECONDS = 1.5  # for each case
PART_SECONDS = 0.004
LONG = 4  # registers of σ side by side

CASES = [
    case(1, 64, 1, 10_000, "tanh", "float32"),
    case(1, 64, 1, 10_000, "tanh", "float64"),
    case(8, 50, 1, 9_568, "tanh", "float32"),
    case(8, 50, 1, 9_568, "tanh", "float64"),
    case(8, 50, 1, 9_568, "relu", "float32"),
    case(64, 256, 16, 20_000, "tanh", "float32"),
    case(64, 256, 16, 20_000, "tanh", "float64"),
    case(90, 100, 1, 60_000, "relu", "float32"),
    case(784, 1024, 10, 10_000, "relu", "float32"),
    case(400, 500, 3, 8_000, "relu", "float64"),
    case(3, 37, 2, 12_347, "tanh", "float32"),
    case(13, 29, 1, 4_999, "relu", "float32"),
    case(33, 97, 5, 20_011, "relu", "float64"),
    case(101, 203, 7, 10_007, "relu", "float32"),
    case(257, 511, 3, 3_001, "relu", "float32"),
]


class Cycles(NamedTuple):
    """Cycles per vector of one hidden unit."""

    forward: float
    backward: float
    sigma: float  # alone, in cache


def _seconds(call: Callable[[], object], repetitions: int) -> float:
    began = time.perf_counter()
    for _ in range(repetitions):
        call()
    return (time.perf_counter() - began) / repetitions


def _repetitions(call: Callable[[], object]) -> int:
    """Return how many calls take PART_SECONDS; the first one may compile."""
    call()
    return max(1, round(PART_SECONDS / _seconds(call, 3)))


def measure(one: Case, seconds: float = SECONDS) -> Cycles:
    """Measure a case."""
    rng, dtype = np.random.default_rng(0), np.dtype(one.dtype)
    lanes = REGISTER_BITS // (8 * dtype.itemsize)
    shape = Shape(one.e, one.m, one.s)
    X = rng.normal(size=(one.e, one.n_samples)).astype(dtype)
    T = rng.normal(size=(one.s, one.n_samples)).astype(dtype)
    numbers = np.array([0.999999, 1e-7, 1.0], dtype)
    Z, H = rng.normal(size=IN_CACHE).astype(dtype), np.empty(IN_CACHE, dtype)
    code, passes = ACTIVATIONS[one.activation].code, sigma_passes(LONG)
    with Objective(Samples(X, T, None), shape, one.activation, dtype, 1) as objective:
        task = objective.task
        task.theta[:] = rng.normal(size=shape.n_parameters) / np.sqrt(one.e)
        calls: tuple[Callable[[], object], ...] = (
            lambda: evaluate_once(task, LOSS),
            lambda: evaluate_once(task, GRADIENT),
            lambda: passes(code, Z, H, LONG * lanes, PASSES),
            lambda: multiply_adds(numbers, ROUNDS),
        )
        counts = [_repetitions(call) for call in calls]
        clock, found = calls[3], []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or len(found) < 5:
            times = [_seconds(clock, 3)]
            for call, count in zip(calls[:3], counts[:3], strict=True):
                times += [_seconds(call, count), _seconds(clock, 3)]
            found.append(times)
    rows = np.array(found)
    cycle = rows[:, ::2] / (ROUNDS * ACCUMULATORS / 2)
    cycles = np.median(rows[:, 1::2] / np.minimum(cycle[:, :-1], cycle[:, 1:]), axis=0)
    loss, gradient = cycles[:2] * lanes / (one.n_samples * one.m)
    return Cycles(loss, gradient - loss, cycles[2] * lanes / (IN_CACHE * PASSES))


def row(one: Case, cycles: Cycles) -> list[str]:
    """Return the row of one case."""
    forward = (one.e + one.s) / 2 + cycles.sigma
    backward = one.e / 2 + one.s
    share = (forward + backward) / (cycles.forward + cycles.backward)
    return [
        one.net,
        f"{one.n_samples:,}",
        f"{one.activation}, {one.dtype}",
        f"{cycles.sigma:.1f}",
        f"{cycles.forward:.1f} of {forward:.1f}",
        f"{cycles.backward:.1f} of {backward:.1f}",
        markdown.percent(share),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_net(parser)
    parser.add_argument("--activation", choices=sorted(ACTIVATIONS), default="tanh")
    options = parser.parse_args()
    cases = chosen(parser, options, CASES, options.activation)
    print(f"{REGISTER_BITS}-bit vectors\n")
    head = ("net", "N", "σ, dtype", "σ alone", "forward", "backward", "share of the floor")
    print(markdown.table(head, [row(one, measure(one)) for one in cases]))


if __name__ == "__main__":
    main()
