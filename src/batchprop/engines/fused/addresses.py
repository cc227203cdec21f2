"""The addresses of compiled kernels, by which other kernels call them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from batchprop.compiler.jit import address
from batchprop.compiler.kernel_call import Call, typed
from batchprop.compiler.second_process import compiling_beside
from batchprop.engines.fused.forward import N_ARRAYS, forward_kernel
from batchprop.engines.fused.problem import Problem
from batchprop.machine.second_process_room import has_room

Array = npt.NDArray[Any]

_addresses: dict[tuple[Any, np.dtype[Any]], int] = {}


def addresses_of(theta: Array, calls: Mapping[str, Call]) -> dict[str, int]:
    """Return the addresses of kernels; the types of their arguments depend on θ's dtype alone.

    Addresses are cached: numba's type inference takes longer than a small evaluation.  Two
    processes compile what is missing if there are processors and memory for them.
    """
    missing = [typed(call) for call in calls.values() if (call[0], theta.dtype) not in _addresses]
    if missing:
        with compiling_beside(missing, has_room):
            for kernel, signature in missing:
                _addresses[kernel, theta.dtype] = address(kernel, signature)
    return {name: _addresses[kernel, theta.dtype] for name, (kernel, *_) in calls.items()}


def forward_call(problem: Problem, theta: Array) -> Call:
    """Return a call of the kernel that takes a block forward."""
    memory = (np.empty(1, theta.dtype),) * N_ARRAYS
    return forward_kernel, problem, theta, 0, 0, 0, 0, 0, True, True, memory


def with_forward_kernel(problem: Problem, theta: Array) -> Problem:
    """Return a problem with the address of the kernel that takes a block forward."""
    found = addresses_of(theta, {"forward": forward_call(problem, theta)})
    return problem._replace(forward_kernel=found["forward"])
