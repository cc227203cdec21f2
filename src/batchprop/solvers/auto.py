"""Which solver suits a problem: a rule found by ``python -m benchmarks.solver_choice``.

Levenberg–Marquardt where an iteration of it costs at most thirty of L-BFGS, σ is smooth, and the
network has at most a thousand parameters.  The figures are in ``docs/solvers.md``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from batchprop.parameters import Shape

WORTH = 30.0
MOST_PARAMETERS = 1000


def cost(shape: Shape, n_samples: int, dtype: npt.DTypeLike) -> float:
    """Return how many iterations of L-BFGS one of Levenberg–Marquardt costs, by multiply-adds.

    JᵀJ's products and Cholesky's P³/6 against loss and gradient; Levenberg–Marquardt is float64
    always, which L-BFGS does twice as fast in float32.
    """
    e, m, s = shape
    n = shape.n_parameters
    products = m * (m + 1) * (e + 1) * (e + 2) / 4 + m * (m + 1) * (e + 1) + m * m / 2
    step = n_samples * m * (2 * e + 3 * s + 20)  # 20: σ and what goes with it
    ratio = (n_samples * products + n**3 / 6 + step) / step
    return ratio * (2.0 if np.dtype(dtype) == np.float32 else 1.0)


def choose(shape: Shape, n_samples: int, dtype: npt.DTypeLike, activation: str) -> str:
    """Return "lm" or "lbfgs".

    With relu, samples change sides of a kink within a step, which Levenberg–Marquardt's model of
    the step does not know: it comes to rest early and higher.
    """
    if activation == "relu" or shape.n_parameters > MOST_PARAMETERS:
        return "lbfgs"
    return "lm" if cost(shape, n_samples, dtype) <= WORTH else "lbfgs"
