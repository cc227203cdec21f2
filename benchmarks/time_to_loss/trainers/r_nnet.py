"""R's nnet, if Rscript is installed: BFGS with a full matrix, in C, on one thread.

Its hidden units are logistic.  A network of tanh units can be written as one of logistic units,
since tanh(z) = 2σ(2z) − 1, so that it starts from the same function.  nnet reports no intermediate
times: only its final result is known.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.data import Blocks
from benchmarks.time_to_loss.problems import Workload
from benchmarks.time_to_loss.trail import Point
from benchmarks.time_to_loss.trainers import Unsuitable

SCRIPT = Path(__file__).with_suffix(".R")
LIMIT = 10**6


def as_logistic(parameters: Blocks) -> Blocks:
    """Return logistic units' parameters that give the same function as these with tanh."""
    W_h, b_h, W_y, b_y = parameters
    return Blocks(2 * W_h, 2 * b_h, 2 * W_y, b_y - W_y.sum(axis=1))


class End:
    """The final result of nnet and its time, in place of a trail."""

    def __init__(self, seconds: float, parameters: Blocks) -> None:
        self._seconds, self._parameters = seconds, parameters

    def points(self, workload: Workload) -> list[Point]:
        from benchmarks import data

        logistic = workload.case._replace(activation="logistic")
        return [Point(self._seconds, data.loss(logistic, workload.X, workload.T, self._parameters))]


def _run(workload: Workload, most: int, cap: float) -> tuple[End, bool]:
    case = workload.case
    if case.activation not in ("tanh", "logistic"):
        raise Unsuitable("nnet's hidden units are logistic")
    if shutil.which("Rscript") is None:
        raise Unsuitable("no Rscript")
    start = as_logistic(workload.start) if case.activation == "tanh" else workload.start
    with tempfile.TemporaryDirectory(prefix="batchprop-r-") as name:
        folder = Path(name)
        workload.X.tofile(folder / "X")
        workload.T.tofile(folder / "T")
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
    parameters = Blocks(*(part.reshape(block.shape) for part, block in parts))
    return End(float(seconds), parameters), unfinished == "0"


def warm_up(workload: Workload, solver: str) -> None:
    """Do nothing: nnet keeps nothing from one process to the next."""


def train(workload: Workload, solver: str, cap: float) -> tuple[End, bool]:
    """Train to convergence, or as many iterations as the time allows."""
    return _run(workload, LIMIT, cap)


def versions() -> dict[str, str]:
    if shutil.which("Rscript") is None:
        return {}
    said = subprocess.run(["Rscript", "--version"], capture_output=True, text=True, check=False)
    words = (said.stdout + said.stderr).split()
    return {"R": next((word for word in words if word[0].isdigit()), "?")}
