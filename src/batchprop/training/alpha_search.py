"""``alpha="auto"``: the penalty that predicts best what the fit has not seen.

The search is for one number, α_h; α_y = m α_h.  A sum over m hidden units with independent weights
has a variance that grows like m.  Penalising W_y m times as much keeps the size of the functions
that a penalty favours, whatever m is (R. Neal, Bayesian Learning for Neural Networks, 1996).

The search tries α_h from 1e-4 to 0.1 in steps of a factor of 10.  Then it tries half such a step to
either side of the best, beyond these bounds, too, as long as that predicts better.  Each fit is
trained by L-BFGS on all of five folds but one, and judged by the one left out: by squared errors of
standardised targets.  For large tables one fold is left out once.  Validation data, if there are
any, replace the folds.
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
from batchprop.training.monitor import Monitor
from batchprop.training.parallel import run_all
from batchprop.training.result import AlphaReport, TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.search_monitor import SearchMonitor

Array = npt.NDArray[Any]

FALLBACK = 0.01  # α_h where nothing can be compared: a single sample, or no time
FOLDS = 5
LARGE = 5000  # from so many samples on, one fold is left out once
SHARE = 0.5  # of ``max_seconds``, for the search
MAX_EPOCHS = 2000  # of each fit
# α_h = 10^(k/2): the k that are always tried, the largest first, and the bounds of the search.
_GRID = (-2, -4, -6, -8)
_BOUNDS = (-12, 2)
_CUT_SHORT = ("max_seconds", "interrupted", "callback")
_ELEMENTS = 1 << 20  # of the left-out inputs, that are predicted at a time


class _Fit(NamedTuple):
    """A fit that judges α, without its penalty."""

    spec: RunSpecification
    left_out: Array | None  # indices of the samples that judge it; None: the validation data


def chosen(
    specs: Sequence[RunSpecification], monitors: Sequence[Monitor], n_threads: int | None
) -> tuple[list[RunSpecification], list[Monitor]]:
    """Return the specifications with numbers as penalties, and their monitors.

    Runs that differ in the start alone, as those of ``n_init``, share one penalty.  All searches
    advance side by side.  Ctrl-C ends all of them; a callback ends its own.  Runs whose search was
    ended return at once: they start from the best network so far, and their monitor ends them.
    """
    searches: dict[int, _Search] = {}
    for k, spec in enumerate(specs):
        if spec.alpha is None:
            same = [j for j in searches if specs[j].arguments is spec.arguments]
            searches[k] = searches[same[0]] if same else _Search(spec, monitors[k])
    distinct = list({id(search): search for search in searches.values()}.values())
    interrupted = False
    try:
        while not interrupted and any(search.candidates for search in distinct):
            interrupted = not _judge_candidates(distinct, n_threads)
    except KeyboardInterrupt:
        interrupted = True
    new_specs, new_monitors = list(specs), list(monitors)
    for monitor in monitors if interrupted else ():
        monitor.cancel()
    for k, search in searches.items():
        new_specs[k] = search.with_penalty(specs[k])
        if interrupted or search.monitor.stopped.is_set():
            new_specs[k] = search.from_best(new_specs[k])
            new_monitors[k] = monitors[k]._replace(stopped=search.monitor.stopped)
    return new_specs, new_monitors


def _judge_candidates(searches: Sequence[_Search], n_threads: int | None) -> bool:
    """Judge the candidates of all searches; return False if Ctrl-C ended that."""
    candidates = [(search, k) for search in searches for k in search.candidates]
    fits = [search.fits(k) for search, k in candidates]
    cancelled = Event()
    monitors = []
    for (search, _), specs in zip(candidates, fits, strict=True):
        search.monitor.expect(len(specs))
        monitors += [search.fit_monitor(spec, cancelled) for spec in specs]
    results = run_all([spec for specs in fits for spec in specs], monitors, n_threads)
    remaining = iter(results)
    for (search, k), specs in zip(candidates, fits, strict=True):
        search.judge(k, [next(remaining) for _ in specs])
    for search in searches:
        search.propose()
    return not cancelled.is_set() and all(result.stop_reason != "interrupted" for result in results)


class _Search:
    """The search for one penalty.

    Parameters
    ----------
    spec : RunSpecification
        The run whose penalty is searched.
    monitor : Monitor
        Of that run.

    Attributes
    ----------
    candidates : tuple of int
        The k that are judged next, α_h = 10^(k/2).
    began, limit : float
        As in ``Monitor``.
    monitor : SearchMonitor
        Observes the fits.
    """

    def __init__(self, spec: RunSpecification, monitor: Monitor) -> None:
        self._spec = spec
        self.began, self.limit = monitor.began, SHARE * monitor.limit
        self.monitor = SearchMonitor(monitor)
        self._fits = _fits(spec)
        self.candidates: tuple[int, ...] = _GRID if self._fits else ()
        self._scores: dict[int, float] = {}
        self._best: Network | None = None

    def fits(self, k: int) -> list[RunSpecification]:
        """Return the specifications of the fits that judge α_h = 10^(k/2)."""
        return [_penalised(fit.spec, _pair(k, self._spec)) for fit in self._fits]

    def fit_monitor(self, spec: RunSpecification, cancelled: Event) -> Monitor:
        """Return the monitor of a fit."""
        assert spec.alpha is not None
        display = self.monitor.display(spec.alpha[0])
        return Monitor(
            self.began, self.limit, None, 1, display, cancelled, stopped=self.monitor.stopped
        )

    def judge(self, k: int, results: Sequence[TrainResult]) -> None:
        """Score 10^(k/2) by its fits; NaN if one of them was cut short."""
        if any(result.stop_reason in _CUT_SHORT for result in results):
            self._scores[k] = math.nan
            self._best = self._best or results[0].network
            return
        squared_error = total_weight = 0.0
        for fit, result in zip(self._fits, results, strict=True):
            error, weight = _errors(result.network, fit, self._spec)
            squared_error, total_weight = squared_error + error, total_weight + weight
        score = squared_error / total_weight if math.isfinite(squared_error) else math.inf
        if not score >= self._lowest():
            self._best = results[0].network
        self._scores[k] = score

    def propose(self) -> None:
        """Make the neighbours of the best k the next candidates, if there is time."""
        k, late = self._argmin(), time.perf_counter() - self.began >= self.limit
        late |= self.monitor.stopped.is_set()
        neighbours = () if k is None or late else (k - 1, k + 1)
        self.candidates = tuple(
            j for j in neighbours if j not in self._scores and _BOUNDS[0] <= j <= _BOUNDS[1]
        )

    def with_penalty(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification with the best penalty, and a report."""
        k, n_hidden = self._argmin(), spec.initial_network.shape.n_hidden
        pair = (FALLBACK, FALLBACK * n_hidden) if k is None else _pair(k, spec)
        tried = sorted(self._scores)
        report = AlphaReport(
            alphas=tuple(_pair(j, spec)[0] for j in tried),
            scores=tuple(self._scores[j] for j in tried),
            n_folds=0 if spec.dataset.validation is not None else len(self._fits),
        )
        return _penalised(spec, pair)._replace(alpha_report=report)

    def from_best(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification of a run that starts from the best network, if there is one."""
        if self._best is None or spec.user_network is not None:
            return spec
        theta, network = self._best.theta, spec.initial_network
        if spec.dataset.scaling is not None:
            theta = unfold(theta, network.shape, spec.dataset.scaling)
        theta = theta.astype(network.dtype)
        best = Network.from_theta(theta, network.shape, network.activation)
        return spec._replace(initial_network=best)

    def _argmin(self) -> int | None:
        """Return the best k so far, the largest of equals; None if there is none."""
        judged = [k for k, score in self._scores.items() if not math.isnan(score)]
        return min(judged, key=lambda k: (self._scores[k], -k)) if judged else None

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
