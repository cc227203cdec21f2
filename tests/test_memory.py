"""What training allocates: a few MiB whatever N is, nothing a step, no copy of a file on disk."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.project import ROOT, SRC

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="peak memory is read from /proc, the limit is Linux's"
)
if sys.platform == "linux":
    from benchmarks.memory import growth, limited, limited_blocks
    from benchmarks.memory_process import MIB, N_HIDDEN

# Counts what compiled code allocates, over runs of different length.
COUNT_ALLOCATIONS = """
import numpy as np
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys

import batchprop

rtsys.initialize(cpu_target.target_context)  # kernels that were kept need none of it
rng = np.random.default_rng(0)
X, T = rng.normal(size=(8, 3000)), rng.normal(size=(2, 3000))


def train(epochs, n_threads):
    result = batchprop.train(
        X, T, hidden_size=20, solver="gd", max_epochs=epochs, gradient_tol=None, tol=None,
        n_threads=n_threads,
    )
    assert result.n_epochs == epochs


def allocations(epochs, n_threads):
    before = rtsys.get_allocation_stats().alloc
    train(epochs, n_threads)
    return rtsys.get_allocation_stats().alloc - before


for n_threads in (1, 3):
    train(1, n_threads)
    # more epochs are more bursts of compiled code, a few allocations each, but not one a step
    assert allocations(2000, n_threads) - allocations(100, n_threads) < 1000
"""


@linux_only
def test_memory_of_training_does_not_depend_on_n():
    few, many = 20_000, 1_000_000
    runs = [(few, 3), (many, 3), (many, 1)]
    grown = [growth("fused", *run)["growth_bytes"] for run in runs]
    assert max(grown) < 8 * MIB, grown
    # the measurement sees arrays over all samples where there are some
    at_least = 4 * N_HIDDEN * many
    assert growth("vectorized", many, 1)["growth_bytes"] > at_least


@linux_only
def test_a_file_larger_than_the_memory_limit_trains(tmp_path):
    found = limited(tmp_path, n_samples=14_000_000, spare_mib=48)
    assert found["file_bytes"] > 1.5 * found["limit_bytes"]
    assert found["copy_refused"]
    assert found["losses"][-1] < found["losses"][0]


@linux_only
def test_blocks_of_three_times_the_memory_limit_train():
    found = limited_blocks(times=3.0, spare_mib=64)
    assert found["source_bytes"] > 3.0 * found["limit_bytes"]
    assert found["losses"][-1] < found["losses"][0]


def test_a_step_allocates_nothing():
    done = subprocess.run(
        [sys.executable, "-c", COUNT_ALLOCATIONS],
        env=os.environ | {"PYTHONPATH": str(SRC), "NUMBA_NRT_STATS": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
