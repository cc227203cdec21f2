"""``alpha="cv"``: the penalty that predicts best what the fit has not seen.

The search is for one number, α_h; α_y = m α_h (``chosen_penalty.neal_pair``).
The search tries α_h from 1e-4 to 0.1 in steps of a factor of 10.  Then it tries half such a step to
either side of the best, beyond these bounds, too, as long as that predicts better.  Each fit is
trained by L-BFGS on all of five folds but one, and judged by the one left out: by squared errors of
standardised targets.  For large tables one fold is left out once.  Validation data, if there are
any, replace the folds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.network import Network
from batchprop.scaling import Scaling
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings, default_history
from batchprop.solvers.settings import LIMITS
from batchprop.solvers.stopping import Rules
from batchprop.training.alpha_report import AlphaReport
from batchprop.training.chosen_penalty import (
    FALLBACK,
    neal_pair,
    penalised,
    started_from,
)
from batchprop.training.monitor import CUT_SHORT
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification

Array = npt.NDArray[Any]

FOLDS = 5
LARGE = 5000  # from so many samples on, one fold is left out once
MAX_EPOCHS = 2000  # of each fit
# α_h = 10^(k/2): the k that are always tried, the largest first, and the bounds of the search.
_GRID = (-2, -4, -6, -8)
_BOUNDS = (-12, 2)
_ELEMENTS = 1 << 20  # of the left-out inputs, that are predicted at a time


class _Fit(NamedTuple):
    """A fit that judges α, without its penalty."""

    spec: RunSpecification
    left_out: Array | None  # indices of the samples that judge it; None: the validation data


class CrossValidation:
    """The search for one penalty: a ``PenaltySearch``.

    Parameters
    ----------
    spec : RunSpecification
        The run whose penalty is searched.

    Attributes
    ----------
    candidates : tuple of int
        The k that are judged next, α_h = 10^(k/2) times the weight of a sample.
    """

    def __init__(self, spec: RunSpecification) -> None:
        self._spec = spec
        self._fits = _fits(spec)
        self._unit = spec.dataset.weight_unit
        self.candidates: tuple[int, ...] = _GRID if self._fits else ()
        self._scores: dict[int, float] = {}
        self._output_errors: dict[int, Array] = {}
        self._best: Network | None = None

    def next_runs(self) -> list[RunSpecification]:
        """Return the fits that judge the candidates, those of one candidate after another."""
        return [
            penalised(fit.spec, neal_pair(self._alpha(k), fit.spec))
            for k in self.candidates
            for fit in self._fits
        ]

    def take(self, results: Sequence[TrainResult]) -> None:
        """Score the candidates, and propose others."""
        remaining = iter(results)
        for k in self.candidates:
            self.judge(k, [next(remaining) for _ in self._fits])
        self.propose()

    def judge(self, k: int, results: Sequence[TrainResult]) -> None:
        """Score 10^(k/2) by its fits; NaN if one of them was cut short."""
        if any(result.stop_reason in CUT_SHORT for result in results):
            self._scores[k] = math.nan
            self._best = self._best or results[0].network
            return
        squared_errors, total_weight = np.zeros(self._spec.dataset.n_outputs), 0.0
        for fit, result in zip(self._fits, results, strict=True):
            errors, weight = _errors(result.network, fit, self._spec)
            squared_errors, total_weight = squared_errors + errors, total_weight + weight
        self._output_errors[k] = squared_errors / total_weight
        score = float(np.sum(squared_errors)) / total_weight
        score = score if math.isfinite(score) else math.inf
        if not score >= self._lowest():
            self._best = results[0].network
        self._scores[k] = score

    def propose(self) -> None:
        """Make the neighbours of the best k the next candidates."""
        k = self._argmin()
        neighbours = () if k is None else (k - 1, k + 1)
        self.candidates = tuple(
            j for j in neighbours if j not in self._scores and _BOUNDS[0] <= j <= _BOUNDS[1]
        )

    def with_penalty(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification with the best penalty, and a report."""
        k, tried = self._argmin(), sorted(self._scores)
        report = AlphaReport(
            method="cv",
            alphas=tuple(map(self._alpha, tried)),
            scores=tuple(self._scores[j] for j in tried),
            n_folds=0 if spec.dataset.validation is not None else len(self._fits),
            chosen=FALLBACK * self._unit if k is None else self._alpha(k),
            error_std=() if k is None else self._error_std(k),
            n_hidden=spec.initial_network.shape.n_hidden,
            n_samples=spec.dataset.n_samples,
            n_parameters=spec.initial_network.shape.n_parameters,
            cut_short=bool(self.candidates) or any(map(math.isnan, self._scores.values())),
        )
        pair = neal_pair(report.chosen, spec)
        return penalised(spec, pair)._replace(alpha_report=report)

    def _error_std(self, k: int) -> tuple[float, ...]:
        """Return the root mean squared error of each output, in units of T."""
        scaling = self._spec.dataset.scaling
        unit = 1.0 if scaling is None else scaling.t_scale
        return tuple(map(float, unit * np.sqrt(self._output_errors[k])))

    def from_best(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification of a run that starts from the best network, if there is one."""
        return spec if self._best is None else started_from(spec, self._best)

    def _alpha(self, k: int) -> float:
        return float(10.0 ** (k / 2)) * self._unit

    def _argmin(self) -> int | None:
        """Return the best k so far, the largest of equals; None if there is none."""
        judged = [k for k, score in self._scores.items() if not math.isnan(score)]
        return min(judged, key=lambda k: (self._scores[k], -k)) if judged else None

    def _lowest(self) -> float:
        k = self._argmin()
        return math.inf if k is None else self._scores[k]


def _fits(spec: RunSpecification) -> list[_Fit]:
    """Return the fits that judge a penalty; none where there is nothing to compare."""
    dataset, network = spec.arrays, spec.initial_network
    validating = dataset.validation is not None
    # the fits of all folds and α together take the memory of one run
    history_size = default_history(FOLDS * len(_GRID) * network.theta.size)
    arguments = {"solver": "lbfgs", "max_evaluations": None, "history_size": None}
    window = LIMITS["lbfgs"].n_epochs_no_change
    common = spec._replace(
        user_network=None,
        solver="lbfgs",
        settings=LbfgsSettings(history_size),
        rules=Rules(MAX_EPOCHS, -math.inf, 1e-10, 1e-6, window, -1, validating),
        arguments=spec.arguments | arguments,
        resumed_from=None,
    )
    seed = spec.arguments["seed"]
    if validating:
        return [_Fit(common._replace(initial_network=_drawn(network, seed, 0)), None)]
    weight = dataset.sample_weight
    present = np.arange(dataset.n_samples) if weight is None else np.flatnonzero(weight)
    fits = []
    for k, left_out in enumerate(_left_out(present, seed)):
        weights = np.ones(dataset.n_samples) if weight is None else weight.astype(np.float64)
        weights[left_out] = 0.0
        definition = dataset.scaling
        if definition is not None:
            definition = Scaling.of(dataset.X, dataset.T, weights)
        fold = replace(dataset, sample_weight=weights, scaling=definition)
        start = _drawn(network, seed, k)
        fits.append(_Fit(common._replace(dataset=fold, initial_network=start), left_out))
    return fits


def _left_out(present: Array, seed: int | None) -> Iterator[Array]:
    """Yield the indices of the samples that each fold leaves out, ascending."""
    n = present.size
    if n < 2:
        return
    order = np.random.default_rng(seed).permutation(n)
    count = min(FOLDS, n)
    for k in range(1 if n >= LARGE else count):
        yield np.sort(present[order[k::count]])


def _drawn(network: Network, seed: int | None, k: int) -> Network:
    """Draw the start of fold k.  The user's network is no start: it may have seen all samples."""
    return Network.initialize(
        *network.shape,
        activation=network.activation,
        seed=None if seed is None else seed + k,
        dtype=network.dtype,
    )


def _errors(network: Network, fit: _Fit, spec: RunSpecification) -> tuple[Array, float]:
    """Return Σ w (t̃ − ỹ)² of each output (s,), and Σw, of the samples left out.

    Targets are in units of the standard deviations of all samples.
    """
    samples, left_out = spec.arrays.training, fit.left_out
    if left_out is None:
        assert spec.arrays.validation is not None
        samples = spec.arrays.validation
        left_out = np.arange(samples.X.shape[1])
    factor = 1.0 if samples.scaling is None else samples.scaling.t_factor[:, np.newaxis]
    squared_errors, total_weight = np.zeros(samples.T.shape[0]), 0.0
    step = max(1, _ELEMENTS // sum(network.shape))
    for start in range(0, left_out.size, step):
        part = left_out[start : start + step]
        Y = network.predict(samples.X[:, part], engine=spec.engine).astype(np.float64)
        weight = None if samples.sample_weight is None else samples.sample_weight[part]
        weight = np.ones(part.size) if weight is None else weight
        with np.errstate(over="ignore", invalid="ignore"):  # samples far outside those fitted
            squares = ((Y - samples.T[:, part]) * factor) ** 2
            squared_errors += (weight * squares).sum(axis=1)
        total_weight += float(weight.sum())
    return squared_errors, total_weight
