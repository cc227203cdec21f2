"""``batchprop info``: this installation, or a model."""

from __future__ import annotations

import os
import platform
import sys
from argparse import Namespace
from importlib import metadata
from typing import Any

from batchprop.cli.console import Console
from batchprop.cli.errors import OK
from batchprop.cli.model import Model
from batchprop.cli.model_use import loaded
from batchprop.cli.train_output import error_cells
from batchprop.version import __version__

_PACKAGES = ("numpy", "numba", "llvmlite", "scipy")
_OPTIONAL = ("scikit-learn", "matplotlib", "pyarrow", "onnx", "safetensors")
_CPU_INFO = "/proc/cpuinfo"


def run(options: Namespace, console: Console) -> int:
    """Describe the installation or a model; return the exit code."""
    if options.model is None:
        content = _installation()
        lines = {name.replace("_", " "): _shown(value) for name, value in content.items()}
    else:
        model = loaded(options.model)
        content = _model_content(model)
        lines = _model_lines(model)
    if options.json:
        console.json(content)
    else:
        width = max(map(len, lines))
        console.result("\n".join(f"{name:<{width}}  {text}" for name, text in lines.items()))
    return OK


def _installation() -> dict[str, Any]:
    from batchprop.compiler import cache_folders
    from batchprop.machine import thread_count

    folder = next(filter(cache_folders.trusted, cache_folders.candidate_folders()), None)
    return {
        "batchprop": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "threads": thread_count.available(),
        "kernel_cache": str(folder or cache_folders.candidate_folders()[0]),
        **{name: _version(name) for name in (*_PACKAGES, *_OPTIONAL)},
    }


def _shown(value: object) -> str:
    return "not installed" if value is None else str(value)


def _version(package: str) -> str | None:
    """Return the version of an installed package without importing it."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    if sys.platform.startswith("linux") and os.path.exists(_CPU_INFO):
        with open(_CPU_INFO, encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _model_content(model: Model) -> dict[str, Any]:
    table = model.table
    return {
        "inputs": [
            {"name": column.name, "levels": None if column.levels is None else list(column.levels)}
            for column in table.inputs
        ],
        "network_inputs": table.network_inputs,
        "targets": table.targets,
        "header": table.header,
        **table.measures,
    }


def _model_lines(model: Model) -> dict[str, str]:
    from batchprop.cli.measures import Errors

    table, measures = model.table, model.table.measures
    network = model.network
    lines = {
        "network": f"{network.shape}, {network.activation}, {network.dtype}, "
        f"{network.theta.size:,} parameters",
        "trained on": f"{table.n_rows:,} rows",
        "targets": ", ".join(table.targets),
    }
    for k, column in enumerate(table.inputs):
        text = f"{column.minimum:.6g} to {column.maximum:.6g}"
        if column.levels is not None:
            text = f"categories {', '.join(column.levels)}"
        lines[f"input {k + 1}"] = f"{column.name}: {text}"
    held_out = measures.get("held_out") or {}
    for target in table.targets if held_out else ():
        rmse, _, r2 = error_cells(Errors(**held_out["errors"][target]["network"]))
        lines[f"error of {target}"] = f"RMSE {rmse}, R² {r2} on {held_out['rows']:,} held-out rows"
    lines["uncertainty"] = "no" if model.predictive is None else "yes: predict --std, --interval"
    return lines
