"""R's nnet, if there is an Rscript: BFGS with a full matrix, in C, one thread.

Its hidden units are logistic.  A network of tanh units is one of logistic units all the same, since
tanh(z) = 2σ(2z) − 1: it starts at the same function.  It tells no times on the way, so that only
its end is known.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.data import Blocks
from benchmarks.time_to_loss.problems import Given
from benchmarks.time_to_loss.trail import Point
from benchmarks.time_to_loss.trainers import Unsuitable

SCRIPT = Path(__file__).with_suffix(".R")
LIMIT = 10**6


def as_logistic(place: Blocks) -> Blocks:
    """Return the parameters of logistic units that make the function these make with tanh."""
    W_h, b_h, W_y, b_y = place
    return Blocks(2 * W_h, 2 * b_h, 2 * W_y, b_y - W_y.sum(axis=1))


class End:
    """Where and when nnet has ended: what is known of its trail."""

    def __init__(self, seconds: float, place: Blocks) -> None:
        self._seconds, self._place = seconds, place

    def points(self, given: Given) -> list[Point]:
        from benchmarks import data

        logistic = given.case._replace(activation="logistic")
        return [Point(self._seconds, data.loss(logistic, given.X, given.T, self._place))]


def _run(given: Given, most: int, cap: float) -> tuple[End, bool]:
    case = given.case
    if case.activation not in ("tanh", "logistic"):
        raise Unsuitable("nnet's hidden units are logistic")
    if shutil.which("Rscript") is None:
        raise Unsuitable("no Rscript")
    start = as_logistic(given.start) if case.activation == "tanh" else given.start
    with tempfile.TemporaryDirectory(prefix="batchprop-r-") as name:
        folder = Path(name)
        given.X.tofile(folder / "X")
        given.T.tofile(folder / "T")
        np.concatenate([block.ravel() for block in start]).tofile(folder / "theta")
        sizes = (case.e, case.m, case.s, case.n_samples, most, cap)
        words = ["Rscript", "--vanilla", str(SCRIPT), name, *map(str, sizes)]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
        if said.returncode == 3:
            raise Unsuitable("the package nnet is not installed for R")
        if said.returncode:
            raise RuntimeError(f"nnet: {said.stderr.strip()[-200:]}")
        seconds, unfinished = said.stdout.split()
        theta = np.fromfile(folder / "theta")
    ends = np.cumsum([block.size for block in start])[:-1]
    parts = zip(np.split(theta, ends), start, strict=True)
    place = Blocks(*(part.reshape(block.shape) for part, block in parts))
    return End(float(seconds), place), unfinished == "0"


def warm_up(given: Given, solver: str) -> None:
    """Nothing is left over from one process to the next."""


def train(given: Given, solver: str, cap: float) -> tuple[End, bool]:
    """Train to the end, or as many iterations as fit into the time."""
    return _run(given, LIMIT, cap)


def versions() -> dict[str, str]:
    if shutil.which("Rscript") is None:
        return {}
    said = subprocess.run(["Rscript", "--version"], capture_output=True, text=True, check=False)
    words = (said.stdout + said.stderr).split()
    return {"R": next((word for word in words if word[0].isdigit()), "?")}
