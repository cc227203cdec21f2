"""The fused engine: blocks of samples go forward and backward while they are in cache.

From the bottom up: ``target`` (the processor), ``vectors`` and ``memory`` (registers), ``sigma``
(σ and σ′ on vectors), ``tiles`` (rows of vectors), ``products`` and ``hidden`` (what is done to a
panel of samples), ``packing`` (from the user's arrays to panels), ``chunks`` (forward, backward,
sums), ``process`` (the compiled whole), ``team`` (threads), ``plan`` and ``cpus`` (sizes and thread
counts); ``jit``, ``cache``, ``cache_folders``, ``sources`` and ``turns`` say how kernels are
compiled and kept.
"""

from __future__ import annotations

import batchprop.engines.fused.sources  # noqa: F401 - first: notes what the others are made of
from batchprop.engines.fused.gram.objective import GaussNewtonObjective
from batchprop.engines.fused.objective import Objective
from batchprop.engines.fused.prediction import predict

__all__ = ["GaussNewtonObjective", "Objective", "predict"]
