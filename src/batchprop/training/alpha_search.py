"""``alpha="auto"``: the penalty that predicts best what the fit has not seen.

One number is looked for, α_h; α_y = m α_h.  A sum over m hidden units with independent weights has
a variance that grows like m, so that the functions that a penalty favours keep their size, whatever
m is, if W_y is penalised m times as much (R. Neal, Bayesian Learning for Neural Networks, 1996).

α_h is tried in steps of 10 from 1e-4 to 0.1, and then half such a step to either side of the best,
beyond these too, as long as that predicts better.  What is tried is trained by L-BFGS on all of
five folds but one and judged by the one left out: squared errors of standardised targets.  Large
tables have one fold left out once; validation data take the place of folds where there are any.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Event
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop.network import Network
from batchprop.scaling import Scaling, unfold
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings, default_history
from batchprop.solvers.settings import LIMITS
from batchprop.solvers.stopping import Rules
from batchprop.training.loop import Monitor
from batchprop.training.parallel import run_all
from batchprop.training.result import AlphaReport, TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.search_monitor import SearchMonitor

Array = npt.NDArray[Any]

FALLBACK = 0.01  # α_h where nothing can be compared: one sample, or no time
FOLDS = 5
LARGE = 5000  # samples from which on one fold is left out once
SHARE = 0.5  # of ``max_seconds``, for the search
MAX_EPOCHS = 2000  # of each fit
# α_h = 10^(k/2): those that are always tried, the largest first, and how far the search may go.
_GRID = (-2, -4, -6, -8)
_BOUNDS = (-12, 2)
_CUT_SHORT = ("max_seconds", "interrupted", "callback")
_ELEMENTS = 1 << 20  # of the left-out inputs that are predicted at a time


class _Fit(NamedTuple):
    """What an α is tried on: a spec but for its penalty, and the samples that judge it."""

    spec: RunSpecification
    left_out: Array | None  # their positions; None for the validation data


def chosen(
    specs: Sequence[RunSpecification], monitors: Sequence[Monitor], n_threads: int | None
) -> tuple[list[RunSpecification], list[Monitor]]:
    """Return specs whose penalties are numbers; they begin where they did.

    Jobs that differ in the start alone, as those of ``n_init``, share the penalty of the first.
    All searches go on side by side.  If Ctrl-C ends them, the specs are returned as interrupted
    ones, which start from the best network so far; a callback does the same to its own.
    """
    searches: dict[int, _Search] = {}
    for k, spec in enumerate(specs):
        if spec.alpha is None:
            same = [j for j in searches if specs[j].arguments is spec.arguments]
            searches[k] = searches[same[0]] if same else _Search(spec, monitors[k])
    distinct = list({id(search): search for search in searches.values()}.values())
    interrupted = False
    try:
        while not interrupted and any(search.wanted for search in distinct):
            interrupted = not _one_round(distinct, n_threads)
    except KeyboardInterrupt:
        interrupted = True
    made = [searches[k].settled(spec) if k in searches else spec for k, spec in enumerate(specs)]
    for monitor in monitors if interrupted else ():
        if monitor.cancelled is not None:
            monitor.cancelled.set()
    told = list(monitors)
    for k, search in searches.items():
        if interrupted or search.monitor.stopped.is_set():
            made[k] = search.reached(made[k])
            told[k] = told[k]._replace(stopped=search.monitor.stopped)
    return made, told


def _one_round(searches: Sequence[_Search], n_threads: int | None) -> bool:
    """Judge what all searches want to know; return False if Ctrl-C ends that."""
    parts = [(search, k) for search in searches for k in search.wanted]
    fits = [search.fits(k) for search, k in parts]
    cancelled = Event()
    monitors = []
    for (search, _), of_one in zip(parts, fits, strict=True):
        search.monitor.wanted(len(of_one))
        for fit in of_one:
            assert fit.alpha is not None
            line = search.monitor.line(fit.alpha[0])
            own = Monitor(search.began, search.limit, None, 1, line, cancelled)
            monitors.append(own._replace(stopped=search.monitor.stopped))
    found = run_all([fit for of_one in fits for fit in of_one], monitors, n_threads)
    rest = iter(found)
    for (search, k), of_one in zip(parts, fits, strict=True):
        search.judge(k, [next(rest) for _ in of_one])
    for search in searches:
        search.go_on()
    return all(one.stop_reason != "interrupted" for one in found)


class _Search:
    """The search for one penalty.

    Parameters
    ----------
    spec : RunSpecification
        To find the penalty of.
    monitor : Monitor
        Who looks on.

    Attributes
    ----------
    wanted : tuple of int
        The k that are to be judged next, α_h = 10^(k/2).
    began, limit : float
        As in ``Monitor``.
    monitor : SearchMonitor
        Who looks on.
    """

    def __init__(self, spec: RunSpecification, monitor: Monitor) -> None:
        self._job = spec
        self.began, self.limit = monitor.began, SHARE * monitor.limit
        self.monitor = SearchMonitor(monitor)
        self._fits = _fits(spec)
        self.wanted: tuple[int, ...] = _GRID if self._fits else ()
        self._scores: dict[int, float] = {}
        self._best: Network | None = None

    def fits(self, k: int) -> list[RunSpecification]:
        """Return the specs that judge 10^(k/2)."""
        return [_penalised(fit.spec, _pair(k, self._job)) for fit in self._fits]

    def judge(self, k: int, results: Sequence[TrainResult]) -> None:
        """Score 10^(k/2) by its fits; those that were cut short say nothing."""
        if any(one.stop_reason in _CUT_SHORT for one in results):
            self._scores[k] = math.nan
            self._best = self._best or results[0].network
            return
        errors = weights = 0.0
        for fit, one in zip(self._fits, results, strict=True):
            error, weight = _errors(one.network, fit, self._job)
            errors, weights = errors + error, weights + weight
        score = errors / weights if math.isfinite(errors) else math.inf
        if not score >= self._lowest():
            self._best = results[0].network
        self._scores[k] = score

    def go_on(self) -> None:
        """Want the neighbours of the best, as far as there is time."""
        k, late = self._argmin(), time.perf_counter() - self.began >= self.limit
        late |= self.monitor.stopped.is_set()
        near = () if k is None or late else (k - 1, k + 1)
        self.wanted = tuple(
            one for one in near if one not in self._scores and _BOUNDS[0] <= one <= _BOUNDS[1]
        )

    def settled(self, spec: RunSpecification) -> RunSpecification:
        """Return the spec with the penalty that was found."""
        k = self._argmin()
        pair = (
            (FALLBACK, FALLBACK * spec.initial_network.shape.n_hidden)
            if k is None
            else _pair(k, spec)
        )
        tried = sorted(self._scores)
        report = AlphaReport(
            alphas=tuple(_pair(one, spec)[0] for one in tried),
            scores=tuple(self._scores[one] for one in tried),
            n_folds=0 if spec.dataset.validation is not None else len(self._fits),
        )
        return _penalised(spec, pair)._replace(alpha_report=report)

    def reached(self, spec: RunSpecification) -> RunSpecification:
        """Return the spec as one that starts from the best network so far, if there is any."""
        if self._best is None or spec.user_network is not None:
            return spec
        theta, network = self._best.theta, spec.initial_network
        if spec.dataset.scaling is not None:
            theta = unfold(theta, network.shape, spec.dataset.scaling)
        theta = theta.astype(network.dtype)
        best = Network.from_theta(theta, network.shape, network.activation)
        return spec._replace(initial_network=best)

    def _argmin(self) -> int | None:
        """Return the best k so far, the larger one if it has no equal; None without any."""
        known = [k for k, score in self._scores.items() if not math.isnan(score)]
        return min(known, key=lambda k: (self._scores[k], -k)) if known else None

    def _lowest(self) -> float:
        k = self._argmin()
        return math.inf if k is None else self._scores[k]


def _pair(k: int, spec: RunSpecification) -> tuple[float, float]:
    alpha = 10.0 ** (k / 2)
    return alpha, alpha * spec.initial_network.shape.n_hidden


def _penalised(spec: RunSpecification, pair: tuple[float, float]) -> RunSpecification:
    return spec._replace(alpha=pair, arguments=spec.arguments | {"alpha": list(pair)})


def _fits(spec: RunSpecification) -> list[_Fit]:
    """Return the fits that judge a penalty; none where there is nothing to compare."""
    dataset, network = spec.dataset, spec.initial_network
    validating = dataset.validation is not None
    history_size = default_history(FOLDS * len(_GRID) * network.theta.size)  # all fits: one's room
    window = LIMITS["lbfgs"].n_epochs_no_change
    common = spec._replace(
        user_network=None,
        solver="lbfgs",
        settings=LbfgsSettings(history_size),
        rules=Rules(MAX_EPOCHS, -math.inf, 1e-10, 1e-6, window, -1, validating),
        arguments=spec.arguments
        | {"solver": "lbfgs", "max_evaluations": None, "history_size": None},
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
    """Yield the positions that each fold leaves out, in order."""
    n = present.size
    if n < 2:
        return
    order = np.random.default_rng(seed).permutation(n)
    count = min(FOLDS, n)
    for k in range(1 if n >= LARGE else count):
        yield np.sort(present[order[k::count]])


def _drawn(network: Network, seed: int | None, k: int) -> Network:
    """Return the start of fold k: never the user's network, which may have seen all samples."""
    return Network.initialize(
        *network.shape,
        activation=network.activation,
        seed=None if seed is None else seed + k,
        dtype=network.dtype,
    )


def _errors(network: Network, fit: _Fit, spec: RunSpecification) -> tuple[float, float]:
    """Return Σ w ‖t̃ − ỹ‖² and Σw of the samples left out, in units of all samples' deviations."""
    samples, left_out = spec.dataset.training, fit.left_out
    if left_out is None:
        assert spec.dataset.validation is not None
        samples = spec.dataset.validation
        left_out = np.arange(samples.X.shape[1])
    factor = 1.0 if samples.scaling is None else samples.scaling.t_factor[:, np.newaxis]
    squared_error = total_weight = 0.0
    step = max(1, _ELEMENTS // sum(network.shape))
    for start in range(0, left_out.size, step):
        part = left_out[start : start + step]
        Y = network.predict(samples.X[:, part], engine=spec.engine).astype(np.float64)
        squares = (((Y - samples.T[:, part]) * factor) ** 2).sum(axis=0)
        weight = None if samples.sample_weight is None else samples.sample_weight[part]
        weight = np.ones(part.size) if weight is None else weight
        squared_error += float((weight * squares).sum())
        total_weight += float(weight.sum())
    return squared_error, total_weight
