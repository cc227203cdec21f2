"""R's nnet package, if there is an Rscript: the time of one of its BFGS iterations.

nnet has no plain gradient descent, so this is not the same work (one or more function evaluations,
a gradient and the update of a matrix) and stands beside the others for information only.  Its
gradient is checked all the same: the first iteration moves along it.  It has logistic hidden units,
double precision and one thread.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.data import Blocks
from benchmarks.peers.candidate import Candidate, Given, Unsuitable

SCRIPT = Path(__file__).with_suffix(".R")


class Nnet(Candidate):
    """A running R that holds the data and is told what to do line by line."""

    name = "nnet()"
    note = "BFGS iterations, for information"

    def build(self, given: Given) -> None:
        case = given.case
        if shutil.which("Rscript") is None:
            raise Unsuitable("no Rscript")
        if case.activation != "logistic" or case.dtype != "float64":
            raise Unsuitable("nnet has logistic hidden units in double precision")
        self.shapes = [block.shape for block in given.start]
        self.folder = tempfile.TemporaryDirectory(prefix="batchprop-r-")
        given.X.tofile(self._path("X"))
        given.T.tofile(self._path("T"))
        sizes = map(str, (case.e, case.m, case.s, case.n_samples))
        self.process = subprocess.Popen(
            ["Rscript", "--vanilla", str(SCRIPT), self.folder.name, *sizes],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        if self._ask("") != "nnet":
            raise Unsuitable("the package nnet is not installed for R")

    def _path(self, name: str) -> str:
        return str(Path(self.folder.name) / name)

    def _ask(self, line: str) -> str:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        reply = self.process.stdout.readline().strip()
        if not reply:
            raise RuntimeError("R has ended")
        return reply

    def load(self, start: Blocks, rate: float) -> None:
        self.rate = rate
        np.concatenate([block.ravel() for block in start]).tofile(self._path("theta"))
        self._ask("load")

    def run(self, steps: int) -> float:
        """Take gradient steps, each from what one iteration of nnet tells; slow, for the check."""
        return float(self._ask(f"descend {steps} {self.rate!r}"))

    def seconds(self, steps: int) -> float:
        return float(self._ask(f"time {steps}"))

    def blocks(self) -> Blocks:
        self._ask("save")
        theta = np.fromfile(self._path("theta"))
        ends = np.cumsum([np.prod(shape, dtype=int) for shape in self.shapes])[:-1]
        parts = np.split(theta, ends)
        return Blocks(*(part.reshape(s) for part, s in zip(parts, self.shapes, strict=True)))

    def close(self) -> None:
        if hasattr(self, "process"):
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
        super().close()


def candidates(given: Given) -> list[Candidate]:
    return [Nnet()]


def versions() -> dict[str, str]:
    if shutil.which("Rscript") is None:
        return {}
    said = subprocess.run(["Rscript", "--version"], capture_output=True, text=True, check=False)
    words = (said.stdout + said.stderr).split()
    return {"R": next((word for word in words if word[0].isdigit()), "?")}
