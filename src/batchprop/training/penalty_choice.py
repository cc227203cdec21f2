"""Penalties that a call chooses itself: all searches of a call advance side by side.

``alpha="evidence"`` chooses by the evidence of a small network (``evidence/``), ``alpha="cv"`` by
cross-validation (``cross_validation.py``).  Both are a ``PenaltySearch``: they ask for runs, look
at the results and ask for more, until they can replace the name of the method by two numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event
from typing import Protocol

from batchprop.training.chosen_penalty import with_solver
from batchprop.training.cross_validation import CrossValidation
from batchprop.training.evidence.search import EvidenceSearch
from batchprop.training.monitor import Monitor
from batchprop.training.parallel import run_all
from batchprop.training.result import TrainResult
from batchprop.training.run_specification import RunSpecification
from batchprop.training.search_monitor import SearchMonitor

SHARE = 0.5  # of ``max_seconds``, for the search


class PenaltySearch(Protocol):
    """The search for the penalty of one run, or of several that differ in their start."""

    def next_runs(self) -> list[RunSpecification]:
        """Return the runs that the search needs next; none if it has ended."""
        ...

    def take(self, results: Sequence[TrainResult]) -> None:
        """Judge the results of these runs."""
        ...

    def with_penalty(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification with the chosen penalty, and a report."""
        ...

    def from_best(self, spec: RunSpecification) -> RunSpecification:
        """Return the specification of a run that starts from the search's best network, if any.

        A run whose search was interrupted ends at once, with this network.
        """
        ...


METHODS: dict[str, Callable[[RunSpecification], PenaltySearch]] = {
    "evidence": EvidenceSearch,
    "cv": CrossValidation,
}


def chosen(
    specs: Sequence[RunSpecification], monitors: Sequence[Monitor], n_threads: int | None
) -> tuple[list[RunSpecification], list[Monitor]]:
    """Return the specifications with numbers as penalties and their solvers, and their monitors.

    Runs that differ in the start alone, as those of ``n_init``, share one penalty.  All searches
    advance side by side.  Ctrl-C ends all of them; a callback ends its own.  Runs whose search was
    ended return at once: they start from the best network so far, and their monitor ends them.
    """
    searches: dict[int, _Watched] = {}
    for k, spec in enumerate(specs):
        if isinstance(spec.alpha, str):
            same = [j for j in searches if specs[j].arguments is spec.arguments]
            searches[k] = searches[same[0]] if same else _Watched(spec, monitors[k])
    distinct = list({id(search): search for search in searches.values()}.values())
    interrupted = False
    try:
        while not interrupted and (active := [search for search in distinct if search.goes_on()]):
            interrupted = not _advance(active, n_threads)
    except KeyboardInterrupt:
        interrupted = True
    new_specs, new_monitors = list(specs), list(monitors)
    for monitor in monitors if interrupted else ():
        monitor.cancel()
    for k, search in searches.items():
        new_specs[k] = with_solver(search.method.with_penalty(specs[k]))
        if interrupted or search.monitor.stopped.is_set():
            new_specs[k] = search.method.from_best(new_specs[k])
            new_monitors[k] = monitors[k]._replace(stopped=search.monitor.stopped)
    return new_specs, new_monitors


class _Watched:
    """A search, its observers, and the runs that it has asked for.

    Parameters
    ----------
    spec : RunSpecification
        The run whose penalty is chosen.
    monitor : Monitor
        Of that run.
    """

    def __init__(self, spec: RunSpecification, monitor: Monitor) -> None:
        assert isinstance(spec.alpha, str)
        self.method = METHODS[spec.alpha](spec)
        self.monitor = SearchMonitor(monitor)
        self.runs: list[RunSpecification] = []
        self._bounds = monitor._replace(limit=SHARE * monitor.limit)

    def goes_on(self) -> bool:
        """Ask for the next runs; return whether there are any, and time for them."""
        ended = self.monitor.stopped.is_set() or self._bounds.seconds_left <= 0
        self.runs = [] if ended else self.method.next_runs()
        self.monitor.expect(len(self.runs))
        return bool(self.runs)

    def monitors(self, cancelled: Event) -> list[Monitor]:
        """Return the monitors of the runs."""
        return self.monitor.monitors(self.runs, self._bounds, cancelled)


def _advance(searches: Sequence[_Watched], n_threads: int | None) -> bool:
    """Carry out the runs that the searches ask for; return False if Ctrl-C ended that."""
    cancelled = Event()
    specs = [spec for search in searches for spec in search.runs]
    monitors = [monitor for search in searches for monitor in search.monitors(cancelled)]
    results = run_all(specs, monitors, n_threads)
    remaining = iter(results)
    for search in searches:
        search.method.take([next(remaining) for _ in search.runs])
    return not cancelled.is_set() and all(result.stop_reason != "interrupted" for result in results)
