"""R's nnet package, if Rscript is installed: the time of one BFGS iteration.

nnet has no gradient descent, so this is not the same work (it includes function evaluations, a
gradient and an update of a matrix) and is reported for information only.  Its gradient is checked
nevertheless: the first iteration moves along it.  nnet uses logistic hidden units, double
precision and one thread.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.data import Blocks
from benchmarks.peers.candidate import Candidate, Unsuitable, Workload

SCRIPT = Path(__file__).with_suffix(".R")


class Nnet(Candidate):
    """A running R process that holds the data and reads commands line by line."""

    name = "nnet()"
    note = "BFGS iterations, for information"

    def build(self, workload: Workload) -> None:
        case = workload.case
        if shutil.which("Rscript") is None:
            raise Unsuitable("no Rscript")
        if case.activation != "logistic" or case.dtype != "float64":
            raise Unsuitable("nnet has logistic hidden units in double precision")
        self.shapes = [block.shape for block in workload.start]
        self.folder = tempfile.TemporaryDirectory(prefix="batchprop-r-")
        workload.X.tofile(self._path("X"))
        workload.T.tofile(self._path("T"))
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
        """Run gradient steps, each derived from one iteration of nnet; slow, used for the check."""
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


def candidates(workload: Workload) -> list[Candidate]:
    return [Nnet()]


def versions() -> dict[str, str]:
    if shutil.which("Rscript") is None:
        return {}
    said = subprocess.run(["Rscript", "--version"], capture_output=True, text=True, check=False)
    words = (said.stdout + said.stderr).split()
    return {"R": next((word for word in words if word[0].isdigit()), "?")}


def instructions() -> str:
    return "C, as R was compiled"
