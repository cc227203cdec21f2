"""Without noise, no penalty may predict best: a held-out comparison that has the last word.

The evidence of targets without noise often has its minimum at an α that is too large: Laplace's
approximation ends where the weights are no longer normal.  Two things must speak for α = 0:

1. On the path, errors on samples left out go on falling, or the noise is next to nothing and they
   do not rise, down to the smallest α.
2. Networks of the size of the call, trained for a while on the same samples, with the chosen α and
   with 0: the latter predicts the samples left out no worse, up to ``ADVANTAGE``.  The fits are
   short, and it is in long ones that a network without a penalty gets ahead.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.solvers.auto import choose, cost
from batchprop.training.evidence.path import Path, left_out_error, proxy_run
from batchprop.training.evidence.proxy import Proxy
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

# The noise, as a standard deviation in standardised units, and the ratio of root mean squared errors
# at the smallest and at the chosen α, below which the paths speak for 0.
BOUNDS = ((math.inf, 0.7), (0.02, 1.0), (0.002, 1.5))
ADVANTAGE = 1.5  # the same, see 2.
WORK = 1.5e9  # multiply-adds of a fit, at most; about 0.3 s
EPOCHS = {"lm": 60, "lbfgs": 600}


def is_called_for(paths: Sequence[Path], exponent: float) -> bool:
    """Return whether the paths speak for α = 0.

    Parameters
    ----------
    paths : sequence of Path
        All paths.
    exponent : float
        log₁₀ of the chosen α.
    """
    logarithm, variance = 0.0, 0.0
    for path in paths:
        nearest, last = path.nearest(exponent), path.points[-1]
        if not (nearest.error > 0.0 and last.error > 0.0):  # or NaN
            return False
        logarithm += 0.5 * math.log(last.error / nearest.error) / len(paths)
        variance = max(variance, nearest.evidence.variance)
    ratio, noise = math.exp(logarithm), math.sqrt(variance)
    return any(noise < std and ratio <= bound for std, bound in BOUNDS)


def comparison(
    spec: RunSpecification, proxy: Proxy, alphas: Sequence[tuple[float, float]], seed: int | None
) -> list[RunSpecification]:
    """Return the fits that are compared: networks of the call's size, one for each α."""
    e, _, s = proxy.shape
    initial = spec.initial_network
    shape = Shape(e, initial.shape.n_hidden, s)
    drawn = Network.initialize(*shape, activation=initial.activation, seed=seed, dtype=np.float64)
    epochs = _epochs(shape, proxy.fitted.X.shape[1], initial.activation)
    return [proxy_run(spec, proxy, drawn, alpha, epochs) for alpha in alphas]


def zero_wins(proxy: Proxy, results: Sequence[TrainResult]) -> bool:
    """Return whether the last of the fits, that of α = 0, predicts no worse than the others."""
    *others, of_zero = (left_out_error(proxy, result.network) for result in results)
    return math.sqrt(of_zero) <= ADVANTAGE * math.sqrt(min(others))


def _epochs(shape: Shape, n_samples: int, activation: str) -> dict[str, int]:
    """Return how many steps of each solver a fit may take."""
    e, m, s = shape
    gradient = n_samples * m * (2 * e + 3 * s + 20)
    if choose(shape, n_samples, np.float64, activation) == "lm":
        work = gradient * cost(shape, n_samples, np.float64)
        return {"lm": max(1, min(EPOCHS["lm"], int(WORK / work)))}
    return {"lbfgs": max(1, min(EPOCHS["lbfgs"], int(WORK / gradient)))}
