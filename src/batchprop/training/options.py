"""``TrainOptions``: the keyword arguments of ``train``, and their defaults."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy.typing as npt

from batchprop.network import Network
from batchprop.training.checkpoint.checkpoint import Checkpoint
from batchprop.training.result import Progress, TrainResult
from batchprop.training.run_options import RunOptions

Callback = Callable[[Progress], object]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainOptions(RunOptions):
    """All keyword arguments of one call of ``train``: what the run is, and what is the call's own.

    ``batchprop.train`` documents each of them.  The values are those of the user and not checked.
    """

    # the start; meaningless when resuming
    network: Network | None = None
    n_init: int = 1
    combine: str = "best"
    # what the result says about its errors
    uncertainty: str | None = None
    # data, beside X and T
    sample_weight: npt.ArrayLike | None = None
    X_val: npt.ArrayLike | None = None
    T_val: npt.ArrayLike | None = None
    sample_weight_val: npt.ArrayLike | None = None
    # limits
    max_epochs: int | str | None = "auto"
    max_seconds: float | None = None
    n_threads: int | None = None
    # observers
    callback: Callback | None = None
    callback_every: int = 1
    progress: bool | None = None
    # checkpoints
    resume: TrainResult | Checkpoint | str | os.PathLike[str] | None = None
    checkpoint: str | os.PathLike[str] | None = None
    checkpoint_seconds: float = 60.0


TRAIN_OPTIONS = tuple(field.name for field in fields(TrainOptions))
