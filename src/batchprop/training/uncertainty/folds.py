"""Networks that have not seen a part of the samples, which calibrate the one that has seen all.

They are trained as the network of the call: by the same solver and rules and with the same penalty,
each from a start of its own, on all samples but those of one fold.  Which samples these are depends
on their inputs alone: samples with equal inputs stay together, a weight of 2 makes the same folds
as a repeated sample, and a weight of 0 the same as a missing one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.network import Network
from batchprop.scaling import Scaling
from batchprop.solvers.stopping import NEVER, Rules
from batchprop.training.row_keys import row_keys
from batchprop.training.run_specification import RunSpecification

Array = npt.NDArray[Any]

FOLDS = 5
FEWEST = 10  # distinct samples; fewer make no folds
LARGE = 5000  # from so many distinct samples on, one fold is left out once


class Fold(NamedTuple):
    """The runs of one fold, and the indices of the samples that it leaves out, ascending."""

    runs: list[RunSpecification]
    left_out: Array


def folds_of(spec: RunSpecification, n_networks: int) -> list[Fold]:
    """Return the folds of a run, with so many networks each; none if the samples are few."""
    dataset, seed = spec.arrays, spec.arguments["seed"]
    given = dataset.sample_weight
    weight = np.ones(dataset.n_samples) if given is None else given.astype(np.float64)
    folds = []
    for k, left_out in enumerate(_left_out(dataset.X, weight, seed)):
        weights = weight.copy()
        weights[left_out] = 0.0
        scaling = dataset.scaling
        if scaling is not None:
            scaling = Scaling.of(dataset.X, dataset.T, weights)
        fold = replace(dataset, sample_weight=weights, scaling=scaling)
        starts = [_drawn(spec.initial_network, seed, k + FOLDS * j) for j in range(n_networks)]
        common = spec._replace(
            dataset=fold, user_network=None, resumed_from=None, rules=_rules(spec)
        )
        folds.append(Fold([common._replace(initial_network=start) for start in starts], left_out))
    return folds


def _rules(spec: RunSpecification) -> Rules:
    """Return the stopping rules of the run, and of those that it resumes."""
    previous = spec.resumed_from
    if previous is None:
        return spec.rules
    max_epochs = min(previous.n_epochs + spec.rules.max_epochs, NEVER)
    return spec.rules._replace(max_epochs=max_epochs)


def _left_out(X: Array, weight: Array, seed: int | None) -> list[Array]:
    """Return the indices of the samples that each fold leaves out, ascending."""
    present = np.flatnonzero(weight)
    rng = np.random.default_rng(seed)
    keys = row_keys(X, int(rng.integers(1 << 62)))[present]
    distinct, positions = np.unique(keys, return_inverse=True)
    if distinct.size < FEWEST:
        return []
    fold = positions * FOLDS // distinct.size
    return [present[fold == k] for k in range(1 if distinct.size >= LARGE else FOLDS)]


def _drawn(network: Network, seed: int | None, k: int) -> Network:
    """Draw a start.  The user's network is no start: it may have seen all samples."""
    return Network.initialize(
        *network.shape,
        activation=network.activation,
        seed=None if seed is None else seed + k,
        dtype=network.dtype,
    )
