"""A description of the machine: processor, software versions, and the kernels BLAS uses.

``python -m benchmarks.machine`` prints it as JSON.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

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


def instruction_set() -> str:
    """Return the vector instructions that batchprop's kernels are compiled to."""
    from batchprop.compiler.target import TARGET

    if TARGET.aarch64:
        return "NEON"
    if not TARGET.x86:
        return platform.machine()
    names = {512: "AVX-512", 256: "AVX2" if TARGET.fma else "AVX"}
    return names.get(TARGET.register_bits, "SSE")


def vector_bits() -> int:
    """Return the vector width that batchprop's kernels are compiled for."""
    from batchprop.compiler.target import TARGET

    return TARGET.register_bits


def vector_registers() -> int | None:
    """Return the number of vector registers that kernels may use, if it is known."""
    return {"AVX-512": 32, "NEON": 32, "AVX2": 16, "AVX": 16, "SSE": 16}.get(instruction_set())


def caches(folder: Path | None = None) -> dict[str, int]:
    """Return the bytes of the caches for data that one core sees: L1d, L2, L3, as far as known."""
    from batchprop.machine.cache_sizes import CACHES, reported

    return {
        f"L{level}" + "d" * (kind == "Data"): size
        for (level, kind), size in reported(folder or CACHES).items()
        if kind != "Instruction"
    }


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
        "instruction_set": instruction_set(),
        "vector_bits": vector_bits(),
        "vector_registers": vector_registers(),
        "caches": caches(),
        "system": f"{platform.system()} {platform.machine()}",
        "blas": blas(),
        "versions": versions(),
    }


def hardware(machine: Mapping[str, Any]) -> str:
    """Return the processor's properties in a line: name, cores, vectors, caches."""
    count, registers = machine["cores"], machine.get("vector_registers")
    parts = [
        machine["processor"],
        f"{count} core{'s' if count != 1 else ''}",
        f"{machine['vector_bits']}-bit vectors"
        + (f" ({registers} registers)" if registers else ""),
    ]
    if sizes := machine.get("caches"):
        parts.append(", ".join(f"{_binary(size)} {name}" for name, size in sizes.items()))
    return ", ".join(parts)


def _binary(size: int) -> str:
    """Format a number of bytes: 48 KiB, 1.5 MiB."""
    kib = size / 1024
    return f"{kib:g} KiB" if kib < 1024 else f"{kib / 1024:g} MiB"


def software(machine: Mapping[str, Any]) -> str:
    """Return the system, BLAS and versions in a line."""
    names = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return f"{machine['system']}; NumPy's BLAS is {machine['blas']}; {names}"


def sentence(machine: Mapping[str, Any], date: str) -> str:
    """Return a one-line description, to be printed below a table."""
    return f"{hardware(machine)}, {software(machine)}; {date}."


if __name__ == "__main__":
    print(json.dumps(describe()))
