"""The environment each library computes in: its threads, and memory and BLAS at their best.

Three settings that are left to chance on many machines decide figures by up to a factor of two:

* OpenBLAS chooses kernels by the processor, unless ``OPENBLAS_CORETYPE`` says otherwise: it must
  not.
* NumPy asks the system for huge pages, other libraries' temporaries do not; glibc asks for them
  too when told so before a program starts.
* Memory that is given back after each step has to be cleared page by page at the next; glibc keeps
  it when told so.
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
    """Return the variables of a worker's process; ``scratch`` is for its compilers' files."""
    found = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OPENBLAS_", "XLA_", "JAX_"))
    }
    found |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    flags = [XLA_ONE_THREAD if threads == 1 else "", xla_flags]
    found |= {
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
    return found


def pin(cores: list[int]) -> None:
    """Keep this process on its cores, before any library asks how many there are."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
