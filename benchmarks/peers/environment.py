"""The environment of each library's process: threads, memory allocation and BLAS at their best.

Three settings, often left to chance, change timings by up to a factor of two:

* Libraries select kernels by the processor unless variables such as ``OPENBLAS_CORETYPE`` override
  it, so these are removed, and set only to limit all libraries alike (``processor``).
* NumPy requests huge pages from the system; other libraries do not, unless glibc is told to do so
  before the program starts.
* Memory that is returned to the system after each step has to be cleared again in the next one;
  glibc can be told to keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.peers.processor import SELECTORS, Limit

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
# XLA reads flags up to the first word that is none: without dashes it would hide the ones after it.
XLA_ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


def base_environment(limit: Limit | None = None) -> dict[str, str]:
    """Return the variables of every process: where to import from, and which instructions to use.

    Without a limit, each library uses the best instructions of this processor that it knows.
    """
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(SELECTORS)
    }
    variables |= {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "PYTHONNOUSERSITE": "1",
        "GLIBC_TUNABLES": KEEP_HUGE_PAGES,
    }
    if limit is not None:
        variables |= limit.variables
        variables["GLIBC_TUNABLES"] += f":{limit.glibc_tunables}"
    return variables


def environment(
    case: Case, threads: int, scratch: Path, xla_flags: str = "", limit: Limit | None = None
) -> dict[str, str]:
    """Return the environment variables of a worker; ``scratch`` is for compilers' files."""
    variables = base_environment(limit)
    variables |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    flags = [
        XLA_ONE_THREAD if threads == 1 else "",
        xla_flags,
        limit.xla_flags if limit is not None else "",
    ]
    variables |= {
        "OMP_DYNAMIC": "FALSE",
        "MKL_DYNAMIC": "FALSE",
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
