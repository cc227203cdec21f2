"""How many instructions a core takes in a cycle, beside what its other thread takes.

    python -m benchmarks.core_share                           ten seconds

Many cores run two threads, and divide what they take in per cycle between them.  On a rented
machine the other thread may be somebody else's.  Loops with many instructions for each multiply-add
are then slower, and a step takes longer though nothing of ours has changed.

Instructions that do nothing need nothing else of a core.  Cycles are counted by a chain in which
each instruction waits for the one before and takes one cycle.  Both are timed in turns, and rounds
in which only one of them was interrupted are at the ends of the quantiles.
"""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from benchmarks import markdown

SECONDS = 10.0
IN_A_ROW = 600  # instructions that do nothing; the loop around them is negligible
LINKS = 3  # instructions in a link of the chain: a shift, an exclusive or, an addition
ROUNDS, CHAIN_ROUNDS = 200, 7_000  # each of them 7 to 20 microseconds
QUANTILES = 0.05, 0.25, 0.5, 0.75, 0.95

binding.initialize_native_asmparser()  # LLVM reads the instructions as text


@intrinsic
def _do_nothing(typing: Any) -> Any:
    """``_do_nothing()``: many instructions that do nothing."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [])
        builder.call(ir.InlineAsm(kind, "nop\n" * IN_A_ROW, "", side_effect=True), [])
        return context.get_dummy_value()

    return types.void(), codegen


@numba.njit(nogil=True)
def do_nothing(rounds):
    """Run instructions that do nothing."""
    for _ in range(rounds):
        _do_nothing()


@numba.njit(nogil=True)
def chain(rounds, x):
    """Run a chain of instructions; the result has no meaning."""
    for _ in range(rounds):
        x = (x ^ (x >> np.uint64(7))) + np.uint64(1)
    return x


def measure(seconds: float = SECONDS) -> np.ndarray:
    """Return instructions in a cycle, round by round."""
    start = np.uint64(1)
    do_nothing(1), chain(1, start)
    found = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(found) < 5:
        began = time.perf_counter()
        chain(CHAIN_ROUNDS, start)
        between = time.perf_counter()
        do_nothing(ROUNDS)
        nothing = time.perf_counter() - between
        cycle = (between - began) / (CHAIN_ROUNDS * LINKS)
        found.append(ROUNDS * IN_A_ROW * cycle / nothing)
    return np.array(found)


def main() -> None:
    """Print the quantiles."""
    found = np.quantile(measure(), QUANTILES)
    head = [markdown.percent(quantile) for quantile in QUANTILES]
    print("instructions in a cycle, by quantiles\n")
    print(markdown.table(head, [[markdown.number(value) for value in found]]))


if __name__ == "__main__":
    main()
