"""The floor: a lower bound of the time of a step on these cores, from rates measured alongside.

    floor = flops / (peak of fused multiply-adds) + N m / (rate of the vectorised σ alone, in cache)

The flops are 2 N m (2e + 3s).  No implementation that performs all multiplications of the formulas
and evaluates this σ once per unit and sample can be faster, unless σ overlaps with the
multiply-adds.  Loads, stores, σ′, sums and the update are not counted.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from batchprop.activations import ACTIVATIONS
from batchprop.engines.fused.activation_kernels import sigma
from batchprop.simd.load_store import load, store
from batchprop.simd.vectors import REGISTER_BITS, Vector, vec_type
from benchmarks import machine
from benchmarks.cases import Case

# Independent chains.  A processor with two units and a latency of 4 needs 8 to keep them busy; 12
# and two operands fit in 16 registers, so that the loop consists of nothing but multiply-adds.
ACCUMULATORS = 12
SIGMA_REGISTERS = 2, 4  # side by side in one evaluation of σ; the faster one counts
IN_CACHE = 4096  # elements of the array on which σ is timed
TRY_SECONDS, TRIES = 0.02, 5

Array = np.ndarray


@intrinsic
def _multiply_adds(typing: Any, numbers: Any, rounds: Any) -> Any:
    """``_multiply_adds(numbers, rounds)``: 12 vector multiply-adds per round, summed at the end."""
    vec = vec_type(numbers.dtype, 1)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(vec)
        source = context.make_array(numbers)(context, builder, args[0]).data

        def spread(index: int) -> Any:
            pointer = builder.gep(source, [ir.Constant(ir.IntType(64), index)])
            empty = ir.Constant(kind, ir.Undefined)
            one = builder.insert_element(empty, builder.load(pointer), ir.IntType(32)(0))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
            return builder.shuffle_vector(one, empty, mask)

        factor, term = spread(0), spread(1)
        accumulators = [cgutils.alloca_once_value(builder, spread(2)) for _ in range(ACCUMULATORS)]
        with cgutils.for_range(builder, args[1]):
            for accumulator in accumulators:
                product = Vector(builder, builder.load(accumulator)).fma(
                    Vector(builder, factor), Vector(builder, term)
                )
                builder.store(product.value, accumulator)
        total = Vector(builder, builder.load(accumulators[0]))
        for accumulator in accumulators[1:]:
            total = total + Vector(builder, builder.load(accumulator))
        return builder.extract_element(total.value, ir.IntType(32)(0))

    return numbers.dtype(numbers, types.intp), codegen


@numba.njit(nogil=True, error_model="numpy")
def multiply_adds(numbers, rounds):
    """Saturate the multiply-add units; the result has no meaning."""
    return _multiply_adds(numbers, rounds)


@functools.cache
def sigma_passes(registers: int) -> Callable[..., None]:
    """Return a compiled function that evaluates σ over an array that stays in cache."""

    @numba.njit(nogil=True, error_model="numpy")
    def passes(code, Z, H, step, count):
        for _ in range(count):
            for i in range(0, Z.size, step):
                store(H, i, sigma(code, load(Z, i, registers)))

    return passes


def _together(cores: list[int], work: Callable[[int], None]) -> float:
    """Run ``work(index)`` on each core at the same time; return the seconds until all finish."""
    barrier = threading.Barrier(len(cores) + 1)

    def member(index: int, core: int) -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(threading.get_native_id(), [core])
        barrier.wait()
        work(index)
        barrier.wait()

    threads = [threading.Thread(target=member, args=item) for item in enumerate(cores)]
    for thread in threads:
        thread.start()
    barrier.wait()
    began = time.perf_counter()
    barrier.wait()
    took = time.perf_counter() - began
    for thread in threads:
        thread.join()
    return took


def _alone(work: Callable[[int], None]) -> float:
    """Return the seconds that one core's work takes in this thread."""
    began = time.perf_counter()
    work(0)
    return time.perf_counter() - began


def _best_rate(
    cores: list[int], amount: int, make: Callable[[int], Callable[[int], None]]
) -> float:
    """Return units of work per second on all cores: the best of several short attempts.

    ``make(repetitions)`` returns the work for one core; ``amount`` is the units per repetition.
    """
    repetitions = 1
    while (took := min(_alone(make(repetitions)) for _ in range(3))) < TRY_SECONDS / 4:
        repetitions *= 4
    repetitions = max(1, round(repetitions * TRY_SECONDS / took))
    least = min(_together(cores, make(repetitions)) for _ in range(TRIES))
    return len(cores) * repetitions * amount / least


class Floor:
    """Measures the multiply-add peak of a dtype and the rate of an activation on given cores."""

    def __init__(self, case: Case, cores: list[int]) -> None:
        self._cores = cores
        dtype = np.dtype(case.dtype)
        self._numbers = np.array([0.999999, 1e-7, 1.0], dtype)
        self._lanes = REGISTER_BITS // (8 * dtype.itemsize)
        rng = np.random.default_rng(0)
        self._Z = [rng.normal(size=IN_CACHE).astype(dtype) for _ in cores]
        self._H = [np.empty(IN_CACHE, dtype) for _ in cores]
        self._code = ACTIVATIONS[case.activation].code
        multiply_adds(self._numbers, 1)
        self._sigma = min(map(self._sigma_work, SIGMA_REGISTERS), key=self._time_once)

    def _sigma_work(self, registers: int) -> Callable[[int, int], None]:
        """Return a function of a core's index and a number of passes."""
        passes, step = sigma_passes(registers), registers * self._lanes
        return lambda index, count: passes(self._code, self._Z[index], self._H[index], step, count)

    @staticmethod
    def _time_once(work: Callable[[int, int], None]) -> float:
        work(0, 1)  # compiles
        return min(_alone(lambda index: work(index, 20)) for _ in range(TRIES))

    def flops_per_second(self) -> float:
        """Return the peak rate; a multiply-add counts as two."""

        def make(repetitions: int) -> Callable[[int], None]:
            return lambda _: multiply_adds(self._numbers, 1000 * repetitions)

        return _best_rate(self._cores, 2 * 1000 * ACCUMULATORS * self._lanes, make)

    def activations_per_second(self) -> float:
        """Return the number of evaluations of σ per second."""

        def make(repetitions: int) -> Callable[[int], None]:
            return lambda index: self._sigma(index, repetitions)

        return _best_rate(self._cores, IN_CACHE, make)


def floor_seconds(case: Case, flops_per_second: float, activations_per_second: float) -> float:
    """Return the lower bound of the time of a step at these rates."""
    return case.flops / flops_per_second + case.n_activations / activations_per_second


class FloorSession:
    """The floor measurement as a participant of the rounds."""

    def __init__(self, case: Case, cores: list[int]) -> None:
        self._case, self._floor = case, Floor(case, cores)
        self.ready: dict[str, Any] = {
            "status": "ready",
            "instructions": f"{machine.vector_bits()}-bit {machine.instruction_set()} kernels",
        }

    def chunk(self) -> dict[str, float]:
        """Measure both rates once."""
        rates = self._floor.flops_per_second(), self._floor.activations_per_second()
        return {
            "step_seconds": floor_seconds(self._case, *rates),
            "flops_per_second": rates[0],
            "activations_per_second": rates[1],
        }

    def end(self) -> dict[str, float]:
        """Return no further information."""
        return {}
