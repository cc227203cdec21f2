"""The solvers by name, under the name that ``batchprop.solvers.settings`` had before."""

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
