"""``RunOptions``: the arguments of ``train`` that say what a run is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, eq=False)
class RunOptions:
    """Options that define a run.  A checkpoint keeps them, and a resumed run takes them from there.

    ``batchprop.train`` documents each of them.  The values are those of the user and not checked.
    """

    hidden_size: int | None = None
    activation: str | None = None
    solver: str = "auto"
    engine: str = "fused"
    learning_rate: float | None = None
    momentum: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    history_size: int | None = None
    max_evaluations: int | None = None
    damping: float = 1e-3
    max_damping: float = 1e10
    step_tol: float | None = 1e-15
    method: str = "L-BFGS-B"
    method_options: dict[str, Any] | None = None
    scale: bool = True
    alpha: float | tuple[float, float] | str = "auto"
    target_loss: float | None = None
    gradient_tol: float | None = 1e-10
    tol: float | None = 1e-5
    n_epochs_no_change: int | str = "auto"
    patience: int | str | None = None
    seed: int | None = 0
    dtype: npt.DTypeLike | None = None

    @classmethod
    def of_checkpoint(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the options that a checkpoint keeps, by name.

        Raises
        ------
        KeyError
            One is missing.
        """
        return cls(**{name: arguments[name] for name in RUN_OPTIONS})


RUN_OPTIONS = tuple(field.name for field in fields(RunOptions))
