"""All measurements of this benchmark, and their JSON file."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import machine
from benchmarks.scaling_out import driver, kernels, order, rounds, solver_work
from benchmarks.scaling_out.driver import DriverTime
from benchmarks.scaling_out.kernels import Rate
from benchmarks.scaling_out.networks import EVALUATIONS, Evaluation
from benchmarks.scaling_out.order import Case
from benchmarks.scaling_out.rounds import Round


class Figures(NamedTuple):
    """What was measured.

    Attributes
    ----------
    date : str
        When.
    machine : dict
        Where, as ``benchmarks.machine`` describes it.
    load : list of float
        The system's load average, of a minute, before and after the timed parts.
    cases, driver, rates, rounds : list
        Of ``Case``, ``DriverTime``, ``Rate`` and ``Round``.
    lbfgs : list of dict
        Pairs of L-BFGS and the time of a direction, by evaluation.
    lm : list of dict
        Seconds of Levenberg–Marquardt for assembling JᵀJ and for a step, by evaluation.
    lm_evaluations : dict
        Evaluations in an iteration of Levenberg–Marquardt, by kind.
    lbfgs_evaluations : float
        The same of L-BFGS.
    """

    date: str
    machine: dict[str, Any]
    load: list[float]
    cases: list[Case]
    driver: list[DriverTime]
    rates: list[Rate]
    rounds: list[Round]
    lbfgs: list[dict[str, Any]]
    lm: list[dict[str, Any]]
    lm_evaluations: dict[str, float]
    lbfgs_evaluations: float

    def rate(self, evaluation: str, work: str = "sums") -> float:
        """Return samples per second on one thread, of the shortest evaluation."""
        for rate in self.rates:
            if rate[:2] == (evaluation, work):
                return rate.n_samples / rate.least
        raise KeyError((evaluation, work))

    def driver_time(self, evaluation: str, n_workers: int) -> DriverTime:
        """Return the driver's work for so many workers, or for the most that were measured."""
        rows = [row for row in self.driver if row.evaluation == evaluation]
        return next((row for row in rows if row.n_workers == n_workers), rows[-1])


def measure(
    tell: Callable[[str], None],
    evaluations: tuple[Evaluation, ...] = EVALUATIONS,
    repetitions: int = 7,
) -> Figures:
    """Measure everything, which takes some minutes."""
    tell("the order of sums")
    cases = order.cases()
    rates: list[Rate] = []
    driver_times: list[DriverTime] = []
    load = [_load()]
    for evaluation in evaluations:
        tell(f"kernels of {evaluation.name}")
        rates += kernels.rates(evaluation, repetitions)
        tell(f"the driver's sums of {evaluation.name}")
        driver_times += driver.measured(evaluation, repetitions=repetitions)
    tell("Dask's rounds")
    dask_rounds = rounds.measured()
    load.append(_load())
    tell("solvers")
    return Figures(
        date=time.strftime("%Y-%m-%d"),
        machine=machine.describe(),
        load=load,
        cases=cases,
        driver=driver_times,
        rates=rates,
        rounds=dask_rounds,
        lbfgs=[
            solver_work.lbfgs_seconds(evaluation)
            for evaluation in evaluations
            if not evaluation.gauss_newton
        ],
        lm=[
            solver_work.lm_seconds(evaluation)
            for evaluation in evaluations
            if evaluation.gauss_newton
        ],
        lm_evaluations=solver_work.evaluations_of_lm(),
        lbfgs_evaluations=solver_work.evaluations_of_lbfgs(),
    )


def _load() -> float:
    """Return how many processes ran on average in the last minute; NaN if it is not known."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan


ROWS = {"cases": Case, "driver": DriverTime, "rates": Rate, "rounds": Round}


def write(path: Path, figures: Figures) -> None:
    """Write a JSON file with a line for each row."""
    fields = figures._asdict()
    lines = []
    for name, value in fields.items():
        if name in ROWS:
            rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in value)
            columns = json.dumps(ROWS[name]._fields)
            lines.append(f'"{name}": {{"columns": {columns}, "rows": [\n  {rows}]}}')
        else:
            lines.append(f'"{name}": {json.dumps(value, ensure_ascii=False)}')
    beside = path.with_suffix(".part")
    beside.write_text("{" + ",\n".join(lines) + "}\n", "utf-8")
    beside.replace(path)


def read(path: Path) -> Figures:
    """Read what ``write`` wrote."""
    fields = json.loads(path.read_text("utf-8"))
    for name, row_type in ROWS.items():
        fields[name] = [row_type(*row) for row in fields[name]["rows"]]
    return Figures(**fields)
