"""Laplace's approximation at trained networks: K from JᵀJ, its factor, the noise and γ.

The price is bounded.  K has all P parameters up to ``MAX_PARAMETERS``, beyond that those of the
last layer, and none if these are too many as well.  At most so many samples take part that their
products stay below ``WORK``, which are still at least ten a parameter: K is their mean times Σw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import engines
from batchprop.engines.loss_scale import total_weight
from batchprop.engines.samples import Samples
from batchprop.linalg.panel_products import add_products
from batchprop.machine.thread_map import thread_map
from batchprop.parameters import Shape
from batchprop.predictive.jacobian import Activity, columns, input_panels, panels
from batchprop.predictive.posterior import CONSTANT, FULL, LAST_LAYER, Posterior
from batchprop.scaling import Scaling
from batchprop.training.evidence.evidence import precisions, ridge_factor

Array = npt.NDArray[Any]

MAX_PARAMETERS = 2000
MAX_FACTORS = 5 * MAX_PARAMETERS**2  # numbers of the factors of all networks of an average
WORK = 4e10  # products of pairs of parameters, over all samples
NOISE_SAMPLES = 10_000  # that residuals and γ are taken from, at most
_CHUNK = 256  # samples
_FREEDOM = 0.01  # share of Σw: with less than that left, the residuals do not tell the noise


class Laplace(NamedTuple):
    """A posterior, the noise of each output, and γ.

    Attributes
    ----------
    posterior : Posterior
        Of the networks.
    noise_variance : ndarray, shape (s,)
        ν_o of standardised targets; NaN where too few samples are left to tell.
    n_effective : float
        γ, the mean over networks; NaN if no parameter varies.
    """

    posterior: Posterior
    noise_variance: Array
    n_effective: float


def approximation_of(shape: Shape, n_networks: int) -> str:
    """Return which parameters of so many networks vary."""
    for name, n in ((FULL, shape.n_parameters), (LAST_LAYER, shape.n_hidden + 1)):
        if n <= MAX_PARAMETERS and n_networks * n**2 <= MAX_FACTORS:
            return name
    return CONSTANT


def laplace(
    samples: Samples,
    thetas: Sequence[Array],
    shape: Shape,
    activation: str,
    alpha: tuple[float, float],
    seed: int | None,
    n_threads: int,
) -> Laplace:
    """Return Laplace's approximation at networks that were trained on samples.

    Parameters
    ----------
    samples : Samples
        What they were trained on.
    thetas : sequence of ndarray, shape (P,)
        θ of each network, for standardised data.
    shape : Shape
        Sizes of each network.
    activation : str
        Name of σ.
    alpha : tuple of two floats
        (α_h, α_y).
    seed : int or None
        Chooses samples where there are many.
    n_threads : int
        Networks that are dealt with at a time.
    """
    networks = np.array(thetas, np.float64)
    approximation = approximation_of(shape, len(networks))
    scaling = samples.scaling or Scaling.identity(shape.n_inputs, shape.n_outputs)
    total = total_weight(samples.X.shape[1], samples.sample_weight)
    n = {FULL: shape.n_parameters, LAST_LAYER: shape.n_hidden + 1, CONSTANT: 0}[approximation]
    rng = np.random.default_rng(seed)
    count = max(10 * n, int(WORK / max(n, 1) ** 2))
    rows, noise_rows = (_part(samples, size, rng) for size in (count, NOISE_SAMPLES))

    def factor_of(theta: Array) -> Array | None:
        if approximation == FULL:
            matrix = _gauss_newton(rows, theta, shape, activation)
            return ridge_factor(total * matrix, precisions(shape, alpha))
        if approximation == LAST_LAYER:
            matrix = _last_layer(rows, theta, shape, activation, scaling)
            penalties = np.append(np.full(shape.n_hidden, alpha[1]), 0.0)
            return ridge_factor(total * matrix, penalties)
        return np.empty((0, 0))

    factors = thread_map(factor_of, list(networks), n_threads)
    kept = [factor for factor in factors if factor is not None]
    if len(kept) < len(factors):  # a singular K: no parameter varies
        kept = [np.empty((0, 0)) for _ in factors]
    posterior = Posterior(activation, shape, scaling, networks, np.array(kept))
    return Laplace(posterior, *_noise(posterior, noise_rows, total, n_threads))


def _part(samples: Samples, count: int, rng: np.random.Generator) -> Samples:
    """Return samples of positive weight, ``count`` at most."""
    weight = samples.sample_weight
    present = np.arange(samples.X.shape[1]) if weight is None else np.flatnonzero(weight)
    if present.size <= count and weight is None:
        return samples
    if present.size > count:
        present = np.sort(rng.permutation(present)[:count])
    return samples._replace(
        X=samples.X[:, present],
        T=samples.T[:, present],
        sample_weight=None if weight is None else weight[present],
    )


def _gauss_newton(samples: Samples, theta: Array, shape: Shape, activation: str) -> Array:
    """Return JᵀJ, a mean over samples."""
    gradient, JTJ = np.empty(theta.size), np.empty((theta.size, theta.size))
    engine = engines.load("fused")
    with engine.GaussNewtonObjective(samples, shape, activation, np.float64, 1) as objective:
        objective.gauss_newton(theta, gradient, JTJ)
    return JTJ


def _last_layer(
    samples: Samples, theta: Array, shape: Shape, activation: str, scaling: Scaling
) -> Array:
    """Return Σ_i w_i h⁺_i h⁺_iᵀ / Σw; the upper triangle is not complete."""
    n, n_samples = shape.n_hidden + 1, samples.X.shape[1]
    weight = np.ones(n_samples) if samples.sample_weight is None else samples.sample_weight
    sums = np.zeros((n, n))
    for first in range(0, n_samples, _CHUNK):
        part = slice(first, first + _CHUNK)
        inputs = input_panels(samples.X[:, part], scaling)
        h = Activity(theta, shape, activation, inputs).last_layer()
        w = panels(weight[np.newaxis, part], np.zeros(1), np.ones(1))
        add_products((h * w).reshape(-1), h.reshape(-1), n, h.shape[0], sums.reshape(-1))
    return sums / float(np.sum(weight))


def _noise(
    posterior: Posterior, samples: Samples, total: float, n_threads: int
) -> tuple[Array, float]:
    """Return ν_o (s,) and γ: ν_o = Σ_i w_i r_oi²/(Σw − γ_o), γ_o = Σ_i w_i v_oo(x_i)."""
    scaling, s = posterior.scaling, posterior.shape.n_outputs
    n_samples = samples.X.shape[1]
    weight = np.ones(n_samples) if samples.sample_weight is None else samples.sample_weight
    share = weight / np.sum(weight)
    mean_squares = np.zeros(s)
    for first in range(0, n_samples, 4 * _CHUNK):
        part = slice(first, first + 4 * _CHUNK)
        inputs = input_panels(samples.X[:, part], scaling)
        targets = (samples.T[:, part] - scaling.t_mean[:, np.newaxis]) * scaling.t_factor[
            :, np.newaxis
        ]
        for theta in posterior.thetas:
            network = Activity(theta, posterior.shape, posterior.activation, inputs)
            residuals = columns(network.outputs(), targets.shape[1]) - targets
            mean_squares += np.sum(share[part] * residuals**2, axis=1) / len(posterior.thetas)
    if posterior.approximation == CONSTANT:
        return np.full(s, np.nan), np.nan
    v = posterior.uncertainty(samples.X, n_threads).v
    n_effective = total * np.sum(share * v, axis=1)
    freedom = 1.0 - n_effective / total
    known = freedom > _FREEDOM
    variance = np.divide(mean_squares, freedom, out=np.full(s, np.nan), where=known)
    return variance, float(np.sum(n_effective))
