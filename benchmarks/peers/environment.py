"""The environment of each library's process: threads, memory allocation and BLAS at their best.

Three settings, often left to chance, change timings by up to a factor of two:

* OpenBLAS selects kernels by the processor unless ``OPENBLAS_CORETYPE`` overrides it, so the
  variable is removed.
* NumPy requests huge pages from the system; other libraries do not, unless glibc is told to do so
  before the program starts.
* Memory that is returned to the system after each step has to be cleared again in the next one;
  glibc can be told to keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.cases import Case

ROOT = Path(__file__).resolve().parent.parent.parent
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NPROC",
)
KEEP_HUGE_PAGES = ":".join(
    (
        "glibc.malloc.hugetlb=1",
        "glibc.malloc.mmap_max=0",
        "glibc.malloc.trim_threshold=100000000000",
        "glibc.malloc.top_pad=67108864",
    )
)
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def environment(case: Case, threads: int, scratch: Path, xla_flags: str = "") -> dict[str, str]:
    """Return the environment variables of a worker; ``scratch`` is for compilers' files."""
    variables = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENBLAS_", "XLA_", "JAX_"))
    }
    variables |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    flags = [XLA_ONE_THREAD if threads == 1 else "", xla_flags]
    variables |= {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "PYTHONNOUSERSITE": "1",
        "OMP_DYNAMIC": "FALSE",
        "MKL_DYNAMIC": "FALSE",
        "GLIBC_TUNABLES": KEEP_HUGE_PAGES,
        "JAX_PLATFORMS": "cpu",
        "JAX_ENABLE_X64": "1" if case.dtype == "float64" else "0",
        "XLA_FLAGS": " ".join(filter(None, flags)),
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "inductor"),
    }
    return variables


def pin(cores: list[int]) -> None:
    """Pin this process to its cores, before any library counts them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
