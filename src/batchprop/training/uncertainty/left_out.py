"""What networks say about samples that they have not seen, and how far off they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.averaging import average
from batchprop.engines.samples import Samples
from batchprop.network import Network
from batchprop.scaling import Scaling
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.uncertainty.laplace import Laplace, laplace

Array = npt.NDArray[Any]

MAX_SAMPLES = 10_000  # that calibrate, at most
_LEAST_LEFT = 0.5  # share of the squared residuals: a spread of few networks is not that exact


class LeftOut(NamedTuple):
    """Some samples, seen by networks that were not trained on them, for standardised targets.

    Attributes
    ----------
    residuals : ndarray, shape (s, n)
        y − t.
    v, spread : ndarray, shape (s, n)
        As in ``predictive.posterior.Uncertainty``.
    noise_variance : ndarray, shape (s, n)
        ν_o of the networks; NaN where it is not known.
    weight : ndarray, shape (n,)
        w.
    """

    residuals: Array
    v: Array
    spread: Array
    noise_variance: Array
    weight: Array

    def claimed(self, fallback: Array) -> Array:
        """Return u = ν v + spread (s, n); ``fallback`` (s,) takes the place of an unknown ν."""
        known = np.isfinite(self.noise_variance)
        noise_variance = np.where(known, self.noise_variance, fallback[:, np.newaxis])
        return noise_variance * self.v + self.spread

    def as_of_mean(self, n_networks: int, n_averaged: int) -> LeftOut:
        """Return the residuals (s, n) that the mean of more networks would have.

        Networks that differ by a variance of ``spread`` add spread/n to the expected square of
        their mean's residual.  The squares are from means of ``n_networks``; each output's are
        multiplied by what a mean of ``n_averaged`` leaves of them.
        """
        share = self.weight / np.sum(self.weight)
        excess = (1.0 / n_networks - 1.0 / n_averaged) * np.sum(share * self.spread, axis=1)
        mean_squares = self.mean_squares
        left = np.ones_like(mean_squares)
        np.divide(mean_squares - excess, mean_squares, out=left, where=mean_squares > 0.0)
        factor = np.sqrt(np.maximum(left, _LEAST_LEFT))
        return self._replace(residuals=factor[:, np.newaxis] * self.residuals)

    @property
    def mean_squares(self) -> Array:
        """Σ w r² / Σw of each output (s,)."""
        share = self.weight / np.sum(self.weight)
        return np.asarray(np.sum(share * self.residuals**2, axis=1))


def posterior_of(spec: RunSpecification, results: Sequence[TrainResult], n_threads: int) -> Laplace:
    """Return Laplace's approximation at the networks of runs that share their data."""
    assert not isinstance(spec.alpha, str)
    thetas = [result.checkpoint.state.best for result in results]
    initial, seed = spec.initial_network, spec.arguments["seed"]
    return laplace(
        spec.arrays.training,
        [np.asarray(theta, np.float64) for theta in thetas],
        initial.shape,
        initial.activation,
        spec.alpha,
        seed,
        n_threads,
    )


def left_out(
    network: Network,
    approximation: Laplace,
    samples: Samples,
    indices: Array,
    scaling: Scaling,
    n_threads: int,
) -> LeftOut:
    """Return what a network says about samples that it was not trained on.

    Parameters
    ----------
    network : Network
        Predicts.
    approximation : Laplace
        Its posterior and noise.
    samples : Samples
        Has the samples.
    indices : ndarray of int
        Which they are.
    scaling : Scaling
        Standardises the targets of the result.
    n_threads : int
        At most so many threads.
    """
    X, T = samples.X[:, indices], samples.T[:, indices]
    weight = samples.sample_weight
    factor = scaling.t_factor[:, np.newaxis]
    residuals = (network.predict(X, n_threads=n_threads).astype(np.float64) - T) * factor
    posterior = approximation.posterior
    v, spread = posterior.uncertainty(X, n_threads)
    squared_ratio = (posterior.scaling.t_scale[:, np.newaxis] * factor) ** 2
    noise_variance = squared_ratio * approximation.noise_variance[:, np.newaxis]
    return LeftOut(
        residuals,
        v,
        squared_ratio * spread,
        np.broadcast_to(noise_variance, v.shape),
        np.ones(indices.size) if weight is None else weight[indices],
    )


def left_out_by(
    runs: Sequence[RunSpecification],
    results: Sequence[TrainResult],
    indices: Array,
    spec: RunSpecification,
    n_threads: int,
) -> LeftOut:
    """Return what the networks of one fold say about the samples that it leaves out."""
    approximation = posterior_of(runs[0], results, n_threads)
    network = average([result.network for result in results])
    scaling = scaling_of(spec)
    return left_out(network, approximation, spec.arrays.training, indices, scaling, n_threads)


def scaling_of(spec: RunSpecification) -> Scaling:
    """Return the scaling of a run, which may be none."""
    shape = spec.initial_network.shape
    return spec.arrays.scaling or Scaling.identity(shape.n_inputs, shape.n_outputs)


def some(indices: Array, count: int, seed: int | None) -> Array:
    """Return ``count`` of the indices at most, in ascending order."""
    if indices.size <= count:
        return indices
    return np.sort(np.random.default_rng(seed).permutation(indices)[:count])


def joined(parts: Sequence[LeftOut]) -> LeftOut:
    """Return the samples of several folds as one."""
    return LeftOut(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))
