"""The one policy for compiled code: options of every kernel, and where compiled kernels are kept.

``error_model="numpy"``: with Python's, each division carries a branch that stops vectorisation.
``nogil``: threads are ordinary Python threads that run kernels without the interpreter lock.
``_nrt=False``: arrays belong to the caller, who keeps them; counting references to them, with
atomic operations, took a third of a step of a tiny network.
No fastmath: NaN and inf keep their meaning, and the order of every sum is the one written down.

A *kernel* is called from Python.  It consists of *helpers*, functions of their own, and of
functions that are *always inlined* into their callers.  numba would optimise each as a library of
its own, and again as part of each caller; here they are compiled straight into the library of their
kernel, so that everything is optimised once: a tenth of the compilation time.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

import numba
from numba import types
from numba.core import cgutils
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import intrinsic

from batchprop.compiler.kernel_cache import KernelCache
from batchprop.compiler.llvm_module import Inlining, KernelCompiler, compile_part

Function = Callable[..., Any]

_addresses: dict[Any, int] = {}

# A fork waits until no other thread compiles: its child would wait for that thread forever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


def kernel(function: Function) -> Any:
    """Compile an entry point: called from Python, kept on disk between processes."""
    return _kernel(function)


def kernel_by_address(function: Function) -> Any:
    """Compile a kernel that is called by its address, never from Python."""
    return _kernel(function, no_cpython_wrapper=True)


def _kernel(function: Function, **options: bool) -> Any:
    dispatcher = numba.njit(
        error_model="numpy", nogil=True, boundscheck=False, _nrt=False,
        no_cfunc_wrapper=True, pipeline_class=KernelCompiler, **options,
    )(function)  # fmt: skip
    dispatcher._cache = KernelCache(function)
    return dispatcher


def helper(function: Function) -> Any:
    """Compile a function that returns nothing as part of the kernels that call it."""
    return _part(function, types.none, Inlining.LLVM_DECIDES)


def always_inlined(function: Function) -> Any:
    """The same, and LLVM makes it part of each of its callers: vectors stay in registers."""
    return _part(function, types.none, Inlining.ALWAYS)


def never_inlined(function: Function) -> Any:
    """The same, and it stays a function: many large loops in one take LLVM longer than apart."""
    return _part(function, types.none, Inlining.NEVER)


def returning(kind: Any) -> Callable[[Function], Any]:
    """Make a helper of a function that returns a number of numba's type ``kind``."""
    return lambda function: _part(function, kind, Inlining.LLVM_DECIDES)


def _part(function: Function, returns: Any, inlining: Inlining) -> Any:
    def call(typing: Any, *args: Any) -> Any:
        signature = returns(*args)

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            part = compile_part(context, function, signature, inlining)
            called = context.declare_function(builder.module, part)
            # no part raises anything, so that nobody asks for its status
            _, found = context.call_conv.call_function(
                builder, called, signature.return_type, signature.args, values
            )
            return found

        return signature, codegen

    own = inspect.signature(function)
    first = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [first, *own.parameters.values()]
    call.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return intrinsic(call)


def address(dispatcher: Any, *args: Any) -> int:
    """Return the address of a kernel, compiled for arguments like these."""
    signature = tuple(numba.typeof(arg) for arg in args)
    if (dispatcher, signature) not in _addresses:
        with global_compiler_lock:
            dispatcher.compile(signature)
            found = dispatcher.overloads[signature]
            place = found.library.get_pointer_to_function(found.fndesc.llvm_func_name)
            _addresses[dispatcher, signature] = int(place)
    return _addresses[dispatcher, signature]


@intrinsic
def call_address(typing: Any, place: Any, arguments: Any) -> Any:
    """``call_address(place, arguments)``: call a kernel that returns nothing by its address."""
    kinds = tuple(types.unliteral(kind) for kind in arguments)

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        pointer = context.call_conv.get_function_type(types.none, kinds).as_pointer()
        given = cgutils.unpack_tuple(builder, values[1])
        context.call_conv.call_function(
            builder, builder.inttoptr(values[0], pointer), types.none, kinds, given
        )
        return context.get_dummy_value()

    return types.void(place, types.Tuple(kinds)), codegen
