"""The report: seconds to the final losses of other libraries, losses after equal times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks import machine, markdown
from benchmarks.cases import Case
from benchmarks.time_to_loss.trainers import DEFAULT, OTHERS, OURS, RIVALS, SOLVERS

Row = dict[str, Any]
GOAL = 10.0  # intended speed-up over scikit-learn and PyTorch
SAME = 1.001  # losses within this ratio count as equal
ABOUT = """Made by `make bench-solvers` (`python -m benchmarks.time_to_loss`).

Everybody gets the same standardised samples, float64, and the same network to start from (R's nnet
an equal one of logistic units); the loss is the mean over samples of the squared error, summed over
outputs, computed alike for all. Others run with their own tolerances and as many iterations as they
want; where the loss they end at was first reached is their time. Ours is the whole call of
`batchprop.train` with `target_loss`, {solver} unless a column says otherwise, kernels loaded. Runs
that end within a second are repeated, the fastest counts. A run has {cap:g} s at most, ours to a
mark {lost:g} times the seconds of the one who set it."""


def loss(value: float | None) -> str:
    return markdown.MISSING if value is None else f"{value:.3g}"


def _by_solver(row: Row) -> dict[str, Row]:
    return {one["solver"]: one for one in row["solvers"]}


def _problem(row: Row) -> list[str]:
    case = Case(*row["case"])
    return [case.name, f"{case.net}, {case.activation}", f"{case.n_samples:,}"]


def _shown(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Return the solvers that have at least one result."""
    there = {one["solver"] for row in rows for one in row["solvers"] if one["status"] == "ok"}
    return [name for name in names if name in there]


def reached(row: Row, solver: str, title: str) -> float | None:
    """Return the seconds until a solver reached the final loss of a library."""
    record = _by_solver(row).get(solver, {})
    if title not in row["marks"] or not record.get("reached"):
        return None
    reached_goal = record["reached"][list(row["marks"]).index(title)]
    return None if reached_goal is None else float(reached_goal["seconds"])


def ratio(row: Row, title: str, solver: str = DEFAULT) -> float | None:
    """Return how many times as fast our solver reaches the final loss of a library."""
    ours = reached(row, solver, title)
    return None if ours is None else row["marks"][title][1] / ours


def mark_table(rows: Sequence[Row], title: str) -> str:
    """Return one row per problem: seconds to the final loss of a library's best solver."""
    names = _shown(rows, OURS)
    body = []
    for row in rows:
        if title not in row["marks"]:
            continue
        value, seconds = row["marks"][title]
        times = [reached(row, name, title) for name in names]
        cells = [markdown.duration(time) for time in times]
        cells = markdown.bold_least(cells, times)
        body.append(
            [*_problem(row), loss(value), markdown.duration(seconds), *cells,
             markdown.ratio(ratio(row, title))]
        )  # fmt: skip
    head = ["problem", "net, σ", "N", "loss", title, *(f"ours {SOLVERS[n].title}" for n in names),
            "times as fast"]  # fmt: skip
    return markdown.table(head, body, left=2)


def _losses(row: Row, budget_index: int | None) -> dict[str, float]:
    """Return the loss of each solver after a budget, or its final loss."""
    losses = {}
    for one in row["solvers"]:
        if one["status"] == "ok" and "end" in one:
            part = one["end"] if budget_index is None else one["budgets"][budget_index]
            if part["loss"] is not None:
                losses[one["solver"]] = part["loss"]
    return losses


def loss_table(rows: Sequence[Row], budget_index: int | None) -> str:
    """Return one row per problem: all losses after the same time, or the final losses."""
    names = _shown(rows, tuple(SOLVERS))
    body = []
    for row in rows:
        losses = _losses(row, budget_index)
        values = [losses.get(name) for name in names]
        cells = markdown.bold_least([loss(value) for value in values], values)
        body.append([_problem(row)[0], *cells])
    titles = [("ours " if n in OURS else "") + SOLVERS[n].title for n in names]
    return markdown.table(["problem", *titles], body)


def lost(rows: Sequence[Row], budget_index: int) -> Iterator[str]:
    """Yield the rows where the default is less than ``GOAL`` times as fast, or ends higher."""
    for row in rows:
        name, many = row["case"][0], f"{row['threads']} thread{'s' * (row['threads'] > 1)}"
        if _by_solver(row).get(DEFAULT, {}).get("status") != "ok":
            yield f"{name}, {many}: ours {SOLVERS[DEFAULT].title} did not run"
            continue
        for title in row["marks"]:
            times = ratio(row, title)
            if times is None:
                yield f"{name}, {many}: does not reach the loss {title} ends at in {title}'s time"
            elif times < GOAL and title in list(RIVALS)[:2]:
                yield f"{name}, {many}: {markdown.number(times)}× as fast as {title}"
        losses = _losses(row, budget_index)
        others = {n: value for n, value in losses.items() if n in OTHERS}
        if others and DEFAULT in losses:
            best = min(others, key=lambda n: others[n])
            if losses[DEFAULT] > SAME * others[best]:
                yield (
                    f"{name}, {many}: {SOLVERS[best].title} is at {loss(others[best])} in the "
                    f"longest time, ours at {loss(losses[DEFAULT])}"
                )


def first_calls(rows: Sequence[Row]) -> str:
    """Return the range of the first call's seconds for each of our solvers."""
    names = _shown(rows, OURS)
    parts = []
    for name in names:
        every = [
            one["first_seconds"]
            for row in rows
            for one in row["solvers"]
            if one["solver"] == name and one["status"] == "ok"
        ]
        low, high = markdown.duration(min(every)), markdown.duration(max(every))
        parts.append(f"{SOLVERS[name].title} {low} to {high}")
    return "; ".join(parts)


def missing(rows: Sequence[Row]) -> list[str]:
    """Return what did not run and why, each reason once."""
    reasons = {
        f"{one['solver']}: {one['note']}": None
        for row in rows
        for one in row["solvers"]
        if one["status"] != "ok"
    }
    return list(reasons)


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"* {line}" for line in lines) if lines else "None."


def document(
    rows: Sequence[Row], settings: dict[str, Any], described: dict[str, Any], date: str,
    picture: str | None,
) -> str:  # fmt: skip
    """Return the report."""
    budgets = settings["budgets"]
    about = ABOUT.format(solver='solver="auto"', cap=settings["cap"], lost=settings["lost"])
    parts = ["# Time to a loss", about]
    if picture:
        parts.append(f"![Seconds to the loss others end at]({picture})")
    parts += ["## Rows lost", bullets(list(lost(rows, len(budgets) - 1)))]
    for count in sorted({row["threads"] for row in rows}):
        some = [row for row in rows if row["threads"] == count]
        parts.append("## " + ("One thread" if count == 1 else f"{count} threads"))
        for title in RIVALS:
            if any(title in row["marks"] for row in some):
                parts += [f"### To the loss {title} ends at", mark_table(some, title)]
        for budget_index, budget in enumerate(budgets):
            parts += [f"### The loss after {budget:g} s", loss_table(some, budget_index)]
        parts += ["### The loss at everybody's own end", loss_table(some, None)]
    parts += ["## First call of a process (kernels loaded, or compiled)", first_calls(rows)]
    parts += ["## What did not run", bullets(missing(rows))]
    versions = {k: v for row in rows for one in row["solvers"]
                for k, v in one.get("versions", {}).items()}  # fmt: skip
    parts.append(", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
    parts.append(machine.sentence(described, date))
    return "\n\n".join(parts) + "\n"
