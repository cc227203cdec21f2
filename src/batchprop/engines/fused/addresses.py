"""The addresses of compiled kernels, by which other kernels call them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import address
from batchprop.compiler.kernel_struct import KernelStruct
from batchprop.engines.fused.forward import N_ARRAYS, forward_kernel
from batchprop.engines.fused.problem import Problem

Array = npt.NDArray[Any]

_addresses: dict[tuple[Any, np.dtype[Any]], int] = {}


def address_of(kernel: Any, theta: Array, *arguments: Any) -> int:
    """Return the address of a kernel; the types of its arguments depend on θ's dtype alone.

    Addresses are cached: numba's type inference takes longer than a small evaluation.
    """
    key = kernel, theta.dtype
    if key not in _addresses:
        _addresses[key] = address(kernel, *map(_as_struct, arguments))
    return _addresses[key]


def _as_struct(argument: Any) -> Any:
    """Return a NamedTuple as a struct, and other arguments as they are."""
    is_named = isinstance(argument, tuple) and hasattr(argument, "_fields")
    return KernelStruct(argument) if is_named else argument


def with_forward_kernel(problem: Problem, theta: Array) -> Problem:
    """Return a problem with the address of the kernel that takes a block forward."""
    memory = (np.empty(1, theta.dtype),) * N_ARRAYS
    found = address_of(forward_kernel, theta, problem, theta, 0, 0, 0, 0, True, True, memory)
    return problem._replace(forward_kernel=found)
