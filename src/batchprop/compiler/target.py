"""The processor that LLVM compiles for: its architecture, vector width and fused multiply-add.

The target need not be this machine.  ``NUMBA_CPU_NAME``, ``NUMBA_CPU_FEATURES`` and
``NUMBA_ENABLE_AVX`` choose it, a processor name implies features, and an emulator may report
another machine.  Names are therefore not trusted: LLVM compiles a few vector operations with
numba's settings, and the instructions that it emits show what the target has.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from llvmlite import binding
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

_PROBE = """
target triple = "{triple}"
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
define void @probe(ptr %a, ptr %b, ptr %c) {{
  %x = load <16 x float>, ptr %a
  %y = load <16 x float>, ptr %b
  %z = load <16 x float>, ptr %c
  %sum = fadd <16 x float> %x, %y
  %fused = call <16 x float> @llvm.fma.v16f32(<16 x float> %sum, <16 x float> %y, <16 x float> %z)
  store <16 x float> %fused, ptr %c
  ret void
}}
"""
_X86 = re.compile(r"x86_64|amd64|i[3-6]86")
_AARCH64 = re.compile(r"aarch64|arm64")


class Target(NamedTuple):
    """The properties of the target processor that kernels depend on."""

    x86: bool
    aarch64: bool
    register_bits: int  # of the widest vector registers
    fma: bool  # there is an instruction for x y + z with a single rounding


def read(triple: str, assembly: str) -> Target:
    """Return the target described by LLVM's triple and the assembly of the probe."""
    architecture = triple.split("-")[0].lower()
    x86 = _X86.match(architecture) is not None
    widths = (("zmm", 512), ("ymm", 256)) if x86 else ()  # elsewhere 128: NEON, VSX
    return Target(
        x86=x86,
        aarch64=_AARCH64.match(architecture) is not None,
        register_bits=next((bits for name, bits in widths if name in assembly), 128),
        # without the instruction, LLVM calls the C library's fmaf for each element
        fma=re.search(r"\bfmaf\b|_fmaf\b", assembly) is None,
    )


def _compiled_for() -> Target:
    """Compile the probe with numba's settings."""
    with global_compiler_lock:
        machine = cpu_target.target_context.codegen()._tm
        module = binding.parse_assembly(_PROBE.format(triple=machine.triple))
        return read(machine.triple, machine.emit_assembly(module))


TARGET = _compiled_for()
