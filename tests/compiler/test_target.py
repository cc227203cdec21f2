"""The processor that is compiled for, as LLVM's own instructions tell it, whatever its name is."""

from __future__ import annotations

import numpy as np
import pytest
from llvmlite import binding, ir
from numba.core.caching import NullCache

from batchprop.compiler import target
from batchprop.compiler.jit import kernel
from batchprop.compiler.target import TARGET, Target, read
from batchprop.simd.load_store import load, multiply, store
from batchprop.simd.vectors import HAS_FMA, REGISTER_BITS, WIDE, lanes
from batchprop.threads import atomics
from batchprop.threads.atomics import pause_of

binding.initialize_all_targets()
binding.initialize_all_asmprinters()

X86, ARM = Target(True, False, 128, False), Target(False, True, 128, True)
KNOWN = {  # triple, processor, features: what LLVM makes of them
    ("x86_64-unknown-linux-gnu", "haswell", ""): X86._replace(register_bits=256, fma=True),
    ("x86_64-unknown-linux-gnu", "x86-64-v3", ""): X86._replace(register_bits=256, fma=True),
    ("x86_64-unknown-linux-gnu", "x86-64", "+avx2,+fma"): X86._replace(register_bits=256, fma=True),
    ("x86_64-unknown-linux-gnu", "sandybridge", ""): X86._replace(register_bits=256),
    ("x86_64-unknown-linux-gnu", "haswell", "-avx"): X86,
    ("x86_64-unknown-linux-gnu", "skylake-avx512", ""): X86._replace(register_bits=512, fma=True),
    ("x86_64-unknown-linux-gnu", "nehalem", ""): X86,
    ("x86_64-unknown-linux-gnu", "generic", ""): X86,
    ("x86_64-pc-windows-msvc", "haswell", ""): X86._replace(register_bits=256, fma=True),
    ("x86_64-pc-windows-msvc", "generic", ""): X86,
    ("x86_64h-apple-darwin", "haswell", ""): X86._replace(register_bits=256, fma=True),
    ("x86_64-apple-darwin", "generic", ""): X86,
    ("aarch64-unknown-linux-gnu", "generic", ""): ARM,
    ("aarch64-unknown-linux-gnu", "neoverse-v1", ""): ARM,
    ("arm64-apple-darwin", "apple-m1", ""): ARM,
    ("aarch64-pc-windows-msvc", "generic", ""): ARM,
    ("ARM64-pc-windows-msvc", "generic", ""): ARM,
    ("powerpc64le-unknown-linux-gnu", "pwr9", ""): Target(False, False, 128, True),
}


def machine_for(triple, cpu, features):
    try:
        found = binding.Target.from_triple(triple.lower())
    except RuntimeError:
        pytest.skip(f"this LLVM was built without {triple}")
    return found.create_target_machine(cpu=cpu, features=features)


def assembly(machine, triple, text):
    return machine.emit_assembly(binding.parse_assembly(text.format(triple=triple.lower())))


@pytest.mark.parametrize("chosen", KNOWN, ids=" ".join)
def test_processors(chosen):
    machine, triple = machine_for(*chosen), chosen[0]
    assert read(triple, assembly(machine, triple, target._PROBE)) == KNOWN[chosen]


@kernel
def squares(a, out):
    store(out, 0, multiply(load(a, 0, WIDE), load(a, 0, WIDE)))


squares._cache = NullCache()  # numba shows the code of what it has compiled itself


def test_kernels_are_made_for_what_was_read():
    """The widest registers that are believed in appear in a kernel's own code, and no wider."""
    assert Target(TARGET.x86, TARGET.aarch64, REGISTER_BITS, HAS_FMA) == TARGET
    a = np.arange(64.0)
    out = np.zeros_like(a)
    squares(a, out)
    np.testing.assert_array_equal(out[: lanes(64, WIDE)], a[: lanes(64, WIDE)] ** 2)
    if TARGET.x86:  # elsewhere registers have one width
        (code,) = squares.inspect_asm().values()
        names = {512: "zmm", 256: "ymm", 128: "xmm"}
        assert names[REGISTER_BITS] in code
        assert not [name for bits, name in names.items() if bits > REGISTER_BITS and name in code]


PAUSES = {
    ("x86_64-unknown-linux-gnu", "generic", ""): "pause",
    ("aarch64-unknown-linux-gnu", "generic", ""): "isb",
    ("arm64-apple-darwin", "apple-m1", ""): "isb",
    ("ARM64-pc-windows-msvc", "generic", ""): "isb",
}


@pytest.mark.parametrize("chosen", PAUSES, ids=" ".join)
def test_a_pause_takes_time(chosen):
    """On AArch64 the hint YIELD takes none."""
    machine, triple = machine_for(*chosen), chosen[0]
    name, options = pause_of(read(triple, ""))
    module = ir.Module()
    module.triple = triple.lower()
    word = ir.IntType(32)
    called = ir.Function(module, ir.FunctionType(ir.VoidType(), [word] * len(options)), name)
    made = ir.Function(module, ir.FunctionType(ir.VoidType(), []), "wait")
    builder = ir.IRBuilder(made.append_basic_block())
    builder.call(called, [word(option) for option in options])
    builder.ret_void()
    code = assembly(machine, triple, str(module).replace("{", "{{").replace("}", "}}"))
    assert PAUSES[chosen] in code.split()


def test_where_no_pause_is_known_none_is_compiled():
    assert pause_of(read("powerpc64le-unknown-linux-gnu", "")) is None


def test_a_waiting_thread_ends_up_asleep():
    """Windows takes a sleep of 0 ms for none."""
    assert atomics._SHORT_SLEEP > 0


@pytest.mark.parametrize("name", ["i386", "i486", "i586", "i686", "x86_64", "amd64"])
def test_every_name_of_an_x86(name):
    assert read(f"{name}-unknown-freebsd", "vaddps %ymm0, %ymm1") == Target(True, False, 256, True)


@pytest.mark.parametrize("name", ["aarch64", "riscv64", "i786", "powerpc64le"])
def test_registers_of_x86_are_those_of_x86_alone(name):
    """Elsewhere the letters are part of a label."""
    assert read(f"{name}-unknown-linux-gnu", "zmm_end: ymm").register_bits == 128
