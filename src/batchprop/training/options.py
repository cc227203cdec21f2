"""The options of a training run, checked before any work is done."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import validation
from batchprop.engines.fused.gauss_newton.gauss_newton_blocking import n_bytes
from batchprop.machine.available_memory import available_memory
from batchprop.network import Network
from batchprop.parameters import Shape
from batchprop.solvers.lbfgs.lbfgs_memory import LbfgsSettings, default_history
from batchprop.solvers.levenberg_marquardt.levenberg_marquardt_memory import LmSettings
from batchprop.solvers.scipy_settings import METHODS, NUMBERS, ScipySettings
from batchprop.solvers.settings import FIRST_ORDER, GD, LIMITS, Settings, default_learning_rate
from batchprop.solvers.stopping import NEVER, Rules
from batchprop.validation import memory_demand
from batchprop.vocabulary import COLUMNS, Words

Array = npt.NDArray[Any]

# Of a network that is drawn, unless the user says otherwise.
HIDDEN_SIZE = 50
ACTIVATION = "tanh"


class Data(NamedTuple):
    """Checked training and validation data."""

    X: Array
    T: Array
    sample_weight: Array | None
    X_val: Array | None
    T_val: Array | None


class Start(NamedTuple):
    """The network to start from, or how to draw one.

    ``dtype`` None is that of the network, or else that of X.
    """

    network: Network | None
    n_hidden: int
    activation: str
    seed: int | None
    dtype: np.dtype[Any] | None


def start(
    network: Network | None,
    hidden_size: int | None,
    activation: str | None,
    seed: int | None,
    dtype: npt.DTypeLike | None,
) -> Start:
    """Check what training starts from; sizes and names that are None are those of the network."""
    m = validation.optional_count("hidden_size", hidden_size)
    sigma = None if activation is None else validation.activation(activation)
    drawn_by = validation.seed(seed)
    wanted = None if dtype is None else validation.float_dtype(dtype)
    if network is None:
        return Start(None, m or HIDDEN_SIZE, sigma or ACTIVATION, drawn_by, wanted)
    validation.network(network, Network)
    own = network.shape.n_hidden, network.activation
    if m not in (None, own[0]) or sigma not in (None, own[1]):
        named = {"hidden_size": m, "activation": sigma}
        beside = ", ".join(f"{name}={value!r}" for name, value in named.items() if value)
        raise ValueError(
            f"network must agree with hidden_size and activation; got {network} beside {beside}. "
            f"Leave those two out: the network has them."
        )
    return Start(network, *own, drawn_by, network.dtype if wanted is None else wanted)


def start_network(wanted: Start, samples: Data) -> Network:
    """Return the network that training starts from: a copy of the given one, or a drawn one."""
    if wanted.network is not None:
        return wanted.network.astype(wanted.dtype or wanted.network.dtype)
    shape = Shape(samples.X.shape[0], wanted.n_hidden, samples.T.shape[0])
    memory_demand.network(shape, "hidden_size")
    return Network.initialize(
        *shape,
        activation=wanted.activation,
        seed=wanted.seed,
        dtype=wanted.dtype or samples.X.dtype,
    )


def data(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    X_val: npt.ArrayLike | None,
    T_val: npt.ArrayLike | None,
    wanted: Start,
    words: Words = COLUMNS,
) -> Data:
    """Check the tables against one another, a given network and the range of the dtype."""
    names, names_val = (
        (words.name("X"), words.name("T")),
        (words.name("X_val"), words.name("T_val")),
    )
    if (X_val is None) != (T_val is None):
        missing, given = names_val[::-1] if T_val is None else names_val
        raise ValueError(
            f"{' and '.join(names_val)} must be given together; got {given} without {missing}. "
            f"Pass both, or neither."
        )
    e, s = (None, None) if wanted.network is None else wanted.network.shape[::2]
    inputs, targets = validation.tables(X, T, e, s, names, wanted.dtype)
    if X_val is None or T_val is None:
        return Data(inputs, targets, None, None, None)
    e, s, dtype = inputs.shape[0], targets.shape[0], wanted.dtype or inputs.dtype
    return Data(inputs, targets, None, *validation.tables(X_val, T_val, e, s, names_val, dtype))


def settings(solver: str, given: dict[str, Any], shape: Shape) -> Any:
    """Check all solvers' numbers, whichever is used, and return those of ``solver``."""
    code = FIRST_ORDER.get(solver, GD)
    rate = validation.optional_number("learning_rate", given["learning_rate"], above=0)
    first_order = Settings(
        code,
        default_learning_rate(code, shape) if rate is None else rate,
        validation.number("momentum", given["momentum"], least=0, below=1),
        validation.number("beta_1", given["beta_1"], least=0, below=1),
        validation.number("beta_2", given["beta_2"], least=0, below=1),
        validation.number("epsilon", given["epsilon"], above=0),
    )
    pairs = validation.optional_count("history_size", given["history_size"])
    most = validation.optional_count("max_evaluations", given["max_evaluations"])
    lbfgs = LbfgsSettings(
        history_size=default_history(shape.n_parameters) if pairs is None else pairs,
        max_evaluations=NEVER if most is None else min(most, NEVER),
    )
    lm = LmSettings(
        damping=validation.number("damping", given["damping"], above=0),
        max_damping=validation.number("max_damping", given["max_damping"], above=0),
        step_tol=validation.optional_number("step_tol", given["step_tol"], least=0) or 0.0,
    )
    own = validation.mapping("method_options", given["method_options"])
    for name in NUMBERS:
        if own.get(name) is not None:  # None is SciPy's own number
            validation.number(f"{name} of method_options", own[name])
    scipy = ScipySettings(
        validation.choice("method", given["method"], tuple(METHODS)),
        own,
        lbfgs.max_evaluations,
    )
    return {"lbfgs": lbfgs, "lm": lm, "scipy": scipy}.get(solver, first_order)


def check_memory(shape: Shape, n_samples: int) -> None:
    """Reject a network whose P×P matrices do not fit: the system would end the process later."""
    needed, left = n_bytes(shape, n_samples), available_memory()
    if needed > left:
        raise ValueError(
            f"solver='lm' must have room for JᵀJ; got {shape.n_parameters} parameters, which take "
            f"{needed / 2**30:.1f} GiB where {max(0.0, left) / 2**30:.1f} GiB are left. Use "
            f"solver='lbfgs', which needs no matrices, or a smaller hidden_size."
        )


def rules(solver: str, given: dict[str, Any], validating: bool) -> Rules:
    """Check the stopping rules; None switches one off, "auto" takes the solver's own number."""
    own = LIMITS[solver]
    most = given["max_epochs"]
    if validation.is_auto(most):
        most = own.max_epochs
    most = validation.optional_count("max_epochs", most, 0, auto=True)
    window = given["n_epochs_no_change"]
    if validation.is_auto(window):
        window = own.n_epochs_no_change
    window = validation.count("n_epochs_no_change", window, auto=True)
    target = validation.optional_number("target_loss", given["target_loss"])
    bound = validation.optional_number("gradient_tol", given["gradient_tol"], least=0)
    fall = validation.optional_number("tol", given["tol"], least=0)
    wait = given["patience"]
    if validation.is_auto(wait):
        wait = own.n_epochs_no_change
    wait = validation.optional_count("patience", wait, auto=True)
    if wait is not None and not validating:
        raise ValueError(
            f"patience must come with validation data; got patience={wait} without X_val and "
            f"T_val. Pass both, or use tol and n_epochs_no_change on the training loss."
        )
    return Rules(
        NEVER if most is None else min(most, NEVER),
        -math.inf if target is None else target,
        bound or -1.0,
        fall or 0.0,
        min(window, NEVER),
        -1 if wait is None else min(wait, NEVER),
        validating,
    )


def seconds(value: float | None) -> float:
    """Check a time limit."""
    limit = validation.optional_number("max_seconds", value, above=0)
    return math.inf if limit is None else limit
