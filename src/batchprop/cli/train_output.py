"""What ``train`` says about a model: as one JSON object and as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from batchprop.cli.console import aligned
from batchprop.cli.fit import LEVEL, Fit, HeldOut
from batchprop.cli.measures import Errors
from batchprop.cli.model import Model

_MAX_NAMES = 12  # inputs that the summary lists


def measures_of(outcome: Fit, targets: list[str], n_rows: int, n_dropped: int) -> dict[str, Any]:
    """Return what is known of a training and of the errors of its network.

    Parameters
    ----------
    outcome : Fit
        The training.
    targets : list of str
        Names of the targets.
    n_rows, n_dropped : int
        Numbers of complete rows, and of incomplete ones that were dropped.
    """
    result = outcome.result
    network = result.network
    training = {
        name: {"rmse": rmse, "r2": r2}
        for name, rmse, r2 in zip(
            targets, result.training_errors.rmse, result.training_errors.r2_of_outputs, strict=True
        )
    }
    return {
        "rows": n_rows,
        "rows_dropped": n_dropped,
        "rows_trained_on": outcome.n_rows,
        "network": str(network.shape),
        "activation": network.activation,
        "parameters": network.theta.size,
        "solver": result.solver,
        "epochs": result.n_epochs,
        "seconds": result.seconds,
        "stop_reason": result.stop_reason,
        "converged": result.converged,
        "alpha": list(result.alpha),
        "uncertainty": result.predictive is not None,
        "training": training,
        "held_out": None if outcome.held_out is None else _held_out(outcome.held_out, targets),
    }


def _held_out(held_out: HeldOut, targets: list[str]) -> dict[str, Any]:
    content: dict[str, Any] = {"rows": len(held_out.T)}
    for o, target in enumerate(targets):
        content.setdefault("errors", {})[target] = {
            name: errors[o]._asdict() for name, errors in held_out.errors.items()
        }
    if held_out.coverage is not None:
        content["interval_level"] = LEVEL
        content["interval_coverage"] = dict(zip(targets, held_out.coverage, strict=True))
    return content


def summary(
    label: str, trained: Model, outcome: Fit, model_path: str, report_path: Path | None
) -> str:
    """Return what ``train`` prints."""
    table = trained.table
    n_rows, n_dropped = table.measures["rows"], table.measures["rows_dropped"]
    names = [column.name for column in table.inputs]
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    dropped = f" ({n_dropped:,} incomplete ones dropped)" if n_dropped else ""
    origin = "all" if outcome.on_all_rows else f"{table.n_rows:,} of the"
    lines = {
        "table": f"{label}, {n_rows:,} rows{dropped}",
        "target" if len(table.targets) == 1 else "targets": ", ".join(table.targets),
        "inputs": f"{', '.join(names[:_MAX_NAMES])}{more}",
    }
    head = "\n".join(f"{label:<14}  {text}" for label, text in lines.items())
    parts = [head, str(outcome.result)]
    held_out = outcome.held_out
    if held_out is not None:
        parts += ["", _held_out_text(held_out, table.targets, n_rows)]
    parts += ["", f"model   {model_path}, trained on {origin} {n_rows:,} rows"]
    if report_path is not None:
        parts.append(f"report  {report_path}")
    return "\n".join(parts)


def _held_out_text(held_out: HeldOut, targets: list[str], n_rows: int) -> str:
    n_held_out = len(held_out.T)
    blocks = [f"errors on {n_held_out:,} of {n_rows:,} rows, held out when these were trained:"]
    for o, target in enumerate(targets):
        rows = [(target, "RMSE", "MAE", "R²")]
        rows += [(name, *error_cells(errors[o])) for name, errors in held_out.errors.items()]
        text = aligned(rows, indent="  ")
        if held_out.coverage is not None:
            text += f"\n  {coverage_text(held_out.coverage[o])}"
        blocks.append(text)
    return "\n\n".join(blocks)


def error_cells(errors: Errors) -> tuple[str, str, str]:
    """Return the cells of a table for errors."""
    return f"{errors.rmse:.4g}", f"{errors.mae:.4g}", f"{errors.r2:.4f}"


def coverage_text(coverage: float) -> str:
    """Say which share of the rows is inside the intervals."""
    return f"{coverage:.0%} of these rows are in their interval of {LEVEL:.0%}"
