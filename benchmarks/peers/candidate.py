"""One way to compute a gradient step with a library, and the check of its result."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import NamedTuple

from benchmarks.cases import Case
from benchmarks.data import Array, Blocks, block_errors
from benchmarks.peers.storage import MOVE_RATE, MOVE_STEPS, Expected

BOUND = {"float32": 1e-3, "float64": 1e-9}  # relative to a gradient block's norm
LOSS_SLACK = 10  # factor on the bound for the loss: float32 sums over 10⁷ samples are less accurate
MOVE_SLACK = 3  # factor on the bound after twenty steps, which accumulate rounding


class Workload(NamedTuple):
    """A candidate's input in the case's dtype: samples as rows, and initial parameters."""

    case: Case
    X: Array  # (N, e), C-ordered
    T: Array  # (N, s), C-ordered
    start: Blocks
    threads: int


class Unsuitable(Exception):
    """Raised by ``build`` if an implementation is not applicable to a case."""


class Candidate(ABC):
    """An implementation of gradient descent; libraries derive from this class.

    ``build`` may prepare and compile anything; it is not timed.  ``multiple`` is the number of
    steps that a compiled call performs: except in checks, ``run`` is called with multiples of it.
    """

    name = ""
    multiple = 1
    note = ""

    @abstractmethod
    def build(self, workload: Workload) -> None:
        """Prepare everything; raise Unsuitable if the implementation makes no sense here."""

    @abstractmethod
    def load(self, start: Blocks, rate: float) -> None:
        """Set the parameters (copied) and the learning rate."""

    @abstractmethod
    def run(self, steps: int) -> float:
        """Perform so many steps; return the loss before the last one."""

    @abstractmethod
    def blocks(self) -> Blocks:
        """Return the parameters as NumPy arrays."""

    def seconds(self, steps: int) -> float:
        """Return the time of so many steps in seconds."""
        began = time.perf_counter()
        self.run(steps)
        return time.perf_counter() - began

    def close(self) -> None:
        """Release all memory."""
        self.__dict__.clear()


class Verdict(NamedTuple):
    """How far a candidate's results deviate from the reference."""

    passed: bool
    gradient_error: float
    worst_block: str
    loss_error: float
    move_error: float | None


def judge(candidate: Candidate, workload: Workload, expected: Expected) -> Verdict:
    """Compare the results of the timed code itself with the reference.

    One step with learning rate 1 changes the parameters by the gradient.  On small cases some
    further steps are compared as well, to detect a candidate that does not update its parameters.
    """
    bound = BOUND[workload.case.dtype]
    exact = workload.start.astype("float64")
    candidate.load(workload.start, 1.0)
    loss = candidate.run(1)
    gradient = Blocks(
        *(a - b.reshape(a.shape) for a, b in zip(exact, candidate.blocks(), strict=True))
    )
    errors = block_errors(gradient, expected.gradient)
    worst = max(errors, key=lambda name: _size(errors[name]))
    loss_error = abs(loss / expected.loss - 1)
    passed = errors[worst] <= bound and loss_error <= LOSS_SLACK * bound
    move_error = None
    if expected.moved is not None:
        candidate.load(workload.start, MOVE_RATE)
        candidate.run(MOVE_STEPS)
        move, right = (
            Blocks(*(b.reshape(a.shape) - a for a, b in zip(exact, end, strict=True)))
            for end in (candidate.blocks(), expected.moved)
        )
        move_error = max(block_errors(move, right).values(), key=_size)
        passed = passed and move_error <= MOVE_SLACK * bound
    return Verdict(passed, errors[worst], worst, loss_error, move_error)


def _size(error: float) -> float:
    """Return an error for comparisons; NaN counts as the largest."""
    return error if error == error else float("inf")
