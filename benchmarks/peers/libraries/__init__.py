"""One file per library: ``candidates(workload)``, ``versions()`` and ``instructions()``.

``candidates`` returns its implementations, ``instructions`` says which instruction set the library
reports to use.  ``LIBRARIES`` lists the libraries, their names in reports, and their requirements.
"""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.peers.processor import AVX512


class Library(NamedTuple):
    """Properties of a library that the runner needs."""

    title: str
    arrays: float  # about how many arrays of hidden-layer size (N, m) it holds at once
    xla_flags: str = ""
    compared: bool = True  # does the same work, and so may be "the best peer"
    one_thread: bool = False
    needs: str = ""  # an instruction set without which it makes no sense


LIBRARIES = {
    "ours": Library("batchprop", 0),
    "numpy_full": Library("NumPy", 3),
    "numpy_blocked": Library("NumPy in blocks", 0),
    "sklearn_mlp": Library("scikit-learn", 4),
    "torch_eager": Library("PyTorch", 6),
    "torch_compiled": Library("PyTorch compiled", 5),
    "jax_jit": Library("JAX jit", 5),
    "jax_loop": Library("JAX loop in jit", 5),
    "jax_loop_512": Library(
        "JAX loop, 512-bit", 5, xla_flags="--xla_cpu_prefer_vector_width=512", needs=AVX512
    ),
    "r_nnet": Library("R nnet, an iteration", 1, compared=False, one_thread=True),
}


def suited(instruction_set: str) -> list[str]:
    """Return the libraries that make sense on a kind of processor."""
    return [peer for peer, library in LIBRARIES.items() if library.needs in ("", instruction_set)]
