"""The instructions of the compiled code in an evaluation, counted by valgrind, on one thread.

    python -m benchmarks.instruction_count                    8-50-1 with relu: two minutes
    python -m benchmarks.instruction_count 1 64 1 24000 --activation tanh --dtype float64

Counts do not depend on neighbours or the clock.  The rest of the process is not counted: Python's
instructions differ by thousands from run to run.  Straight pieces of code that run equally often
are listed together: a loop is one line.

Kernels are compiled outside of valgrind, for this processor unless ``--processor`` names another,
because inside of it LLVM sees the processor that valgrind shows.  valgrind knows no AVX-512: on
such a machine the processor is haswell.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from llvmlite import binding

from batchprop.activations import ACTIVATIONS
from benchmarks import markdown
from benchmarks.cases import Case, add_net, case, chosen

CASES = [case(8, 50, 1, 24_000, "relu", "float32")]
GROUP = 16  # samples for which instructions are counted: a panel of float32 with AVX2
EVALUATIONS = 20  # so that what a process does once is rounded away
LISTED = 0.01  # of all instructions: pieces of code with fewer are added up
GAP = 64  # bytes between instructions that belong to the same piece, at most

_POSITION = re.compile(r"(0x[0-9a-f]+|[+-]\d+|\*) \S+ (\d+)")  # address, line, instructions
_ANONYMOUS = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r?.?x\S* \S+ \S+ 0\s*$")


class Piece(NamedTuple):
    """Instructions in a row that run equally often."""

    instructions: int
    times: float

    @property
    def count(self) -> float:
        """Instructions that are executed."""
        return self.instructions * self.times


def executed(lines: Iterable[str]) -> Counter[int]:
    """Return how often each address was executed, from a profile of callgrind.

    Addresses may be relative to the line before; the line after ``calls=`` is the cost of a call,
    which its instructions have counted themselves.
    """
    found: Counter[int] = Counter()
    address, is_call = 0, False
    for line in lines:
        if line.startswith("calls="):
            is_call = True
        elif match := _POSITION.match(line):
            position, count = match.groups()
            if position.startswith("0x"):
                address = int(position, 16)
            elif position != "*":
                address += int(position)
            if not is_call:
                found[address] += int(count)
            is_call = False
    return found


def compiled_code(maps: Iterable[str]) -> list[range]:
    """Return the memory of compiled kernels: executable, and not a file."""
    matches = filter(None, map(_ANONYMOUS.match, maps))
    return [range(int(match[1], 16), int(match[2], 16)) for match in matches]


def pieces(counts: Counter[int], memory: list[range], groups: float) -> Iterator[Piece]:
    """Return the pieces of code that run at least once in five groups, in order of addresses."""
    inside = sorted(
        address
        for address, count in counts.items()
        if count > groups / 5 and any(address in part for part in memory)
    )
    piece: list[int] = []
    for address in inside:
        follows = piece and address - piece[-1] < GAP and counts[address] == counts[piece[-1]]
        if piece and not follows:
            yield Piece(len(piece), counts[piece[0]] / groups)
            piece = []
        piece.append(address)
    if piece:
        yield Piece(len(piece), counts[piece[0]] / groups)


def evaluate(one: Case) -> None:
    """Evaluate loss and gradient, and print the executable memory of this process."""
    import numpy as np

    from batchprop.engines.fused.objective import Objective
    from batchprop.engines.samples import Samples
    from batchprop.network import Network

    rng = np.random.default_rng(0)
    X = rng.normal(size=(one.e, one.n_samples)).astype(one.dtype)
    T = rng.normal(size=(one.s, one.n_samples)).astype(one.dtype)
    network = Network.initialize(
        one.e, one.m, one.s, activation=one.activation, dtype=one.dtype, seed=0
    )
    gradient = np.empty_like(network.theta)
    samples, shape = Samples(X, T, None, None), network.shape
    with Objective(samples, shape, one.activation, network.dtype, n_threads=1) as objective:
        for _ in range(EVALUATIONS):
            objective.loss_and_gradient(network.theta, gradient)
    print(Path("/proc/self/maps").read_text())


def measure(one: Case, processor: str) -> list[Piece]:
    """Count the instructions of a case."""
    program = [
        *(sys.executable, "-m", "benchmarks.instruction_count", "--evaluate"),
        *map(str, (one.e, one.m, one.s, one.n_samples)),
        *("--activation", one.activation, "--dtype", one.dtype),
    ]
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "profile"
        environment = os.environ | _target(processor) | {"NUMBA_CACHE_DIR": folder}
        subprocess.run(program, env=environment, check=True, stdout=subprocess.DEVNULL)
        valgrind = [
            *("valgrind", "--tool=callgrind", "--dump-instr=yes", "--quiet"),
            f"--callgrind-out-file={profile}",
        ]
        done = subprocess.run(
            valgrind + program, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        with profile.open() as lines:
            counts = executed(lines)
    groups = EVALUATIONS * one.n_samples / GROUP
    return list(pieces(counts, compiled_code(done.stdout.splitlines()), groups))


def _target(processor: str) -> dict[str, str]:
    """Return the variables by which numba compiles for a processor, inside of valgrind as well."""
    if processor:
        return {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""}
    features = binding.get_host_cpu_features()
    if any(features.get(name) for name in features if name.startswith("avx512")):
        return _target("haswell")
    return {
        "NUMBA_CPU_NAME": binding.get_host_cpu_name(),
        "NUMBA_CPU_FEATURES": features.flatten(),
    }


def report(one: Case, found: list[Piece]) -> str:
    """Return the total and a table of the pieces, the largest first."""
    total = sum(piece.count for piece in found)
    largest = sorted(found, key=lambda piece: piece.count, reverse=True)
    listed = list(itertools.takewhile(lambda piece: piece.count >= LISTED * total, largest))
    rest = sum(piece.count for piece in largest[len(listed) :])
    rows = [[f"{p.count:,.0f}", str(p.instructions), f"{p.times:.1f}"] for p in listed]
    head = ("instructions executed", "instructions in a row", "times")
    return (
        f"{one.net}, {one.activation}, {one.dtype}: {total:,.0f} instructions for {GROUP} samples\n"
        f"\n{markdown.table(head, [*rows, [f'{rest:,.0f}', 'all others', '']])}"
    )


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_net(parser)
    parser.add_argument("--activation", choices=sorted(ACTIVATIONS), default="relu")
    parser.add_argument("--processor", default="", help="an LLVM name; this one unless said")
    parser.add_argument("--evaluate", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    cases = chosen(parser, options, CASES, options.activation)
    if options.evaluate:
        evaluate(cases[0])
        return
    if shutil.which("valgrind") is None:
        parser.error("valgrind must be installed; got no program of that name on the PATH")
    for one in cases:
        print(report(one, measure(one, options.processor)))


if __name__ == "__main__":
    main()
