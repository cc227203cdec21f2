"""A description of the machine: processor, software versions, and the kernels BLAS uses."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

LIBRARIES = ("numpy", "numba", "llvmlite", "scipy")


def cores() -> list[int]:
    """Return the CPUs that this process may use."""
    try:
        return sorted(os.sched_getaffinity(0))
    except AttributeError:  # not available on this system
        return list(range(os.cpu_count() or 1))


def processor() -> str:
    """Return the name of the processor, if the system reports it."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def blas() -> str:
    """Return NumPy's BLAS, its version, and the processor whose kernels it uses."""
    import numpy  # noqa: F401 - loads BLAS

    for library in threadpool_info():
        if library["user_api"] == "blas":
            kernel = library.get("architecture")
            return f"{library['internal_api']} {library['version']}" + (
                f" with {kernel} kernels" if kernel else ""
            )
    return "none found"


def vector_bits() -> int:
    """Return the vector width that batchprop's kernels are compiled for."""
    from batchprop.simd.vectors import REGISTER_BITS

    return REGISTER_BITS


def versions() -> dict[str, str]:
    """Return the versions of the libraries that affect timings."""
    import batchprop

    result = {"batchprop": batchprop.__version__, "python": platform.python_version()}
    return result | {name: metadata.version(name) for name in LIBRARIES}


def describe() -> dict[str, object]:
    """Return the whole description, for JSON."""
    return {
        "processor": processor(),
        "cores": len(cores()),
        "vector_bits": vector_bits(),
        "system": f"{platform.system()} {platform.machine()}",
        "blas": blas(),
        "versions": versions(),
    }


def sentence(machine: dict[str, object], date: str) -> str:
    """Return a one-line description, to be printed below a table."""
    listed = machine["versions"]
    assert isinstance(listed, dict)
    names = ", ".join(f"{name} {version}" for name, version in listed.items())
    count = machine["cores"]
    return (
        f"{machine['processor']}, {count} core{'s' if count != 1 else ''}, "
        f"{machine['vector_bits']}-bit vectors, {machine['system']}; NumPy's BLAS is "
        f"{machine['blas']}; {names}; {date}."
    )
