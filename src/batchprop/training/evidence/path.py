"""The path: a small network fitted with ever smaller penalties, each fit starting from the last.

It goes down from an α where nothing but the mean is fitted.  Fits that go up, or that start anew at
each α, end in poor minima.  With a large α all units collapse to nothing, and between there and the
good region −log evidence can rise by a hundred nats: the path does not stop at a rise, only far
above the minimum.  A network whose weights are all but zero is no start, because there the gradient
of the weights vanishes: the next fit then starts from the drawn network.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import engines
from batchprop.engines.loss_scale import total_weight
from batchprop.network import Network
from batchprop.solvers.auto import choose
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings, default_history
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
)
from batchprop.solvers.stopping import Rules
from batchprop.training.dataset import Dataset
from batchprop.training.evidence.criterion import criterion
from batchprop.training.evidence.evidence import Evidence, evidence
from batchprop.training.evidence.proxy import EPOCHS, Proxy
from batchprop.training.option_checks import SolverSettings
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

Array = npt.NDArray[Any]

EXPONENTS = tuple(range(1, -12, -1))  # log₁₀ α_h, from 10 down
_COLLAPSED = 1e-6  # mean square of the weights of a network that is no start
_FAR = 2.0  # times P: so many nats above the minimum, the path ends
_FALLING = 0.8  # unless the error is less than this share of that at the minimum


class Point(NamedTuple):
    """A fit of the path.

    Attributes
    ----------
    exponent : int
        log₁₀ α_h.
    network : Network
        Its network, for standardised data.
    evidence : Evidence
        Its evidence.
    error : float
        Mean squared error of a target that was left out, NaN if none was.
    value : float
        The criterion.
    """

    exponent: int
    network: Network
    evidence: Evidence
    error: float
    value: float


class Path:
    """The fits, one after another.

    Parameters
    ----------
    proxy : Proxy
        Samples and sizes.
    spec : RunSpecification
        The run whose penalty is chosen.
    seed : int or None
        What the small network is drawn from.

    Attributes
    ----------
    proxy : Proxy
        As handed over.
    points : list of Point
        The fits so far.
    total_weight : float
        Σw of the samples that are fitted.
    """

    def __init__(self, proxy: Proxy, spec: RunSpecification, seed: int | None) -> None:
        self.proxy, self._spec = proxy, spec
        self.total_weight = total_weight(proxy.fitted.X.shape[1], proxy.fitted.sample_weight)
        self._activation = spec.initial_network.activation
        self._drawn = Network.initialize(
            *proxy.shape, activation=self._activation, seed=seed, dtype=np.float64
        )
        self.points: list[Point] = []

    @property
    def n_targets(self) -> float:
        """s Σw of the training samples, those that are left out included."""
        left_out, total = self.proxy.left_out, self.total_weight
        if self._spec.dataset.validation is None:
            total += total_weight(left_out.X.shape[1], left_out.sample_weight)
        return total * self.proxy.shape.n_outputs

    @property
    def is_far(self) -> bool:
        """Whether −log evidence is far above its minimum, and errors left out do not fall."""
        values = [point.evidence.negative_log for point in self.points]
        if not values[-1] > min(values) + _FAR * self._drawn.theta.size:
            return False
        errors = [point.error for point in self.points]
        return not errors[-1] < _FALLING * errors[values.index(min(values))]

    def nearest(self, exponent: float) -> Point:
        """Return the point next to an α."""
        return min(self.points, key=lambda point: abs(point.exponent - exponent))

    def next_run(self) -> RunSpecification:
        """Return the next fit."""
        start = self._drawn
        if self.points:
            previous = self.points[-1].network
            weights = np.concatenate((previous.W_h.ravel(), previous.W_y.ravel()))
            if float(np.mean(np.square(weights))) > _COLLAPSED:
                start = previous
        alpha = pair(EXPONENTS[len(self.points)], self.proxy.n_hidden)
        return proxy_run(self._spec, self.proxy, start, alpha)

    def take(self, result: TrainResult) -> None:
        """Add a fit."""
        exponent, network = EXPONENTS[len(self.points)], result.network
        loss, JTJ = gauss_newton(self.proxy, network)
        alpha = pair(exponent, self.proxy.n_hidden)
        known = evidence(loss, JTJ, network.theta, network.shape, alpha, self.total_weight)
        error = left_out_error(self.proxy, network)
        value = criterion(known.negative_log, error, self.n_targets)
        value = value if math.isfinite(value) else math.inf
        self.points.append(Point(exponent, network, known, error, value))


def pair(exponent: float, n_hidden: int) -> tuple[float, float]:
    """Return (α_h, m α_h) of log₁₀ α_h."""
    alpha_h = float(10.0**exponent)
    return alpha_h, alpha_h * n_hidden


def proxy_run(
    spec: RunSpecification,
    proxy: Proxy,
    start: Network,
    alpha: tuple[float, float],
    epochs: dict[str, int] = EPOCHS,
    solver: str | None = None,
) -> RunSpecification:
    """Return a short run on the fitted samples of a proxy; without a solver, by what suits it."""
    X, T, weight, _ = proxy.fitted
    shape = start.shape
    solver = solver or choose(shape, X.shape[1], np.float64, start.activation)
    lm = solver == "lm"
    settings: SolverSettings = (
        LevenbergMarquardtSettings() if lm else LbfgsSettings(default_history(shape.n_parameters))
    )
    window = 3 if lm else 20
    return spec._replace(
        dataset=Dataset(X, T, weight, None, None, None, {}),
        initial_network=start,
        user_network=None,
        engine="fused",
        solver=solver,
        settings=settings,
        rules=Rules(epochs[solver], -math.inf, 1e-10, 1e-5, window, -1, False),
        alpha=alpha,
        arguments=spec.arguments
        | {
            "solver": solver,
            "alpha": list(alpha),
            "hidden_size": shape.n_hidden,
            "activation": start.activation,
            "dtype": "float64",
        },
        resumed_from=None,
    )


def gauss_newton(proxy: Proxy, network: Network) -> tuple[float, Array]:
    """Return L and JᵀJ of a network on the fitted samples."""
    theta = network.theta
    gradient, JTJ = np.empty(theta.size), np.empty((theta.size, theta.size))
    engine = engines.load("fused")
    with engine.GaussNewtonObjective(
        proxy.fitted, network.shape, network.activation, np.float64, 1
    ) as objective:
        return objective.gauss_newton(theta, gradient, JTJ), JTJ


def left_out_error(proxy: Proxy, network: Network) -> float:
    """Return the mean squared error of a target that was left out; NaN if none was.

    It is not finite where squares overflow.
    """
    X, T, weight, _ = proxy.left_out
    if X.shape[1] == 0:
        return math.nan
    weights = np.ones(X.shape[1]) if weight is None else weight
    with np.errstate(over="ignore", invalid="ignore"):  # samples far outside those fitted
        squares = np.sum(np.square(network.predict(X, n_threads=1) - T), axis=0)
        return float(np.sum(weights * squares) / (np.sum(weights) * T.shape[0]))
