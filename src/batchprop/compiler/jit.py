"""The decorators that compile functions, and the compiler options of every kernel.

The options, and why:

- ``error_model="numpy"``: Python's error model adds a branch to every division, which prevents
  vectorisation.
- ``nogil=True``: kernels release the interpreter lock and run in ordinary Python threads.
- ``_nrt=False``: no reference counting.  The caller keeps arrays alive; atomic reference counts
  took a third of a step of a tiny network.
- No fastmath: NaN and inf keep their meaning, and sums are added in the order of the source code.

A *kernel* is called from Python.  It calls *helpers*, which are functions of their own, and
functions that are *always inlined*.  By default numba optimises each of these as a separate
library, and again as part of each caller.  Here they are compiled into the library of their
kernel and optimised once, which takes a tenth of the compilation time.
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

# Fork only while no thread compiles: the child would wait forever for that thread's lock.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


def kernel(function: Function) -> Any:
    """Compile an entry point: called from Python and cached on disk."""
    return _kernel(function)


def kernel_by_address(function: Function) -> Any:
    """Compile a kernel that is called by its address only, never from Python."""
    return _kernel(function, no_cpython_wrapper=True)


def _kernel(function: Function, **options: bool) -> Any:
    dispatcher = numba.njit(
        error_model="numpy", nogil=True, boundscheck=False, _nrt=False,
        no_cfunc_wrapper=True, pipeline_class=KernelCompiler, **options,
    )(function)  # fmt: skip
    dispatcher._cache = KernelCache(function)
    return dispatcher


def helper(function: Function) -> Any:
    """Compile a function without a return value as part of the kernels that call it."""
    return _part(function, types.none, Inlining.LLVM_DECIDES)


def always_inlined(function: Function) -> Any:
    """Like ``helper``, and inlined into every caller, so that vectors stay in registers."""
    return _part(function, types.none, Inlining.ALWAYS)


def updating(function: Function) -> Any:
    """Like ``always_inlined``, and returns the new value of its first argument."""
    return _part(function, lambda first, *others: first(first, *others), Inlining.ALWAYS)


def never_inlined(function: Function) -> Any:
    """Like ``helper``, and never inlined: LLVM is slow on one function with many large loops."""
    return _part(function, types.none, Inlining.NEVER)


def returning(return_type: Any) -> Callable[[Function], Any]:
    """Decorate a helper that returns a number; ``return_type`` is its numba type."""
    return lambda function: _part(function, return_type, Inlining.LLVM_DECIDES)


def _part(function: Function, returns: Any, inlining: Inlining) -> Any:
    def call(typing: Any, *args: Any) -> Any:
        signature = returns(*args)

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            part = compile_part(context, function, signature, inlining)
            llvm_function = context.declare_function(builder.module, part)
            # helpers raise no exceptions, so the returned status is ignored
            _, result = context.call_conv.call_function(
                builder, llvm_function, signature.return_type, signature.args, values
            )
            return result

        return signature, codegen

    signature = inspect.signature(function)
    first = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = [first, *signature.parameters.values()]
    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return intrinsic(call)


def types_of(*args: Any) -> tuple[Any, ...]:
    """Return the numba types of arguments."""
    return tuple(map(numba.typeof, args))


def address(dispatcher: Any, signature: tuple[Any, ...]) -> int:
    """Return the address of a kernel compiled for these types of arguments."""
    with global_compiler_lock:
        dispatcher.compile(signature)
        compiled = dispatcher.overloads[signature]
        return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def _by_address(return_type: Any) -> Any:
    """Make a call by address of a kernel that returns a value of a type."""

    def call(typing: Any, address: Any, arguments: Any) -> Any:
        argument_types = tuple(types.unliteral(argument_type) for argument_type in arguments)

        def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            pointer = context.call_conv.get_function_type(return_type, argument_types).as_pointer()
            _, result = context.call_conv.call_function(
                builder, builder.inttoptr(values[0], pointer), return_type, argument_types,
                cgutils.unpack_tuple(builder, values[1]),
            )  # fmt: skip
            return result

        return return_type(address, types.Tuple(argument_types)), codegen

    return call


@intrinsic
def call_address(typing: Any, address: Any, arguments: Any) -> Any:
    """``call_address(address, arguments)``: call a kernel without a return value by address."""
    return _by_address(types.none)(typing, address, arguments)


@intrinsic
def number_from_address(typing: Any, address: Any, arguments: Any) -> Any:
    """``number_from_address(address, arguments)``: call a kernel that returns a float64."""
    return _by_address(types.float64)(typing, address, arguments)
