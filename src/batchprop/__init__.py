"""batchprop: one-hidden-layer networks for regression, trained full batch on CPUs.

    H = σ(W_h X + b_h)     Y = W_y H + b_y     L = (1/N) Σ_i ‖y_i − t_i‖²

Public names are imported on first use: ``import batchprop`` compiles nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from batchprop.version import __version__

if TYPE_CHECKING:
    from batchprop import plot
    from batchprop.averaging import average
    from batchprop.blocks.blocks import Blocks
    from batchprop.engines import ENGINES
    from batchprop.gradient_check import check_gradient
    from batchprop.loss import gauss_newton, loss_and_gradient
    from batchprop.network import Network
    from batchprop.predictive.predictive import Predictive
    from batchprop.training.checkpoint.checkpoint import Checkpoint
    from batchprop.training.result import TrainResult
    from batchprop.training.train import train
    from batchprop.training.train_many import train_many

_MODULES = {
    "Blocks": "batchprop.blocks.blocks",
    "Checkpoint": "batchprop.training.checkpoint.checkpoint",
    "ENGINES": "batchprop.engines",
    "Network": "batchprop.network",
    "Predictive": "batchprop.predictive.predictive",
    "TrainResult": "batchprop.result",
    "average": "batchprop.averaging",
    "check_gradient": "batchprop.gradient_check",
    "gauss_newton": "batchprop.loss",
    "loss_and_gradient": "batchprop.loss",
    "train": "batchprop.training.train",
    "train_many": "batchprop.training.train_many",
}
_SUBMODULES = ("plot",)  # that are imported on first use, too

__all__ = [
    "ENGINES",
    "Blocks",
    "Checkpoint",
    "Network",
    "Predictive",
    "TrainResult",
    "__version__",
    "average",
    "check_gradient",
    "gauss_newton",
    "loss_and_gradient",
    "plot",
    "train",
    "train_many",
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    if name in _SUBMODULES:
        return import_module(f"batchprop.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_SUBMODULES})
