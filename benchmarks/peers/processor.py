"""Kinds of processors, and how each library is limited to the instructions of an older kind.

A limit lets a processor with AVX-512 show what a program does on one with AVX2.  Every library is
told by its own setting to leave the wider registers alone.  The products of JAX have no setting
(YNNPACK chooses kernels by the processor), so that CPUID is told to report no AVX-512 as well
(``hide_avx512.c``).  Caches, clock and execution units stay those of this processor.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

AVX512, AVX2 = "AVX-512", "AVX2"
KINDS = (AVX512, AVX2, "AVX", "SSE", "NEON")  # instruction sets, in the order of reports
NATIVE = "native"
HIDE_SOURCE = Path(__file__).with_name("hide_avx512.c")

# Variables by which libraries are told which instructions to use; inherited ones are removed.
SELECTORS = (
    "NUMBA_CPU_",
    "NUMBA_ENABLE_AVX",
    "NPY_DISABLE_CPU_",
    "NPY_ENABLE_CPU_",
    "OPENBLAS_",
    "ATEN_CPU_",
    "ONEDNN_",
    "DNNL_",
    "MKL_ENABLE_",
    "MKL_CBWR",
    "TORCHINDUCTOR_CPP_MARCH",
    "XLA_",
    "JAX_",
)


class Limit(NamedTuple):
    """What makes all libraries run as on another kind of processor."""

    instruction_set: str
    lifted_from: str  # the kind of processor that it applies to
    variables: Mapping[str, str]
    xla_flags: str
    glibc_tunables: str


LIMITS = {
    "avx2": Limit(
        AVX2,
        AVX512,
        {
            # The features too: without them numba adds this processor's own to those of the name.
            "NUMBA_CPU_NAME": "haswell",
            "NUMBA_CPU_FEATURES": "+avx2,+fma",
            "OPENBLAS_CORETYPE": "Haswell",
            "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
            "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels, and the vectors of inductor
            "TORCHINDUCTOR_CPP_MARCH": "haswell",  # what inductor tells the C++ compiler
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "DNNL_MAX_CPU_ISA": "AVX2",  # the older name of the same setting
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        },
        "--xla_cpu_max_isa=AVX2",
        # strlen and memcpy use AVX-512 registers too, which would hide who else does.
        "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW",
    )
}


def key(instruction_set: str) -> str:
    """Return the name of a kind in file names: ``avx512`` for AVX-512."""
    return re.sub("[^a-z0-9]", "", instruction_set.lower())


def limit_for(choice: str, native: str) -> Limit | None:
    """Return the limit that makes a processor of the kind ``native`` behave as ``choice``.

    There is none for ``"native"``, and none is needed if the processor is of the chosen kind.
    """
    if choice in (NATIVE, key(native)):
        return None
    limit = LIMITS[choice]
    if limit.lifted_from != native:
        raise SystemExit(
            f"This processor has {native}: it cannot run what needs {limit.instruction_set}."
        )
    return limit


def with_hidden_avx512(limit: Limit, folder: Path) -> Limit:
    """Return the limit with a preloaded library that clears AVX-512 from CPUID.

    The library is compiled into ``folder``.  Without a C compiler the limit is returned as it is.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    library = folder.resolve() / "hide_avx512.so"
    if compiler is None:
        print("There is no C compiler: products in JAX may use AVX-512.")
        return limit
    command = [compiler, "-O2", "-shared", "-fPIC", str(HIDE_SOURCE), "-o", str(library)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"Products in JAX may use AVX-512, for {HIDE_SOURCE} did not compile:\n{done.stderr}")
        return limit
    return limit._replace(variables={**limit.variables, "LD_PRELOAD": str(library)})


def describe(python: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return ``machine.describe()`` of a process with a worker's environment variables."""
    done = subprocess.run(
        [python, "-m", "benchmarks.machine"],
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{python} cannot describe the machine:\n{done.stderr.strip()}")
    described: dict[str, Any] = json.loads(done.stdout)
    return described
