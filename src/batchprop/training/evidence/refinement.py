"""A larger penalty than the small networks ask for, if networks of the size of the call need it.

The best (α_h, m α_h) hardly depends on m, but a small network suffers less from too small an α: it
has few units that could fit noise.  Where the criterion is nearly flat below the best α, small
networks cannot tell a thirtieth of it from it, and the network of the call pays for that.

So networks of the size of the call (200 units at most) are trained for a while on the fitted
samples of each proxy, with the chosen α, √10 times as much, 10 times, … as long as the samples left
out are predicted better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.solvers.auto import MAX_ALPHA, gradient_work
from batchprop.training.evidence.path import EXPONENTS, Path, left_out_error, pair, proxy_run
from batchprop.training.evidence.proxy import Proxy
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

STEP = 0.5  # in log₁₀ α
MIN_NOISE = 0.1  # standard deviation, in standardised units
MAX_UNITS = 200  # of the networks that are compared
MAX_EPOCHS = 600
WORK = 1e9  # multiply-adds of a fit, at most; about 0.2 s


def is_called_for(spec: RunSpecification, paths: Sequence[Path], exponent: float) -> bool:
    """Return whether the call's network is larger, there is noise, and samples are left out.

    With little noise the fits would have to be long: short ones favour a larger α, because they get
    further with it.
    """
    variances = [path.nearest(exponent).evidence.variance for path in paths]
    return (
        10.0**exponent > MAX_ALPHA
        and not any(math.sqrt(variance) < MIN_NOISE for variance in variances)
        and all(spec.initial_network.shape.n_hidden > path.proxy.n_hidden for path in paths)
        and all(path.proxy.left_out.X.shape[1] > 0 for path in paths)
    )


class Refinement:
    """The climb from the chosen α.

    Parameters
    ----------
    spec : RunSpecification
        The run whose penalty is chosen.
    proxies : sequence of Proxy
        Samples that are fitted and left out; all have some left out.
    exponent : float
        log₁₀ of the α that the small networks chose.
    seed : int or None
        What the networks are drawn from.

    Attributes
    ----------
    errors : list of float
        Of each α so far, mean squared error on the samples left out, geometric mean over proxies.
    """

    def __init__(
        self, spec: RunSpecification, proxies: Sequence[Proxy], exponent: float, seed: int | None
    ) -> None:
        self._spec, self._proxies, self._first, self._seed = spec, proxies, exponent, seed
        self.errors: list[float] = []

    @property
    def has_ended(self) -> bool:
        """Whether the last α was no better than the one before, or none is left."""
        if len(self.errors) > 1 and not self.errors[-1] < self.errors[-2]:
            return True
        return bool(self.errors) and self._exponent(len(self.errors)) > EXPONENTS[0]

    @property
    def exponent(self) -> float:
        """log₁₀ of the best α so far."""
        if not self.errors:
            return self._first
        return self._exponent(int(np.argmin(self.errors)))

    def next_runs(self) -> list[RunSpecification]:
        """Return the fits with the next α, one for each proxy."""
        exponent = self._exponent(len(self.errors))
        return [self._run(proxy, exponent, k) for k, proxy in enumerate(self._proxies)]

    def take(self, results: Sequence[TrainResult]) -> None:
        """Judge these fits."""
        errors = [
            left_out_error(proxy, result.network)
            for proxy, result in zip(self._proxies, results, strict=True)
        ]
        finite = all(math.isfinite(error) for error in errors)
        logs = [math.log(max(error, 1e-300)) for error in errors if finite]
        self.errors.append(math.exp(sum(logs) / len(logs)) if finite else math.inf)

    def _exponent(self, k: int) -> float:
        return self._first + STEP * k

    def _run(self, proxy: Proxy, exponent: float, k: int) -> RunSpecification:
        """Return the fit for one proxy."""
        e, _, s = proxy.shape
        initial = self._spec.initial_network
        shape = Shape(e, min(initial.shape.n_hidden, MAX_UNITS), s)
        seed = None if self._seed is None else self._seed + k
        start = Network.initialize(
            *shape, activation=initial.activation, seed=seed, dtype=np.float64
        )
        work = proxy.fitted.X.shape[1] * gradient_work(shape)
        epochs = max(1, min(MAX_EPOCHS, int(WORK / work)))
        alpha = pair(exponent, shape.n_hidden)
        return proxy_run(self._spec, proxy, start, alpha, {"lbfgs": epochs}, solver="lbfgs")
