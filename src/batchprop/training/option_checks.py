"""The checks of options: from what the user wrote to the solver's settings and stopping rules."""

from __future__ import annotations

import math

from batchprop import validation
from batchprop.engines.fused.gauss_newton.gauss_newton_blocking import n_bytes
from batchprop.machine.available_memory import available_memory
from batchprop.parameters import Shape
from batchprop.solvers.first_order.first_order_memory import (
    FirstOrderSettings,
    default_learning_rate,
)
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings, default_history
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import (
    LevenbergMarquardtSettings,
)
from batchprop.solvers.scipy_settings import METHODS, NUMBERS, ScipySettings
from batchprop.solvers.settings import FIRST_ORDER, GD, LIMITS
from batchprop.solvers.stopping import NEVER, Rules
from batchprop.training.run_options import RunOptions
from batchprop.validation import memory_demand

SolverSettings = FirstOrderSettings | LbfgsSettings | LevenbergMarquardtSettings | ScipySettings


def solver_settings(solver: str, options: RunOptions, shape: Shape) -> SolverSettings:
    """Check the settings of all solvers, whichever is used, and return those of ``solver``."""
    code = FIRST_ORDER.get(solver, GD)
    learning_rate = validation.optional_number("learning_rate", options.learning_rate, above=0)
    first_order = FirstOrderSettings(
        code,
        default_learning_rate(code, shape) if learning_rate is None else learning_rate,
        validation.number("momentum", options.momentum, least=0, below=1),
        validation.number("beta_1", options.beta_1, least=0, below=1),
        validation.number("beta_2", options.beta_2, least=0, below=1),
        validation.number("epsilon", options.epsilon, above=0),
    )
    history_size = validation.optional_count("history_size", options.history_size)
    max_evaluations = validation.optional_count("max_evaluations", options.max_evaluations)
    lbfgs = LbfgsSettings(
        history_size=default_history(shape.n_parameters) if history_size is None else history_size,
        max_evaluations=_or_never(max_evaluations),
    )
    lm = LevenbergMarquardtSettings(
        damping=validation.number("damping", options.damping, above=0),
        max_damping=validation.number("max_damping", options.max_damping, above=0),
        step_tol=validation.optional_number("step_tol", options.step_tol, least=0) or 0.0,
    )
    method_options = validation.mapping("method_options", options.method_options)
    for name in NUMBERS:
        if method_options.get(name) is not None:  # None selects SciPy's default
            validation.number(f"{name} of method_options", method_options[name])
    scipy = ScipySettings(
        validation.choice("method", options.method, tuple(METHODS)),
        method_options,
        lbfgs.max_evaluations,
    )
    settings: dict[str, SolverSettings] = {"lbfgs": lbfgs, "lm": lm, "scipy": scipy}
    return settings.get(solver, first_order)


def check_memory(shape: Shape, n_samples: int) -> None:
    """Refuse a network whose P×P matrices do not fit in memory."""
    needed = n_bytes(shape, n_samples)
    if needed <= memory_demand.NEGLIGIBLE:  # asking the system takes longer than a small fit
        return
    left = available_memory()
    if needed > left:
        raise ValueError(
            f"solver='lm' must have room for JᵀJ; got {shape.n_parameters} parameters, which take "
            f"{needed / 2**30:.1f} GiB where {max(0.0, left) / 2**30:.1f} GiB are left. Use "
            f"solver='lbfgs', which needs no matrices, or a smaller hidden_size."
        )


def penalty_of_solver(
    alpha: tuple[float, float] | str, solver: str, max_epochs: int
) -> tuple[float, float] | str:
    """Return (α_h, α_y), or the name of the method that has to choose them, where α is "auto".

    It is the evidence for solvers that train to the minimum.  There is no penalty for steps along
    the gradient, which follow the derivation, and for a call that only evaluates.
    """
    if not validation.is_auto(alpha):
        return alpha
    return (0.0, 0.0) if solver in FIRST_ORDER or max_epochs == 0 else "evidence"


def stopping_rules(
    solver: str, options: RunOptions, max_epochs: int | str | None, validating: bool
) -> Rules:
    """Check the stopping rules: None switches one off, "auto" selects the solver's own number."""
    limits = LIMITS[solver]
    long_run = NEVER
    if validation.is_auto(max_epochs):
        max_epochs, long_run = limits.max_epochs, limits.long_run
    last_epoch = validation.optional_count("max_epochs", max_epochs, 0, auto=True)
    window = options.n_epochs_no_change
    if validation.is_auto(window):
        window = limits.n_epochs_no_change
    window = validation.count("n_epochs_no_change", window, auto=True)
    target_loss = validation.optional_number("target_loss", options.target_loss)
    gradient_tol = validation.optional_number("gradient_tol", options.gradient_tol, least=0)
    tol = validation.optional_number("tol", options.tol, least=0)
    patience = options.patience
    if validation.is_auto(patience):
        patience = limits.n_epochs_no_change
    patience = validation.optional_count("patience", patience, auto=True)
    if patience is not None and not validating:
        raise ValueError(
            f"patience must come with validation data; got patience={patience} without X_val and "
            f"T_val. Pass both, or use tol and n_epochs_no_change on the training loss."
        )
    return Rules(
        _or_never(last_epoch),
        -math.inf if target_loss is None else target_loss,
        gradient_tol or -1.0,
        tol or 0.0,
        min(window, NEVER),
        -1 if patience is None else min(patience, NEVER),
        validating,
        long_run,
    )


def time_limit(max_seconds: float | None) -> float:
    """Check a time limit; return it in seconds, infinity for None."""
    limit = validation.optional_number("max_seconds", max_seconds, above=0)
    return math.inf if limit is None else limit


def _or_never(count: int | None) -> int:
    return NEVER if count is None else min(count, NEVER)
