"""What threads share: a few counters, and how to wait for one."""

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

# Symbols of the C library (of the kernel's on Windows), found by name when code is loaded.
_WINDOWS = sys.platform == "win32"
give_way = types.ExternalFunction("SwitchToThread" if _WINDOWS else "sched_yield", types.int32())
_sleep = types.ExternalFunction("Sleep" if _WINDOWS else "usleep", types.int32(types.uint32))
_SHORT_SLEEP = 1 if _WINDOWS else 50  # milliseconds there, where 0 is no sleep; else microseconds
# A pause is some 10 to 40 ns: about 50 µs of waiting at full attention, as long as most steps of
# nets that gain from threads.  Then the processor is offered to others, then the thread sleeps,
# so that a core that somebody else needs is given away.  Where no pause is known, it is offered
# at once.
_SPINS = 2000 if TARGET.x86 or TARGET.aarch64 else 0
_YIELDS = 200


@intrinsic
def atomic_add(typing: Any, array: Any, index: Any, amount: Any) -> Any:
    """``atomic_add(array, index, amount)``: add and return what was there before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[0], args[1])
        return builder.atomic_rmw("add", pointer, args[2], "acq_rel")

    return types.int64(array, types.intp, types.int64), codegen


@intrinsic
def atomic_load(typing: Any, array: Any, index: Any) -> Any:
    """``atomic_load(array, index)``: read; what was written before its release is seen."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[0], args[1])
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(array, types.intp), codegen


@intrinsic
def atomic_store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """``atomic_store(array, index, value)``: write, after all that was written before."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = element(context, builder, array, args[0], args[1])
        builder.store_atomic(args[2], pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.int64), codegen


def pause_of(target: Target) -> tuple[str, tuple[int, ...]] | None:
    """Return LLVM's name of the instruction that waits a moment, and its options.

    On AArch64 it is ISB: the hint YIELD takes no time, so that 2000 of them are a microsecond.
    """
    if target.x86:
        return "llvm.x86.sse2.pause", ()
    return ("llvm.aarch64.isb", (15,)) if target.aarch64 else None


@intrinsic
def pause(typing: Any) -> Any:
    """Tell the processor that this is a waiting loop."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        known = pause_of(TARGET)
        if known is not None:
            name, options = known
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)] * len(options))
            given = [ir.IntType(32)(option) for option in options]
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)
        return context.get_dummy_value()

    return types.void(), codegen


@always_inlined
def relax(waited):
    """Wait a moment, the longer the more moments have been waited already."""
    if waited < _SPINS:
        pause()
    elif waited < _SPINS + _YIELDS:
        give_way()
    else:
        _sleep(_SHORT_SLEEP)
