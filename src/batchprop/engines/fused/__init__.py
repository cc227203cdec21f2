"""The fused engine: blocks of samples go forward and backward while they are in cache.

``packing`` copies samples of the user's arrays into panels.  ``forward`` takes them forward and
``backward`` backward, both with ``hidden_layer`` and with σ and σ′ from ``activation_kernels``;
``forward_backward`` and ``residuals`` make the sums over a chunk, and ``blocking`` chooses the
block sizes.  Kernels call each other by their ``addresses``; ``workspace`` says which of them an
objective needs, ``task_memory`` allocates what they work on, and ``example_calls`` serves to
compile them beforehand.  ``evaluation`` sums the chunks to L̃
and its gradient; the threads of ``thread_team`` share the pieces of that work, which ``task``
defines.  ``problem`` has the structs that kernels are given.  ``objective`` holds one data set,
``predict`` is the forward pass alone, ``jacobian`` makes ∂Y/∂X, and ``gauss_newton`` makes JᵀJ;
``sample_parts`` shares the samples of the former two among threads.

Imports linalg, threads, simd, the compiler, the machine and scaling.
"""

from __future__ import annotations

# must be first: records the sources before the kernels are imported
import batchprop.compiler.source_digest  # noqa: F401
from batchprop.engines.fused.example_calls import example_calls, example_predictions
from batchprop.engines.fused.gauss_newton.gauss_newton_objective import GaussNewtonObjective
from batchprop.engines.fused.jacobian import jacobian
from batchprop.engines.fused.objective import Objective
from batchprop.engines.fused.predict import predict

__all__ = [
    "GaussNewtonObjective",
    "Objective",
    "example_calls",
    "example_predictions",
    "jacobian",
    "predict",
    "releases_gil",
]

releases_gil = True
