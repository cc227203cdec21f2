"""Without noise, no penalty may predict best: a held-out comparison that has the last word.

The evidence of targets without noise often has its minimum at an α that is too large: Laplace's
approximation ends where the weights are no longer normal.  If the noise seems small, two networks
of the size of the call (200 units at most) are trained for a while on the fitted samples, with the
chosen α and with 0.  By their √MSE on the samples left out, α = 0 wins in one of three cases:

1. its √MSE is less than ``HALF`` the noise that the path has at the chosen α: most of that is the
   error of a small network, and it made the chosen α too large;
2. the noise is less than ``NOISE``, and both comparisons together ask for less penalty: the product
   of two ratios of √MSE is at most ``TOGETHER``.  They are that of 0 over that of the chosen α, and
   that at the end of the path over that at the chosen α;
3. the chosen α is next to nothing, by itself or beside the noise, and the √MSE of 0 is not much
   larger.  (α is the variance of the noise over that of the weights.)

The fits are short, and it is in long ones that a network without noise and penalty gets ahead; so
the cases ask for little.  The measurements: https://batchprop.readthedocs.io/en/latest/penalty.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.solvers.auto import choose, cost, gradient_work
from batchprop.training.evidence.path import Path, left_out_error, pair, proxy_run
from batchprop.training.evidence.proxy import Proxy
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

MAX_NOISE = 0.2  # standard deviation, in standardised units, above which 0 is out of the question
SMALL = -3.0  # log₁₀ α: a smaller α and so much noise contradict each other
HALF = 0.5  # of the first case
NOISE, TOGETHER = 0.05, 0.6  # of the second case
TINY, TINY_SHARE = 1e-6, 1e-3  # of the third: α, and α as a share of the noise's variance
NOT_MUCH_LARGER = 1.5  # of the third: a ratio of √MSE; short fits tell no more
MAX_UNITS = 200  # of the networks that are compared
WORK = 2e9  # multiply-adds of a fit, at most; about 0.4 s
EPOCHS = {"lm": 200, "lbfgs": 1200}


def is_called_for(path: Path, exponent: float) -> bool:
    """Return whether α = 0 may be best, by the path that fits best and log₁₀ of the chosen α."""
    point = path.nearest(exponent)
    noise = math.sqrt(point.evidence.variance)
    return (noise < MAX_NOISE or exponent <= SMALL) and point.error > 0.0  # not if NaN


def comparison(
    spec: RunSpecification, proxy: Proxy, exponent: float, seed: int | None
) -> list[RunSpecification]:
    """Return the fits that are compared: with the chosen α, of which log₁₀ is given, and with 0."""
    e, _, s = proxy.shape
    initial = spec.initial_network
    shape = Shape(e, min(initial.shape.n_hidden, MAX_UNITS), s)
    drawn = Network.initialize(*shape, activation=initial.activation, seed=seed, dtype=np.float64)
    epochs = _epochs(shape, proxy.fitted.X.shape[1], initial.activation)
    alphas = pair(exponent, shape.n_hidden), (0.0, 0.0)
    return [proxy_run(spec, proxy, drawn, alpha, epochs) for alpha in alphas]


def zero_wins(path: Path, exponent: float, results: Sequence[TrainResult]) -> bool:
    """Return whether α = 0 is to be preferred.

    Parameters
    ----------
    path : Path
        The path that fits best.
    exponent : float
        log₁₀ of the chosen α.
    results : sequence of TrainResult
        The fits of ``comparison``, with the chosen α and with 0.
    """
    of_chosen, of_zero = (left_out_error(path.proxy, result.network) for result in results)
    ratio = math.sqrt(of_zero / of_chosen) if of_chosen > 0.0 else math.inf
    point, last = path.nearest(exponent), path.points[-1]
    change, noise = math.sqrt(last.error / point.error), math.sqrt(point.evidence.variance)
    tiny = 10.0**exponent <= max(TINY, TINY_SHARE * noise**2)
    return (
        math.sqrt(of_zero) < HALF * noise
        or (noise < NOISE and ratio * change <= TOGETHER)
        or (tiny and ratio <= NOT_MUCH_LARGER)
    )


def _epochs(shape: Shape, n_samples: int, activation: str) -> dict[str, int]:
    """Return how many steps of each solver a fit may take."""
    gradient = n_samples * gradient_work(shape)
    if choose(shape, n_samples, np.float64, activation) == "lm":
        work = gradient * cost(shape, n_samples, np.float64)
        return {"lm": max(1, min(EPOCHS["lm"], int(WORK / work)))}
    return {"lbfgs": max(1, min(EPOCHS["lbfgs"], int(WORK / gradient)))}
