"""What threads share: a few counters, and how to wait for one."""

from __future__ import annotations

import platform
import sys
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from batchprop.engines.fused.jit import inlined
from batchprop.engines.fused.memory import element

# Symbols of the C library (of the kernel's on Windows), found by name when code is loaded.
_WINDOWS = sys.platform == "win32"
give_way = types.ExternalFunction("SwitchToThread" if _WINDOWS else "sched_yield", types.int32())
_sleep = types.ExternalFunction("Sleep" if _WINDOWS else "usleep", types.int32(types.uint32))
_SHORT_SLEEP = 0 if _WINDOWS else 50  # milliseconds there, microseconds elsewhere
# A pause is some 10 to 40 ns: about 50 µs of waiting at full attention, as long as most steps of
# nets that gain from threads.  Then the processor is offered to others, then the thread sleeps,
# so that a core that somebody else needs is given away.
_SPINS, _YIELDS = 2000, 200
_X86, _ARM = ("x86_64", "AMD64"), ("aarch64", "arm64")


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


@intrinsic
def pause(typing: Any) -> Any:
    """Tell the processor that this is a waiting loop."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        if platform.machine() in _X86:
            kind, name, hint = ir.FunctionType(ir.VoidType(), []), "llvm.x86.sse2.pause", []
        elif platform.machine() in _ARM:
            kind = ir.FunctionType(ir.VoidType(), [ir.IntType(32)])
            name, hint = "llvm.aarch64.hint", [ir.IntType(32)(1)]
        else:
            return context.get_dummy_value()
        builder.call(cgutils.get_or_insert_function(builder.module, kind, name), hint)
        return context.get_dummy_value()

    return types.void(), codegen


@inlined
def relax(waited):
    """Wait a moment, the longer the more moments have been waited already."""
    if waited < _SPINS:
        pause()
    elif waited < _SPINS + _YIELDS:
        give_way()
    else:
        _sleep(_SHORT_SLEEP)
