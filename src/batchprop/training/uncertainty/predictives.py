"""``with_predictives``: results of a call with ``Predictive`` added, fitted side by side.

The folds of all results are trained together, as the fits of a search for a penalty are: with the
threads of the call, its clock, its callbacks and its progress line.  A result is never lost: what
cuts a fold short leaves the calibration to the other folds, or Laplace's approximation as it is,
with one warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.engines.samples import Samples
from batchprop.machine.thread_count import available
from batchprop.machine.thread_map import thread_map
from batchprop.predictive.calibration import calibrated, uncalibrated
from batchprop.predictive.posterior import CONSTANT
from batchprop.predictive.predictive import Predictive
from batchprop.scaling.moments import moments
from batchprop.solvers.stopping import NON_FINITE, REASONS
from batchprop.training.combination import averaged
from batchprop.training.monitor import CUT_SHORT, Monitor
from batchprop.training.parallel import run_all
from batchprop.training.result import CALIBRATION, MEAN, TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.search_monitor import SearchMonitor
from batchprop.training.uncertainty.folds import FEWEST, Fold, folds_of
from batchprop.training.uncertainty.laplace import approximation_of
from batchprop.training.uncertainty.left_out import (
    MAX_SAMPLES,
    LeftOut,
    joined,
    left_out,
    left_out_by,
    posterior_of,
    scaling_of,
    some,
)
from batchprop.vocabulary import Words

Array = npt.NDArray[Any]

NETWORKS_A_FOLD = 2  # where the result is an average; one otherwise
_AS_IT_IS = "is Laplace's approximation as it is"
_AFTER = {
    "callback": "the callback ended the run",
    "interrupted": "the run was interrupted",
    "max_seconds": "max_seconds ended the run",
}


class _Job(NamedTuple):
    """A result that gets a ``Predictive``, and the runs that this needs."""

    spec: RunSpecification
    result: TrainResult
    folds: list[Fold]
    trouble: str  # why there are no folds although they are needed; empty if all is well
    remedy: str  # if it was cut short
    monitor: Monitor
    search: SearchMonitor


def with_predictives(
    specs: Sequence[RunSpecification],
    results: Sequence[TrainResult],
    monitors: Sequence[Monitor],
    n_threads: int | None,
    words: Words,
    stacklevel: int,
) -> list[TrainResult]:
    """Return the results, with a ``Predictive`` where a specification asks for it.

    Parameters
    ----------
    specs, results, monitors
        Of each result its specification, that of the first of several starts, and its monitor.
    n_threads : int or None
        Largest number of threads of all together.
    words : Words
        What the user calls the tables.
    stacklevel : int
        For ``warnings.warn`` in the caller of this function, to point to the user's call.
    """
    threads = available() if n_threads is None else n_threads
    jobs: dict[int, _Job] = {}
    for k, (spec, result, monitor) in enumerate(zip(specs, results, monitors, strict=True)):
        if spec.uncertainty is not None and result.stop_reason != REASONS[NON_FINITE]:
            try:
                jobs[k] = _job(spec, result, monitor, words)
            except KeyboardInterrupt:  # no folds, for none of them
                for each in monitors:
                    each.cancel()
                jobs[k] = _job(spec, result, monitor, words)
    fits = iter(_trained(list(jobs.values()), n_threads))
    for monitor in monitors:
        if monitor.display is not None:
            monitor.display.end(None)  # before warnings
    completed = list(results)
    for k, job in jobs.items():
        of_folds = [[next(fits) for _ in fold.runs] for fold in job.folds]
        try:
            predictive, trouble = _predictive(job, of_folds, threads)
        except KeyboardInterrupt:
            predictive, trouble = None, f"could not be computed: interrupted. {job.remedy}"
        completed[k] = replace(results[k], predictive=predictive)
        if trouble:
            warnings.warn(f"uncertainty {trouble}", UserWarning, stacklevel=stacklevel + 1)
    return completed


def _job(spec: RunSpecification, result: TrainResult, monitor: Monitor, words: Words) -> _Job:
    """Return what a result needs."""
    folds: list[Fold] = []
    trouble = ""
    remedy = "Resume the run with uncertainty='laplace', or train without the limit."
    if words.rows_are_samples:  # an estimator's, which resumes by warm_start
        remedy = "Fit again, without the limit."
    cancelled = monitor.cancelled is not None and monitor.cancelled.is_set()
    if spec.arrays.validation is None:
        reason = "interrupted" if cancelled else ""
        reason = result.stop_reason if result.stop_reason in CUT_SHORT else reason
        if not reason and monitor.seconds_left <= 0:
            reason = "max_seconds"
        if reason:
            trouble = f"{_AFTER[reason]} before it could be calibrated. {remedy}"
        else:
            n_networks = NETWORKS_A_FOLD if len(_members(result)) > 1 else 1
            folds = folds_of(spec, n_networks)
            if not folds:
                tables = f"{words.name('X_val')} and {words.name('T_val')}"
                trouble = (
                    f"fewer than {FEWEST} distinct samples calibrate nothing. "
                    f"Train on more samples, or pass {tables}."
                )
    search = SearchMonitor(monitor, CALIBRATION)
    search.expect(sum(len(fold.runs) for fold in folds))
    if trouble:
        trouble = f"{_AS_IT_IS}: {trouble}"
    return _Job(spec, result, folds, trouble, remedy, monitor, search)


def _members(result: TrainResult) -> list[TrainResult]:
    """Return the results whose networks are the network of a result: one, or those of a mean."""
    return averaged(result.starts) if result.combine == MEAN else [result]


def _trained(jobs: Sequence[_Job], n_threads: int | None) -> list[TrainResult | None]:
    """Train the networks of all folds; None for those that have not begun when Ctrl-C came."""
    cancelled = Event()
    runs = [run for job in jobs for fold in job.folds for run in fold.runs]
    monitors = [
        monitor
        for job in jobs
        for monitor in job.search.monitors(
            [run for fold in job.folds for run in fold.runs], job.monitor, cancelled
        )
    ]
    if not runs:
        return []
    try:
        return list(run_all(runs, monitors, n_threads))
    except KeyboardInterrupt:
        return [None] * len(runs)


def _predictive(
    job: _Job, of_folds: list[list[TrainResult | None]], n_threads: int
) -> tuple[Predictive | None, str]:
    """Return the predictive of a result, and what the user has to be told, or an empty string."""
    spec, result, trouble = job.spec, job.result, job.trouble
    members = _members(result)
    if _present(spec.arrays.training).size < 2:
        return None, "must have at least two samples; got one. Train on more samples."
    approximation = posterior_of(spec, members, n_threads)
    posterior, noise_variance, n_effective = approximation
    if posterior.approximation != approximation_of(posterior.shape, len(members)):
        trouble = trouble or (
            "is a constant variance: JᵀJ is singular. Pass a penalty, alpha > 0, or alpha='auto'."
        )
    if spec.arrays.validation is not None:
        samples = spec.arrays.validation
        indices = some(_present(samples), MAX_SAMPLES, spec.arguments["seed"])
        network, scaling = result.network, scaling_of(spec)
        parts = [left_out(network, approximation, samples, indices, scaling, n_threads)]
        source = "validation"
        if indices.size < FEWEST:
            parts = []
            trouble = f"{_AS_IT_IS}: fewer than {FEWEST} validation samples. Pass more of them."
    else:
        parts, source = _of_folds(job, of_folds, n_threads), "folds"
        if sum(part.weight.size for part in parts) < FEWEST:
            parts = []
        if len(parts) < len(job.folds):
            trouble = _shortfall(len(parts), job)
    if parts:
        residuals = joined(parts)
        if source == "folds" and len(members) > NETWORKS_A_FOLD:
            residuals = residuals.as_of_mean(NETWORKS_A_FOLD, len(members))
        fallback = residuals.mean_squares
        noise_variance = np.where(np.isfinite(noise_variance), noise_variance, fallback)
        u = residuals.claimed(fallback)
        if posterior.approximation == CONSTANT:
            u = residuals.spread
        calibration = calibrated(residuals.residuals, u, residuals.weight, noise_variance, source)
    else:
        variance = _target_variance(spec)
        noise_variance = np.where(np.isfinite(noise_variance), noise_variance, variance)
        calibration = uncalibrated(noise_variance)
    predictive = Predictive(result.network, posterior, calibration, noise_variance, n_effective)
    return predictive, trouble


def _shortfall(n_usable: int, job: _Job) -> str:
    """Return what the user has to be told if not all folds can be used."""
    why = "were cut short, or their networks became infinite"
    if n_usable == 0:
        return f"{_AS_IT_IS}: the folds {why}. {job.remedy}"
    return f"is calibrated by {n_usable} of {len(job.folds)} folds: the others {why}. {job.remedy}"


def _of_folds(job: _Job, of_folds: list[list[TrainResult | None]], n_threads: int) -> list[LeftOut]:
    """Return what the networks of the folds say, but for folds that were cut short."""
    spec, seed = job.spec, job.spec.arguments["seed"]
    unusable = (*CUT_SHORT, REASONS[NON_FINITE])

    def part(pair: tuple[Fold, list[TrainResult | None]]) -> LeftOut | None:
        fold, fits = pair
        results = [fit for fit in fits if fit is not None and fit.stop_reason not in unusable]
        if len(results) < len(fits):
            return None
        indices = some(fold.left_out, MAX_SAMPLES // len(job.folds), seed)
        return left_out_by(fold.runs, results, indices, spec, inner_threads)

    if not job.folds:
        return []
    outer_threads = min(n_threads, len(job.folds))
    inner_threads = max(1, n_threads // outer_threads)
    pairs = list(zip(job.folds, of_folds, strict=True))
    parts = thread_map(part, pairs, outer_threads)
    return [each for each in parts if each is not None]


def _present(samples: Samples) -> Array:
    """Return the indices of samples of positive weight."""
    weight = samples.sample_weight
    return np.arange(samples.X.shape[1]) if weight is None else np.flatnonzero(weight)


def _target_variance(spec: RunSpecification) -> Array:
    """Return the variance of each output's targets (s,), as training sees them."""
    dataset = spec.arrays
    if dataset.scaling is not None:
        return np.asarray((dataset.scaling.t_factor > 0).astype(np.float64))
    return np.square(moments(dataset.T, dataset.sample_weight)[1])
