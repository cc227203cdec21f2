"""A pass over several times the memory that a process may use."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

ROWS = 300_000
PROGRAM = """
import resource, sys
from batchprop import Blocks

def blocks(n):
    return Blocks.from_files([sys.argv[1]] * n, targets=[-1])

blocks(1)[0].X.sum()  # whatever the libraries need
with open("/proc/self/status") as file:
    used = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmSize:"))
limit = used + (120 << 20)
bytes_of_file = 300_000 * 8 * 8
n_files = 3 * limit // bytes_of_file + 1
many = blocks(n_files)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
n_samples, total = 0, 0.0
for samples in many.read():
    n_samples += samples.X.shape[1]
    total += float(samples.T.sum())
assert n_samples == many.n_samples == n_files * 300_000
assert n_samples * 64 > 3 * limit
print(total / n_files)
"""


def write(name, table):
    if name.endswith("npy"):
        np.save(name, table)
        return
    h5py = pytest.importorskip("h5py")
    with h5py.File(name, "w") as file:
        file.create_dataset("table", data=table, chunks=(10_000, 8), compression="lzf")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc and limits the address space")
@pytest.mark.parametrize("name", ["x.npy", "x.h5"])
def test_memory_does_not_grow_with_the_source(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    table = np.tile(np.arange(8.0), (ROWS, 1))
    write(name, table)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == pytest.approx(7.0 * ROWS)
