"""The part of the samples and the small network by which a penalty is chosen.

α is a ridge against summed squares in standardised units, and (α_h, m α_h) does not depend on m
either: a part of the samples and a network of few units tell which α suits all samples and the
network of the call.  So the cost of a choice is bounded.  How the choice is made:
https://batchprop.readthedocs.io/en/latest/penalty.html

A fifth of the samples is left out of the fits and judges them.  Which samples these are depends on
their inputs alone: repeated samples stay on one side, and a weight of 2 makes the same choice as a
repeated sample.  Weights that are no counts are divided by their mean (``weight_unit``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.engines.samples import Samples
from batchprop.linalg.inverse import inverse_factor
from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.scaling import Scaling
from batchprop.solvers.auto import choose, gradient_work, row_product_work
from batchprop.training.dataset import Dataset
from batchprop.training.external_dataset import ExternalDataset
from batchprop.training.row_keys import mixed

Array = npt.NDArray[Any]

MAX_PARAMETERS = 500
MAX_SAMPLES = 2000
MIN_SAMPLES = 200  # however much work that is
EPOCHS = {"lm": 25, "lbfgs": 100}  # of each fit
WORK = 2e8  # multiply-adds of the fit for one α, at most; about 50 ms
MAX_OUTPUTS = 50
LEFT_OUT = 0.2  # share of the samples that judges
MIN_LEFT_OUT = 4  # samples


class Proxy(NamedTuple):
    """Standardised samples, in float64 and in C order, and the sizes of the small network.

    Attributes
    ----------
    fitted, left_out : Samples
        What the fits are trained on, and what judges them; the latter may have no samples.
    n_hidden : int
        m of the small network.
    inputs, outputs : ndarray of int
        Which inputs and outputs take part, in the order of the rows of X and T: those that vary,
        and ``MAX_OUTPUTS`` outputs at most.
    rotated : bool
        Whether the rows of X are coordinates in the space of the samples, not inputs.
    """

    fitted: Samples
    left_out: Samples
    n_hidden: int
    inputs: Array
    outputs: Array
    rotated: bool

    @property
    def shape(self) -> Shape:
        """Sizes of the small network."""
        return Shape(self.fitted.X.shape[0], self.n_hidden, self.fitted.T.shape[0])


def proxy_of(
    dataset: Dataset | ExternalDataset,
    network: Network,
    max_units: int,
    fold: int,
    seed: int | None,
) -> Proxy | None:
    """Return the proxy of a data set and of a network; None if too little varies.

    Validation data, if there are any, are what judges; then no training sample is left out.

    Parameters
    ----------
    dataset : Dataset or ExternalDataset
        The data of the call.
    network : Network
        Has the σ and the m of the call.
    max_units : int
        Largest m of the small network.
    fold : int
        Which fifth of the samples is left out, from 0 to 4.
    seed : int or None
        Chooses the samples, and the outputs if there are many.
    """
    n_hidden = min(network.shape.n_hidden, max_units)
    training, indices = dataset.candidates
    X, T, weight, _ = training
    inputs, outputs = np.arange(X.shape[0]), np.arange(T.shape[0])
    if dataset.scaling is not None:
        scaling = dataset.scaling
        inputs, outputs = np.flatnonzero(scaling.x_factor), np.flatnonzero(scaling.t_factor)
    if indices.size < 2 or not inputs.size or not outputs.size:
        return None
    rng = np.random.default_rng(seed)
    if outputs.size > MAX_OUTPUTS:
        outputs = np.sort(rng.permutation(outputs)[:MAX_OUTPUTS])
    shape = _sizes(Shape(inputs.size, n_hidden, outputs.size), indices.size)
    count = n_samples(shape, network.activation)
    if indices.size > count:
        indices = np.sort(indices[rng.permutation(indices.size)[:count]])
    judging = np.zeros(indices.size, bool)
    judges = dataset.validation_candidates
    if judges is None:
        keys = _keys(X[np.ix_(inputs, indices)], rng)
        judging = _leave_out(keys, np.ones(keys.size) if weight is None else weight[indices], fold)
    fitted = _part(training, dataset.scaling, indices[~judging], inputs, outputs)
    if judges is None:
        left_out = _part(training, dataset.scaling, indices[judging], inputs, outputs)
    else:
        chosen = np.sort(rng.permutation(judges.indices)[:MAX_SAMPLES])
        left_out = _part(judges.samples, dataset.scaling, chosen, inputs, outputs)
    if fitted.sample_weight is not None:
        unit = dataset.weight_unit
        fitted = fitted._replace(sample_weight=fitted.sample_weight / unit)
        if judges is None and left_out.sample_weight is not None:
            left_out = left_out._replace(sample_weight=left_out.sample_weight / unit)
    rotated = fitted.X.shape[0] > fitted.X.shape[1]
    if rotated:
        fitted, left_out = _rotated(fitted, left_out)
    e, s = fitted.X.shape[0], outputs.size
    m = _sizes(Shape(e, n_hidden, s), fitted.X.shape[1]).n_hidden
    return Proxy(fitted, left_out, m, inputs, outputs, rotated)


def _sizes(shape: Shape, n_samples: int) -> Shape:
    """Return the shape with as many units as take part in the choice."""
    e, m, s = shape
    by_parameters = (MAX_PARAMETERS - s) // (min(e, n_samples) + 1 + s)
    return Shape(e, max(1, min(m, max(2, by_parameters))), s)


def n_samples(shape: Shape, activation: str) -> int:
    """Return how many samples take part in the choice, at most."""
    products = row_product_work(shape)
    solver = choose(shape, MAX_SAMPLES, np.float64, activation)
    work = EPOCHS["lm"] * products
    if solver == "lbfgs":
        work = products + EPOCHS["lbfgs"] * gradient_work(shape)
    return int(min(MAX_SAMPLES, max(MIN_SAMPLES, WORK / work)))


def _keys(X: Array, rng: np.random.Generator) -> Array:
    """Return an integer for each sample (N,) that depends on its inputs X (e, N) alone."""
    bits = (X.astype(np.float64) + 0.0).view(np.uint64)  # −0 becomes 0
    odd = rng.integers(1 << 62, size=(X.shape[0], 1), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return mixed(np.asarray(np.sum(mixed(bits * odd), axis=0, dtype=np.uint64)))


def _leave_out(keys: Array, weight: Array, fold: int) -> Array:
    """Return which samples are left out: a fifth of the distinct keys.

    None are if these are few, or have more than half of the weight.
    """
    distinct, positions = np.unique(keys, return_inverse=True)
    count = int(LEFT_OUT * distinct.size)
    judging = np.asarray(positions // max(1, count) == fold)
    heavy = float(np.sum(weight[judging])) > 0.5 * float(np.sum(weight))
    return np.zeros(keys.size, bool) if count < MIN_LEFT_OUT or heavy else judging


def _part(
    samples: Samples, scaling: Scaling | None, indices: Array, inputs: Array, outputs: Array
) -> Samples:
    """Return standardised copies of some samples, inputs and outputs."""
    X = samples.X[:, indices][inputs].astype(np.float64)
    T = samples.T[:, indices][outputs].astype(np.float64)
    if scaling is not None:
        X = (X - scaling.x_mean[inputs, np.newaxis]) * scaling.x_factor[inputs, np.newaxis]
        T = (T - scaling.t_mean[outputs, np.newaxis]) * scaling.t_factor[outputs, np.newaxis]
    weight = None if samples.sample_weight is None else samples.sample_weight[indices]
    return Samples(np.ascontiguousarray(X), np.ascontiguousarray(T), weight)


def _rotated(*parts: Samples) -> Sequence[Samples]:
    """Return the samples in coordinates of the space that the first part's inputs span.

    For inputs X (e, N), e > N, an orthonormal basis of that space is X times the inverse of the
    transposed Cholesky factor of XᵀX.  A network of the coordinates has the same outputs and the
    same ‖W_h‖² as one of x, because a penalised W_h has no part outside that space.
    """
    X = parts[0].X
    n = X.shape[1]
    gram = np.einsum("ji,jk->ik", X, X)
    gram[np.diag_indices(n)] += 1e-10 * np.trace(gram) / n
    inverse = inverse_factor(gram)
    assert inverse is not None, "a sum of squares and a ridge"
    basis = np.einsum("ij,kj->ki", inverse, X)
    return [part._replace(X=np.einsum("ki,kj->ij", basis, part.X)) for part in parts]
