"""The former name of ``batchprop.solvers.settings``, kept importable."""

from __future__ import annotations

from batchprop.solvers.settings import (
    ADAM,
    AUTO,
    FIRST_ORDER,
    GD,
    LIMITS,
    MOMENTUM,
    NESTEROV,
    RESUMABLE,
    SOLVERS,
    Limits,
    Settings,
    default_learning_rate,
)

__all__ = [
    "ADAM",
    "AUTO",
    "FIRST_ORDER",
    "GD",
    "LIMITS",
    "MOMENTUM",
    "NESTEROV",
    "RESUMABLE",
    "SOLVERS",
    "Limits",
    "Settings",
    "default_learning_rate",
]
