"""Atomic operations on shared counters, and waiting for a counter to change."""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from batchprop.compiler.jit import always_inlined
from batchprop.compiler.target import TARGET, Target
from batchprop.simd.load_store import element

# Functions of the C library (on Windows, of kernel32), resolved by name when code is loaded.
_WINDOWS = sys.platform == "win32"
_yield = types.ExternalFunction("SwitchToThread" if _WINDOWS else "sched_yield", types.int32())
_sleep = types.ExternalFunction("Sleep" if _WINDOWS else "usleep", types.int32(types.uint32))
_SHORT_SLEEP = 1 if _WINDOWS else 50  # milliseconds on Windows (0 does not sleep); else µs
# A waiting thread spins first: a pause takes some 10 to 40 ns, so this is about 50 µs, as long as
# most steps of networks that gain from threads.  Then it yields the processor, then it sleeps, so
# that other processes get the core.  Without a pause instruction it yields at once.
_SPINS = 2000 if TARGET.x86 or TARGET.aarch64 else 0
_YIELDS = 200


@intrinsic
def atomic_add(typing: Any, array: Any, index: Any, increment: Any) -> Any:
    """``atomic_add(array, index, increment)``: add, and return the previous value."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "acq_rel")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic
def atomic_load(typing: Any, array: Any, index: Any) -> Any:
    """``atomic_load(array, index)``: read with acquire semantics."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), codegen


@intrinsic
def atomic_store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """``atomic_store(array, index, value)``: write with release semantics."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[0], args[1])
        builder.store_atomic(args[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), codegen


def pause_of(target: Target) -> tuple[str, tuple[int, ...]] | None:
    """Return the LLVM name and operands of the instruction for spin loops; None if unknown.

    On AArch64 it is ISB: YIELD takes no time, so that 2000 of them last about a microsecond.
    """
    if target.x86:
        return "llvm.x86.sse2.pause", ()
    return ("llvm.aarch64.isb", (15,)) if target.aarch64 else None


@intrinsic
def pause(typing: Any) -> Any:
    """Tell the processor that this is a spin loop."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        instruction = pause_of(TARGET)
        if instruction is not None:
            name, options = instruction
            pause_type = ir.FunctionType(ir.VoidType(), [ir.IntType(32)] * len(options))
            operands = [ir.IntType(32)(option) for option in options]
            builder.call(cgutils.get_or_insert_function(builder.module, pause_type, name), operands)
        return context.get_dummy_value()

    return types.void(), codegen


@always_inlined
def relax(waited):
    """Wait a moment, longer the more often this thread has already waited."""
    if waited < _SPINS:
        pause()
    elif waited < _SPINS + _YIELDS:
        _yield()
    else:
        _sleep(_SHORT_SLEEP)
