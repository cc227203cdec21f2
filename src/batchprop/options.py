"""The options of a training run, checked before any work is done."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from batchprop import engines, validation
from batchprop.network import Network
from batchprop.solvers.names import DEFAULT_LEARNING_RATE, SOLVERS, Settings
from batchprop.solvers.stopping import Rules

Array = npt.NDArray[Any]


class Data(NamedTuple):
    """Checked training and validation data."""

    X: Array
    T: Array
    sample_weight: Array | None
    X_val: Array | None
    T_val: Array | None


def data(
    X: npt.ArrayLike,
    T: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None,
    X_val: npt.ArrayLike | None,
    T_val: npt.ArrayLike | None,
    network: Network | None,
) -> Data:
    """Check the samples against one another and against a given network."""
    e, s = (None, None) if network is None else (network.shape[0], network.shape[2])
    inputs = validation.inputs(X, e)
    targets = validation.targets(T, inputs, s)
    weight = validation.sample_weight(sample_weight, inputs.shape[1])
    if (X_val is None) != (T_val is None):
        missing, given = ("T_val", "X_val") if T_val is None else ("X_val", "T_val")
        raise ValueError(
            f"X_val and T_val must be given together; got {given} without {missing}. "
            f"Pass both, or neither."
        )
    if X_val is None or T_val is None:
        return Data(inputs, targets, weight, None, None)
    inputs_val = validation.inputs(X_val, inputs.shape[0], name="X_val")
    targets_val = validation.targets(T_val, inputs_val, targets.shape[0], names="X_val T_val")
    return Data(inputs, targets, weight, inputs_val, targets_val)


def start_network(
    network: Network | None,
    samples: Data,
    hidden_size: int,
    activation: str,
    seed: int | None,
    dtype: npt.DTypeLike | None,
) -> Network:
    """Return the network that training starts from: a copy of the given one, or a drawn one."""
    m = validation.count("hidden_size", hidden_size)
    sigma = validation.activation(activation)
    wanted = None if dtype is None else validation.float_dtype(dtype)
    if network is not None:
        if m not in (50, network.shape.n_hidden) or sigma not in ("tanh", network.activation):
            raise ValueError(
                f"network must agree with hidden_size and activation; got {network} beside "
                f"hidden_size={m}, activation={sigma!r}. Leave those two out: the network has them."
            )
        return network.copy() if wanted is None else network.astype(wanted)
    return Network.initialize(
        samples.X.shape[0],
        m,
        samples.T.shape[0],
        activation=sigma,
        seed=seed,
        dtype=samples.X.dtype if wanted is None else wanted,
    )


def settings(
    solver: str,
    learning_rate: float | None,
    momentum: float,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> Settings:
    """Check a solver and its numbers."""
    name = validation.choice("solver", solver, tuple(SOLVERS))
    rate = validation.optional_number("learning_rate", learning_rate, above=0)
    return Settings(
        SOLVERS[name],
        DEFAULT_LEARNING_RATE[name] if rate is None else rate,
        validation.number("momentum", momentum, least=0, below=1),
        validation.number("beta_1", beta_1, least=0, below=1),
        validation.number("beta_2", beta_2, least=0, below=1),
        validation.number("epsilon", epsilon, above=0),
    )


def rules(
    max_epochs: int,
    target_loss: float | None,
    gradient_tol: float | None,
    tol: float | None,
    n_epochs_no_change: int,
    patience: int | None,
    validating: bool,
) -> Rules:
    """Check the stopping rules; None switches one off."""
    target = validation.optional_number("target_loss", target_loss)
    bound = validation.optional_number("gradient_tol", gradient_tol, least=0)
    wait = validation.optional_count("patience", patience)
    if wait is not None and not validating:
        raise ValueError(
            f"patience must come with validation data; got patience={wait} without X_val and "
            f"T_val. Pass both, or use tol and n_epochs_no_change on the training loss."
        )
    return Rules(
        validation.count("max_epochs", max_epochs, least=0),
        -math.inf if target is None else target,
        -1.0 if not bound else bound,
        validation.optional_number("tol", tol, least=0) or 0.0,
        validation.count("n_epochs_no_change", n_epochs_no_change),
        -1 if wait is None else wait,
        validating,
    )


def engine(value: str) -> str:
    """Check the engine's name."""
    return validation.choice("engine", value, engines.ENGINES)


def seconds(value: float | None) -> float:
    """Check a time limit."""
    limit = validation.optional_number("max_seconds", value, above=0)
    return np.inf if limit is None else limit
