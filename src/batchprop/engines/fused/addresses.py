"""The addresses of compiled kernels, by which other kernels call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import address, types_of
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.compiler.second_process import compiling_beside
from batchprop.engines.fused.forward import N_ARRAYS, forward_kernel
from batchprop.engines.fused.problem import Problem
from batchprop.machine.available_memory import available_memory
from batchprop.machine.thread_count import available

SECOND_PROCESS_BYTES = 512 << 20  # it takes about 210 MiB

Array = npt.NDArray[Any]
Call = tuple[Any, ...]  # a kernel, and arguments of the types that it is compiled for

_addresses: dict[tuple[Any, np.dtype[Any]], int] = {}


def addresses_of(theta: Array, calls: Mapping[str, Call]) -> dict[str, int]:
    """Return the addresses of kernels; the types of their arguments depend on θ's dtype alone.

    Addresses are cached: numba's type inference takes longer than a small evaluation.  Two
    processes compile what is missing if there are processors and memory for them.
    """
    missing = [
        (kernel, types_of(*map(_as_struct, arguments)))
        for kernel, *arguments in calls.values()
        if (kernel, theta.dtype) not in _addresses
    ]
    if missing:
        with compiling_beside(missing, _has_room):
            for kernel, signature in missing:
                _addresses[kernel, theta.dtype] = address(kernel, signature)
    return {name: _addresses[kernel, theta.dtype] for name, (kernel, *_) in calls.items()}


def _has_room() -> bool:
    """Return whether a second process has a processor and memory of its own."""
    return available() > 1 and available_memory() >= SECOND_PROCESS_BYTES


def _as_struct(argument: Any) -> Any:
    """Return a NamedTuple as a struct, and other arguments as they are."""
    is_named = isinstance(argument, tuple) and hasattr(argument, "_fields")
    return KernelStruct(argument) if is_named else argument


def forward_call(problem: Problem, theta: Array) -> Call:
    """Return a call of the kernel that takes a block forward."""
    memory = (np.empty(1, theta.dtype),) * N_ARRAYS
    return forward_kernel, problem, theta, 0, 0, 0, 0, True, True, memory


def with_forward_kernel(problem: Problem, theta: Array) -> Problem:
    """Return a problem with the address of the kernel that takes a block forward."""
    found = addresses_of(theta, {"forward": forward_call(problem, theta)})
    return problem._replace(forward_kernel=found["forward"])
