"""The results: how many times as fast Levenberg–Marquardt is, and what each rule costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from batchprop.parameters import Shape
from batchprop.solvers.auto import choose, cost
from benchmarks import machine, markdown
from benchmarks.solver_choice.problems import PROBLEMS
from benchmarks.solver_choice.runs import Run
from benchmarks.time_to_loss.trail import seconds_to

LEAST = 1e-14  # fraction of the variance; lower losses count as equal
NOISY = 3e-3  # fraction of the variance that remains
NEAR = (1.1, 1.01)  # times the lower of the two final losses
GOALS = ["both got there", *(f"{near}× the best" for near in NEAR)]
BANDS = (0.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0, math.inf)


class Duel(NamedTuple):
    """Both solvers on one problem from one start.

    ``times`` has (seconds of lbfgs, seconds of lm) for each goal.  A run that never reaches the
    goal counts with its whole time, so that the other's speed-up is a lower bound.
    """

    problem: str
    shape: Shape
    n_samples: int
    kind: tuple[str, str]  # dtype and activation
    ends: tuple[float, float]
    iterations: tuple[float, float]  # seconds
    times: list[tuple[float, float]]

    @property
    def cost(self) -> float:
        """The cost estimate that the rule uses."""
        return cost(self.shape, self.n_samples, self.kind[0])

    @property
    def chosen(self) -> str:
        return choose(self.shape, self.n_samples, *self.kind)

    @property
    def gains(self) -> list[float]:
        """How many times as fast lm was as lbfgs, for each goal."""
        return [lbfgs / lm for lbfgs, lm in self.times]


def duels(runs: Sequence[Run]) -> list[Duel]:
    """Pair the runs from the same start."""
    known = {(run.problem, run.seed, run.solver): run for run in runs}
    kinds = {one.name: (one.dtype, one.activation) for one in PROBLEMS}
    duel_list = []
    for (name, seed, solver), lm in known.items():
        lbfgs = known.get((name, seed, "lbfgs"))
        if solver != "lm" or lbfgs is None:
            continue
        pair = lbfgs, lm
        ends = max(lbfgs.loss, LEAST), max(lm.loss, LEAST)
        times = []
        for goal in (max(ends), *(near * min(ends) for near in NEAR)):
            reached = [seconds_to(run.trail, goal) for run in pair]
            each = [
                run.seconds if second is None else second
                for run, second in zip(pair, reached, strict=True)
            ]
            times.append((each[0], each[1]))
        steps = tuple(run.seconds / max(1, run.iterations) for run in pair)
        duel_list.append(
            Duel(name, Shape(*lm.shape), lm.n_samples, kinds[name], ends, (steps[0], steps[1]),
                 times)
        )  # fmt: skip
    return duel_list


def kinds(duel_list: Sequence[Duel]) -> dict[str, list[Duel]]:
    """Group the runs by what a rule could distinguish."""
    smooth = [d for d in duel_list if d.kind[1] != "relu"]
    parts = {
        "Smooth σ, little noise": [d for d in smooth if min(d.ends) <= NOISY],
        "Smooth σ, noise": [d for d in smooth if min(d.ends) > NOISY],
        "relu": [d for d in duel_list if d.kind[1] == "relu"],
        "All": list(duel_list),
    }
    return {title: part for title, part in parts.items() if part}


def mean(values: Iterable[float]) -> float:
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(list(values)))))


def by_problem(duel_list: Sequence[Duel]) -> str:
    """Return one row per problem, averaged over its starts, in order of cost."""
    rows = []
    for name in sorted({d.problem for d in duel_list}, key=lambda n: _of(duel_list, n)[0].cost):
        subset = _of(duel_list, name)
        e, m, s = subset[0].shape
        steps = [mean(d.iterations[k] for d in subset) for k in (0, 1)]
        ends = [mean(d.ends[k] for d in subset) for k in (0, 1)]
        gains = [mean(d.gains[goal] for d in subset) for goal in range(len(GOALS))]
        rows.append([
            name, f"{e}-{m}-{s}", str(subset[0].n_samples), str(subset[0].shape.n_parameters),
            markdown.number(subset[0].cost), markdown.number(steps[1] / steps[0]),
            *markdown.bold_least([f"{end:.1e}" for end in ends], ends),
            *map(markdown.number, gains), subset[0].chosen,
        ])  # fmt: skip
    head = ["problem", "net", "N", "P", "cost", "measured", "end lbfgs", "end lm", *GOALS, "auto"]
    return markdown.table(head, rows)


def _of(duel_list: Sequence[Duel], name: str) -> list[Duel]:
    return [d for d in duel_list if d.problem == name]


def by_cost(duel_list: Sequence[Duel]) -> str:
    """Return one row per range of cost."""
    rows = []
    for low, high in zip(BANDS, BANDS[1:], strict=False):
        subset = [d for d in duel_list if low <= d.cost < high]
        if not subset:
            continue
        gains = [mean(d.gains[goal] for d in subset) for goal in range(len(GOALS))]
        won = np.mean([d.gains[0] > 1 for d in subset])
        lower = np.mean([d.ends[1] < d.ends[0] for d in subset])
        title = f"{low:.0f} to {high:.0f}" if math.isfinite(high) else f"{low:.0f} and more"
        rows.append([
            title, str(len(subset)), *map(markdown.number, gains), markdown.percent(float(won)),
            markdown.percent(float(lower)),
        ])  # fmt: skip
    head = ["cost", "runs", *GOALS, "lm first", "lm ends lower"]
    return markdown.table(head, rows)


def rules(duel_list: Sequence[Duel]) -> str:
    """Return one row per rule: its time relative to the faster solver, mean and worst."""
    limits = (0.0, 5.0, 10.0, 20.0, 30.0, 40.0, 50.0, 75.0, 100.0, math.inf)
    rows = [
        _rule(duel_list, _title(limit), lambda d, limit=limit: d.cost <= limit) for limit in limits
    ]
    subset = _rule(duel_list, 'the rule of `solver="auto"`', lambda d: d.chosen == "lm")
    head = ["lm where cost is at most", *GOALS, "all three", "worst 5 %"]
    return markdown.table(head, [*rows, subset])


def _title(limit: float) -> str:
    return {0.0: "never", math.inf: "always"}.get(limit, f"{limit:.0f}")


def _rule(duel_list: Sequence[Duel], title: str, takes_lm: Callable[[Duel], bool]) -> list[str]:
    behind = np.array([[times[takes_lm(d)] / min(times) for times in d.times] for d in duel_list])
    means = [mean(column) for column in behind.T]
    worst = float(np.quantile(behind, 0.95))
    return [title, *(f"{value:.2f}" for value in (*means, mean(behind.ravel()))), f"{worst:.1f}"]


def adam(runs: Sequence[Run]) -> str:
    """Return one row per large problem: Adam's final loss beside those of the others."""
    rows = []
    for name in dict.fromkeys(run.problem for run in runs if run.solver == "adam"):
        ends = [
            mean(max(run.loss, LEAST) for run in runs if (run.problem, run.solver) == (name, one))
            for one in ("adam", "lbfgs", "lm")
        ]
        rows.append([name, *markdown.bold_least([f"{end:.1e}" for end in ends], ends)])
    return markdown.table(["problem", "adam", "lbfgs", "lm"], rows)


def document(runs: Sequence[Run], share: float, described: dict[str, object], date: str) -> str:
    """Return the report."""
    duel_list = duels(runs)
    starts = len({run.seed for run in runs})
    return "\n\n".join([
        "# Which solver is first at a loss",
        f"Made by `python -m benchmarks.solver_choice`: {len({d.problem for d in duel_list})} "
        f"problems, {starts} start{'s' if starts > 1 else ''} each, both solvers from the same "
        f"start, one thread, seconds of CPU time, {0.3 * share:.2g} to {8 * share:.2g} s a run, no "
        "stopping rule. " + machine.sentence(described, date),
        'Goals: "both got there" is the loss that the worse of the two ends at; the others are '
        "multiples of the loss that the better one ends at, where a run that never gets there "
        "counts with all its time. Losses are shares of the targets' variance; below "
        f"{LEAST:.0e} none counts as lower. \"Cost\" is the estimate of `solvers/auto.py`: an "
        'iteration of lm over one of lbfgs; "measured" is what it was.',
        "## Times as fast lm was as lbfgs, by cost", "Geometric means, relu left out.",
        by_cost([d for d in duel_list if d.kind[1] != "relu"]),
        "## Rules", "Time over that of the faster of the two, geometric means and the 95 % "
        "quantile over all runs and goals. Kinks (relu) and noise (more than 0.3 % of the variance "
        "left by the better one) each on their own.",
        *(part for title, of in kinds(duel_list).items() for part in (f"### {title}", rules(of))),
        "## Adam", "Loss at the end, after the same seconds.", adam(runs),
        "## All problems", by_problem(duel_list),
    ]) + "\n"  # fmt: skip
