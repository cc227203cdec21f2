"""One way to compute the step with a library, and whether what it computes is right."""

from __future__ import annotations

import time
from typing import NamedTuple

from benchmarks.cases import Case
from benchmarks.data import Array, Blocks, block_errors
from benchmarks.peers.storage import MOVE_RATE, MOVE_STEPS, Expected

BOUND = {"float32": 1e-3, "float64": 1e-9}  # of a gradient block's norm
LOSS_SLACK = 10  # float32 sums over 10⁷ samples are so much further off
MOVE_SLACK = 3  # twenty steps gather more rounding than one


class Given(NamedTuple):
    """What a candidate is built from: samples as rows, and a start, in the case's dtype."""

    case: Case
    X: Array  # (N, e), C-ordered
    T: Array  # (N, s), C-ordered
    start: Blocks
    threads: int


class Unsuitable(Exception):
    """Raised by ``build`` where a way of computing does not apply to a case."""


class Candidate:
    """A way to compute; libraries derive from it.

    ``build`` may lay out and compile what it likes, untimed.  ``multiple`` is how many steps its
    compiled code takes at once: it is only asked for multiples of it, but for the checks.
    """

    name = ""
    multiple = 1
    note = ""

    def build(self, given: Given) -> None:
        """Get ready; raise Unsuitable where there is no point."""
        raise NotImplementedError

    def load(self, start: Blocks, rate: float) -> None:
        """Take these parameters (copies) and this step size."""
        raise NotImplementedError

    def run(self, steps: int) -> float:
        """Take so many steps; return the loss before the last of them."""
        raise NotImplementedError

    def blocks(self) -> Blocks:
        """Return the parameters as NumPy arrays."""
        raise NotImplementedError

    def seconds(self, steps: int) -> float:
        """Return how long so many steps take."""
        began = time.perf_counter()
        self.run(steps)
        return time.perf_counter() - began

    def close(self) -> None:
        """Let all memory go."""
        self.__dict__.clear()


class Verdict(NamedTuple):
    """How far a candidate's results are from the reference's."""

    passed: bool
    gradient_error: float
    worst_block: str
    loss_error: float
    move_error: float | None


def judge(candidate: Candidate, given: Given, expected: Expected) -> Verdict:
    """Compare what the timed code itself computes with the reference.

    One step of size 1 moves the parameters by the gradient.  On small cases some further steps
    must lead to the same place: a step that forgets its update would pass the first test.
    """
    bound = BOUND[given.case.dtype]
    exact = given.start.astype("float64")
    candidate.load(given.start, 1.0)
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
        candidate.load(given.start, MOVE_RATE)
        candidate.run(MOVE_STEPS)
        move, right = (
            Blocks(*(b.reshape(a.shape) - a for a, b in zip(exact, end, strict=True)))
            for end in (candidate.blocks(), expected.moved)
        )
        move_error = max(block_errors(move, right).values(), key=_size)
        passed = passed and move_error <= MOVE_SLACK * bound
    return Verdict(passed, errors[worst], worst, loss_error, move_error)


def _size(error: float) -> float:
    """Return an error for comparison: NaN is the largest."""
    return error if error == error else float("inf")
