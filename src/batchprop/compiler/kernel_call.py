"""Calls of kernels as data: what must be compiled before a kernel can be called.

A call is a tuple of a kernel and its arguments.  Compilation looks at their types alone, so that
arguments of the right types, of any size, stand for those of a real call.
"""

from __future__ import annotations

from typing import Any

from batchprop.compiler.jit import types_of
from batchprop.compiler.kernel_struct import KernelStruct

Call = tuple[Any, ...]


def typed(call: Call) -> tuple[Any, tuple[Any, ...]]:
    """Return the kernel and the numba types of its arguments; a NamedTuple becomes a struct."""
    kernel, *arguments = call
    return kernel, types_of(*map(_as_struct, arguments))


def _as_struct(argument: Any) -> Any:
    is_named = isinstance(argument, tuple) and hasattr(argument, "_fields")
    return KernelStruct(argument) if is_named else argument
