"""The floor: what a step takes at least on these cores, from rates measured in the same rounds.

    floor = flops / (peak of fused multiply-adds) + N m / (rate of the vector σ alone, in cache)

The flops are 2 N m (2e + 3s).  Nothing can be faster that multiplies every number where the
formulas do and evaluates this σ once for each unit and sample, unless σ's instructions overlap with
the multiply-adds; loads, stores, σ′, sums and the update are free at the floor.
"""

from __future__ import annotations

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
from batchprop.simd.vectors import NATIVE, WIDE, Vector, lanes, vec_type
from benchmarks.cases import Case

ACCUMULATORS = 12  # independent chains: enough to hide the latency, with 16 registers too
IN_CACHE = 4096  # elements of σ's array
TRY_SECONDS, TRIES = 0.02, 5

Array = np.ndarray


@intrinsic
def _multiply_adds(typing: Any, numbers: Any, rounds: Any) -> Any:
    """``_multiply_adds(numbers, rounds)``: rounds of 12 vectors' multiply-adds, summed up."""
    vec = vec_type(numbers.dtype, NATIVE)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(vec)
        source = context.make_array(numbers)(context, builder, args[0]).data

        def spread(place: int) -> Any:
            pointer = builder.gep(source, [ir.Constant(ir.IntType(64), place)])
            empty = ir.Constant(kind, ir.Undefined)
            one = builder.insert_element(empty, builder.load(pointer), ir.IntType(32)(0))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), None)
            return builder.shuffle_vector(one, empty, mask)

        factor, term = spread(0), spread(1)
        places = [cgutils.alloca_once_value(builder, spread(2)) for _ in range(ACCUMULATORS)]
        with cgutils.for_range(builder, args[1]):
            for place in places:
                found = Vector(builder, builder.load(place)).fma(
                    Vector(builder, factor), Vector(builder, term)
                )
                builder.store(found.value, place)
        total = Vector(builder, builder.load(places[0]))
        for place in places[1:]:
            total = total + Vector(builder, builder.load(place))
        return builder.extract_element(total.value, ir.IntType(32)(0))

    return numbers.dtype(numbers, types.intp), codegen


@numba.njit(nogil=True, error_model="numpy")
def multiply_adds(numbers, rounds):
    """Keep the multiply-add units busy; the result is of no use."""
    return _multiply_adds(numbers, rounds)


@numba.njit(nogil=True, error_model="numpy")
def sigma_passes(code, Z, H, step, passes):
    """Evaluate σ over an array that stays in cache."""
    for _ in range(passes):
        for i in range(0, Z.size, step):
            store(H, i, sigma(code, load(Z, i, WIDE)))


def _together(cores: list[int], work: Callable[[int], None]) -> float:
    """Run ``work(index)`` on each of the cores at once; return the seconds until all are done."""
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
    """Return units of work a second, all cores together: the best of some short tries.

    ``make(repetitions)`` gives the work of a core, ``amount`` is how much one repetition is.
    """
    repetitions = 1
    while (took := min(_alone(make(repetitions)) for _ in range(3))) < TRY_SECONDS / 4:
        repetitions *= 4
    repetitions = max(1, round(repetitions * TRY_SECONDS / took))
    least = min(_together(cores, make(repetitions)) for _ in range(TRIES))
    return len(cores) * repetitions * amount / least


class Floor:
    """Measures a dtype's multiply-add peak and an activation's rate on some cores."""

    def __init__(self, case: Case, cores: list[int]) -> None:
        self._cores = cores
        dtype = np.dtype(case.dtype)
        self._numbers = np.array([0.999999, 1e-7, 1.0], dtype)
        self._native = lanes(8 * dtype.itemsize, NATIVE)
        self._wide = lanes(8 * dtype.itemsize, WIDE)
        rng = np.random.default_rng(0)
        self._Z = [rng.normal(size=IN_CACHE).astype(dtype) for _ in cores]
        self._H = [np.empty(IN_CACHE, dtype) for _ in cores]
        self._code = ACTIVATIONS[case.activation].code
        multiply_adds(self._numbers, 1)
        sigma_passes(self._code, self._Z[0], self._H[0], self._wide, 1)

    def flops_per_second(self) -> float:
        """Return twice the multiply-adds a second."""

        def make(repetitions: int) -> Callable[[int], None]:
            return lambda _: multiply_adds(self._numbers, 1000 * repetitions)

        return _best_rate(self._cores, 2 * 1000 * ACCUMULATORS * self._native, make)

    def activations_per_second(self) -> float:
        """Return how many σ a second."""

        def make(repetitions: int) -> Callable[[int], None]:
            return lambda index: sigma_passes(
                self._code, self._Z[index], self._H[index], self._wide, repetitions
            )

        return _best_rate(self._cores, IN_CACHE, make)


def floor_seconds(case: Case, flops_per_second: float, activations_per_second: float) -> float:
    """Return the least a step of a case can take at these rates."""
    return case.flops / flops_per_second + case.n_activations / activations_per_second


class FloorSession:
    """The floor in a worker's rounds."""

    def __init__(self, case: Case, cores: list[int]) -> None:
        self._case, self._floor = case, Floor(case, cores)
        self.ready: dict[str, Any] = {"status": "ready"}

    def chunk(self) -> dict[str, float]:
        """Measure both rates once."""
        rates = self._floor.flops_per_second(), self._floor.activations_per_second()
        return {
            "step_seconds": floor_seconds(self._case, *rates),
            "flops_per_second": rates[0],
            "activations_per_second": rates[1],
        }

    def end(self) -> dict[str, float]:
        """Nothing to add."""
        return {}
