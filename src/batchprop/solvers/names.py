"""Names of solvers that used to be defined here, kept importable."""

from __future__ import annotations

from batchprop.solvers.first_order.first_order_memory import FirstOrderSettings as Settings
from batchprop.solvers.first_order.first_order_memory import default_learning_rate
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
