"""``make demo-cluster``: it kills a worker, and the bits are those of one process."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.project import ROOT, SRC


def test_the_demo_kills_a_worker_and_compares_the_bits():
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "examples" / "cluster_demo.py")),
            *("--samples", "140000", "--epochs", "8", "--hidden", "5"),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(SRC)},
    )
    assert done.returncode == 0, done.stderr
    assert "epoch 4: killing the worker tcp://" in done.stdout
    assert "the run goes on" in done.stdout
    assert done.stdout.endswith("the networks have the same bits\n")
