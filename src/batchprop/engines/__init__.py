"""The engines: one meaning, three ways to compute it.

``protocol`` says what an engine is, and ``samples`` what it computes on.  ``naive`` is the
executable definition, ``vectorized`` computes with NumPy, ``fused`` with compiled kernels.  The
first two compute on arrays as they are; ``array_engine`` makes engines of them.
``loss_scale`` has the factors 1/Σw and 2/Σw.

Imports linalg, threads, simd, the compiler, the machine and scaling.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from batchprop.engines.protocol import Engine


def require_compiler(name: str, remedy: str) -> None:
    """Reject what needs compiled code where the user has switched numba's compiler off."""
    from numba import config

    if config.DISABLE_JIT:
        raise RuntimeError(
            f"{name} must run compiled code; got NUMBA_DISABLE_JIT={int(config.DISABLE_JIT)}. "
            f"Unset it before Python starts{remedy}."
        )


@cache
def _load_array_engine(name: str) -> Engine:
    array_engine = import_module("batchprop.engines.array_engine")
    formulas = import_module(f"batchprop.engines.{name}")
    return cast("Engine", array_engine.ArrayEngine(formulas))


def _load_fused() -> Engine:
    require_compiler("engine='fused'", ", or pass engine='vectorized'")
    return cast("Engine", import_module("batchprop.engines.fused"))


# Name -> function that imports the engine.  An entry here is all that a further engine needs beside
# the code that implements it: every call that takes ``engine=`` then takes its name.
LOADERS: dict[str, Callable[[], Engine]] = {
    "naive": lambda: _load_array_engine("naive"),
    "vectorized": lambda: _load_array_engine("vectorized"),
    "fused": _load_fused,
}
ENGINES = tuple(LOADERS)


def names() -> tuple[str, ...]:
    """Return the names of all engines."""
    return tuple(LOADERS)


def load(name: str) -> Engine:
    """Import an engine when it is first asked for, so that only the fused one costs numba."""
    return LOADERS[name]()
