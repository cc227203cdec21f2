"""kill -9 at any moment leaves a checkpoint that loads and goes on to the same bits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from batchprop import Checkpoint, train
from batchprop.solvers.settings import RESUMABLE
from batchprop.training.checkpoint import writer
from tests.platforms import needs_fork, needs_kill
from tests.problems import problem
from tests.project import ROOT, SRC
from tests.resumed import assert_same_run

CASE = problem(e=2, m=4, s=1, n_samples=20)
ALL = 3000
KILLS = 20


def trained(path, **options):
    """Train to the same end from wherever the file stands."""
    before = Checkpoint.load(path) if path.exists() else None
    left = ALL if before is None else ALL - before.n_epochs
    return train(
        CASE.X, CASE.T, hidden_size=None if before else 4, tol=None, gradient_tol=None, n_threads=1,
        alpha=0.0, max_epochs=left, resume=before, **options,
    )  # fmt: skip


def killed(path, writes, seconds, **options):
    """Train in a process of its own; kill it so long after it has written so many files."""
    child = os.fork()
    if child == 0:
        writer._SHARE = 1e9  # writing may take all of the time
        trained(
            path, checkpoint=path, checkpoint_seconds=0, callback=lambda progress: None,
            callback_every=10, **options,
        )  # fmt: skip
        os._exit(0)
    seen = written(path)
    while writes > 0:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return  # it came to its end
        now = written(path)
        writes, seen = writes - (now != seen), now
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def written(path):
    return path.stat().st_mtime_ns if path.exists() else None


def main(folder):
    """Kill runs of all solvers again and again; then let each come to its end."""
    rng, folder = np.random.default_rng(0), Path(folder)
    paths = {solver: folder / f"{solver}.npz" for solver in RESUMABLE}
    wholes = {solver: trained(folder / "none", solver=solver) for solver in RESUMABLE}
    reached = []
    for solver in (list(RESUMABLE) * KILLS)[: max(KILLS, 2 * len(RESUMABLE))]:
        killed(paths[solver], rng.integers(6), rng.uniform(0, 0.01), solver=solver)
        if paths[solver].exists():  # or it was killed before the first was written
            found = Checkpoint.load(paths[solver])
            assert found.stop_reason in ("running", wholes[solver].stop_reason)
            reached.append(found.n_epochs)
    assert len(set(reached)) > KILLS // 4, reached
    for solver, path in paths.items():
        assert_same_run(trained(path, solver=solver), wholes[solver])


@needs_fork
@needs_kill
def test_killed_at_any_moment(tmp_path):
    code = (
        "import sys; from tests.training.checkpoint import test_checkpoint_killed as it; "
        "it.main(sys.argv[1])"
    )
    environment = os.environ | {"PYTHONPATH": f"{SRC}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], cwd=ROOT, env=environment, check=False,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
